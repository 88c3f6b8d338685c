"""Keys that nobody knows: found before anything is converted, and answered with the nearest one that there is."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import cast

import msgspec
from msgspec import Struct, inspect

from signalreel_adapters.configuration.errors import Misconfigured
from signalreel_adapters.configuration.secrets import SecretSource

__all__ = ("check_names", "reason_of", "unknown")


def check_names(table: Mapping[str, object], kind: type[Struct]) -> None:
    """See that a table has no key that a Struct has no field for, in all its depth. Raises `Misconfigured`."""
    _walk(table, inspect.type_info(kind), "")


def unknown(place: str, key: str, known: Iterable[str]) -> Misconfigured:
    """Make the error about a key: where it stands, and which known one it resembles."""
    near = get_close_matches(key, list(known), n=1, cutoff=0.5)
    return Misconfigured(
        f"there is no {_inner(place, key)}" + (f"; did you mean {_inner(place, near[0])}?" if near else "")
    )


def reason_of(error: msgspec.ValidationError, place: str = "") -> str:
    """Say what is wrong with a value and where, in the words of a configuration."""
    what, _, path = str(error).partition(" - at `$")
    inner = path.removesuffix("`").lstrip(".")
    return f"{_inner(place, inner)}: {what[:1].lower()}{what[1:]}" if inner or place else what


def _walk(value: object, type_: inspect.Type, place: str) -> None:
    kinds = type_.types if isinstance(type_, inspect.UnionType) else (type_,)
    table = cast(dict[str, object], value) if isinstance(value, dict) else None
    for kind in kinds:
        if isinstance(kind, inspect.StructType):
            if table is not None:
                _check_fields(table, kind, place)
            elif kind.cls is SecretSource:
                raise Misconfigured(
                    f'a secret does not stand in the configuration: write {place}.file = "..." or {place}.env = "..."'
                )
        elif isinstance(kind, inspect.DictType) and table is not None:
            for key, inner in table.items():
                _walk(inner, kind.value_type, _inner(place, key))
        elif isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
            for at, inner in enumerate(cast(list[object], value)):
                _walk(inner, kind.item_type, f"{place}[{at}]")


def _check_fields(table: Mapping[str, object], kind: inspect.StructType, place: str) -> None:
    fields = {field.encode_name: field.type for field in kind.fields}
    for key, inner in table.items():
        if key not in fields:
            raise unknown(place, key, fields)
        _walk(inner, fields[key], _inner(place, key))


def _inner(place: str, key: str) -> str:
    return f"{place}.{key}" if place and key else place or key
