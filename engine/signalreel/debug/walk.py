"""A walk over every text in a value, whatever it is made of: what reads all texts, and what replaces all of them.

It goes by the types of msgspec alone, so a field that is added to a Struct is walked like the others.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final, TypeVar, cast

from msgspec import Struct
from msgspec.structs import fields, replace

from signalreel.debug.words import EXEMPT, NAMING, OWN_JSON, Exempt
from signalreel.identifiers import Reference

__all__ = ("NOWHERE", "OWN_JSON_DEPTH_MAX", "Each", "Place", "walked")

OWN_JSON_DEPTH_MAX: Final = 64
"""How deep the JSON of a client's own is looked into; what is deeper is left out."""

_Value = TypeVar("_Value")


class Place(Struct, frozen=True):
    """Where a text stands: in which field of which Struct, and what `words` says of that field."""

    kind: str = ""
    field: str = ""
    exempt: Exempt | None = None
    names: bool = False  #: it names a stream or a room
    is_own_json: bool = False


Each = Callable[[str, Place], str]
"""Gives what is to stand in the place of a text."""

NOWHERE: Final = Place()
"""The place of a text that is in no Struct."""


def walked(value: _Value, each: Each) -> _Value:
    """Give the value with every text in it as `each` gives it."""
    return cast(_Value, _walked(value, each, NOWHERE))


def _walked(value: object, each: Each, place: Place) -> object:
    match value:
        case None | bool() | int() | float() | bytes() | Enum():
            return value
        case str():
            return each(value, place)
        case Struct():
            return _struct(value, each)
        case tuple() | list():
            parts = [_walked(part, each, place) for part in cast(Sequence[object], value)]
            return parts if isinstance(value, list) else tuple(parts)
        case dict():
            keys = _place(place.kind, f"{place.field} keys")
            held = cast(dict[object, object], value)
            return {_walked(key, each, keys): _walked(part, each, place) for key, part in held.items()}
        case _:
            return None  # Nothing that is on a reel; so it cannot say anything.


def _struct(value: Struct, each: Each) -> Struct:
    changes: dict[str, object] = {}
    for name, place in _places(type(value)):
        before = getattr(value, name)
        after = _own(before, each, place, 0) if place.is_own_json else _walked(before, each, place)
        if after is not before:
            changes[name] = after
    return replace(value, **changes) if changes else value


def _own(value: object, each: Each, place: Place, depth: int) -> object:
    """Walk a client's own JSON: of its numbers nothing is known, so they are as telling as its texts."""
    if depth > OWN_JSON_DEPTH_MAX:
        return None
    match value:
        case None | bool():
            return value
        case str():
            return each(value, place)
        case int() | float():
            return 0
        case list():
            return [_own(part, each, place, depth + 1) for part in cast(list[object], value)]
        case dict():
            held = cast(dict[object, object], value)
            return {each(str(key), place): _own(part, each, place, depth + 1) for key, part in held.items()}
        case _:
            return None


@cache
def _places(kind: type[Struct]) -> tuple[tuple[str, Place], ...]:
    return tuple((field.name, _place_of(kind, field.name, is_any=field.type is Any)) for field in fields(kind))


def _place_of(kind: type[Struct], field: str, *, is_any: bool) -> Place:
    names = field in NAMING or (kind is Reference and field == "id")
    is_own_json = is_any or (kind, field) in OWN_JSON
    return Place(kind.__name__, field, EXEMPT.get((kind, field)), names, is_own_json)


_EXEMPT_BY_NAME: Final = {(kind.__name__, field): exempt for (kind, field), exempt in EXEMPT.items()}


@cache
def _place(kind: str, field: str) -> Place:
    return Place(kind, field, _EXEMPT_BY_NAME.get((kind, field)))
