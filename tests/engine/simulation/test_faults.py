"""What goes wrong in a run, and how all of it is put right."""

import pytest

from signalreel.simulation.agenda import MINUTE, SECOND
from signalreel.simulation.faults import Faults
from signalreel.simulation.people import People
from signalreel.simulation.plan import CHANCES, FAULTS, STRIKES, Plan
from signalreel.simulation.run import simulate
from signalreel.simulation.world import World


@pytest.mark.parametrize("name", STRIKES)
def test_each_fault_strikes_when_the_plan_has_it_and_is_survived(name: str) -> None:
    """Alone and often; nothing is violated, and everything comes to rest afterwards."""
    run = simulate(Plan(seed=5, publishers=1, players=1, peers=2, members=2, has_gate=True, faults={name: 6.0}))

    assert run.faults.get(name, 0) > 0
    assert run.violations == []


@pytest.mark.parametrize("name", CHANCES)
def test_each_chance_meets_somebody(name: str) -> None:
    """Of a plan that has it, and of no other."""
    plan = Plan(
        seed=4, publishers=2, players=3, has_gate=True, faults={name: 0.2}, pause_us=2 * SECOND, media_us=SECOND // 2
    )
    run = simulate(plan)

    assert set(run.faults) == {name}


def test_after_healing_nothing_strikes() -> None:
    """And the server is up, with its disk and its clock as they were."""
    plan = Plan(seed=1, publishers=2, players=2, faults=dict.fromkeys(STRIKES, 4.0))
    world = World(plan)
    People(world, plan)
    faults = Faults(world, plan)
    world.run_for(MINUTE)
    faults.heal()
    before = dict(world.luck.counts)
    world.run_for(MINUTE)

    assert sum(before.values()) > 20
    assert world.luck.counts == before
    assert world.node.is_up
    assert not world.node.disk.is_full
    assert set(FAULTS) == {*STRIKES, *CHANCES}
