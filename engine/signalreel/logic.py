"""The flags of the logic: what the machines do differently for the same inputs since a certain version.

A change that gives another outcome for inputs that older reels hold stands behind a flag. The flags that a new reel
starts with are in its header; an older reel gets the rest as `LogicRaised` records when a newer version goes on with
it. So each record is replayed by the logic that applied it first.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from signalreel.errors import CatalogueError

__all__ = ("CATALOGUE", "Catalogue", "Flag")


class Flag(Struct, frozen=True):
    """One numbered change of the logic."""

    number: int
    since: str  #: the version of the engine that brought it
    what: str  #: what is done differently, in a sentence


class Catalogue:
    """The flags that a version knows. Raises `CatalogueError` unless they are numbered 1, 2, 3 and so on."""

    def __init__(self, flags: Iterable[Flag] = ()) -> None:
        self.flags: Final = tuple(flags)
        self.numbers: Final = tuple(flag.number for flag in self.flags)
        faults = [
            f"flag {flag.number} stands in the place of flag {place}"
            for place, flag in enumerate(self.flags, 1)
            if flag.number != place
        ]
        if faults:
            raise CatalogueError("flags of the logic", faults)

    def unraised(self, raised: tuple[int, ...]) -> tuple[int, ...]:
        """Give the flags that are known but not raised: an older version began that reel."""
        return tuple(number for number in self.numbers if number not in raised)

    def unknown(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Give those numbers that stand for no flag here: a newer version raised them."""
        return tuple(number for number in numbers if number not in self.numbers)


CATALOGUE: Final = Catalogue()
"""The flags of this version. None so far: it is the first."""
