"""Many runs, summed: what a result keeps, what a swarm says was never reached, and what the same means."""

import msgspec
import pytest
from msgspec.structs import replace

from signalreel.simulation import swarm as module
from signalreel.simulation.plan import FAULTS, Plan
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.sometimes import SOMETIMES
from signalreel.simulation.swarm import (
    PROMISES,
    SECONDS_MIN,
    Draw,
    Result,
    Swarm,
    digest_of,
    replays_the_same,
    result_of,
    run_seed,
)
from signalreel.verify import INVARIANTS, Violation
from tests.engine.zoo import planted

PLAN = Plan(seed=7, publishers=1, players=2, peers=2, members=2)


@pytest.fixture(scope="module")
def run() -> Run:
    """Run a plan that reaches most kinds of machine."""
    return simulate(PLAN)


def test_a_draw_says_how_plans_are_drawn() -> None:
    """As many clients and seconds as it says, and no fault but those that it names."""
    plans = [Draw(clients=6, seconds=80, faults=("crash", "loss")).plan(seed) for seed in range(60)]

    assert {
        plan.publishers + plan.players + plan.peers + plan.members + plan.twins + plan.hostile for plan in plans
    } == {6}
    assert {plan.safety_us + plan.settle_us + plan.leave_us for plan in plans} == {80_000_000}
    assert {name for plan in plans for name in plan.faults} == {"crash", "loss"}
    assert Draw().plan(9) == Plan.drawn(9)


def test_safety_alone_asks_for_nothing_at_the_end() -> None:
    """All of the time is for what goes wrong, so even the shortest run breaks nothing."""
    draw = Draw(seconds=10, safety_only=True)

    assert draw.plan(3).safety_us == 10_000_000
    assert [run_seed(seed, draw).violations for seed in range(20)] == [()] * 20
    assert {run_seed(seed, draw).time for seed in range(3)} == {10_000_000}


def test_there_is_time_enough_in_the_shortest_run_that_is_asked() -> None:
    """Runs of the fewest seconds come to rest as the usual ones do."""
    results = [run_seed(seed, Draw(seconds=SECONDS_MIN)) for seed in range(60)]

    assert [result for result in results if result.violations] == []


def test_a_result_is_small_and_survives_its_journey(run: Run) -> None:
    """It is what the run says, and the same after it was a line of JSON."""
    result = result_of(run, has_digest=True)
    data = msgspec.json.encode(result)

    assert (result.seed, result.inputs, result.time, result.pings) == (7, run.inputs, run.time, run.pings)
    assert sum(result.fired.values()) > run.inputs / 2
    assert msgspec.json.decode(data, type=Result) == result
    assert len(data) < 8_192


def test_a_swarm_is_the_sum_of_its_results_in_any_order(run: Run) -> None:
    """Inputs, times, faults and rows are added; seeds that fail are kept by seed."""
    wrong = replace(result_of(run), seed=3, violations=(Violation("one-owner", 1, "stream live/s", "two"),))
    results = [result_of(run), run_seed(12), wrong]
    one, other = Swarm(), Swarm()
    for result in results:
        one.add(result)
    for result in reversed(results):
        other.add(result)

    assert vars(one) == vars(other)
    assert one.seeds == 3
    assert one.inputs == sum(result.inputs for result in results)
    assert (one.violations, list(one.failing)) == (1, [3])
    assert one.sometimes["a stream came live"] >= 2


def test_what_never_happened_is_named(run: Run) -> None:
    """Of a swarm of nothing: everything. Of a run: what it did not reach, and nothing that it did."""
    swarm = Swarm()
    assert swarm.never_injected == list(FAULTS)
    assert swarm.never_reached == list(SOMETIMES)
    all_cells = swarm.never_fired
    swarm.add(result_of(run))

    assert "a stream came live" not in swarm.never_reached
    assert "stream idle Publish" in all_cells
    assert "stream idle Publish" not in swarm.never_fired
    covered = swarm.covered
    assert set(covered) == {"stream", "playback", "pair", "room"}
    assert sum(kind.cells for kind in covered.values()) == len(all_cells)
    assert sum(kind.cells - kind.cells_fired for kind in covered.values()) == len(swarm.never_fired)
    assert covered["room"].states == covered["room"].states_seen == 2
    assert covered["stream"].rows_fired < covered["stream"].rows


def test_the_digest_is_of_everything(run: Run) -> None:
    """The same plan gives the same, and whatever is told besides the reel counts too."""
    again = simulate(PLAN)

    assert digest_of(run) == digest_of(again)
    assert digest_of(simulate(replace(PLAN, seed=8))) != digest_of(run)
    for other in (
        replace(again, pings=again.pings + 1),
        replace(again, sometimes={}),
        replace(again, violations=[Violation("one-owner", 1, "", "")]),
        replace(again, steps=again.steps[:-1]),
    ):
        assert digest_of(other) != digest_of(run)


def test_a_reel_that_gives_something_else_is_noticed(run: Run) -> None:
    """Steps of a server with a bug are not what the engine without it gives."""
    assert replays_the_same(run)

    with planted("an id stuck after close"):
        wrong = simulate(replace(PLAN, is_monitored=False))

    assert not replays_the_same(wrong)


def test_an_engine_that_raises_breaks_a_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed fails with what was raised and where, and nothing else of it is told."""

    def broken(plan: Plan) -> Run:
        raise LookupError("secret of a client")

    monkeypatch.setattr(module, "simulate", broken)
    (violation,) = run_seed(5).violations

    assert violation.invariant in PROMISES
    assert violation.told.startswith("LookupError in ")
    assert "secret" not in violation.told


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param((1702, 1899, 2915, 3727, 4928, 6424, 7000, 8875), id="connections of clients that had vanished"),
        pytest.param((630, 681, 2606, 3480, 3926, 6853, 9034), id="peers whose datagrams were lost"),
        pytest.param((18015, 39088, 50356, 97640, 104096), id="peers whose commands a full disk could not record"),
        pytest.param((809, 939, 3267, 5274, 6958), id="answers to offers that were held back"),
        pytest.param((8085,), id="media that a third peer seemed to carry"),
        pytest.param((173,), id="a new offer of a room that nobody answered"),
        pytest.param((330, 391, 514, 611, 1184, 3450, 7925), id="an id that was played as a room of nobody"),
    ],
)
def test_seeds_that_failed_once_hold(seeds: tuple[int, ...]) -> None:
    """What a swarm has found: the last two were mistakes of the server, the others were of its clients here."""
    assert [result for result in map(run_seed, seeds) if result.violations] == []


def test_everything_that_can_be_broken_has_a_sentence() -> None:
    """Invariants and what must come about, each with the part of the protocol that it follows from."""
    assert set(INVARIANTS) < set(PROMISES)
    assert all(promise.sentence.endswith(".") and promise.promised for promise in PROMISES.values())
