"""Notes and their codec."""

from typing import Final

import msgspec
import pytest

from signalreel.errors import ReelDamaged
from signalreel.identifiers import Kind, Reference
from signalreel.notes import (
    NOTE_BYTES_MAX,
    AnyNote,
    Closed,
    Coalesced,
    Correlation,
    Delivered,
    Dropped,
    MediaFailed,
    MediaStatistics,
    Note,
    NoteBody,
    OffReel,
    UnknownNote,
    decode_note,
    encode_note,
    note_name,
)

STREAM: Final = Reference(Kind.STREAM, "live", "s1", 3)

EVERY: Final[list[AnyNote]] = [
    Delivered(2),
    Dropped(1, "the queue is full"),
    Coalesced(3),
    Closed(1006, "went away", "client"),
    OffReel("ping", 12),
    MediaFailed("ice", "no pair answered", STREAM),
    MediaStatistics(STREAM, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    Correlation("request-17"),
    UnknownNote("weather"),
]


@pytest.mark.parametrize("body", EVERY, ids=lambda body: type(body).__name__)
def test_a_note_comes_back_from_its_bytes(body: AnyNote) -> None:
    """What is shown beside a step is what was noted, field by field."""
    note = Note(7, 1_000, "alice", body)

    assert decode_note(encode_note(note)) == note


def test_every_kind_is_tried_above() -> None:
    """A kind without an example could be lost on its way unseen; each has a name of its own."""
    assert [type(body) for body in EVERY] == NoteBody.__subclasses__()
    assert len({note_name(Note(1, 0, "", body)) for body in EVERY}) == len(EVERY)


def test_a_kind_that_a_newer_version_brought_is_kept_as_unknown() -> None:
    """Notes decide nothing, so that one which cannot be read is no reason to refuse a reel."""
    data = msgspec.msgpack.encode([7, 1_000, "alice", {"note": "weather", "rain": True}])

    assert decode_note(data) == Note(7, 1_000, "alice", UnknownNote("weather"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode([7, 1_000, "alice"]),
        msgspec.msgpack.encode([7, 1_000, "alice", {"note": "closed", "code": "none"}]),
        msgspec.msgpack.encode([7, 1_000, "alice", {"note": 3}]),
        b"\x91" * 100_000,
        bytes(NOTE_BYTES_MAX + 1),
    ],
)
def test_what_is_no_note_is_told(data: bytes) -> None:
    """A reel may come from a stranger: what cannot be read is damage with a place, however it is broken."""
    with pytest.raises(ReelDamaged, match="note 3"):
        decode_note(data, "note 3")


def test_a_note_has_a_largest_size() -> None:
    """Whoever notes cuts what others wrote; here the limit is only held."""
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        encode_note(Note(1, 0, "", Correlation("x" * NOTE_BYTES_MAX)))
