"""The regular turns of all streams and playbacks: one each second, and those sooner that something was lost for.

They are spread over a second, so that reports come evenly; a turn of the task visits those alone that are due then, so
that ten thousand cost no more than their own work.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

from signalreel_adapters.media.aiortc.failures import Failures

__all__ = ("Look", "Turns")

Look = Callable[[float], object]
"""Takes the time, and does what is to be done regularly."""

_TURN: Final = 0.05
"""Seconds between two turns: how soon a lost packet is asked for."""

_SLOTS: Final = 20
"""Turns after which everybody has had a regular one."""


class Turns:
    """Who is due when. One that raises is noted, and has its next turn all the same."""

    def __init__(self, failures: Failures, clock: Callable[[], float]) -> None:
        self._failures = failures
        self._clock = clock
        self._slots: tuple[dict[Hashable, Look], ...] = tuple({} for _ in range(_SLOTS))
        self._slot_of: dict[Hashable, dict[Hashable, Look]] = {}
        self._hasty: dict[Hashable, Callable[[float], bool]] = {}
        self._turn = 0

    def join(self, key: Hashable, look: Look) -> None:
        """Give somebody a turn in every second."""
        slot = min(self._slots, key=len)
        self._slot_of[key] = slot
        slot[key] = look

    def hasten(self, key: Hashable, ask: Callable[[float], bool]) -> None:
        """Call this in every turn, until it says that nothing is left to be done."""
        self._hasty.setdefault(key, ask)

    def leave(self, key: Hashable) -> None:
        """Give somebody no turn any more. Harmless when there was none."""
        self._hasty.pop(key, None)
        slot = self._slot_of.pop(key, None)
        if slot is not None:
            del slot[key]

    async def run(self) -> None:
        """Take turns until cancelled."""
        while True:
            await asyncio.sleep(_TURN)
            self.take()

    def take(self) -> None:
        """Take one turn."""
        self._turn = (self._turn + 1) % _SLOTS
        now = self._clock()
        for key, ask in tuple(self._hasty.items()):
            if not self._guarded(ask, now):
                self._hasty.pop(key, None)
        for look in tuple(self._slots[self._turn].values()):
            self._guarded(look, now)

    def _guarded(self, look: Look, now: float) -> bool:
        try:
            return bool(look(now))
        except Exception as error:  # noqa: BLE001 - one side's bug must not stop the turns of all
            self._failures.note("regular turn failed", error)
            return False
