"""`signalreel_adapters.testing.transports`: the suite catches who breaks a promise."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from signalreel_adapters import MemoryTransport, TransportClosed
from signalreel_adapters.testing import TransportPair, check_transport

pytestmark = pytest.mark.anyio


class Reverses(MemoryTransport):
    """Swaps every two messages."""

    def __init__(self) -> None:
        super().__init__()
        self._held: bytes | str = b""

    async def receive(self) -> bytes | str:
        """Give the second first."""
        if self._held:
            held, self._held = self._held, b""
            return held
        self._held = await super().receive()
        return await super().receive()


class Cuts(MemoryTransport):
    """Takes a part of a large message only."""

    async def send(self, data: bytes) -> None:
        """Send the beginning."""
        await super().send(data[:1_000])


class Forgets(MemoryTransport):
    """Makes up the close code."""

    async def receive(self) -> bytes | str:
        """Receive, or end with another code."""
        try:
            return await super().receive()
        except TransportClosed:
            raise TransportClosed(1006) from None


class Swallows(MemoryTransport):
    """Pretends to send after the end."""

    async def send(self, data: bytes) -> None:
        """Send if that is possible."""
        if self.ended is None:
            await super().send(data)


class Hoards(MemoryTransport):
    """Takes everything, whether the client reads or not."""

    def __init__(self) -> None:
        super().__init__(messages_max=1_000_000)


class End:
    """The client's end."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport

    async def send(self, text: str) -> None:
        """Send as the client."""
        await self._transport.put(text)

    async def receive(self) -> bytes | str:
        """Receive as the client."""
        return await self._transport.get()

    async def close(self, code: int) -> None:
        """Close as the client."""
        self._transport.end(code, "")


def maker(kind: type[MemoryTransport]) -> Callable[[], AbstractAsyncContextManager[TransportPair]]:
    """Make pairs of this kind."""

    @asynccontextmanager
    async def make_pair() -> AsyncIterator[TransportPair]:
        transport = kind()
        yield TransportPair(transport, End(transport))

    return make_pair


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Reverses, "arrive in order"),
        (Cuts, "arrives whole"),
        (Forgets, "close code is told"),
        (Swallows, "nothing can be received or sent after the end"),
        (Hoards, "holds the sender back"),
    ],
)
async def test_a_broken_promise_is_named(kind: type[MemoryTransport], promise: str) -> None:
    """Each kind of faulty transport fails the suite at the promise that it breaks."""
    with pytest.raises(AssertionError, match=promise):
        await check_transport(maker(kind))
