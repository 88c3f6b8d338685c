"""`signalreel_adapters.runtime.subscriptions`: Contract 15 for those who listen."""

import gc

import pytest

from signalreel.events import RunStarted
from signalreel.identifiers import Kind, Reference
from signalreel.record import Record
from signalreel.step import GENESIS, Step, Transition
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.subscriptions import Overflow, Subscription, SubscriptionLagged, Subscriptions

pytestmark = pytest.mark.anyio


def step(seq: int, *machines: Reference) -> Step:
    """A step in which these machines moved."""
    moves = [Transition(machine, "open", "open") for machine in machines]
    return Step(Record(seq, 0, "", event=RunStarted()), moves, [], None, GENESIS)


def subscription(
    *,
    machine: Kind | None = None,
    id: str | None = None,
    app: str | None = None,
    steps_max: int = 10,
    overflow: Overflow = Overflow.DROP_OLDEST,
) -> Subscription:
    """A subscription with what matters to the test."""
    return Subscription(machine=machine, id=id, app=app, steps_max=steps_max, overflow=overflow)


LOBBY = Reference(Kind.ROOM, "live", "lobby", 1)
ELSEWHERE = Reference(Kind.ROOM, "other", "lobby", 2)
STREAM = Reference(Kind.STREAM, "live", "lobby", 3)


async def test_a_filter_lets_matching_transitions_pass() -> None:
    """Kind, id and app must all fit one machine that moved; without a filter every step passes."""
    room = subscription(machine=Kind.ROOM, id="lobby", app="live")

    assert [room.wants(step(1, machine)) for machine in (LOBBY, ELSEWHERE, STREAM)] == [True, False, False]
    assert room.wants(step(1, STREAM, ELSEWHERE, LOBBY))
    assert not room.wants(step(1))
    assert subscription().wants(step(1))


async def test_dropping_the_oldest_leaves_a_count() -> None:
    """A full queue loses its oldest step, counts it, and goes on."""
    counters = Counters()
    subscriptions = Subscriptions(counters)
    slow = subscription(steps_max=2)
    subscriptions.add(slow)
    for seq in (1, 2, 3, 4):
        subscriptions.publish(step(seq))
    subscriptions.close()

    assert [given.record.seq async for given in slow] == [3, 4]
    assert (slow.missed, counters.dropped_steps) == (2, 2)


async def test_a_memory_forgets_the_oldest_without_a_count() -> None:
    """What waits can be looked at again and again; nobody misses what is forgotten."""
    counters = Counters()
    subscriptions = Subscriptions(counters)
    memory = subscription(steps_max=2, overflow=Overflow.FORGET_OLDEST)
    subscriptions.add(memory)
    for seq in (1, 2, 3, 4):
        subscriptions.publish(step(seq))

    assert [kept.record.seq for kept in memory.waiting()] == [kept.record.seq for kept in memory.waiting()] == [3, 4]
    assert (memory.missed, counters.dropped_steps) == (0, 0)


async def test_ending_tells_that_it_lagged() -> None:
    """With the other policy, what waits is given and then the subscriber is told that it was too slow."""
    strict = subscription(steps_max=2, overflow=Overflow.END)
    for seq in (1, 2, 3, 4):
        strict.put(step(seq))
    given = [(await anext(strict)).record.seq, (await anext(strict)).record.seq]

    assert given == [1, 2]
    with pytest.raises(SubscriptionLagged, match="more than 2 steps"):
        await anext(strict)


async def test_a_forgotten_subscription_is_let_go() -> None:
    """Nobody has to close a subscription: when it is gone, nothing is kept for it."""
    subscriptions = Subscriptions(Counters())
    forgotten = subscription()
    subscriptions.add(forgotten)
    del forgotten
    gc.collect()
    subscriptions.publish(step(1))

    assert subscriptions._references == []


async def test_closing_ends_the_iteration() -> None:
    """Left with `with`, or made after the end, a subscription gives what waits and ends."""
    subscriptions = Subscriptions(Counters())
    with subscription() as early:
        subscriptions.add(early)
        subscriptions.publish(step(1))
    subscriptions.publish(step(2))
    subscriptions.close()
    late = subscription()
    subscriptions.add(late)

    assert [given.record.seq async for given in early] == [1]
    assert [given async for given in late] == []
