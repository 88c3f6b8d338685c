"""`signalreel_adapters.runtime.alarm`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from signalreel_adapters.runtime.alarm import Alarm
from signalreel_adapters.runtime.inbox import Inbox
from signalreel_adapters.testing import ManualClock

pytestmark = pytest.mark.anyio


class CountingInbox(Inbox):
    """An inbox that counts its rings, with the time of each."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.rung_at: list[int] = []
        self._clock = clock

    def ring(self) -> None:
        """Count a ring."""
        self.rung_at.append(self._clock.now())


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Alarm, ManualClock, CountingInbox]]:
    """Run an alarm on a manual clock."""
    clock = ManualClock()
    inbox = CountingInbox(clock)
    alarm = Alarm(clock, inbox)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(alarm.run)
        yield alarm, clock, inbox
        tasks.cancel_scope.cancel()


async def test_it_rings_at_the_time() -> None:
    """The alarm rings when its time has come, once, and can be armed again."""
    async with running() as (alarm, clock, inbox):
        alarm.arm(10)
        await clock.advance(9)
        assert inbox.rung_at == []
        await clock.advance(20)
        assert inbox.rung_at == [10]
        alarm.arm(40)
        await clock.advance(20)
        assert inbox.rung_at == [10, 40]


async def test_an_earlier_time_wins() -> None:
    """Armed for an earlier time, it rings then; a later time does not put it off."""
    async with running() as (alarm, clock, inbox):
        alarm.arm(30)
        await clock.advance(1)
        alarm.arm(10)
        alarm.arm(20)
        alarm.arm(None)
        await clock.advance(50)

        assert inbox.rung_at == [10]
