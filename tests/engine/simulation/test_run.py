"""One run of a plan."""

import os
import subprocess
import sys

from signalreel.replay import Cursor
from signalreel.simulation.agenda import SECOND
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import simulate
from tests.engine.zoo import planted

PLAN = Plan(seed=7, publishers=1, players=2, peers=2, members=2)


def test_a_run_tells_what_came_of_it() -> None:
    """Nothing was violated, all kinds of machine were seen, and the time that was planned has passed."""
    run = simulate(PLAN)

    assert run.violations == []
    assert run.time == PLAN.safety_us + PLAN.settle_us + PLAN.leave_us == 140 * SECOND
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


def test_drawn_runs_give_the_same_bytes_under_any_hash_seed() -> None:
    """The reels of a dozen seeds, faults and all, from two processes whose hashes differ."""
    code = (
        "from hashlib import sha256\n"
        "from signalreel.simulation import Plan, simulate\n"
        "whole = sha256()\n"
        "for seed in range(12):\n"
        "    for entry in simulate(Plan.drawn(seed)).reel.entries():\n"
        "        whole.update(entry.record + entry.chain)\n"
        "print(whole.hexdigest())\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert len(told[0]) > 60
    assert told[0] == told[1]


def test_a_server_that_forgets_to_free_an_id_is_found() -> None:
    """The run stops at the violation, which says what is broken."""
    with planted("an id stuck after close"):
        runs = [simulate(Plan.drawn(seed)) for seed in range(20)]

    assert any(run.violations for run in runs)
