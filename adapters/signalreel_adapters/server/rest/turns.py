"""Going through many of something on the loop that serves the calls: it gets its turn every so often."""

from collections.abc import AsyncIterator, Iterable, Sequence
from heapq import merge
from itertools import islice
from typing import Final, TypeVar

from anyio.lowlevel import checkpoint

__all__ = ("AT_ONCE", "SORTED_AT_ONCE", "in_order", "in_turns")

T = TypeVar("T")
Key = TypeVar("Key", str, int, tuple[str, str])

AT_ONCE: Final = 64
"""How many are looked at before everybody else has a turn: less than a millisecond's worth."""


SORTED_AT_ONCE: Final = 2_048
"""Of what is only compared."""


async def in_turns(things: Iterable[T], at_once: int = AT_ONCE) -> AsyncIterator[T]:
    """Give one thing after the other. Between two of them anything may have changed, so look each up when it comes."""
    for place, thing in enumerate(things, 1):
        yield thing
        if place % at_once == 0:
            await checkpoint()


async def in_order(things: Sequence[Key], wanted: int) -> list[Key]:
    """Sort, and give the first ones of as many as are wanted. Portions are sorted, and then merged as far as needed."""
    starts = range(0, len(things), SORTED_AT_ONCE)
    portions = [sorted(things[start : start + SORTED_AT_ONCE]) async for start in in_turns(starts, 1)]
    return [thing async for thing in in_turns(islice(merge(*portions), wanted), SORTED_AT_ONCE)]
