"""`signalreel_adapters.runtime.clock`."""

import time

import pytest

from signalreel_adapters.runtime.clock import SystemClock

pytestmark = pytest.mark.anyio


async def test_sleeping_never_ends_early() -> None:
    """`sleep_until` returns when the time has come and not a microsecond before."""
    clock = SystemClock()
    at = clock.now() + 3_000

    await clock.sleep_until(at)

    assert clock.now() >= at


async def test_a_time_that_has_passed_is_not_waited_for() -> None:
    """Sleeping until a time in the past returns at once."""
    await SystemClock().sleep_until(0)


async def test_the_wall_clock_counts_from_1970() -> None:
    """`wall` is the machine's time of day in microseconds."""
    assert abs(SystemClock().wall() - time.time() * 1e6) < 60e6
