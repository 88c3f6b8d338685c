"""`signalreel.debug.telling`."""

import pytest

from signalreel.commands import TakeCandidate, TakeConfiguration
from signalreel.debug.telling import counted, lines_of, printable, short_id, told_message, told_note
from signalreel.engine import Engine
from signalreel.events import SessionOpened
from signalreel.identifiers import Kind, Reference
from signalreel.messages import CloseSession, Notification
from signalreel.notes import (
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
)
from signalreel.record import Record

SESSION = "0123456789abcdef"
STREAM = Reference(Kind.STREAM, "live", "s", 1)


def test_a_record_is_told_with_what_it_caused() -> None:
    """One line for the input, one for each transition and message; a description is not told."""
    engine = Engine()
    engine.apply(Record(1, 0, SESSION, event=SessionOpened("live")))
    offer = TakeConfiguration(stream_id="s", type="offer", sdp="v=0 secret")
    told = list(lines_of(engine.apply(Record(2, 1_500_000, SESSION, command=offer))))

    assert told[0].split() == ["2", "1.500000", "01234567", "takeConfiguration", "s", "offer", *told[0].split()[6:]]
    assert "secret" not in "\n".join(told)


def test_a_candidate_is_not_told() -> None:
    """An address of a client is in no line."""
    engine = Engine()
    engine.apply(Record(1, 0, SESSION, event=SessionOpened("live")))
    candidate = TakeCandidate(stream_id="s", label=0, id="0", candidate="candidate:1 1 udp 1 192.0.2.1 9 typ host")

    assert "192.0.2.1" not in "\n".join(lines_of(engine.apply(Record(2, 0, SESSION, command=candidate))))


def test_messages_are_told_by_what_they_mean() -> None:
    """Notifications by their definition, a close by its code and reason."""
    assert told_message(Notification("play_started")) == "notification play_started"
    assert told_message(CloseSession(1008, "kicked")).endswith(" 1008 kicked")


def test_a_clients_text_cannot_move_the_cursor() -> None:
    """What does not print is shown escaped; letters of any language are shown as they are."""
    assert printable("grüße") == "grüße"
    assert printable("a\x1b[2J\n") == r"'a\x1b[2J\n'"


def test_the_session_in_a_playbacks_id_is_shortened() -> None:
    """The stream it plays is told whole."""
    assert short_id(f"{SESSION}/camera-of-the-hall") == "01234567/camera-of-the-hall"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (Delivered(1), "1 message delivered"),
        (Delivered(3), "3 messages delivered"),
        (Dropped(2, "too slow"), "2 messages dropped (too slow)"),
        (Coalesced(2), "2 messages replaced by a newer one"),
        (Closed(1006), "closed with 1006"),
        (Closed(1001, "a\x1b[2J", "client"), r"closed with 1001 ('a\x1b[2J') by the client"),
        (OffReel("ping"), "off the reel: ping"),
        (OffReel("undecodable", 7), "off the reel: undecodable, 7 times"),
        (MediaFailed("ice", "no answer", STREAM), "stream s: ice failed (no answer)"),
        (MediaFailed("worker", ""), "worker failed"),
        (
            MediaStatistics(STREAM, packets_received=10, bytes_received=900, packets_lost=1, round_trip_us=1_500),
            "stream s: 10 packets received, 900 bytes, 1 lost, round trip 1.5 ms",
        ),
        (
            MediaStatistics(STREAM, packets_sent=4, bytes_sent=40, keyframes_asked=1, bitrate=640_500, height=360),
            "stream s: 4 packets sent, 40 bytes, 0 lost, 640 kbit/s, 360 lines, 1 keyframe asked for",
        ),
        (MediaStatistics(STREAM, packets_sent=4, bytes_sent=40), "stream s: 4 packets sent, 40 bytes, 0 lost"),
        (Correlation("req-1"), "the host's id: req-1"),
        (UnknownNote("weather"), "a note that this version does not know: weather"),
    ],
)
def test_a_note_is_told_in_one_line(body: AnyNote, told: str) -> None:
    """Every kind of note there is; what others wrote cannot move the cursor."""
    assert told_note(Note(1, 0, SESSION, body)) == told


def test_every_kind_of_note_is_told() -> None:
    """None of those that there are is taken for one of a newer version."""
    known = set(NoteBody.__subclasses__()) - {UnknownNote}

    assert known == {Delivered, Dropped, Coalesced, Closed, OffReel, MediaFailed, MediaStatistics, Correlation}


def test_one_is_told_without_an_s() -> None:
    """How many of something, in words."""
    assert [counted(count, "record") for count in (0, 1, 2)] == ["0 records", "1 record", "2 records"]
