"""The plan of a run."""

from signalreel.simulation.plan import Plan


def test_a_plan_of_nothing_said_has_nobody_in_it() -> None:
    """A world made by hand is empty, so that a test puts into it what it needs."""
    plan = Plan()

    assert (plan.publishers, plan.players, plan.peers, plan.members) == (0, 0, 0, 0)
    assert plan == Plan(seed=0)
