"""What the interface is made of: one table of operations, from which requests are dispatched and OpenAPI is written.

An operation says everything about itself: its path and parameters with their types and bounds, what its body must be,
what it answers. Nothing about it stands anywhere else, so the document cannot say what the server does not do.
"""

import inspect
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Protocol

from msgspec import Struct

from signalreel.identifiers import NAME_LENGTH_MAX, is_valid_name
from signalreel_adapters.server.rest.problems import bad_request
from signalreel_adapters.server.rest.services import Services

__all__ = (
    "IDS_MAX",
    "PAGE_SIZE_MAX",
    "PARAMETERS",
    "Call",
    "Form",
    "Handler",
    "Operation",
    "Parameter",
    "path_pattern",
    "read_parameter",
)

PAGE_SIZE_MAX: Final = 50
"""Entries of one list; whoever asks for more gets these, as from real servers."""

IDS_MAX: Final = 100
"""Ids named in one request."""

_INTEGER_MAX: Final = 2**53
_TEXT_LENGTH_MAX: Final = 255
_LIST_LENGTH_MAX: Final = IDS_MAX * (NAME_LENGTH_MAX + 1)
_INTEGER: Final = re.compile(r"-?[0-9]{1,16}")
_BRACES: Final = re.compile(r"\{(?P<name>[a-z_]+)\}")


class Form(StrEnum):
    """What a parameter looks like."""

    NAME = "name"  #: of a stream or room
    TEXT = "text"  #: of a subscriber, or searched for
    LIST = "list"  #: of names, with commas between them
    INTEGER = "integer"


class Parameter(Struct, frozen=True):
    """One parameter, wherever it stands. Names on the wire are as real servers spell them."""

    wire: str
    form: Form
    meaning: str
    least: int = 0
    most: int = _INTEGER_MAX
    choices: tuple[str, ...] = ()
    default: str | int | None = None  #: of one that may be left out
    required: bool = False  #: of one in the query


PARAMETERS: Final[dict[str, Parameter]] = {
    "id": Parameter("id", Form.NAME, "The stream's id."),
    "room": Parameter("room", Form.NAME, "The room's id."),
    "subscriber_id": Parameter("subscriberId", Form.TEXT, "The subscriber's id."),
    "offset": Parameter("offset", Form.INTEGER, "How many entries to leave out."),
    "size": Parameter("size", Form.INTEGER, f"How many entries to give, at most {PAGE_SIZE_MAX}.", least=1),
    "search": Parameter("search", Form.TEXT, "What the id or the name contains, in whatever case."),
    "seconds": Parameter("seconds", Form.INTEGER, "For how long; 0 lifts a block.", most=10 * 366 * 86_400),
    "kind": Parameter("type", Form.TEXT, "What from.", choices=("publish", "play", "publish_play")),
}
"""The parameters of paths."""


class Call(Struct, frozen=True):
    """One request, read and checked."""

    app: str
    given: dict[str, Any]  #: parameters of path and query, by their names in Python
    body: Any = None

    def text(self, name: str) -> str:
        """Give a parameter that is text."""
        return str(self.given[name])

    def optional(self, name: str) -> str:
        """Give a parameter that is text, empty when it was left out."""
        return str(self.given.get(name, ""))

    def number(self, name: str) -> int:
        """Give a parameter that is a number."""
        return int(self.given[name])

    def page(self) -> slice:
        """Give the entries that are asked for."""
        offset, size = self.number("offset"), self.number("size")
        return slice(offset, offset + min(size, PAGE_SIZE_MAX))


class Handler(Protocol):
    """Carries an operation out, and gives what it answers."""

    __name__: str

    async def __call__(self, services: Services, call: Call) -> object:
        """Do it. Raises `RestProblem` when it cannot be done."""
        ...


class Operation(Struct, frozen=True):
    """One thing that can be asked for. What carries it out says in its docstring what it does."""

    method: str
    path: str  #: beneath `/{app}/rest/v2`, with parameters in braces
    do: Handler
    answer: Any  #: the type of what is answered
    query: Mapping[str, Parameter] = {}
    body: Any = None  #: the type that a body must be of
    fails: tuple[int, ...] = ()  #: with which statuses, besides those that everything can fail with
    is_open: bool = False  #: whether everybody may ask

    @property
    def name(self) -> str:
        """What it is called in the document."""
        return self.do.__name__

    @property
    def summary(self) -> str:
        """What it does."""
        return inspect.getdoc(self.do) or ""


def path_pattern(path: str) -> re.Pattern[str]:
    """Make the pattern of a path; a parameter is anything but a slash, and looked at afterwards."""
    parts = _BRACES.split(path)
    pieces = [f"(?P<{part}>[^/]+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(pieces), re.DOTALL)


def read_parameter(parameter: Parameter, text: str) -> str | int:
    """Read a parameter. Raises `RestProblem` (400), which does not quote it: it may be anything."""
    match parameter.form:
        case Form.INTEGER:
            number = int(text) if _INTEGER.fullmatch(text) else None
            if number is None or not parameter.least <= number <= parameter.most:
                raise bad_request(f"{parameter.wire} must be a whole number from {parameter.least} to {parameter.most}")
            return number
        case Form.NAME:
            if not is_valid_name(text):
                raise bad_request(
                    f"{parameter.wire} must be a name of at most {NAME_LENGTH_MAX} characters: A-Z a-z 0-9 - _ ."
                )
        case Form.LIST:
            if not 0 < len(text) <= _LIST_LENGTH_MAX:
                raise bad_request(f"{parameter.wire} must be at most {IDS_MAX} names with commas between them")
        case Form.TEXT:
            if not 0 < len(text) <= _TEXT_LENGTH_MAX or not text.isprintable():
                raise bad_request(f"{parameter.wire} must be printable text of 1 to {_TEXT_LENGTH_MAX} characters")
    if parameter.choices and text not in parameter.choices:
        raise bad_request(f"{parameter.wire} must be one of {', '.join(parameter.choices)}")
    return text
