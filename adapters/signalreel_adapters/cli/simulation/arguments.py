"""What `signalreel simulate` is told, as what it means: seeds from `A..B`, faults from their names."""

import difflib
from typing import Final

from signalreel.simulation.plan import FAULTS
from signalreel.simulation.swarm import CLIENTS_MAX, SECONDS_MAX, SECONDS_MIN, Draw
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("JOBS_MAX", "SEEDS_MAX", "SEED_MAX", "draw_of", "jobs_of", "seeds_of")

SEEDS_MAX: Final = 10_000_000
"""Most seeds of one call."""

SEED_MAX: Final = 2**63 - 1
"""The largest seed."""

JOBS_MAX: Final = 256
"""Most processes of one call."""

_DIGITS_MAX: Final = 19


def seeds_of(text: str) -> range:
    """Read `A..B`, both included, or one seed. Raises `Mistake` when it is neither."""
    first, dots, last = text.partition("..")
    words = (first, last) if dots else (first, first)
    if not all(word.isascii() and word.isdigit() and len(word) <= _DIGITS_MAX for word in words):
        raise Mistake(f"--seeds takes two numbers, like 0..999, or one: {text!r} is neither")
    begin, end = map(int, words)
    if end > SEED_MAX:
        raise Mistake(f"--seeds: the largest seed is {SEED_MAX}")
    if end < begin:
        raise Mistake(f"--seeds {text}: the last one comes before the first")
    if end - begin >= SEEDS_MAX:
        raise Mistake(f"--seeds {text}: these are {end - begin + 1}, and {SEEDS_MAX} is the most for one call")
    return range(begin, end + 1)


def draw_of(clients: int, seconds: int, faults: str | None, *, safety_only: bool = False) -> Draw:
    """Say how plans are drawn. Raises `Mistake` where none can be."""
    if not 1 <= clients <= CLIENTS_MAX:
        raise Mistake(f"--clients takes a number from 1 to {CLIENTS_MAX}")
    if not 1 <= seconds <= SECONDS_MAX:
        raise Mistake(f"--seconds takes a number from {SECONDS_MIN} to {SECONDS_MAX}")
    if seconds < SECONDS_MIN and not safety_only:
        raise Mistake(
            f"--seconds {seconds}: until everyone has what they want takes longer, so {SECONDS_MIN} is the least; with "
            "--safety-only nobody asks for that"
        )
    return Draw(clients, seconds, _faults(faults) if faults is not None else None, safety_only)


def _faults(text: str) -> tuple[str, ...]:
    if text.strip() == "none":
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FAULTS:
            near = difflib.get_close_matches(name, FAULTS, 1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise Mistake(f"--faults: there is no fault {name!r}{meant} There are: none, {', '.join(FAULTS)}")
    return names


def jobs_of(jobs: int) -> int:
    """Check a number of processes. Raises `Mistake` when nobody could want it."""
    if not 1 <= jobs <= JOBS_MAX:
        raise Mistake(f"--jobs takes a number from 1 to {JOBS_MAX}")
    return jobs
