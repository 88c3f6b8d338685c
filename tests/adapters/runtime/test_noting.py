"""`signalreel_adapters.runtime.noting`, alone and in a runtime that keeps what it notes."""

import pytest

from signalreel.commands import Publish
from signalreel.errors import ReelUnavailable
from signalreel.identifiers import Kind
from signalreel.notes import (
    NOTE_TEXT_MAX,
    AnyNote,
    Closed,
    Correlation,
    Delivered,
    Dropped,
    MediaFailed,
    MediaStatistics,
    Note,
    OffReel,
)
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel_adapters import FakeMedia, Limits, MemoryClient, Runtime, SeededIds
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.noting import NOTED_EVERY_US, Noting, checked_correlation
from signalreel_adapters.testing import ManualClock
from tests.adapters.calls import publish

pytestmark = pytest.mark.anyio


class Kept:
    """Where notes go in these tests; it can be made to fail."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.fails = False

    def note(self, note: Note) -> None:
        """Keep it, or not."""
        if self.fails:
            raise ReelUnavailable("no room")
        self.notes.append(note)


class Taking:
    """A `Noting` with everything around it."""

    def __init__(self, notes_max: int = 4) -> None:
        self.kept = Kept()
        self.counters = Counters()
        self.seq = 1
        self.now = NOTED_EVERY_US
        self.woken = 0
        self.noting = Noting(
            self.kept,
            seq=lambda: self.seq,
            now=lambda: self.now,
            wake=self._wake,
            limits=Limits(notes_max=notes_max),
            counters=self.counters,
        )

    def _wake(self) -> None:
        self.woken += 1


def test_what_is_of_one_kind_is_one_note_a_second() -> None:
    """However many messages a session was sent; the note stands beside the last record of them."""
    taking = Taking()
    for seq in (1, 2, 3):
        taking.seq = seq
        taking.noting.delivered("a")
    taking.noting.off_reel("a", "undecodable")
    taking.noting.write()
    taking.noting.delivered("a")
    taking.noting.write()
    taking.now += NOTED_EVERY_US
    taking.noting.write()

    assert [(note.seq, note.body) for note in taking.kept.notes] == [
        (3, Delivered(3)),
        (3, OffReel("undecodable", 1)),
        (3, Delivered(1)),
    ]


def test_the_end_of_a_session_stands_behind_all_that_was_counted_of_it() -> None:
    """At once, and not after a second; what others wrote is cut and cannot move a cursor."""
    taking = Taking()
    taking.noting.write()
    taking.noting.delivered("a", 2)
    taking.noting.delivered("b")
    taking.noting.dropped("a", 1, "too slow")
    taking.noting.closed("a", 1001, "bye\x1b[2J" + "x" * 500, "client")
    taking.noting.write()
    *before, (_, closed) = [(note.session, note.body) for note in taking.kept.notes]

    assert before == [("a", Delivered(2)), ("a", Dropped(1, "too slow"))]
    assert isinstance(closed, Closed)
    assert closed.reason.startswith("bye [2Jx")
    assert (closed.code, closed.by, len(closed.reason)) == (1001, "client", NOTE_TEXT_MAX)


def test_what_waits_is_bounded() -> None:
    """The oldest go first and are counted; half of it wakes whoever writes."""
    taking = Taking(notes_max=4)
    for number in range(6):
        taking.noting.note(Correlation(str(number)))
    assert (taking.woken > 0, taking.noting.is_urgent) == (True, True)
    taking.noting.write()

    assert [note.body for note in taking.kept.notes] == [Correlation(str(number)) for number in range(2, 6)]
    assert (taking.counters.dropped_notes, taking.noting.is_urgent) == (2, False)


def test_a_reel_that_takes_no_note_stops_nothing() -> None:
    """It is counted."""
    taking = Taking()
    taking.kept.fails = True
    taking.noting.note(Correlation("x"))
    taking.noting.write()

    assert taking.counters.dropped_notes == 1


@pytest.mark.parametrize(
    ("id", "taken"),
    [
        ("7f3c-12", True),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        ("x" * NOTE_TEXT_MAX, True),
        ("x" * (NOTE_TEXT_MAX + 1), False),
        ("two words", False),
        ("a\nb", False),
        ("<b>", False),
    ],
)
def test_an_id_of_the_host_is_taken_whole_or_not_at_all(id: str, taken: bool) -> None:
    """What a header says may be anything."""
    assert checked_correlation(id) == (id if taken else "")


def bodies(reel: MemoryReel, session: str) -> list[AnyNote]:
    """What was noted of a session."""
    return [note.body for note in reel.notes() if note.session == session]


async def test_a_runtime_notes_what_became_of_its_sessions() -> None:
    """What was delivered, what was no command, who closed; and the reel replays as if there were no notes."""
    reel = MemoryReel()
    async with Runtime(reel, media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
        client = MemoryClient(runtime)
        await publish(client, "s")
        await client.send("{}")
        await client.send(Publish(stream_id="s"))
        await client.expect("already_publishing")
        session = next(iter(runtime.engine.sessions())).id
        await client.close()
        other = MemoryClient(runtime)
        await other.send(Publish(stream_id="t"))
        await other.expect("start")
        last = next(iter(runtime.engine.sessions())).id

    noted = bodies(reel, session)
    delivered = sum(body.messages for body in noted if isinstance(body, Delivered))
    assert delivered >= 4
    assert OffReel("undecodable", 1) in noted
    assert [(body.code, body.by) for body in noted if isinstance(body, Closed)] == [(1000, "client")]
    assert [(body.code, body.by) for body in bodies(reel, last) if isinstance(body, Closed)] == [(1012, "server")]
    assert all(each.divergence is None for each in Cursor(reel))
    assert all(1 <= note.seq <= reel.last_seq for note in reel.notes())


async def test_media_is_noted_where_notes_are_kept() -> None:
    """A failure with its layer, and figures, each with the machine that it is about."""
    reel, media = MemoryReel(), FakeMedia()
    async with Runtime(reel, media=media, ids=SeededIds(1), clock=ManualClock()) as runtime:
        client = MemoryClient(runtime)
        await publish(client, "s")
        media.note_statistics(Kind.STREAM, "live", "s", packets=10, size=9_000)
        media.note_failure(Kind.STREAM, "live", "s", "ice", "no answer to any check")
        machine = media.live[Kind.STREAM, "live", "s"]
    noted = [note.body for note in reel.notes() if note.session == ""]

    assert noted == [
        MediaStatistics(machine, packets_received=10, bytes_received=9_000),
        MediaFailed("ice", "no answer to any check", machine),
    ]


async def test_nothing_is_noted_where_no_reel_is_kept() -> None:
    """Neither by the runtime nor by media, which is not even asked to."""
    media = FakeMedia()
    async with Runtime(media=media, clock=ManualClock()) as runtime:
        await publish(MemoryClient(runtime), "s")
        media.note_failure(Kind.STREAM, "live", "s", "ice", "unheard")

        assert (runtime.notes, media._note) == (None, None)


async def test_the_hosts_id_of_a_session_is_noted() -> None:
    """When it is one; of what is none, nothing."""
    reel = MemoryReel()

    class Nowhere:
        """A delivery that takes everything."""

        def send(self, data: bytes) -> None:
            """Take it."""

        def close(self, code: int, reason: str) -> None:
            """Be closed."""

    async with Runtime(reel, clock=ManualClock()) as runtime:
        known = runtime.open_session("live", Nowhere(), correlation="req-1")
        unknown = runtime.open_session("live", Nowhere(), correlation="not an id")
        await runtime.idle()

    assert Correlation("req-1") in bodies(reel, known.id)
    assert not any(isinstance(body, Correlation) for body in bodies(reel, unknown.id))
