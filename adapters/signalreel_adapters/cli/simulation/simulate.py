"""`signalreel simulate --seeds A..B`: whole deployments in memory, thousands of them, held against every invariant."""

import sys
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from signalreel.simulation.swarm import run_seed
from signalreel_adapters.cli.debug.reading import Switch, print_json
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.cli.simulation.arguments import draw_of, jobs_of, seeds_of
from signalreel_adapters.cli.simulation.session import Session
from signalreel_adapters.cli.simulation.telling import lines_of_failing, tables_of
from signalreel_adapters.swarm.running import SwarmBroken
from signalreel_adapters.swarm.store import FailingSeed, FailingSeeds, StoreUnusable

__all__ = ("INTERRUPTED", "TOLD_MAX", "Again", "AgainFigures", "simulate")

INTERRUPTED: Final = 130

TOLD_MAX: Final = 10
"""Failed seeds that are told on a terminal; the folder has all."""

_STORE: Final = Path("failing-seeds")


class Again(msgspec.Struct):
    """A kept seed that was run again."""

    seed: int
    invariant: str  #: that it broke when it was kept
    breaks: str  #: that it breaks now; empty: it is mended
    command: str


class AgainFigures(msgspec.Struct):
    """What `signalreel simulate --failing --json` prints."""

    seeds: int
    violations: int
    failing_seeds: list[int]
    mended_seeds: list[int]
    kept: list[Again]


def simulate(
    *,
    seeds: str = "",
    jobs: int = 1,
    clients: int = 4,
    seconds: int = 60,
    faults: str | None = None,
    safety_only: Switch = False,
    keep: Path = _STORE,
    failing: Switch = False,
    twice: Switch = False,
    json: Switch = False,
) -> int:
    """Run whole deployments in memory, each drawn from a seed: clients, network, server, disk, and what goes wrong.

    In each run people come and go while faults strike; then all is healed, and what everybody wants must come about in
    time. Every step is held against the invariants. A seed that fails is kept with its reel, shrunk.
    Leaves with 0, 1 when a seed fails, 130 when it is interrupted; then it tells what was done so far.

    Parameters
    ----------
    seeds
        The seeds to run: `0..999`, both included, or one.
    jobs
        Processes to run them in; with 1 that is this one.
    clients
        Clients of each run.
    seconds
        Virtual seconds of each run.
    faults
        The only kinds of fault that may exist, with commas between them, or none. Left out: each seed draws its own.
    safety_only
        Let things go wrong all the time, and do not ask for what comes about once they are healed.
    keep
        The folder of the seeds that failed. It is made when one does.
    failing
        Run the seeds of that folder again, and say which are mended.
    twice
        Run every seed twice under different hash seeds, replay its reel, and compare every byte: nothing may differ.
    json
        Print one JSON object with the keys seeds, violations, inputs, inputs_per_s, faults, failing_seeds and more.
    """
    store = FailingSeeds(keep)
    try:
        if failing:
            if seeds or twice:
                raise Mistake("--failing runs the seeds that are kept: --seeds and --twice do not go with it")
            return _again(store, json=json)
        if not seeds:
            raise Mistake("say which seeds to run: --seeds 0..999, or --failing for those that are kept")
        draw = draw_of(clients, seconds, faults, safety_only=safety_only)
        session = Session(draw, store, jobs=jobs_of(jobs))
        session.run(seeds_of(seeds), twice=twice)
    except (StoreUnusable, SwarmBroken) as error:
        raise Mistake(str(error)) from error
    if json:
        print_json(session.figures)
    else:
        _tell(session, store)
    if session.is_interrupted:
        return INTERRUPTED
    return 1 if session.swarm.failing or session.differing else 0


def _tell(session: Session, store: FailingSeeds) -> None:
    console = Console()
    for table in tables_of(session.figures):
        console.print(table)
    for failing in session.kept[:TOLD_MAX]:
        print()
        for line in lines_of_failing(failing, store):
            print(line)
    if len(session.kept) > TOLD_MAX:
        print(f"\n... and {len(session.kept) - TOLD_MAX} seeds more, in {store.folder}")
    for seed in session.differing[:TOLD_MAX]:
        print(f"\nseed {seed} gave something else the second time; the same seed must give the same bytes")
    if session.is_interrupted:
        sys.stdout.flush()
        print("interrupted: this is what was done so far", file=sys.stderr)


def _again(store: FailingSeeds, *, json: bool) -> int:
    """Run the seeds of a folder again."""
    kept = [_again_of(failing) for failing in store.read()]
    failing = [again.seed for again in kept if again.breaks]
    if json:
        print_json(AgainFigures(len(kept), len(failing), failing, [one.seed for one in kept if not one.breaks], kept))
    else:
        for again in kept:
            now = f"breaks {again.breaks}" if again.breaks else f"mended; it broke {again.invariant}"
            print(f"seed {again.seed}: {now}" + (f"\n  again     {again.command}" if again.breaks else ""))
        print(f"{len(kept) - len(failing)} of {len(kept)} kept seeds are mended")
    return 1 if failing else 0


def _again_of(failing: FailingSeed) -> Again:
    violations = run_seed(failing.seed, failing.draw).violations
    return Again(failing.seed, failing.invariant, violations[0].invariant if violations else "", failing.command)
