"""`signalreel_adapters.testing.engines`."""

import pytest

from signalreel.commands import Publish
from signalreel.errors import OutOfOrder
from signalreel.events import DeadlineReached
from signalreel.host import EndStream
from signalreel.messages import Start
from signalreel.record import Grant, Record, decode_record
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel.snapshot import encode_snapshot
from signalreel_adapters.testing import RecordedEngine


def test_inputs_of_every_sort_are_recorded() -> None:
    """Commands, events and the host's orders stand on the reel, and replaying it gives the recorded outcomes."""
    reel = MemoryReel()
    engine = RecordedEngine(reel)
    engine.open("ann", identity="ann@example.org")
    step = engine.enter(Publish("a"), session="ann", grant=Grant(allowed=True, identity="ann"))
    deadline = engine.deadline()
    assert deadline is not None
    engine.enter(DeadlineReached(deadline.machine, deadline.timer), after_us=deadline.at - engine.time)
    engine.enter(EndStream("a"))
    records = [decode_record(entry.record) for entry in reel.entries()]

    assert step.messages == [("ann", Start("a"))]
    assert [type(record.input).__name__ for record in records] == [
        "SessionOpened",
        "Publish",
        "DeadlineReached",
        "EndStream",
    ]
    assert records[1].grant == Grant(allowed=True, identity="ann")
    assert [replayed.divergence for replayed in Cursor(reel)] == [None] * 4


def test_it_goes_on_where_a_reel_ends() -> None:
    """An engine of a reel that holds something is in the state after it, and adds to it; also behind a seam."""
    reel = MemoryReel()
    first = RecordedEngine(reel)
    first.open("ann")
    first.enter(Publish("a"), session="ann")
    second = RecordedEngine(reel)
    after = MemoryReel(reel.header, seam=encode_snapshot(first.snapshot()), first_seq=3)
    third = RecordedEngine(after)

    assert second.snapshot() == third.snapshot() == first.snapshot()
    third.open("bob")
    assert (reel.last_seq, after.last_seq) == (2, 3)


def test_what_is_not_applied_is_not_recorded() -> None:
    """A record that does not follow leaves engine and reel as they are."""
    reel = MemoryReel()
    engine = RecordedEngine(reel)

    with pytest.raises(OutOfOrder):
        engine.apply(Record(7, 0, "ann", command=Publish("a")))

    assert (engine.seq, reel.last_seq) == (0, 0)
