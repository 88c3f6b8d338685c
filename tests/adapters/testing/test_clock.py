"""`signalreel_adapters.testing.clock`."""

import anyio
import pytest

from signalreel_adapters.testing import ManualClock

pytestmark = pytest.mark.anyio


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    """Advancing far wakes everyone in between at their own time, also those who go to sleep again on the way."""
    clock = ManualClock()
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, *times: int) -> None:
        for at in times:
            await clock.sleep_until(at)
            woken.append((name, clock.now()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sleeper, "late", 30)
        tasks.start_soon(sleeper, "twice", 10, 40)
        tasks.start_soon(sleeper, "never", 51)
        await clock.advance(50)
        tasks.cancel_scope.cancel()

    assert woken == [("twice", 10), ("late", 30), ("twice", 40)]
    assert clock.now() == 50


async def test_the_wall_moves_along() -> None:
    """The time of day passes as the test says, and starts after 1970."""
    clock = ManualClock(now=7)
    before = clock.wall()
    await clock.advance(5)
    await clock.sleep_until(3)

    assert (clock.now(), clock.wall() - before) == (12, 5)
    assert before > 0
