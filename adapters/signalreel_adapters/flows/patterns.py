"""Patterns: JSON with gaps. What a client says in a flow, and what it must hear, is written as one.

What lives here: the kinds of pattern, and how their text is read. What may not: comparing, which is `matcher`'s.

Beyond JSON there are three words: `*` stands for any one value, `...` at the end of an object or list for anything
further in it, and `{name}` inside a string for a text that is noted when it is first heard and must be the same later.
A brace that does not enclose a plain name is an ordinary character, so JSON within a string can be written as it is.
"""

import json
import re
from typing import Final

from msgspec import Struct

from signalreel.errors import SignalreelError

__all__ = (
    "NAME",
    "PATTERN_DEPTH_MAX",
    "Anything",
    "ListOf",
    "Literal",
    "ObjectOf",
    "Pattern",
    "PatternError",
    "PatternUnfinished",
    "Text",
    "names_in",
    "read_pattern",
    "write_pattern",
)

NAME: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""A name inside a string."""

PATTERN_DEPTH_MAX: Final = 32
"""How deep objects and lists may stand in each other; messages of the protocol need four."""

_SPACE: Final = re.compile(r"\s*")
_SCALARS: Final = json.JSONDecoder()


class Anything(Struct, frozen=True):
    """`*`: any one value."""


class Text(Struct, frozen=True):
    """A string, which may hold names."""

    text: str


class Literal(Struct, frozen=True):
    """A number, `true`, `false` or `null`."""

    value: float | bool | None


class ListOf(Struct, frozen=True):
    """A list; with `...` at its end, one that begins so."""

    items: "tuple[Pattern, ...]"
    is_open: bool = False


class ObjectOf(Struct, frozen=True):
    """An object, its fields in any order; with `...` at its end, one that has these fields among others."""

    fields: "tuple[tuple[str, Pattern], ...]"
    is_open: bool = False


Pattern = Anything | Text | Literal | ListOf | ObjectOf


class PatternError(SignalreelError):
    """A text is no pattern; the message says what was expected there. `at` counts its characters from 0."""

    def __init__(self, what: str, at: int) -> None:
        self.at = at
        super().__init__(what)


class PatternUnfinished(PatternError):
    """The text ends within an object or list: with the next line added, it may be a pattern."""


def read_pattern(text: str) -> tuple[Pattern, str]:
    """Read the pattern that a text begins with; give it with what follows it. Raises `PatternError`."""
    reader = _Reader(text)
    pattern = reader.value(0)
    return pattern, text[reader.at :].strip()


def names_in(pattern: Pattern) -> tuple[str, ...]:
    """Give the names that a pattern holds, in the order of the text."""
    match pattern:
        case Text(text):
            return tuple(NAME.findall(text))
        case ListOf(items):
            return tuple(name for item in items for name in names_in(item))
        case ObjectOf(fields):
            return tuple(name for _, field in fields for name in names_in(field))
        case Anything() | Literal():
            return ()


def write_pattern(pattern: Pattern) -> str:
    """Write a pattern in one line, such that reading it gives the same."""
    match pattern:
        case Anything():
            return "*"
        case Text(text):
            return json.dumps(text, ensure_ascii=False)
        case Literal(value):
            return json.dumps(value)
        case ListOf(items, is_open):
            return f"[{', '.join([*map(write_pattern, items), *(['...'] if is_open else [])])}]"
        case ObjectOf(fields, is_open):
            written = [f"{json.dumps(name, ensure_ascii=False)}: {write_pattern(field)}" for name, field in fields]
            return f"{{{', '.join([*written, *(['...'] if is_open else [])])}}}"


class _Reader:
    """Reads forward through one text."""

    def __init__(self, text: str) -> None:
        self.at = 0
        self._text = text

    def value(self, depth: int) -> Pattern:
        if depth > PATTERN_DEPTH_MAX:
            raise PatternError(f"objects and lists stand more than {PATTERN_DEPTH_MAX} deep in each other", self.at)
        if self._takes("*"):
            return Anything()
        if self._takes("{"):
            return self._object(depth)
        if self._takes("["):
            return self._list(depth)
        return self._scalar()

    def _object(self, depth: int) -> ObjectOf:
        fields: dict[str, Pattern] = {}
        while not self._takes("}"):
            if self._takes("..."):
                self._needs("}", "`...` stands at the end of an object")
                return ObjectOf(tuple(fields.items()), is_open=True)
            start = self.at
            name = self._scalar()
            if not isinstance(name, Text):
                raise PatternError("a field begins with its name, in quotes", start)
            if name.text in fields:
                raise PatternError(f'the field "{name.text}" stands twice in one object', start)
            self._needs(":", f'a colon is missing after the field "{name.text}"')
            fields[name.text] = self.value(depth + 1)
            self._goes_on("}")
        return ObjectOf(tuple(fields.items()))

    def _list(self, depth: int) -> ListOf:
        items: list[Pattern] = []
        while not self._takes("]"):
            if self._takes("..."):
                self._needs("]", "`...` stands at the end of a list")
                return ListOf(tuple(items), is_open=True)
            items.append(self.value(depth + 1))
            self._goes_on("]")
        return ListOf(tuple(items))

    def _goes_on(self, end: str) -> None:
        """Pass the comma between two entries, or see the end."""
        if not self._takes(",") and not self._sees(end):
            raise PatternError(f"a comma or `{end}` is missing", self.at)

    def _scalar(self) -> Text | Literal:
        self._skip()
        try:
            value, self.at = _SCALARS.raw_decode(self._text, self.at)
        except json.JSONDecodeError as error:
            raise PatternError("this is no JSON value, `*` or `...`", error.pos) from error
        return Text(value) if isinstance(value, str) else Literal(value)

    def _needs(self, mark: str, what: str) -> None:
        if not self._takes(mark):
            raise PatternError(what, self.at)

    def _takes(self, mark: str) -> bool:
        if not self._sees(mark):
            return False
        self.at += len(mark)
        return True

    def _sees(self, mark: str) -> bool:
        self._skip()
        return self._text.startswith(mark, self.at)

    def _skip(self) -> None:
        """Pass white space; what is asked for next cannot come when the text ends here."""
        found = _SPACE.match(self._text, self.at)
        self.at = found.end() if found else self.at
        if self.at == len(self._text):
            raise PatternUnfinished("the text ends here", self.at)
