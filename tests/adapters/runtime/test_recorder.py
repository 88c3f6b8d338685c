"""`signalreel_adapters.runtime.recorder`."""

import pytest

from signalreel.commands import JoinRoom, Publish
from signalreel.engine import Engine
from signalreel.errors import Divergence, OutOfOrder, ReelDamaged, ReelUnavailable
from signalreel.events import SessionOpened
from signalreel.header import Header
from signalreel.record import Grant, Record, decode_record
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel.step import GENESIS, Fired, Outcome, Step
from signalreel_adapters.ports import DurableReel
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.ids import SeededIds
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.runtime.keeping import as_durable
from signalreel_adapters.runtime.recorder import Recorder
from signalreel_adapters.testing import FailingReel, ManualClock

pytestmark = pytest.mark.anyio

SECOND = 1_000_000


def recorder(reel: DurableReel, clock: ManualClock | None = None, counters: Counters | None = None) -> Recorder:
    """A recorder on a fresh engine."""
    return Recorder(reel, Engine(), clock or ManualClock(), SeededIds(1), counters or Counters())


OPENED = Pending("s", event=SessionOpened("live"))
PUBLISHED = Pending("s", command=Publish(stream_id="a"))


async def record(writer: Recorder, *batch: Pending) -> None:
    """Write and apply a batch."""
    for _, written in (await writer.write(list(batch))).records:
        writer.apply(written)


async def test_a_batch_is_committed_before_anything_is_applied() -> None:
    """When `write` has returned the records are safe, and the engine has not seen one of them."""
    reel = FailingReel()
    writer = recorder(reel)
    written = await writer.write([OPENED, PUBLISHED])

    assert [entry.seq for entry in reel.entries()] == [1, 2]
    assert writer.engine.seq == 0
    assert [record.seq for _, record in written.records] == [1, 2]


async def test_outcomes_follow_with_the_next_commit() -> None:
    """An outcome is written beside its record by the commit after it was applied, or by the last flush."""
    reel = FailingReel()
    writer = recorder(reel)
    await record(writer, OPENED)
    assert [entry.outcome is None for entry in reel.entries()] == [True]
    await record(writer, PUBLISHED)
    assert [entry.outcome is None for entry in reel.entries()] == [False, True]
    await writer.flush()
    assert [entry.outcome is None for entry in reel.entries()] == [False, False]


async def test_a_grant_is_recorded_in_the_time_of_the_reel() -> None:
    """A gate says by the wall clock until when a token must be remembered; the engine knows the reel's time alone."""
    reel, clock = FailingReel(), ManualClock()
    writer = recorder(reel, clock)
    await writer.resume()
    await clock.advance(5 * SECOND)
    grants = [
        Grant(allowed=True, once="a", until=clock.wall() + SECOND),
        Grant(allowed=True),
        Grant(allowed=True, until=1),
    ]
    written = await writer.write([Pending("s", command=Publish(stream_id="a"), grant=grant) for grant in grants])

    assert [record.grant for _, record in written.records] == [
        Grant(allowed=True, once="a", until=6 * SECOND),
        Grant(allowed=True),
        Grant(allowed=True, until=1),
    ]


async def test_a_failed_commit_leaves_no_gap() -> None:
    """Nothing was written and nothing is applied; the same seq is used when the reel works again."""
    reel = FailingReel()
    writer = recorder(reel)
    reel.fails = True
    with pytest.raises(ReelUnavailable):
        await writer.write([OPENED])
    reel.fails = False
    await record(writer, OPENED)

    assert [decode_record(entry.record).seq for entry in reel.entries()] == [1]


class FillsUp(MemoryReel):
    """A reel without commits that refuses to take more than two records."""

    def append(self, seq: int, record: bytes) -> None:
        """Take it, or be full."""
        if seq > 2:
            raise ReelUnavailable("full")
        super().append(seq, record)


async def test_a_reel_that_fails_in_a_batch_keeps_its_beginning() -> None:
    """What was appended before the failure is recorded, the rest comes back to be tried again."""
    writer = recorder(as_durable(FillsUp()))
    written = await writer.write([OPENED, PUBLISHED, PUBLISHED, OPENED])

    assert [record.seq for _, record in written.records] == [1, 2]
    assert written.rest == [PUBLISHED, OPENED]
    with pytest.raises(ReelUnavailable):
        await writer.write(written.rest)


async def test_what_has_no_encoding_is_left_out() -> None:
    """A text without UTF-8 cannot stand on a reel: it is counted and the rest of the batch goes on."""
    counters = Counters()
    reel = MemoryReel()
    writer = recorder(as_durable(reel), counters=counters)
    bad = Pending("s", event=SessionOpened("live", "\ud800"))
    written = await writer.write([bad, OPENED])

    assert (written.rejected, counters.undecodable, reel.last_seq) == ([bad], {"not_recordable": 1}, 1)


