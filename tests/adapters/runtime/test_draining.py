"""`signalreel_adapters.runtime.draining`; the whole end is in `test_runtime`."""

import anyio
import pytest

from signalreel_adapters import Limits, MemoryClient, Runtime
from signalreel_adapters.runtime.draining import tell_all
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import MILLISECOND

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("spread_ms", "times"), [(1_000, [0, 20, 40, 60]), (20, [0, 5, 10, 15]), (0, [0, 0, 0, 0])])
async def test_telling_is_spread_but_not_for_ever(spread_ms: int, times: list[int]) -> None:
    """Sessions are told one pause after the other; with many of them the pauses shrink to the whole spread."""
    clock = ManualClock()
    told: list[int] = []

    def enqueue(_: Pending) -> None:
        told.append(clock.now() // MILLISECOND)

    async with Runtime() as runtime:
        for _ in range(4):
            MemoryClient(runtime)
        async with anyio.create_task_group() as tasks:
            limits = Limits(drain_step_ms=20, drain_spread_ms=spread_ms)
            tasks.start_soon(tell_all, runtime._sessions, enqueue, clock, limits)
            await clock.advance(1_000 * MILLISECOND)

    assert told == times
