"""Seeds in this process and in others."""

import os
import signal
import subprocess
from collections.abc import Generator

import pytest

from signalreel.simulation.swarm import Draw, Result
from signalreel_adapters.swarm import running
from signalreel_adapters.swarm.running import SwarmBroken, run_seeds

DRAW = Draw(seconds=5, safety_only=True)


def by_seed(result: Result) -> int:
    """Sort results."""
    return result.seed


def test_one_job_is_this_process() -> None:
    """Results come in the order of the seeds, and none is run before it is asked for."""
    results = run_seeds(range(3, 10_000_000), DRAW)

    assert [next(results).seed for _ in range(3)] == [3, 4, 5]


@pytest.mark.parametrize("jobs", [2, 3])
def test_more_jobs_give_the_same_results(jobs: int) -> None:
    """Whatever order they come in; every seed once, also when a part is smaller than the others."""
    here = list(run_seeds(range(40), DRAW))
    there = sorted(run_seeds(range(40), DRAW, jobs=jobs), key=by_seed)

    assert there == here


def test_another_hash_seed_gives_the_same_bytes() -> None:
    """Two processes whose hashes differ come to one digest for each seed."""
    first, second = (
        [result.digest for result in run_seeds(range(10), DRAW, has_digest=True, hash_seed=hash_seed)]
        for hash_seed in ("1", "2")
    )

    assert first == second
    assert len(set(first)) == 10


def test_a_process_that_is_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the seeds it was at; nothing waits for it for ever."""
    start = running.start_child

    def killed(hash_seed: str) -> "subprocess.Popen[bytes]":
        child = start(hash_seed)
        os.kill(child.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(running, "start_child", killed)

    with pytest.raises(SwarmBroken, match=r"ended by itself while it ran the seeds 0\.\.") as broken:
        list(run_seeds(range(40), DRAW, jobs=2))
    assert 0 in broken.value.seeds or 16 in broken.value.seeds


def test_whoever_stops_asking_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children are ended when the results are closed, as by Ctrl-C."""
    children: list[subprocess.Popen[bytes]] = []
    start = running.start_child

    def noted(hash_seed: str) -> "subprocess.Popen[bytes]":
        children.append(start(hash_seed))
        return children[-1]

    monkeypatch.setattr(running, "start_child", noted)
    results = run_seeds(range(10_000), DRAW, jobs=2)
    next(results)
    assert isinstance(results, Generator)
    results.close()

    assert len(children) == 2
    assert all(child.returncode is not None for child in children)
