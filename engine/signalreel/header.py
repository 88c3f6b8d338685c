"""The header: what a reel says of itself, once, before its first record; and its codec.

It is JSON, so that it can be read with nothing but the file. Everything in it is written out, also what is the default
today, because the defaults of tomorrow are others. What the first headers did not hold yet is filled in with what was
so then.
"""

from typing import Any, Final, cast

import msgspec
from msgspec import Struct, field

from signalreel.errors import ReelDamaged
from signalreel.logic import CATALOGUE, Catalogue
from signalreel.record import FORMAT, schema_of_inputs
from signalreel.settings import Settings
from signalreel.upcasting import UPCASTERS, Upcasters

__all__ = ("ENGINE_VERSION", "HEADER_BYTES_MAX", "Header", "Parent", "decode_header", "encode_header")

ENGINE_VERSION: Final = "0.1.0"
"""The version of the engine, as it stands in the header of the reels it writes."""

HEADER_BYTES_MAX: Final = 1 << 18
"""Bytes of a header. Its settings are most of it."""

_FIRST: Final[dict[str, Any]] = {"engine_version": "0.1.0", "logic": [], "schema": ""}
"""What the first headers meant by not saying it. What is not here means the same today when it is left out."""


class Parent(Struct, frozen=True):
    """Where a reel was taken from another: the segment before it, the reel it was forked from or is an excerpt of."""

    id: str
    seq: int  #: the last record that both have
    chain: bytes = b""  #: of the parent after that record
    digest: bytes = b""


class Header(Struct, frozen=True):
    """What a reel says of itself, once, before its first record."""

    settings: Settings
    format: int = FORMAT
    engine_version: str = ENGINE_VERSION
    started_at: int = 0  #: microseconds since 1970 at record time 0, by the clock of the host that wrote it
    id: str = ""  #: drawn by whoever made the reel; empty when nobody needs to tell it from others
    logic: tuple[int, ...] = CATALOGUE.numbers  #: the flags of the logic that were raised before the first record
    seed: int | None = None  #: what a simulation drew everything from
    schema: str = field(default_factory=schema_of_inputs)  #: a hash of the shapes of the inputs
    parent: Parent | None = None


def encode_header(header: Header, *, upcasters: Upcasters = UPCASTERS) -> bytes:
    """Give the header as JSON, with the version of its shape."""
    fields = msgspec.to_builtins(header, str_keys=True)
    return msgspec.json.encode({"version": upcasters.newest("header"), **fields})


def decode_header(
    data: bytes | str,
    *,
    place: str = "header",
    catalogue: Catalogue = CATALOGUE,
    upcasters: Upcasters = UPCASTERS,
) -> Header:
    """Read a header. Raises `ReelDamaged`, also when a newer version made it."""
    if len(data) > HEADER_BYTES_MAX:
        raise ReelDamaged(place, f"it has {len(data)} bytes; a header has at most {HEADER_BYTES_MAX}")
    try:
        fields = msgspec.json.decode(data)
        if not isinstance(fields, dict):
            raise ReelDamaged(place, "cannot be read: it is no JSON object")
        given = _FIRST | cast(dict[str, Any], fields)
        written = given.get("format", 1)
        if isinstance(written, int) and written > FORMAT:
            raise ReelDamaged(place, f"format {written} is newer than this version's {FORMAT}")
        version = given.pop("version", 1)
        header = msgspec.convert(upcasters.upcast("header", version, given), Header)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ReelDamaged(place, f"cannot be read: {error}") from None
    unknown = catalogue.unknown(header.logic)
    if unknown:
        raise ReelDamaged(
            place, f"it goes by flag {unknown[0]} of the logic, which a newer version of Signalreel brought"
        )
    return header
