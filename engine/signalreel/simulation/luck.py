"""Luck: whether a fault meets a single message, description or report, and how often which kind has struck."""

from random import Random
from typing import Final

__all__ = ("Luck",)


class Luck:
    """The odds of a run, and the count of what has gone wrong. After `heal` nothing goes wrong any more."""

    __slots__ = ("_odds", "counts", "random")

    def __init__(self, random: Random, odds: dict[str, float]) -> None:
        self.random: Final = random
        self.counts: dict[str, int] = {}
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

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        self._odds.clear()
