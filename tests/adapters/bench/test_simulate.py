"""What `signalreel bench simulate` measures."""

import sys

import pytest

from signalreel.simulation.swarm import run_seed
from signalreel_adapters.bench.peers.loading import PACKAGES
from signalreel_adapters.bench.simulate import bench_simulate
from signalreel_adapters.bench.source import Peer


def test_the_seeds_are_those_that_anybody_can_run() -> None:
    """What is counted is what `signalreel simulate` counts of the same seeds; everybody takes turns."""
    told: list[str] = []
    figures = bench_simulate(told.append, seeds=5, runs=2)
    results = [run_seed(seed) for seed in range(5)]

    assert (figures.seeds, figures.inputs) == (5, sum(result.inputs for result in results))
    assert figures.pings == sum(result.pings for result in results)
    assert figures.virtual_seconds == 300.0
    assert 0 < figures.inputs_per_s < figures.inputs_and_pings_per_s
    assert figures.times_real_time > figures.seeds_per_s * 59
    assert figures.peers["simpy"].messages_per_s > 0
    assert told[1:] == [
        f"{what}, run {run} of 2" for run in (1, 2) for what in ("simulating 5 seeds", "messages alone")
    ]


def test_who_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, and nothing else."""
    monkeypatch.setitem(sys.modules, f"signalreel_adapters.bench.peers.{PACKAGES['simpy']}", None)
    peers = bench_simulate(lambda _: None, seeds=1, runs=1).peers

    assert peers["simpy"] == Peer(missing="simpy is not installed (pip install simpy)")
    assert all(peers[name].missing for name in ("simloop", "simloom"))
