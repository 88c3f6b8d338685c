"""One alarm for the whole runtime: a task that rings the inbox when a time has come.

It is armed for the earliest time anybody asked for. A later one replaces it without waking anything: the alarm then
rings once too early, the loop finds nothing due and arms it anew. Cancelling a sleep for each new timer would cost
more.
"""

import anyio

from signalreel_adapters.ports import Clock
from signalreel_adapters.runtime.inbox import Inbox

__all__ = ("Alarm",)


class Alarm:
    """Rings the inbox at a time of the clock."""

    def __init__(self, clock: Clock, inbox: Inbox) -> None:
        self._clock = clock
        self._inbox = inbox
        self._at: int | None = None
        self._armed = anyio.Event()
        self._sleep: anyio.CancelScope | None = None

    def arm(self, at: int | None) -> None:
        """Ring at this time, or earlier if that was asked for before; None asks for nothing."""
        if at is None or (self._at is not None and self._at <= at):
            return
        self._at = at
        self._armed.set()
        if self._sleep is not None:
            self._sleep.cancel()

    async def run(self) -> None:
        """Sleep and ring until cancelled."""
        while True:
            at = self._at
            if at is None:
                await self._armed.wait()
                self._armed = anyio.Event()
                continue
            with anyio.CancelScope() as self._sleep:
                await self._clock.sleep_until(at)
            earlier = self._sleep.cancelled_caught
            self._sleep = None
            if not earlier:
                self._at = None
                self._inbox.ring()
