"""From an id as a client names it to the faults that it asks for, and to an id that a server accepts; and back.

    mock:highResourceUsage|times=2      refused twice, then served
    mock:slow_answer=8s|name=camera     answered late

The engine accepts no `:`, `|` and `=` in an id. So it is given another spelling, which holds the same letters and can
be read back without a memory: ids come back to clients in whatever list they stand, as whoever chose them wrote them.
"""

import re
from typing import Final, cast

from msgspec import Struct

from signalreel_adapters.testserver.faults import FAULTS, PREFIX, Fault, Value

__all__ = ("DURATION_S_MAX", "InvalidScript", "Script", "inner_of", "is_mock", "outer_in", "read_script")

DURATION_S_MAX: Final = 3_600
"""The longest that a fault waits."""

_CODE_MIN, _CODE_MAX = 1000, 4999
_NEVER_SENT: Final = frozenset({1004, 1005, 1006, 1015})
"""Codes that no close frame may carry (RFC 6455, section 7.4.1)."""

_COUNT_MAX: Final = 1_000
_MOCK: Final = re.compile(r"!?mock:[A-Za-z0-9_.:|=@+,;-]+")
_INNER_PREFIX: Final = "mock."
_PLAIN: Final = re.compile(r"[^A-Za-z0-9_-]")
_INNER: Final = re.compile(r"mock\.((?:[A-Za-z0-9_-]|\.[0-9a-f]{2})+)")
_ENCODED: Final = re.compile(r"\.([0-9a-f]{2})")
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m)")
_MICROSECONDS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000}
_SECOND: Final = 1_000_000


class InvalidScript(ValueError):
    """An id asks for something that is no fault. The message is a sentence for whoever wrote the id."""


class Script(Struct, frozen=True):
    """The faults that an id asks for: their values by their names."""

    faults: dict[str, int]  #: a duration in microseconds, a close code or a count; 0 where there is no value

    @property
    def refusal(self) -> Fault | None:
        """The refusal among them; an id has one at most."""
        return next((FAULTS[name] for name in self.faults if FAULTS[name].refusal is not None), None)


def is_mock(name: str) -> bool:
    """Whether an id asks for faults."""
    return name.startswith(PREFIX)


def read_script(name: str) -> Script:
    """Read the faults of an id that begins with `mock:`. Raises `InvalidScript`."""
    if _MOCK.fullmatch(name) is None:
        raise InvalidScript(f"behind {PREFIX} stand faults with | between them, without spaces or other signs")
    faults: dict[str, int] = {}
    for part in name.removeprefix(PREFIX).split("|"):
        called, equals, text = part.partition("=")
        fault = FAULTS.get(called)
        if fault is None:
            raise InvalidScript(f"there is no fault {called!r}; there are {', '.join(FAULTS)}")
        if called in faults:
            raise InvalidScript(f"{called} stands there twice")
        faults[called] = _value(fault, text if equals else fault.default, is_given=bool(equals))
    if sum(FAULTS[called].refusal is not None for called in faults) > 1:
        raise InvalidScript("one id can be refused in one way only")
    return Script(faults)


def _value(fault: Fault, text: str, *, is_given: bool) -> int:
    """Read what stands behind the `=`, as a number. Raises `InvalidScript`."""
    if fault.value is Value.NOTHING:
        if is_given:
            raise InvalidScript(f"{fault.name} takes no value")
        return 0
    number = _number(fault.value, text)
    if number is None:
        raise InvalidScript(f"{fault.name} takes {fault.value.value}; {text!r} is none")
    return number


def _number(value: Value, text: str) -> int | None:
    """Read a value of this kind; None when it is none."""
    if value is Value.TEXT:
        return 0 if text else None
    if value is Value.DURATION:
        read = _DURATION.fullmatch(text)
        wait = round(float(read[1]) * _MICROSECONDS[read[2]]) if read is not None else -1
        return wait if 0 <= wait <= DURATION_S_MAX * _SECOND else None
    number = int(text) if text.isdecimal() and text.isascii() and len(text) <= len(str(_CODE_MAX)) else -1
    if value is Value.COUNT:
        return number if 1 <= number <= _COUNT_MAX else None
    return number if _CODE_MIN <= number <= _CODE_MAX and number not in _NEVER_SENT else None


def inner_of(value: object) -> object:
    """Give what a client said with every such id as the engine accepts it; descriptions are left as they are."""
    match value:
        case str() if _MOCK.fullmatch(value):
            mark, _, rest = value.partition(PREFIX)
            return mark + _INNER_PREFIX + _PLAIN.sub(lambda sign: f".{ord(sign[0]):02x}", rest)
        case list():
            return [inner_of(one) for one in cast("list[object]", value)]
        case dict():
            return {key: inner_of(one) for key, one in cast("dict[str, object]", value).items()}
        case _:
            return value


def outer_in(text: str) -> str:
    """Give what a server says with every such id as its client wrote it."""
    return _INNER.sub(lambda inner: PREFIX + _ENCODED.sub(lambda sign: chr(int(sign[1], 16)), inner[1]), text)
