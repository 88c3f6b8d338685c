"""One run of a plan."""

from signalreel.replay import Cursor
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import simulate

PLAN = Plan(seed=7, publishers=1, players=2, peers=2, members=2)


def test_a_run_tells_what_came_of_it() -> None:
    """Nothing was violated, all kinds of machine were seen, and the time that was planned has passed."""
    run = simulate(PLAN)

    assert run.violations == []
    assert run.time == PLAN.safety_us + PLAN.settle_us == 120 * SECOND
    assert run.inputs == len(run.steps) > 100
    assert {kind for kind, _, _, _ in run.fired} >= {"stream", "playback", "pair", "room"}
    assert run.states > 10
    assert run.pings > 100


def test_a_run_is_a_reel() -> None:
    """It replays to the same digest, and its header names the seed."""
    run = simulate(PLAN)
    cursor = Cursor(run.reel)
    cursor.seek(run.inputs)

    assert cursor.engine.digest == run.steps[-1].digest
    assert run.reel.header.seed == 7


def test_the_same_plan_gives_the_same_run() -> None:
    """And another seed another one."""
    digests = [simulate(Plan(seed=seed, publishers=1, players=1)).steps[-1].digest for seed in (1, 1, 2)]

    assert digests[0] == digests[1] != digests[2]
