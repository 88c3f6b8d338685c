"""The disk of a simulated server: what is on its reel, and what of it outlives a crash.

Under `synced` a step is carried out only once its record is on the disk, so a crash takes no more than the batch under
way, and of that some records may be there already. Under `buffered` the last batch of what was carried out may be gone.
"""

from random import Random
from typing import Final

from signalreel.header import Header
from signalreel.record import Record, encode_record
from signalreel.reel import MemoryReel
from signalreel.simulation.agenda import MS
from signalreel.step import Step, outcome_of

__all__ = ("BATCH_MAX", "BUFFERED_US", "Disk", "reel_of")

BATCH_MAX: Final = 256
"""Records of one commit, and so the most that a crash of a buffered disk takes."""

BUFFERED_US: Final = 5 * MS
"""How long a buffered disk lets records wait, at least."""


def reel_of(header: Header, steps: list[Step]) -> MemoryReel:
    """Write steps down as a reel."""
    reel = MemoryReel(header)
    for step in steps:
        reel.append(step.record.seq, encode_record(step.record))
        reel.conclude(step.record.seq, outcome_of(step))
    return reel


class Disk:
    """Keeps what was applied, in order. It is encoded only when somebody wants the reel."""

    __slots__ = ("commit_us", "header", "is_buffered", "is_full", "safe", "steps", "under_way")

    def __init__(self, header: Header, commit_us: int = 0, *, is_buffered: bool = False) -> None:
        self.header: Final = header
        self.steps: list[Step] = []  #: applied
        self.under_way: list[Record] = []  #: handed over and not applied yet
        self.commit_us = commit_us
        self.is_buffered: Final = is_buffered
        self.is_full = False
        self.safe = 0  #: how many steps no crash takes; all of them unless it is buffered

    @property
    def is_prompt(self) -> bool:
        """Whether a record is applied the moment it comes."""
        return not self.is_full and (self.is_buffered or not self.commit_us)

    @property
    def reel(self) -> MemoryReel:
        """What is on it, as a reel."""
        return reel_of(self.header, self.steps)

    def crash(self, random: Random) -> list[Record]:
        """Give the records that are on the disk after a crash: those that were safe, and some of the others.

        What was torn in the middle of its writing is cut off.
        """
        steps = self.steps
        least = max(self.safe, len(steps) - BATCH_MAX) if self.is_buffered else len(steps)
        kept = least + int(random.random() * (len(steps) - least + 1))
        records = [step.record for step in steps[:kept]]
        if kept == len(steps):
            records += self.under_way[: int(random.random() * (len(self.under_way) + 1))]
        self.under_way = []
        return records
