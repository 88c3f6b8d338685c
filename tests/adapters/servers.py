"""A server on a port that the system chose, and clients that speak JSON to it over the `websockets` library."""

import json
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signalreel.reel import Reel
from signalreel_adapters import Clock, Gate, IceServers, Ids, Limits, Media, Runtime
from signalreel_adapters.server import listen, serve
from signalreel_adapters.server.operators import Operators

__all__ = ("JsonSocket", "Served", "served")


class JsonSocket:
    """A client's WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: object) -> None:
        """Send an object as JSON, or raw text or bytes as they are."""
        await self._connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def send_all(self, text: str) -> None:
        """Send text, or as much of it as the server takes."""
        try:
            await self._connection.send(text)
        except ConnectionClosed:
            return

    async def receive(self) -> dict[str, Any]:
        """Wait for the next message."""
        message: dict[str, Any] = json.loads(await self._connection.recv())
        return message

    async def expect(self, name: str) -> dict[str, Any]:
        """Wait for the next message, which must be of this command or definition."""
        message = await self.receive()
        assert name in {message.get("command"), message.get("definition")}, message
        return message

    async def ping(self) -> None:
        """Say something and hear it answered: the session is there."""
        await self.send({"command": "ping"})
        await self.expect("pong")

    async def ended(self) -> int:
        """Read on until the server closes; give the code."""
        try:
            while True:
                await self._connection.recv()
        except ConnectionClosed:
            return self._connection.close_code or 0


class Served:
    """A running server."""

    def __init__(self, runtime: Runtime, port: int) -> None:
        self.runtime = runtime
        self.port = port

    def url(self, path: str = "/live/websocket", *, scheme: str = "ws") -> str:
        """The address of a path."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    @asynccontextmanager
    async def client(self, *, path: str = "/live/websocket") -> AsyncIterator[JsonSocket]:
        """Connect a client."""
        async with connect(self.url(path), compression=None) as connection:
            yield JsonSocket(connection)


@asynccontextmanager
async def served(
    reel: Reel | None = None,
    *,
    media: Media | None = None,
    ice: IceServers | None = None,
    gate: Gate | None = None,
    clock: Clock | None = None,
    limits: Limits | None = None,
    ids: Ids | None = None,
    pages: Path | None = None,
    origins: Collection[str] | None = None,
    proxies: Collection[str] = (),
    operators: Operators | None = None,
) -> AsyncIterator[Served]:
    """Run the server in this event loop."""
    listens = anyio.Event()
    with listen("127.0.0.1", 0) as bound:
        async with (
            Runtime(reel, media=media, ice=ice, gate=gate, clock=clock, limits=limits, ids=ids) as runtime,
            anyio.create_task_group() as tasks,
        ):

            async def run() -> None:
                await serve(
                    runtime,
                    bound,
                    pages=pages,
                    origins=origins,
                    proxies=proxies,
                    operators=operators,
                    ready=listens.set,
                    heed_signals=False,
                )

            tasks.start_soon(run)
            await listens.wait()
            try:
                yield Served(runtime, bound.getsockname()[1])
            finally:
                tasks.cancel_scope.cancel()
