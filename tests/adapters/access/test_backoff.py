"""`signalreel_adapters.access.backoff`."""

import pytest

from signalreel_adapters.access.backoff import Backoff, BackoffLimits
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.testing import ManualClock

pytestmark = pytest.mark.anyio

ANN = ("live", "ann")


async def test_waits_double_up_to_the_longest() -> None:
    """Two failures are free; each further one closes for twice as long, and never longer than the longest."""
    clock = ManualClock()
    backoff = Backoff(BackoffLimits(failures_max=2, first_s=1, longest_s=4), clock)
    waits: list[int] = []
    for _ in range(7):
        backoff.fail(ANN)
        waited = 0
        while backoff.is_closed(ANN):
            await clock.advance(SECOND)
            waited += 1
        waits.append(waited)

    assert waits == [0, 0, 1, 2, 4, 4, 4]


async def test_success_and_time_forget() -> None:
    """Whoever knows the code starts anew, and so does whoever has long been silent."""
    clock = ManualClock()
    backoff = Backoff(BackoffLimits(failures_max=1, first_s=1, longest_s=4), clock)
    backoff.fail(ANN)
    backoff.succeed(ANN)
    backoff.fail(ANN)
    after_success = backoff.is_closed(ANN)
    await clock.advance(9 * SECOND)
    backoff.fail(ANN)

    assert (after_success, backoff.is_closed(ANN)) == (False, False)
    backoff.fail(ANN)
    assert backoff.is_closed(ANN)
    assert not backoff.is_closed(("live", "bob"))


def test_memory_is_bounded() -> None:
    """The oldest failures are forgotten for the newest."""
    backoff = Backoff(BackoffLimits(failures_max=0, entries_max=2), ManualClock())
    for name in ("a", "b", "a", "c"):
        backoff.fail((name,))

    assert len(backoff) == 2
    assert [backoff.is_closed((name,)) for name in ("a", "b", "c")] == [True, False, True]


def test_no_count_is_too_large() -> None:
    """A thousand failures make no wait beyond the longest."""
    clock = ManualClock()
    backoff = Backoff(BackoffLimits(longest_s=300), clock)
    for _ in range(1_000):
        backoff.fail(ANN)

    assert backoff.is_closed(ANN)
