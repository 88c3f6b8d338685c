"""A clock that moves when the test says so."""

from typing import Final

import anyio

__all__ = ("MILLISECOND", "SECOND", "ManualClock")

MILLISECOND: Final = 1_000
"""In microseconds, the unit of every clock here."""

SECOND: Final = 1_000_000
"""In microseconds."""

_WALL_AT_ZERO: Final = 1_700_000_000 * SECOND


class ManualClock:
    """Stands still until it is advanced; then everyone who sleeps wakes at the right time and in the right order."""

    def __init__(self, now: int = 0) -> None:
        self._now = now
        self._shift = 0
        self._sleepers: list[tuple[int, int, anyio.Event]] = []
        self._number = 0

    def now(self) -> int:
        """Give the time in microseconds."""
        return self._now

    def wall(self) -> int:
        """Give the microseconds since 1970, which move along."""
        return _WALL_AT_ZERO + self._now + self._shift

    def shift_wall(self, microseconds: int) -> None:
        """Set the wall clock forward, or back; the monotonic time goes on as before."""
        self._shift += microseconds

    async def sleep_until(self, at: int) -> None:
        """Sleep until the test has advanced the clock as far."""
        if at <= self._now:
            return
        self._number += 1
        sleeper = (at, self._number, anyio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[2].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def advance(self, microseconds: int) -> None:
        """Let so much time pass, and everything happen that happens in it.

        Whoever is woken runs until every task waits for something, before the time of the next one comes.
        """
        end = self._now + microseconds
        await anyio.wait_all_tasks_blocked()
        while self._sleepers and (sleeper := min(self._sleepers, key=lambda one: one[:2]))[0] <= end:
            self._now = max(self._now, sleeper[0])
            self._sleepers.remove(sleeper)
            sleeper[2].set()
            await anyio.wait_all_tasks_blocked()
        self._now = end
