"""`signalreel_adapters.media.aiortc.turns`: everybody once in twenty turns, the hasty in each, nobody when gone."""

import asyncio

import anyio
import pytest

from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.turns import Turns

ALL_TURNS = 20


def turns() -> Turns:
    """Turns at a time that stands still."""
    return Turns(Failures(), lambda: 7.0)


def test_everybody_has_one_turn_in_twenty() -> None:
    """A hundred are visited once each, five in every turn, and are told the time."""
    subject, seen = turns(), []
    for number in range(100):
        subject.join(number, lambda now, number=number: seen.append((number, now)))  # type: ignore[misc]

    counts = []
    for _ in range(ALL_TURNS):
        before = len(seen)
        subject.take()
        counts.append(len(seen) - before)

    assert counts == [5] * ALL_TURNS
    assert sorted(seen) == [(number, 7.0) for number in range(100)]


def test_whoever_leaves_has_no_turn() -> None:
    """Also one that leaves while turns are being taken, or had something urgent to do; leaving twice is harmless."""
    subject, seen = turns(), []
    subject.join("a", lambda now: seen.append("a"))
    subject.hasten("a", lambda now: True)
    subject.leave("a")
    subject.leave("a")

    for _ in range(ALL_TURNS):
        subject.take()

    assert seen == []


def test_the_hasty_are_called_until_they_are_done() -> None:
    """They are called in every turn as long as they say that something is left, and once only for two alarms."""
    subject, left = turns(), [3]

    def ask(now: float) -> bool:
        left[0] -= 1
        return left[0] > 0

    subject.hasten("a", ask)
    subject.hasten("a", ask)
    for _ in range(ALL_TURNS):
        subject.take()

    assert left == [0]


def test_a_failure_is_noted_and_stops_nobody() -> None:
    """One that raises is counted in each of its turns; the others have theirs."""
    failures = Failures()
    seen: list[float] = []
    counted: list[int] = []
    failures.count_with = lambda: counted.append(1)
    subject = Turns(failures, lambda: 0.0)
    subject.join("bad", lambda now: 1 // 0)
    subject.join("good", seen.append)
    subject.hasten("bad", lambda now: bool(1 // 0))

    for _ in range(2 * ALL_TURNS):
        subject.take()

    assert len(seen) == 2
    assert len(counted) == 3


@pytest.mark.anyio
async def test_turns_are_taken_until_cancelled() -> None:
    """The task takes them by itself."""
    subject, visited = turns(), asyncio.Event()

    def ask(now: float) -> bool:
        visited.set()
        return True

    subject.hasten("a", ask)
    task = asyncio.get_running_loop().create_task(subject.run())

    with anyio.fail_after(5):
        await visited.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert task.cancelled()
