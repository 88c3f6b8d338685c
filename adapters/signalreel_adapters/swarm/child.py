"""What is asked of a process that runs seeds, and the process: a line of JSON with seeds, a line with their results.

It imports the engine and nothing else, and ends when nothing is asked any more.
"""

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Final

import msgspec
from msgspec import Struct

from signalreel.simulation.swarm import Draw, Result, run_seed

__all__ = ("Asked", "answer", "read_results")


class Asked(Struct, frozen=True):
    """Which seeds to run, and how."""

    seeds: tuple[int, ...]
    draw: Draw
    has_digest: bool = False
    is_replayed: bool = False

    def results(self) -> Iterator[Result]:
        """Run them."""
        for seed in self.seeds:
            yield run_seed(seed, self.draw, has_digest=self.has_digest, is_replayed=self.is_replayed)


_questions: Final = msgspec.json.Decoder(Asked)
_results: Final = msgspec.json.Decoder(list[Result])


def read_results(line: bytes) -> list[Result]:
    """Read an answer. Raises `ValueError` when it is none."""
    return _results.decode(line)


def answer(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until nothing is asked any more, or nobody hears it."""
    with suppress(BrokenPipeError):
        for line in questions:
            answers.write(msgspec.json.encode(list(_questions.decode(line).results())) + b"\n")
            answers.flush()


if __name__ == "__main__":
    answer(sys.stdin.buffer, sys.stdout.buffer)
