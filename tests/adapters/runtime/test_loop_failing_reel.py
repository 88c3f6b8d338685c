"""The loop while its reel cannot be written: Contract 13, Contract 14 and Contract 15."""

import pytest
from structlog.testing import capture_logs

from signalreel.commands import JoinRoom, Publish
from signalreel.errors import ReelUnavailable
from signalreel.events import ResourcesMeasured, SessionClosed
from signalreel.header import Header
from signalreel.host import CloseRoom
from signalreel.record import decode_record
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE
from signalreel.settings import Settings
from signalreel_adapters import FakeMedia, Limits, MemoryClient, Runtime, SystemClock
from signalreel_adapters.testing import FailingReel, ManualClock
from signalreel_adapters.testing.clock import MILLISECOND
from tests.adapters.calls import names, publish

pytestmark = pytest.mark.anyio


async def test_commands_are_answered_off_the_reel_and_nothing_is_applied() -> None:
    """Clients are told `data_store_not_available`, with their stream id or room; the engine stays where the disk is."""
    reel = FailingReel(Header(Settings(), started_at=SystemClock().wall()))
    async with Runtime(reel) as runtime:
        client = MemoryClient(runtime)
        await client.flush()
        reel.fails = True
        with capture_logs() as logs:
            await client.send(Publish(stream_id="s"))
            refusal = await client.expect("data_store_not_available")
            await client.send(JoinRoom(room="r"))
            of_room = await client.expect("data_store_not_available")

        assert (refusal["streamId"], of_room["room"]) == ("s", "r")
        assert refusal["retryAfterMs"] == of_room["retryAfterMs"] == DATA_STORE_NOT_AVAILABLE.retry_after_ms > 0
        assert (runtime.engine.seq, reel.last_seq) == (1, 1)
        assert runtime.counters.unrecorded == 2
        assert not runtime.reel_works
        assert [log["event"] for log in logs] == ["the reel cannot be written"]
        reel.fails = False


async def test_it_recovers_by_itself() -> None:
    """The next command after the reel works again is recorded, with the seq that follows."""
    reel = FailingReel()
    async with Runtime(reel, media=FakeMedia()) as runtime:
        client = MemoryClient(runtime)
        await client.flush()
        reel.fails = True
        await client.send(Publish(stream_id="s"))
        await client.expect("data_store_not_available")
        reel.fails = False
        await publish(client, "s")

        assert runtime.reel_works
    assert [decode_record(entry.record).seq for entry in reel.entries()] == list(range(1, reel.last_seq + 1))


class FailsLater(FailingReel):
    """A reel that takes everything, and finds out later that it cannot write it."""

    works = True


async def test_a_reel_that_fails_behind_the_loops_back_is_said_to_fail() -> None:
    """Before anybody says anything more: a balancer is to send new clients elsewhere at once."""
    reel = FailsLater()
    async with Runtime(reel) as runtime:
        before = runtime.reel_works
        reel.works = False
        meanwhile = runtime.reel_works
        reel.works = True

        assert (before, meanwhile, runtime.reel_works) == (True, False, True)


async def test_a_session_that_left_meanwhile_is_let_go() -> None:
    """Events are kept until they can be recorded, so that no id is taken for ever (Contract 14)."""
    reel, clock = FailingReel(), ManualClock()
    async with Runtime(reel, media=FakeMedia(), clock=clock, limits=Limits(reel_retry_ms=500)) as runtime:
        client = MemoryClient(runtime)
        await publish(client, "s")
        reel.fails = True
        await client.close()
        assert len(runtime.engine.sessions()) == 1
        reel.fails = False
        await clock.advance(500 * MILLISECOND)

        assert runtime.engine.sessions() == ()
        assert reel.last_seq == runtime.engine.seq
        await publish(MemoryClient(runtime), "s")


async def test_sessions_can_still_come() -> None:
    """A session that opens while the reel fails is recorded first when it works, and its commands after it."""
    reel = FailingReel()
    async with Runtime(reel, media=FakeMedia()) as runtime:
        reel.fails = True
        client = MemoryClient(runtime)
        await client.send(Publish(stream_id="s"))
        await client.expect("data_store_not_available")
        assert names(await client.flush()) == []
        reel.fails = False
        await publish(client, "s")


async def test_a_timer_is_not_lost() -> None:
    """A wake-up that could not be recorded comes again as soon as it can be."""
    reel, clock = FailingReel(), ManualClock()
    async with Runtime(reel, clock=clock) as runtime:
        client = MemoryClient(runtime)
        await client.send(Publish(stream_id="s"))
        await client.expect("start")
        reel.fails = True
        await clock.advance(6_000 * MILLISECOND)
        assert await client.flush() == []
        reel.fails = False
        await clock.advance(500 * MILLISECOND)
        await client.expect("publishTimeoutError")


async def test_an_order_that_cannot_be_recorded_is_not_done() -> None:
    """The host gets the reel's own error, and nothing happened."""
    reel = FailingReel()
    async with Runtime(reel) as runtime:
        reel.fails = True
        with pytest.raises(ReelUnavailable, match="taken the disk away"):
            await runtime.submit(CloseRoom(room="r"), app="live")
        reel.fails = False


async def test_stopping_with_a_dead_reel_ends_all_the_same() -> None:
    """Sessions are closed and the reel is released although nothing can be recorded any more."""
    reel = FailingReel()
    async with Runtime(reel) as runtime:
        client = MemoryClient(runtime)
        await client.flush()
        reel.fails = True
    end = await client.closed()

    assert (end.code, reel.is_closed) == (1012, True)
    reel.fails = False
    async with Runtime(reel) as runtime:
        await runtime.idle()
        assert runtime.engine.sessions() == ()
    assert not any(decode_record(entry.record).event == SessionClosed(1012) for entry in reel.entries())


async def test_much_that_is_kept_stays_in_order_and_costs_nothing_again() -> None:
    """An attempt writes one batch at most, however much waits; once the reel works, all stands on it as it happened."""

    class Counting(FailingReel):
        """Counts what is written, in vain or not."""

        appended = 0

        def append(self, seq: int, record: bytes) -> None:
            self.appended += 1
            super().append(seq, record)

    clock = ManualClock()
    reel = Counting(Header(Settings(), started_at=clock.wall()))
    async with Runtime(reel, clock=clock, limits=Limits(batch_records_max=2, reel_retry_ms=500)) as runtime:
        reel.fails = True
        for number in range(40):
            runtime.report(ResourcesMeasured(number, 1))
        await clock.advance(500 * MILLISECOND)
        attempts: list[int] = []
        for _ in range(3):
            before = reel.appended
            await clock.advance(500 * MILLISECOND)
            attempts.append(reel.appended - before)
        reel.fails = False
        await clock.advance(500 * MILLISECOND)
        await runtime.idle()

    assert attempts == [2, 2, 2]
    recorded = [decode_record(entry.record).event for entry in reel.entries()]
    assert recorded == [ResourcesMeasured(number, 1) for number in range(40)]
