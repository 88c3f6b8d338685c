"""What a process has used, and where it runs."""

import os
import time

import pytest

from signalreel_adapters.media.aiortc.measuring.usage import (
    cpu_seconds,
    machine_cpu_seconds,
    on_core,
    package_version,
    resident_kib,
    two_cores,
)


def test_cpu_time_of_a_process_is_that_of_its_own_clock() -> None:
    """Read from outside by its id it is what the process itself reads, to the nanosecond."""
    before = time.process_time()
    read = cpu_seconds(os.getpid())
    after = time.process_time()

    assert before <= read <= after


def test_the_machine_has_used_more_than_any_of_its_processes() -> None:
    """This one began after it did."""
    assert machine_cpu_seconds() > time.process_time()


def test_a_process_takes_memory() -> None:
    """This one has an interpreter in it."""
    assert resident_kib(os.getpid()) > 1_000


def test_one_core_is_taken_for_a_while() -> None:
    """Afterwards everything is as it was; without a choice it always is."""
    allowed = os.sched_getaffinity(0)
    core = min(allowed)
    with on_core(core):
        assert os.sched_getaffinity(0) == {core}
    with on_core(None):
        assert os.sched_getaffinity(0) == allowed
    assert os.sched_getaffinity(0) == allowed


def test_with_one_core_it_is_shared() -> None:
    """Nothing is pinned then."""
    with on_core(min(os.sched_getaffinity(0))):
        assert two_cores() == (None, None)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_package_that_is_not_there_has_no_version() -> None:
    """Nor has any, where packages are of another kind."""
    assert await package_version("no-such-package-of-anybody") == ""
