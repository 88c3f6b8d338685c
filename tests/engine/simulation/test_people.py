"""The people of a run: they come and go, and settle."""

from signalreel.identifiers import Kind
from signalreel.simulation.agenda import MINUTE
from signalreel.simulation.people import People
from signalreel.simulation.plan import Plan
from signalreel.simulation.world import World

PLAN = Plan(seed=1, publishers=1, players=1, peers=2, members=3)


def test_everyone_begins_and_ends_what_they_are_there_for() -> None:
    """In a few minutes there is every kind of machine, more than once."""
    world = World(PLAN)
    People(world, PLAN)
    world.run_for(5 * MINUTE)

    born = {kind: set[int]() for kind in Kind}
    for step in world.node.disk.steps:
        for transition in step.transitions:
            born[transition.machine.kind].add(transition.machine.born)
    assert all(len(lives) > 2 for lives in born.values()), born


def test_once_settled_everyone_holds_what_they_are_there_for() -> None:
    """And nobody ends anything any more."""
    world = World(PLAN)
    people = People(world, PLAN)
    world.run_for(MINUTE)
    people.settle()
    world.run_for(MINUTE)

    assert world.clients["publisher-0"].publishes("s0")
    assert world.clients["player-0"].plays("s0")
    assert all(world.clients[f"peer-{number}"].is_paired("p0") for number in range(2))
    assert all(world.clients[f"member-{number}"].is_in("r0") for number in range(3))
    assert not world.violations


def test_once_they_have_gone_nothing_is_left() -> None:
    """No machine outlives its owners."""
    world = World(PLAN)
    people = People(world, PLAN)
    world.run_for(MINUTE)
    people.settle()
    people.go()
    world.run_for(MINUTE)

    assert list(world.engine.machines()) == []
