"""Running seeds: here, or in processes beside this one, and results as they come.

A child is told seeds on its stdin and answers on its stdout, so it ends when we do, however we end. Each is in a
session of its own: Ctrl-C is for us alone, and we end our children.
"""

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import msgspec

from signalreel.errors import SignalreelError
from signalreel.simulation.swarm import Draw, Result
from signalreel_adapters.swarm.child import Asked, read_results

__all__ = ("AT_ONCE", "SwarmBroken", "run_seeds", "start_child")

AT_ONCE: Final = 16
"""Seeds of one question to a child: some tenth of a second."""

_CHILD: Final = "signalreel_adapters.swarm.child"


class SwarmBroken(SignalreelError):
    """A process that ran seeds ended by itself."""

    def __init__(self, part: Asked) -> None:
        self.seeds = part.seeds
        super().__init__(
            f"a process ended by itself while it ran the seeds {part.seeds[0]}..{part.seeds[-1]}; with one job they "
            "run in this process"
        )


def run_seeds(
    seeds: Sequence[int],
    draw: Draw,
    *,
    jobs: int = 1,
    has_digest: bool = False,
    is_replayed: bool = False,
    hash_seed: str = "",
) -> Iterator[Result]:
    """Run seeds and give their results as they come: in their order when there is one job, which is this process.

    With a `hash_seed`, all run in processes that have this `PYTHONHASHSEED`. Raises `SwarmBroken` when one of them ends
    by itself.
    """
    at_once = max(1, min(AT_ONCE, -(-len(seeds) // jobs)))
    places = range(0, len(seeds), at_once)
    parts = (Asked(tuple(seeds[place : place + at_once]), draw, has_digest, is_replayed) for place in places)
    if jobs == 1 and not hash_seed:
        for part in parts:
            yield from part.results()
        return
    with _Children(min(jobs, len(places)), hash_seed, parts) as children:
        yield from children.results(len(places))


class _Children:
    """Processes that run seeds. Each has a thread here that asks it and hears what it answers."""

    def __init__(self, count: int, hash_seed: str, parts: Iterator[Asked]) -> None:
        self._parts = parts
        self._turn = threading.Lock()
        self._heard: queue.SimpleQueue[tuple[Asked, list[Result] | None]] = queue.SimpleQueue()
        self._children = [start_child(hash_seed) for _ in range(count)]
        self._threads = [threading.Thread(target=self._ask, args=(child,), daemon=True) for child in self._children]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for child in self._children:
            child.kill()
            child.wait()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        for child in self._children:
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # What it was asked last may still be in the buffer.
                        pipe.close()

    def results(self, count: int) -> Iterator[Result]:
        """Give the results of all parts, of which there are so many."""
        for thread in self._threads:
            thread.start()
        for _ in range(count):
            part, results = self._heard.get()
            if results is None:
                raise SwarmBroken(part)
            yield from results

    def _ask(self, child: "subprocess.Popen[bytes]") -> None:
        """Ask one child until nothing is left to ask."""
        while child.stdin is not None and child.stdout is not None:
            with self._turn:
                part = next(self._parts, None)
            if part is None:
                return
            try:
                child.stdin.write(msgspec.json.encode(part) + b"\n")
                child.stdin.flush()
                results = read_results(child.stdout.readline())
            except (OSError, ValueError):
                self._heard.put((part, None))
                return
            self._heard.put((part, results))


def start_child(hash_seed: str) -> "subprocess.Popen[bytes]":
    """Start a process that runs seeds, with this `PYTHONHASHSEED` or with whatever it happens to get."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    if hash_seed:
        environment["PYTHONHASHSEED"] = hash_seed
    return subprocess.Popen(  # noqa: S603 -- our own program, with our own arguments
        [sys.executable, "-P", "-m", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
