"""How fast deployments are simulated: `signalreel bench simulate`.

What is timed are whole runs as `signalreel simulate` makes them: plans drawn from seeds, 60 virtual seconds, 4
clients, every kind of fault possible, every step held against the invariants, people who must have what they want in
the end. CPU time of this process, one core; the median of several passes over the same seeds. An input is a record that
was applied. Pings, which are answered off the reel, are counted apart, and so are runs without the invariants.

Beside it, in turns: messages between clients and a server without any protocol, carried by SimPy and by the agenda of
this simulation. That says what virtual time costs and nothing about the rest; nobody else simulates this protocol.
"""

import gc
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.simulation.plan import Plan
from signalreel.simulation.run import simulate
from signalreel.simulation.swarm import Draw
from signalreel_adapters.bench.messages import AgendaMessages
from signalreel_adapters.bench.peers.loading import prepare
from signalreel_adapters.bench.source import Peer, Progress, cpu_of, median

__all__ = ("RUNS", "SEEDS", "SimulateFigures", "bench_simulate")

SEEDS: Final = 400
RUNS: Final = 5

_ABSENT: Final = "there is no package of this name on the Python package index that this was measured with"


class SimulateFigures(Struct, frozen=True):
    """What `signalreel bench simulate --json` prints."""

    inputs_per_s: int
    seeds_per_s: float
    times_real_time: int
    inputs_and_pings_per_s: int
    unchecked_inputs_per_s: int  #: by runs that are not held against the invariants
    messages_per_s: int  #: by our agenda, of the work that the peers do
    seeds: int
    inputs: int
    pings: int
    virtual_seconds: float
    violations: int
    runs: int
    peers: dict[str, Peer]


def bench_simulate(progress: Progress, *, seeds: int = SEEDS, runs: int = RUNS) -> SimulateFigures:
    """Measure the drawn plans of the first seeds."""
    draw = Draw()
    checked = [draw.plan(seed) for seed in range(seeds)]
    unchecked = [replace(plan, is_monitored=False) for plan in checked]
    ours, other = AgendaMessages(), prepare("simpy", "SimpyMessages")
    progress(f"simulating {seeds} seeds, to see what is in them")
    total = _Total(checked)
    taken: list[float] = []
    taken_unchecked: list[float] = []
    for run in range(1, runs + 1):
        progress(f"simulating {seeds} seeds, run {run} of {runs}")
        taken.append(_time(checked))
        taken_unchecked.append(_time(unchecked))
        progress(f"messages alone, run {run} of {runs}")
        ours.run()
        if not isinstance(other, Peer):
            other.run()
    seconds = median(taken)
    return SimulateFigures(
        inputs_per_s=round(total.inputs / seconds),
        seeds_per_s=round(seeds / seconds, 1),
        times_real_time=round(total.virtual_seconds / seconds),
        inputs_and_pings_per_s=round((total.inputs + total.pings) / seconds),
        unchecked_inputs_per_s=round(total.inputs / median(taken_unchecked)),
        messages_per_s=ours.messages_per_s,
        seeds=seeds,
        inputs=total.inputs,
        pings=total.pings,
        virtual_seconds=total.virtual_seconds,
        violations=total.violations,
        runs=runs,
        peers={
            "simloop": Peer(missing=_ABSENT),
            "simloom": Peer(missing=_ABSENT),
            "simpy": other if isinstance(other, Peer) else other.figures(),
        },
    )


class _Total:
    """What is in the runs; the first pass over them, which warms up too."""

    def __init__(self, plans: list[Plan]) -> None:
        self.inputs = self.pings = self.violations = 0
        self.virtual_seconds = 0.0
        for plan in plans:
            run = simulate(plan)
            self.inputs += run.inputs
            self.pings += run.pings
            self.violations += len(run.violations)
            self.virtual_seconds += run.time / 1e6


def _time(plans: list[Plan]) -> float:
    """CPU seconds of running plans."""

    def go() -> None:
        for plan in plans:
            simulate(plan)

    gc.collect()
    return cpu_of(go)
