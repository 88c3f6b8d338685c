"""Coverage: which items the evidence shows, and what the others still lack."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import assert_never

from msgspec import Struct

from signalreel_adapters.conformance.items import ITEMS, Item, Need
from signalreel_adapters.conformance.ticks import Tick

__all__ = ("Shown", "coverage_of")


class Shown(Struct, frozen=True):
    """An item, and the ticks that it has."""

    item: Item
    ticks: tuple[Tick, ...] = ()

    @property
    def is_covered(self) -> bool:
        """Whether enough was seen of it."""
        return not self.lacks

    @property
    def lacks(self) -> tuple[str, ...]:
        """What has not been seen yet, in words."""
        in_memory = any(tick.transport == "memory" for tick in self.ticks)
        on_socket = [tick for tick in self.ticks if tick.transport != "memory"]
        match self.item.need:
            case Need.MESSAGES:
                seen = {"in memory": in_memory, "over a WebSocket": bool(on_socket)}
            case Need.SOCKET:
                seen = {"over a WebSocket": bool(on_socket)}
            case Need.MEDIA:
                seen = {"over a WebSocket, with media": any(tick.media for tick in on_socket)}
            case _:  # pyright: ignore[reportUnnecessaryComparison] - complete by type, kept for the next need
                assert_never(self.item.need)
        return tuple(words for words, was_seen in seen.items() if not was_seen)


def coverage_of(ticks: Iterable[Tick]) -> Sequence[Shown]:
    """Give every item, in the order of the page, with its ticks."""
    by_item: defaultdict[str, list[Tick]] = defaultdict(list)
    for tick in ticks:
        by_item[tick.item].append(tick)
    return [Shown(item, tuple(by_item[id])) for id, item in ITEMS.items()]
