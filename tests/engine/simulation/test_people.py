"""The people of a run: they come and go, and settle."""

from msgspec.structs import replace

from signalreel.commands import Leave
from signalreel.identifiers import Kind
from signalreel.simulation.agenda import MINUTE
from signalreel.simulation.people import CALL_AGAIN, People
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


def test_what_is_skipped_is_not_done() -> None:
    """Somebody whose every deed is left out never comes; a hostile client says nothing."""
    plan = replace(PLAN, publishers=1, players=0, peers=0, members=0, hostile=1, skipped=tuple(range(1, 10_000)))
    world = World(plan)
    People(world, plan)
    world.run_for(5 * MINUTE)

    assert world.luck.deeds > 100
    assert world.node.disk.steps == []


def test_peers_over_datagrams_call_again_once_all_is_healed() -> None:
    """What told one of them to begin was lost, and nobody would ever ask for it again."""
    plan = Plan(seed=6, peers=2, faults={"loss": 0.5})
    world = World(plan)
    people = People(world, plan)
    people.settle()
    world.luck.heal()
    pair = world.clients["peer-0"], world.clients["peer-1"]
    world.run_for(CALL_AGAIN - 1)
    before = len(world.node.disk.steps)
    world.run_for(MINUTE)

    assert all(client.is_paired("p0") for client in pair)
    assert [step.record.input for step in world.node.disk.steps[before:]].count(Leave("p0")) == 2
