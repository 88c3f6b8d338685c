"""Runs that go wrong, made small."""

import pytest
from msgspec.structs import replace

from signalreel.commands import Play
from signalreel.debug.failing import NEVER, Start
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.smaller import LeftForEver, code_of, shrink_run, smaller_plans
from signalreel.verify import INVARIANTS, Violation
from tests.engine.zoo import planted


def first_failing(seeds: range) -> Run:
    """Run drawn plans until one fails."""
    return next(run for run in (simulate(Plan.drawn(seed)) for seed in seeds) if run.violations)


@pytest.mark.parametrize("bug", ["an id stuck after close", "a lost candidate queue"])
def test_what_breaks_an_invariant_is_shrunk_by_its_records(bug: str) -> None:
    """A dozen records at most are left, they are a reel, and their last one breaks the same."""
    with planted(bug):
        run = first_failing(range(100))
        small = shrink_run(run)
        replayed = list(Cursor(small.reel))

    assert run.violations[0].invariant in INVARIANTS
    assert small.plan is None
    assert small.records == len(replayed) <= 12
    assert [one.divergence for one in replayed] == [None] * small.records


def test_what_does_not_come_about_is_shrunk_by_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault and no stranger stays that it does not need, and the smaller plan gives the reel again."""
    plan = Plan(publishers=1, players=2, peers=2, faults={"loss": 0.1, "crash": 1.0, "load": 2.0}, chatter=0.3)

    def never_plays(plan: Plan) -> Run:
        run = simulate(plan)
        return replace(run, violations=[Violation("comes-to-play", 1, "play s0", "")] if plan.players else [])

    monkeypatch.setattr("signalreel.simulation.smaller.simulate", never_plays)
    run = never_plays(plan)
    small = shrink_run(run)

    assert small.plan is not None
    assert (small.plan.faults, small.plan.publishers, small.plan.players, small.plan.peers) == ({}, 0, 1, 0)
    assert small.records < run.inputs
    again = simulate(small.plan)
    assert [entry.chain for entry in again.reel.entries()] == [entry.chain for entry in small.reel.entries()]


def test_deeds_that_are_not_needed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that people do in a run, only that stays without which the promise is kept."""

    def plays_once(plan: Plan) -> Run:
        run = simulate(plan)
        asked = any(isinstance(step.record.command, Play) for step in run.steps)
        return replace(run, violations=[Violation("comes-to-play", 1, "play s0", "")] if asked else [])

    monkeypatch.setattr("signalreel.simulation.smaller.simulate", plays_once)
    plan = Plan(seed=3, publishers=1, players=1, settle_us=0, leave_us=0, pause_us=2_000_000)
    run = plays_once(plan)
    small = shrink_run(run)

    assert run.deeds > 20
    assert small.plan is not None
    assert small.records == 2
    assert len(small.plan.skipped) == simulate(small.plan).deeds - 1


def test_a_plan_is_written_with_what_is_not_as_usual() -> None:
    """As Python that gives the plan again."""
    plan = Plan(seed=3, peers=2, settings=Settings(restore_ms=1_000), faults={"full disk": 2.0}, skipped=(1, 4))
    code = code_of(plan)

    assert code == (
        "Plan(seed=3, settings=Settings(restore_ms=1000), peers=2, faults={'full disk': 2.0}, skipped=(1, 4))"
    )
    assert eval(code, {"Plan": Plan, "Settings": Settings}) == plan  # noqa: S307 -- it is to be pasted
    assert code_of(Plan()) == "Plan()"


def test_smaller_plans_come_to_an_end() -> None:
    """Each has less than the one before in something, so that whoever takes the first again and again arrives."""
    plan = Plan.drawn(6)
    for _ in range(200):
        following = next(smaller_plans(plan), None)
        if following is None:
            break
        plan = following

    assert list(smaller_plans(plan)) == []
    assert plan.faults == {}


def test_what_is_left_for_ever_is_seen_in_the_records() -> None:
    """A run after which nothing is left goes wrong nowhere; a machine that nobody holds and no timer ends does."""
    plan = Plan(publishers=1, safety_us=4_000_000)
    run = simulate(plan)
    records = [step.record for step in run.steps]
    assert LeftForEver().first(Start(run.header), records) == NEVER

    with planted("an id stuck after close"):
        found = LeftForEver().first(Start(run.header), records)

    assert found == len(records)


def test_a_run_that_broke_nothing_is_not_shrunk() -> None:
    """There is nothing to look for."""
    with pytest.raises(ValueError, match="broke nothing"):
        shrink_run(simulate(Plan(publishers=1)))
