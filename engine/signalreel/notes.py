"""Notes: what is worth knowing beside the records, and decides nothing.

Whether a message was delivered, with which code a transport closed, where ICE or DTLS failed, how much media flowed:
an explanation wants them, a replay does not. They stand outside every digest and chain, and may be missing. A note
never holds a secret, a description, a candidate or an address.
"""

from typing import Final

import msgspec
from msgspec import Struct

from signalreel.errors import ReelDamaged
from signalreel.identifiers import Reference

__all__ = (
    "NOTE_BYTES_MAX",
    "NOTE_TEXT_MAX",
    "AnyNote",
    "Closed",
    "Coalesced",
    "Correlation",
    "Delivered",
    "Dropped",
    "MediaFailed",
    "MediaStatistics",
    "Note",
    "NoteBody",
    "OffReel",
    "UnknownNote",
    "decode_note",
    "encode_note",
    "note_name",
)

NOTE_BYTES_MAX: Final = 4_096
"""Bytes of one note."""

NOTE_TEXT_MAX: Final = 128
"""Characters of a text in a note. Whoever makes one cuts what others wrote, such as the reason of a close."""


class NoteBody(Struct, frozen=True, gc=False, tag_field="note", omit_defaults=True):
    """Base of what can be noted."""


class Delivered(NoteBody, frozen=True, gc=False, tag="delivered"):
    """What the record's step told this session has been handed to its transport."""

    messages: int = 1


class Dropped(NoteBody, frozen=True, gc=False, tag="dropped"):
    """What the record's step told this session was not sent: its queue was full, or its transport gone."""

    messages: int = 1
    reason: str = ""


class Coalesced(NoteBody, frozen=True, gc=False, tag="coalesced"):
    """What the record's step told this session was replaced by a newer message of the same kind."""

    messages: int = 1


class Closed(NoteBody, frozen=True, gc=False, tag="closed"):
    """How the session's transport ended."""

    code: int  #: the WebSocket close code, or its nearest equivalent (RFC 6455, section 7.4.1)
    reason: str = ""
    by: str = ""  #: `client`, `server`, or empty when the connection broke


class OffReel(NoteBody, frozen=True, gc=False, tag="offReel"):
    """Inputs of this session that are on no record: `ping`, `undecodable`, `rate limited`, `reel failed` and so on."""

    reason: str
    count: int = 1


class MediaFailed(NoteBody, frozen=True, gc=False, tag="mediaFailed"):
    """Something in the media adapter failed."""

    layer: str  #: `ice`, `dtls`, `srtp`, `sctp`, `description`, `worker` or `adapter`
    what: str
    machine: Reference | None = None


class MediaStatistics(NoteBody, frozen=True, gc=False, tag="mediaStatistics"):
    """What flowed for one machine since it was connected."""

    machine: Reference
    packets_received: int = 0
    packets_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    packets_lost: int = 0  #: on the way to a player, as it reports; on the way from a publisher, as counted here
    keyframes_asked: int = 0  #: of the publisher by the server; by the player of the server
    round_trip_us: int = 0  #: 0: not known
    bitrate: int = 0  #: bit/s since the note before; 0 in the first one
    height: int = 0  #: pixels, of the largest picture that comes or of the one that is sent; 0: none, or not known


class Correlation(NoteBody, frozen=True, gc=False, tag="correlation"):
    """Under which id the host knows this session or order in its own logs."""

    id: str


class UnknownNote(NoteBody, frozen=True, gc=False, tag="unknownNote"):
    """A kind of note that this version does not know. It stands in for one that a newer version made."""

    kind: str


AnyNote = Delivered | Dropped | Coalesced | Closed | OffReel | MediaFailed | MediaStatistics | Correlation | UnknownNote


class Note(Struct, frozen=True, array_like=True, gc=False):
    """One note: `seq` is the record it belongs to, or the last one when it was made."""

    seq: int
    time: int  #: microseconds since the reel's header
    session: str  #: whom it is about; empty for the server
    body: AnyNote


class _AnyBody(Struct, array_like=True, gc=False):
    """A note of whatever kind."""

    seq: int
    time: int
    session: str
    body: dict[str, object]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Note).decode
_decode_any: Final = msgspec.msgpack.Decoder(_AnyBody).decode
_KNOWN: Final = frozenset(str(kind.__struct_config__.tag) for kind in NoteBody.__subclasses__())


def encode_note(note: Note) -> bytes:
    """Give a note as bytes. Raises `ValueError` when it is longer than a note may be."""
    data = _encode(note)
    if len(data) > NOTE_BYTES_MAX:
        raise ValueError(f"a note has at most {NOTE_BYTES_MAX} bytes, this one has {len(data)}")
    return data


def decode_note(data: bytes, place: str = "a note") -> Note:
    """Read a note; one of a newer kind gives an `UnknownNote`. Raises `ReelDamaged` when it is none at all."""
    if len(data) > NOTE_BYTES_MAX:
        raise ReelDamaged(place, f"it has {len(data)} bytes; a note has at most {NOTE_BYTES_MAX}")
    try:
        return _decode(data)
    except (ValueError, RecursionError) as error:
        kind = _newer_kind(data)
        if kind is None:
            raise ReelDamaged(place, f"cannot be decoded: {error}") from None
    return Note(kind.seq, kind.time, kind.session, UnknownNote(str(kind.body["note"])[:NOTE_TEXT_MAX]))


def _newer_kind(data: bytes) -> _AnyBody | None:
    try:
        found = _decode_any(data)
    except (ValueError, RecursionError):
        return None
    kind = found.body.get("note")
    return found if isinstance(kind, str) and kind not in _KNOWN else None


def note_name(note: Note) -> str:
    """Name the kind of a note as it is tagged: `delivered`, `offReel`."""
    return str(type(note.body).__struct_config__.tag)
