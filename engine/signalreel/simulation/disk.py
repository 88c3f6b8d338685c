"""The disk of a simulated server: what is on its reel."""

from typing import Final

from signalreel.header import Header
from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel.step import Step, outcome_of

__all__ = ("Disk", "reel_of")


def reel_of(header: Header, steps: list[Step]) -> MemoryReel:
    """Write steps down as a reel."""
    reel = MemoryReel(header)
    for step in steps:
        reel.append(step.record.seq, encode_record(step.record))
        reel.conclude(step.record.seq, outcome_of(step))
    return reel


class Disk:
    """Keeps what was applied, in order. It is encoded only when somebody wants the reel."""

    __slots__ = ("header", "steps")

    def __init__(self, header: Header) -> None:
        self.header: Final = header
        self.steps: list[Step] = []

    @property
    def reel(self) -> MemoryReel:
        """What is on it, as a reel."""
        return reel_of(self.header, self.steps)