async def test_times_and_ids_are_stamped() -> None:
    """A record has the reel's time, and the ids its command wants (Contract 2, Contract 10)."""
    reel, clock = MemoryReel(), ManualClock(now=5 * SECOND)
    writer = recorder(as_durable(reel), clock)
    await writer.resume()
    await clock.advance(2 * SECOND)
    await record(writer, OPENED)
    await clock.advance(1)
    await record(writer, Pending("s", command=JoinRoom(room="r")), PUBLISHED)

    stamped = [decode_record(entry.record) for entry in reel.entries()]
    assert [(found.time, len(found.ids)) for found in stamped] == [
        (2 * SECOND, 0),
        (2 * SECOND + 1, 1),
        (2 * SECOND + 1, 0),
    ]
    assert stamped[1].ids == (SeededIds(1).draw(),)


async def test_time_goes_on_where_the_reel_ended() -> None:
    """A new run's clock begins at the last record's time, or later by what has passed since the header."""
    reel = MemoryReel()
    first_clock = ManualClock()
    first = recorder(as_durable(reel), first_clock)
    await first.resume()
    await first_clock.advance(9 * SECOND)
    await record(first, OPENED)
    second = recorder(as_durable(reel), ManualClock(now=123))

    assert await second.resume()
    assert (second.now(), second.engine.seq) == (9 * SECOND, 1)
    clock = ManualClock(now=500)
    aged = recorder(as_durable(MemoryReel(Header(Settings(), started_at=clock.wall() - 60 * SECOND))), clock)
    assert not await aged.resume()
    assert aged.now() == 60 * SECOND


async def test_another_logic_is_noticed_at_the_start() -> None:
    """A reel whose outcomes this version does not give is not gone on with (Contract 8)."""
    reel = MemoryReel()
    writer = recorder(as_durable(reel))
    await record(writer, OPENED, PUBLISHED)
    reel.conclude(2, Outcome(GENESIS, []))

    with pytest.raises(Divergence, match=r"record 2 \(publish\)"):
        await recorder(as_durable(reel)).resume()


async def test_a_wake_up_is_due_at_its_time() -> None:
    """The engine's deadline becomes an input when its time has come and not before (Contract 7)."""
    clock = ManualClock(now=77)
    writer = recorder(as_durable(MemoryReel()), clock)
    await writer.resume()
    await record(writer, OPENED, PUBLISHED)
    at = writer.wake_at()

    assert at == 77 + 5 * SECOND
    assert writer.due() is None
    await clock.advance(5 * SECOND)
    due = writer.due()
    assert due is not None
    await record(writer, due)
    assert (writer.wake_at(), writer.due()) == (None, None)


class Astray(Engine):
    """An engine in which a row fires that nothing should reach."""

    def apply(self, record: Record) -> Step:
        """Apply, and let it fire."""
        step = super().apply(record)
        step.fired.append(
            ("p", Fired("pair", "empty", "TakeCandidate", 0, "unreachable: of no pair", is_unreachable=True))
        )
        return step


async def test_what_nothing_should_reach_is_counted() -> None:
    """An unreachable row that fires is a bug of ours, and a running server shows it (Contract 5)."""
    counters = Counters()
    writer = Recorder(as_durable(MemoryReel()), Astray(), ManualClock(), SeededIds(1), counters)
    await record(writer, OPENED)

    assert counters.unreachable == 1


async def test_a_record_that_cannot_be_read_is_named_when_a_run_starts() -> None:
    """A reel is not gone on with when one of its records means nothing (Contract 8)."""
    reel = MemoryReel()
    reel.append(1, b"no record at all")

    with pytest.raises(ReelDamaged, match="record 1"):
        await recorder(as_durable(reel)).resume()


class Unconcluded(MemoryReel):
    """A reel that cannot keep outcomes."""

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Fail."""
        raise ReelUnavailable("no room for outcomes")


async def test_a_lost_outcome_loses_nothing() -> None:
    """The record is safe and its outcome can be computed again: the failure is counted and work goes on."""
    counters = Counters()
    writer = recorder(as_durable(Unconcluded()), counters=counters)
    await record(writer, OPENED, PUBLISHED)

    assert (writer.engine.seq, counters.reel_failures) == (2, 2)


async def test_records_out_of_order_are_our_bug() -> None:
    """Nothing hides a seq that does not follow: it would be two orders."""
    reel = MemoryReel()
    writer = recorder(as_durable(reel))
    written = await writer.write([OPENED, PUBLISHED])

    with pytest.raises(OutOfOrder):
        writer.apply(written.records[1][1])
