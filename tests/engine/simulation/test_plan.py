"""The plan of a run."""

import pytest

from signalreel.simulation.agenda import SECOND
from signalreel.simulation.plan import FAULTS, Plan


def test_a_plan_of_nothing_said_has_nobody_in_it() -> None:
    """A world made by hand is empty, so that a test puts into it what it needs."""
    plan = Plan()

    assert (plan.publishers, plan.players, plan.peers, plan.members) == (0, 0, 0, 0)
    assert plan == Plan(seed=0)


def test_a_drawn_plan_follows_from_its_seed() -> None:
    """And seeds differ in which faults there are at all."""
    plans = [Plan.drawn(seed) for seed in range(100)]

    assert plans == [Plan.drawn(seed) for seed in range(100)]
    assert {name for plan in plans for name in plan.faults} == set(FAULTS)
    assert any(not plan.faults for plan in plans)
    for plan in plans:
        whole = plan.publishers + plan.players + plan.peers + plan.members + plan.twins + plan.hostile
        assert whole == 4
        assert plan.safety_us + plan.settle_us + plan.leave_us == 60 * SECOND


def test_a_fault_of_another_name_is_refused() -> None:
    """A typing mistake would otherwise be a plan without that fault."""
    with pytest.raises(ValueError, match="no fault of the name 'partitions'"):
        Plan(faults={"partitions": 1.0})
