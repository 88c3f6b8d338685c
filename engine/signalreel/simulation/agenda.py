"""Virtual time: what is to happen, in order. Whatever happens at the same time happens in the order it was put down."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

__all__ = ("MINUTE", "MS", "SECOND", "Agenda")

MS: Final = 1_000
"""Microseconds in a millisecond: virtual time is in microseconds, like a reel's."""

SECOND: Final = 1_000 * MS
MINUTE: Final = 60 * SECOND


class Agenda:
    """What is to happen. `now` is the virtual time, in microseconds since the beginning."""

    __slots__ = ("_heap", "_number", "is_stopped", "now")

    def __init__(self) -> None:
        self.now = 0
        self.is_stopped = False  #: nothing happens any more
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, time: int, action: Callable[..., None], *args: Any) -> None:
        """Have something happen at a time, which is not past."""
        self._number = number = self._number + 1
        heappush(self._heap, (time, number, action, args))

    def after(self, delay: int, action: Callable[..., None], *args: Any) -> None:
        """Have something happen so many microseconds from now."""
        self._number = number = self._number + 1
        heappush(self._heap, (self.now + delay, number, action, args))

    def run_until(self, end: int) -> None:
        """Let everything happen that is due by then, or until it is stopped."""
        heap = self._heap
        while heap and heap[0][0] <= end:
            self.now, _, action, args = heappop(heap)
            action(*args)
            if self.is_stopped:
                return
        self.now = max(self.now, end)
