"""Luck: whether a fault meets a single message, description or report, and how often which kind has struck."""

from random import Random
from typing import Final

__all__ = ("Luck",)


class Luck:
    """The odds of a run, and the count of what has gone wrong. After `heal` nothing goes wrong any more."""

    __slots__ = ("_odds", "_skipped", "counts", "deeds", "random")

    def __init__(self, random: Random, odds: dict[str, float], skipped: tuple[int, ...] = ()) -> None:
        self.random: Final = random
        self.counts: dict[str, int] = {}
        self.deeds = 0  #: of people, and strikes of faults, whether they were left out or not
        self._skipped = frozenset(skipped)
        self._odds = dict(odds)

    def meets(self, fault: str) -> bool:
        """Whether this fault strikes now."""
        odds = self._odds.get(fault)
        if not odds or self.random.random() >= odds:
            return False
        self.count(fault)
        return True

    def count(self, fault: str) -> None:
        """Note that a fault has struck."""
        self.counts[fault] = self.counts.get(fault, 0) + 1

    def is_done(self) -> bool:
        """Whether the deed or strike that is next is done; the plan may leave it out."""
        self.deeds += 1
        return self.deeds not in self._skipped

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        self._odds.clear()
