"""One call of `signalreel simulate`: seeds are run, what fails is kept and made small, and people see how far it is."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import Progress

from signalreel.debug.shrink import Progress as Tell
from signalreel.simulation.run import Run, simulate
from signalreel.simulation.smaller import shrink_run
from signalreel.simulation.swarm import Draw, Result, Swarm
from signalreel_adapters.cli.simulation.telling import Figures, figures_of
from signalreel_adapters.swarm.running import run_seeds
from signalreel_adapters.swarm.store import FailingSeed, FailingSeeds

__all__ = ("SHRUNK_MAX", "Session")

SHRUNK_MAX: Final = 3
"""Seeds that are shrunk of each promise that was broken; many seeds break the same one for the same reason."""

_HASH_SEEDS: Final = ("1", "2")

_Advance = Callable[[int], None]
"""Hears after each seed how many went wrong."""


class Session:
    """Runs seeds. What came of them is in it at any time, so that it can be told when somebody interrupts."""

    def __init__(self, draw: Draw, store: FailingSeeds, *, jobs: int = 1) -> None:
        self.swarm: Final = Swarm()
        self.kept: list[FailingSeed] = []
        self.differing: list[int] = []  #: seeds that gave something else the second time
        self.is_interrupted = False
        self._draw: Final = draw
        self._store: Final = store
        self._jobs: Final = jobs
        self._seconds = 0.0
        self._console: Final = Console(stderr=True)
        self._runs: dict[int, Run] = {}
        self._digests: dict[int, str] = {}

    @property
    def figures(self) -> Figures:
        """What came of it so far."""
        return figures_of(
            self.swarm,
            self.kept,
            self.differing,
            seconds=self._seconds,
            jobs=self._jobs,
            is_interrupted=self.is_interrupted,
        )

    def run(self, seeds: range, *, twice: bool = False) -> None:
        """Run the seeds; keep and shrink what fails. Raises `SwarmBroken` and `StoreUnusable`."""
        try:
            began = time.perf_counter()
            try:
                with self._progress("simulating", len(seeds)) as advance:
                    self._run_first(seeds, advance, twice=twice)
            finally:
                self._seconds = time.perf_counter() - began
            if twice:
                with self._progress("running again and replaying", len(seeds)) as advance:
                    self._run_again(seeds, advance)
            self._shrink()
        except KeyboardInterrupt:
            self.is_interrupted = True

    def _run_first(self, seeds: range, advance: _Advance, *, twice: bool) -> None:
        hash_seed = _HASH_SEEDS[0] if twice else ""
        for result in run_seeds(seeds, self._draw, jobs=self._jobs, has_digest=twice, hash_seed=hash_seed):
            self.swarm.add(result)
            if twice:
                self._digests[result.seed] = result.digest
            if result.violations:
                self._keep(result)
            advance(len(self.swarm.failing))

    def _run_again(self, seeds: range, advance: _Advance) -> None:
        """Run all seeds once more under another hash seed, replay what they give, and compare."""
        results = run_seeds(
            seeds, self._draw, jobs=self._jobs, has_digest=True, is_replayed=True, hash_seed=_HASH_SEEDS[1]
        )
        for result in results:
            first = self.swarm.failing.get(result.seed, ())
            if result.digest != self._digests[result.seed] or result.violations != first:
                self.differing.append(result.seed)
            advance(len(self.differing))
        self.differing.sort()

    def _keep(self, result: Result) -> None:
        """Run a seed that failed once more, for its reel, and keep it."""
        seed = result.seed
        run = _run_of(self._draw, seed)
        if run is not None and tuple(run.violations) != result.violations:
            self.differing.append(seed)
            run = None
        failing = self._store.keep(seed, self._draw, result.violations[0], run)
        self.kept.append(failing)
        if run is not None and sum(one.invariant == failing.invariant for one in self.kept) <= SHRUNK_MAX:
            self._runs[seed] = run

    def _shrink(self) -> None:
        """Make the first failures of each kind small."""
        self.kept.sort(key=lambda failing: failing.seed)
        for place, failing in enumerate(self.kept):
            run = self._runs.get(failing.seed)
            if run is not None:
                with self._status(f"shrinking seed {failing.seed}") as tell:
                    self.kept[place] = self._store.keep_small(failing, shrink_run(run, tell))

    @contextmanager
    def _progress(self, what: str, total: int) -> Generator[_Advance]:
        """Show how far it is on stderr, when a person looks there."""
        if not self._console.is_terminal:
            yield lambda _: None
            return
        with Progress(console=self._console, transient=True) as shown:
            task = shown.add_task(what, total=total)

            def advance(wrong: int) -> None:
                shown.update(task, advance=1, description=f"{what}, {wrong} went wrong" if wrong else what)

            yield advance

    @contextmanager
    def _status(self, what: str) -> Generator[Tell | None]:
        if not self._console.is_terminal:
            yield None
            return
        with self._console.status(what) as status:
            yield lambda without, left: status.update(f"{what}: {left} records left, trying without {without}")


def _run_of(draw: Draw, seed: int) -> Run | None:
    try:
        return simulate(draw.plan(seed))
    except Exception:  # noqa: BLE001 -- what it raises has been told; there is no reel of it
        return None
