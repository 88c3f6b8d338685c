"""A transport within the process, and a client to hold the other end of it.

Messages travel as the same JSON bytes as over a WebSocket and through the same decoding, so a test in memory is a test
of everything but the socket. It runs wherever the runtime does.
"""

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self, cast

import anyio
import msgspec

from signalreel.commands import Command
from signalreel_adapters.ports import Peer, TransportClosed
from signalreel_adapters.runtime import Runtime

__all__ = ("MEMORY_MESSAGES_MAX", "Decoded", "MemoryClient", "MemoryTransport", "UnexpectedMessage")

MEMORY_MESSAGES_MAX: Final = 256
"""Messages under way in each direction of one transport: the window of a socket, so to say."""

Decoded = dict[str, Any]
"""A message of the server as a client sees it: a JSON object."""


class UnexpectedMessage(AssertionError):
    """The server said something else than the test expected."""

    def __init__(self, expected: str, found: Decoded) -> None:
        self.expected = expected
        self.found = found
        super().__init__(f"expected {expected!r}, got {found!r}")


class _Way:
    """One direction: bounded, in order, and ended once."""

    def __init__(self, messages_max: int) -> None:
        self._messages_max = messages_max
        self._messages: deque[bytes | str] = deque()
        self._end: TransportClosed | None = None
        self._moved = anyio.Event()

    def _move(self) -> None:
        self._moved.set()
        self._moved = anyio.Event()

    async def put(self, message: bytes | str) -> None:
        while self._end is None and len(self._messages) >= self._messages_max:
            await self._moved.wait()
        if self._end is not None:
            raise TransportClosed(self._end.code, self._end.reason)
        self._messages.append(message)
        self._move()

    async def get(self) -> bytes | str:
        while not self._messages:
            if self._end is not None:
                raise TransportClosed(self._end.code, self._end.reason)
            await self._moved.wait()
        message = self._messages.popleft()
        self._move()
        return message

    def end(self, code: int, reason: str) -> None:
        if self._end is None:
            self._end = TransportClosed(code, reason)
            self._move()

    @property
    def ended(self) -> TransportClosed | None:
        return self._end


class MemoryTransport:
    """The server's end. What the client has sent before closing is still received; nothing can be sent any more."""

    def __init__(self, *, messages_max: int = MEMORY_MESSAGES_MAX) -> None:
        self._inward = _Way(messages_max)
        self._outward = _Way(messages_max)

    @property
    def peer(self) -> Peer:
        """A client in this process."""
        return Peer("memory")

    async def receive(self) -> bytes | str:
        """Wait for the client's next message."""
        return await self._inward.get()

    async def send(self, data: bytes) -> None:
        """Hand a message to the client; waits while it leaves too many unread."""
        await self._outward.put(data)

    async def close(self, code: int, reason: str) -> None:
        """End both directions; the client still reads what was sent before."""
        self.end(code, reason)

    def end(self, code: int, reason: str) -> None:
        """End both directions, from either side."""
        self._inward.end(code, reason)
        self._outward.end(code, reason)

    async def put(self, message: bytes | str) -> None:
        """Send a message to the server, as the client; waits while the server does not read."""
        await self._inward.put(message)

    async def get(self) -> bytes:
        """Wait for the server's next message, as the client."""
        return cast(bytes, await self._outward.get())

    @property
    def ended(self) -> TransportClosed | None:
        """How the transport ended, once it has."""
        return self._outward.ended


class MemoryClient:
    """A client of a runtime in the same process.

    Make it inside `async with runtime`; it attaches by itself. Everything it receives is kept in `transcript`, in
    order.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        app: str = "live",
        identity: str = "",
        messages_max: int = MEMORY_MESSAGES_MAX,
    ) -> None:
        self.transcript: list[Decoded] = []
        self._runtime = runtime
        self._transport = MemoryTransport(messages_max=messages_max)
        self._detached = runtime.attach_soon(self._transport, app=app, identity=identity)

    async def send(self, message: Command | Mapping[str, object] | bytes | str) -> None:
        """Say something: a command, an object to be encoded, or raw text as it is. Raises `TransportClosed`."""
        await self._transport.put(message if isinstance(message, bytes | str) else msgspec.json.encode(message))

    async def receive(self) -> Decoded:
        """Wait for the next message. Raises `TransportClosed` when there will be none."""
        message = cast(Decoded, msgspec.json.decode(await self._transport.get()))
        self.transcript.append(message)
        return message

    async def expect(self, name: str) -> Decoded:
        """Wait for the next message, which must be of this command or definition. Raises `UnexpectedMessage`."""
        message = await self.receive()
        if name not in {message.get("command"), message.get("definition")}:
            raise UnexpectedMessage(name, message)
        return message

    async def flush(self) -> list[Decoded]:
        """Give everything the server says because of what was sent so far; empty when it says nothing.

        Two pings do it: the pong to the first says that all before it was read, then the runtime becomes idle, and what
        it had to say stands before the second pong.
        """
        await self.send({"command": "ping"})
        said = await self._until_pong()
        await self._runtime.idle()
        await self.send({"command": "ping"})
        return said + await self._until_pong()

    async def _until_pong(self) -> list[Decoded]:
        said: list[Decoded] = []
        while (message := await self.receive())["command"] != "pong":
            said.append(message)
        self.transcript.pop()
        return said

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Leave, and wait until the runtime has taken note."""
        self._transport.end(code, reason)
        await self._detached.wait()
        await self._runtime.idle()

    async def closed(self) -> TransportClosed:
        """Read on until the server closes; say how it did."""
        while True:
            try:
                await self.receive()
            except TransportClosed as end:
                return end

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._transport.end(1000, "")
