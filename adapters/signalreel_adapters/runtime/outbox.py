"""The bounded way out of a session that is served by tasks, and the task that empties it.

Contract item 15: a session that does not read slows itself alone. What it leaves unread waits here, up to a number of
messages and of bytes; then it is ended with 1013 (try again later), because dropping a single message of a negotiation
would break it silently.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import anyio

from signalreel_adapters.ports import Transport, TransportClosed
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.limits import Limits

__all__ = ("TRY_AGAIN_LATER", "Outbox")

TRY_AGAIN_LATER: Final = 1013
"""Close code for a session that is too slow, or that there is no room for (IANA WebSocket close code registry)."""


def _nothing() -> None:
    """Stand in where nobody takes notes."""


def _ignore(messages: int, reason: str) -> None:
    """Stand in where nobody takes notes."""


class Outbox:
    """A `Delivery` that keeps what the transport has not taken. `on_sent` hears of the rest, or `on_dropped`."""

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self._limits = limits
        self._counters = counters
        self.on_sent: Callable[[], None] = _nothing
        self.on_dropped: Callable[[int, str], None] = _ignore
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._bell = anyio.Event()
        self._sending: anyio.CancelScope | None = None
        self._closing: tuple[int, str] | None = None

    def send(self, data: bytes) -> None:
        """Take one message, unless the session is ending; end it when too much waits already."""
        if self._closing is not None:
            return
        # What is under way says nothing about the session, however large it is; how long it takes has its own limit.
        unread = self._bytes - len(self._waiting[0]) if self._waiting else 0
        if len(self._waiting) >= self._limits.outbox_messages_max or unread > self._limits.outbox_bytes_max:
            self._give_up()
            return
        self._bytes += len(data)
        self._waiting.append(data)
        self._bell.set()

    def close(self, code: int, reason: str) -> None:
        """End the session after what was taken before; the first call decides how."""
        if self._closing is None:
            self._closing = (code, reason)
            self._bell.set()

    def _give_up(self) -> None:
        """End a slow session now: what waits will not be read, and a send in progress would never end."""
        self._counters.slow_sessions += 1
        self.on_dropped(len(self._waiting), "too slow")
        self._waiting.clear()
        self._bytes = 0
        self._closing = (TRY_AGAIN_LATER, "too slow")
        self._bell.set()
        if self._sending is not None:
            self._sending.cancel()

    async def carry_to(self, transport: Transport) -> None:
        """Hand everything to the transport as it comes; return when the session is to end and the transport is closed.

        Raises `TransportClosed` when the other end closes first.
        """
        while True:
            while self._waiting:
                await self._hand_over(transport)
            if self._closing is not None:
                break
            await self._bell.wait()
            self._bell = anyio.Event()
        code, reason = self._closing
        with anyio.move_on_after(self._limits.close_ms_max / 1_000):
            await transport.close(code, reason)
        raise TransportClosed(code, reason)

    def discard(self) -> None:
        """Give up what is left when the transport has ended."""
        if self._waiting:
            self.on_dropped(len(self._waiting), "the transport had ended")
            self._waiting.clear()
            self._bytes = 0

    async def _hand_over(self, transport: Transport) -> None:
        """Send one message. It counts as waiting until the transport has taken it."""
        data = self._waiting[0]
        with anyio.move_on_after(self._limits.send_ms_max / 1_000) as self._sending:
            await transport.send(data)
        interrupted = self._sending.cancelled_caught
        self._sending = None
        if self._waiting and self._waiting[0] is data:
            self._waiting.popleft()
            self._bytes -= len(data)
            if interrupted:
                self.on_dropped(1, "too slow")
            else:
                self.on_sent()
        if interrupted and self._closing is None:
            self._give_up()
