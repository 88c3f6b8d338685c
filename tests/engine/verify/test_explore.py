"""`signalreel.verify.explore`: nothing is wrong in any small world, and whatever is planted is found by a short way."""

from typing import Final

import pytest
from msgspec.structs import replace

from signalreel.engine import Engine
from signalreel.events import SessionClosed, SessionOpened
from signalreel.settings import Settings
from signalreel.verify import Monitor
from signalreel.verify.explore import Found, explore
from signalreel.verify.worlds import APP, WORLDS, World
from tests.engine.zoo import ZOO, planted

FOUND_IN: Final = {
    "a stale answer is relayed": ("pair", "newest-answer", 7),
    "a retired timer ends its successor": ("stream", "retired-is-inert", 5),
    "a third peer is told": ("pair", "pair-of-two", 6),
    "one's own stream in the room list": ("room-two", "room-list", 7),
    "a lost candidate queue": ("stream", "candidate-handed-on", 3),
    "two publish_finished": ("stream", "publish-finished-once", 7),
    "an id stuck after close": ("room-two", "nothing-outlives-its-owner", 6),
    "restore without re-authentication": ("stream", "restored-by-its-publisher", 7),
    "wrong room cleanup": ("room-two", "leaving-ends-its-own", 7),
    "a grant used twice": ("grant", "grant-once", 4),
}
"""In which world each bug of the zoo is found, what it breaks, and the records of the shortest way there."""


def replayed(found: Found) -> list[str]:
    """What a monitor says of the way that was found, on an engine that never went back."""
    engine = Engine(found.header.settings)
    monitor = Monitor(engine)
    return [
        violation.invariant for record in found.records for violation in monitor.observe(engine, engine.apply(record))
    ]


@pytest.mark.parametrize("world", WORLDS.values(), ids=lambda world: world.name)
def test_nothing_is_wrong_in_a_small_world(world: World) -> None:
    """Within its bounds everything that can happen in it was tried; no row fired that the tables call unreachable."""
    explored = explore(world)

    assert explored.found == ()
    assert explored.is_complete or explored.depth >= world.depth or explored.states >= world.states
    assert [row for row in explored.fired if row.is_unreachable] == []
    assert explored.edges > explored.states > 1_000


@pytest.mark.parametrize("name", [bug.name for bug in ZOO])
def test_every_bug_of_the_zoo_is_found(name: str) -> None:
    """By a way that is as short as any, and that a monitor finds wrong as well, by its last record and none before."""
    world, invariant, records = FOUND_IN[name]
    with planted(name):
        (found,) = explore(WORLDS[world]).found
        told = replayed(found)

    assert (found.violation.invariant, len(found.records)) == (invariant, records)
    assert found.violation.seq == records
    assert told[0] == invariant
    assert replayed(found) == []


def test_a_search_is_the_same_every_time() -> None:
    """It draws nothing, and depends on no order but its own."""
    world = replace(WORLDS["room-two"], states=500)
    one, other = explore(world), explore(world)

    assert (one.states, one.edges, one.depth, one.fired) == (other.states, other.edges, other.depth, other.fired)


def test_bounds_are_kept_and_said() -> None:
    """A search that has ended before everything was tried does not say that it has tried everything."""
    by_states = explore(replace(WORLDS["pair"], states=100))
    by_depth = explore(replace(WORLDS["pair"], depth=4))
    whole = explore(replace(WORLDS["pair"], sessions=2))

    assert (by_states.states, by_states.is_complete) == (100, False)
    assert (by_depth.depth, by_depth.is_complete) == (4, False)
    assert whole.is_complete
    assert whole.states < explore(WORLDS["pair"]).states


def test_sessions_are_interchangeable() -> None:
    """Three sessions that can do nothing make four states: how many of them are open."""
    explored = explore(World("idle", "pair", "Nothing can be said."))

    assert explored.states == 4
    assert explored.is_complete


def test_how_far_it_is_can_be_told() -> None:
    """As it goes on: how many states and edges it has seen, and how deep it is."""
    told: list[tuple[int, int, int]] = []

    def tell(states: int, edges: int, depth: int) -> None:
        told.append((states, edges, depth))

    explored = explore(replace(WORLDS["pair"], sessions=2), tell=tell)

    assert told == sorted(told)
    assert len(told) >= explored.depth


def test_what_would_be_left_for_ever_is_found_where_the_search_ends() -> None:
    """Also in states from which nothing more was tried: there every session closes, and every timer goes off."""
    with planted("an id stuck after close"):
        world = WORLDS["room-two"]
        found_at = explore(world).depth
        (found,) = explore(replace(world, depth=found_at)).found

    assert isinstance(found.records[0].event, SessionOpened)
    assert found.records[0].event.app == APP
    assert isinstance(found.records[-1].event, SessionClosed)
    assert found.header.settings == Settings()
