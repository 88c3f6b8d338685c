"""When the packets of encoded pictures are sent: a few at once, and those of a large one over the time it is shown.

A keyframe is ten times as large as other pictures. Sent in one go, to every viewer, it would fill the queues of their
paths, and what an estimate of the path is made of.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

__all__ = ("Pacer",)

_AT_ONCE: Final = 3
"""Packets of one picture that are sent without a pause: most pictures are no larger."""

_PAUSE: Final = 0.005
"""Seconds between two turns: no timer here is much finer."""

_SHARE: Final = 0.8
"""Of the interval between two pictures, in which the packets of the first are to be on their way."""


class Pacer:
    """The packets of one encoder that wait for their time. Pure code, told the time in seconds."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._ends: dict[int, float] = {}  # when the last packet of each rendition is sent

    def add(self, height: int, packets: Sequence[bytes], interval: float, now: float) -> None:
        """Have the packets of a picture sent within an interval, or at once when that is 0.

        They are behind those of the same rendition's last picture, and make up for it when that took long.
        """
        start = max(now, self._ends.get(height, now))
        turns = max(1, int((now + interval * _SHARE - start) / _PAUSE))
        together = max(_AT_ONCE, -(-len(packets) // turns))
        times = [start + index // together * _PAUSE for index in range(len(packets))]
        self._ends[height] = times[-1] if times else start
        # Sorting keeps what has the same time in its order.
        self._waiting = deque(sorted((*self._waiting, *zip(times, packets, strict=True)), key=lambda each: each[0]))

    def due(self, now: float) -> list[bytes]:
        """Give the packets whose time has come."""
        packets: list[bytes] = []
        while self._waiting and self._waiting[0][0] <= now:
            packets.append(self._waiting.popleft()[1])
        return packets

    @property
    def next_at(self) -> float | None:
        """When to ask again; `None` when nothing waits."""
        return self._waiting[0][0] if self._waiting else None
