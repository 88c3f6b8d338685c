"""The whole state of an engine at one record, as data; and its codec.

In memory a snapshot is a cache, to go back to. At the seam of a rolled reel it is what the records before it left
behind, encoded, with a version and upcasters of its own.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from signalreel.errors import ReelDamaged
from signalreel.logic import CATALOGUE, Catalogue
from signalreel.machines.context import Environment, Session
from signalreel.machines.registry import Registered
from signalreel.machines.shapes import Pair, Playback, Room, Stream
from signalreel.machines.standings import Standing
from signalreel.machines.used import Used
from signalreel.settings import Settings
from signalreel.step import DIGEST_SIZE
from signalreel.upcasting import UPCASTERS, Upcasters

__all__ = ("SEAM_BYTES_MAX", "SEQ_MAX", "Snapshot", "decode_snapshot", "encode_snapshot")

SEAM_BYTES_MAX: Final = 1 << 27
"""Bytes of an encoded snapshot: a machine or session takes some two hundred of them."""

SEQ_MAX: Final = 1 << 53
"""The largest seq and time of a record that is read: beyond it, JavaScript would round."""


class Snapshot(Struct, frozen=True):
    """The whole state of an engine. Taking one copies references only: machines are immutable."""

    seq: int
    time: int
    digest: bytes
    settings: Settings
    environment: Environment
    sessions: tuple[Session, ...]
    used: tuple[Used, ...]
    streams: tuple[Stream, ...]
    playbacks: tuple[Playback, ...]
    pairs: tuple[Pair, ...]
    rooms: tuple[Room, ...]
    registered: Registered
    standings: tuple[tuple[str, tuple[Standing, ...]], ...]


class _Seam(Struct, array_like=True):
    """A snapshot on a reel."""

    version: int
    snapshot: Snapshot


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Seam).decode
_decode_plainly: Final = msgspec.msgpack.Decoder(tuple[int, dict[str, Any]]).decode


def encode_snapshot(snapshot: Snapshot, *, upcasters: Upcasters = UPCASTERS) -> bytes:
    """Give the snapshot as bytes for the seam of a reel. Raises `ValueError` when it is larger than a seam may be."""
    data = _encode(_Seam(upcasters.newest("snapshot"), snapshot))
    if len(data) > SEAM_BYTES_MAX:
        raise ValueError(f"a snapshot at a seam has at most {SEAM_BYTES_MAX} bytes, this one has {len(data)}")
    return data


def decode_snapshot(
    data: bytes, *, place: str = "seam", catalogue: Catalogue = CATALOGUE, upcasters: Upcasters = UPCASTERS
) -> Snapshot:
    """Read the snapshot at a seam. Raises `ReelDamaged`, also when a newer version made it."""
    if len(data) > SEAM_BYTES_MAX:
        raise ReelDamaged(place, f"it has {len(data)} bytes; a snapshot at a seam has at most {SEAM_BYTES_MAX}")
    try:
        snapshot = _read(data, upcasters)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ReelDamaged(place, f"cannot be decoded: {error}") from None
    if not (0 <= snapshot.seq <= SEQ_MAX and 0 <= snapshot.time <= SEQ_MAX) or len(snapshot.digest) != DIGEST_SIZE:
        raise ReelDamaged(place, "its seq, time or digest is none that an engine could have")
    unknown = catalogue.unknown(snapshot.environment.logic)
    if unknown:
        raise ReelDamaged(
            place, f"it goes by flag {unknown[0]} of the logic, which a newer version of Signalreel brought"
        )
    return snapshot


def _read(data: bytes, upcasters: Upcasters) -> Snapshot:
    newest = upcasters.newest("snapshot")
    try:
        seam = _decode(data)
    except msgspec.ValidationError:
        pass
    else:
        if seam.version == newest:
            return seam.snapshot
    version, fields = _decode_plainly(data)
    if version == newest:
        return _decode(data).snapshot
    return _decode(_encode([newest, upcasters.upcast("snapshot", version, fields)])).snapshot
