"""One machine's jobs run one after the other."""

import asyncio

import pytest
from structlog.testing import capture_logs

from signalreel_adapters.media.aiortc.actor import Actor
from signalreel_adapters.media.aiortc.failures import Failures

pytestmark = pytest.mark.anyio


async def test_jobs_run_in_order_and_one_that_fails_stops_nothing() -> None:
    """A later job waits for an earlier one, whatever becomes of that."""
    actor, done, ended = Actor(8, Failures()), list[str](), asyncio.Event()

    async def slow() -> None:
        await asyncio.sleep(0)
        done.append("slow")

    async def failing() -> None:
        raise ValueError("on purpose")

    async def last() -> None:
        done.append("last")
        ended.set()

    assert all(map(actor.post, (slow, failing, last)))
    await ended.wait()

    assert done == ["slow", "last"]
    await actor.close()


async def test_what_a_job_raises_is_named_and_not_quoted() -> None:
    """Contract 11: an error's text may hold a line of a description; the log says its type and where it was raised."""
    actor, ended = Actor(8, Failures()), asyncio.Event()

    async def failing() -> None:
        raise ValueError("a=ice-pwd:canary")

    async def last() -> None:
        ended.set()

    with capture_logs() as lines:
        actor.post(failing)
        actor.post(last)
        await ended.wait()
    await actor.close()

    (line,) = lines
    assert (line["event"], line["error"]) == ("media job failed", "ValueError")
    assert "test_actor.py" in line["at"]
    assert "canary" not in repr(lines)


async def test_what_may_wait_is_bounded() -> None:
    """A job too many is refused, and the others still run."""
    actor, gate = Actor(2, Failures()), asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    assert [actor.post(wait) for _ in range(3)] == [True, True, False]
    await actor.close()


async def test_what_must_run_runs() -> None:
    """However many jobs of a client's wait: that its connection is gone is no job it can repeat."""
    actor, done = Actor(1, Failures()), asyncio.Event()

    async def wait() -> None:
        await asyncio.sleep(0)

    async def must() -> None:
        done.set()

    assert [actor.post(wait), actor.post(wait), actor.post(must, must=True)] == [True, False, True]
    await done.wait()
    await actor.close()

    assert not actor.post(must, must=True)


async def test_closing_ends_the_job_that_runs() -> None:
    """Nothing runs afterwards, and nothing is taken."""
    actor, ended = Actor(2, Failures()), list[str]()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    actor.post(forever)
    await asyncio.sleep(0)
    await actor.close()

    assert ended == ["ended"]
    assert not actor.post(forever)
