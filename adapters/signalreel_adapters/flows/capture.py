"""A proxy in front of a server, which notes what clients and server say to each other. Runs on asyncio.

Clients are pointed at the proxy instead of the server; the proxy hands everything on unchanged, with the path and query
that the client asked for, and knows nothing of the protocol.
"""

from collections.abc import Callable
from socket import socket
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import anyio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException

from signalreel.identifiers import is_valid_name
from signalreel_adapters.flows.recording import Direction, Exchange, write_flow
from signalreel_adapters.flows.websocket import MESSAGE_BYTES_MAX, address_of

__all__ = ("CAPTURE_MESSAGES_MAX", "Capture")

CAPTURE_MESSAGES_MAX: Final = 100_000
"""How many messages are noted; what comes later is handed on, and counted as left out."""

_BAD_GATEWAY: Final = 1014
"""The server behind cannot be reached (IANA WebSocket close code registry)."""

_NORMAL: Final = 1000
_NOT_FOR_SENDING: Final = frozenset({None, 1005, 1006, 1015})
"""Close codes that tell how a connection ended and must not be sent (RFC 6455, section 7.4.1)."""

_REASON_CHARACTERS_MAX: Final = 30  # A close frame has room for 123 bytes, and a character takes up to four.


class Capture:
    """Stands in front of the server at `upstream`. `left_out` counts messages beyond the most that are noted."""

    def __init__(self, upstream: str, *, messages_max: int = CAPTURE_MESSAGES_MAX) -> None:
        address_of(upstream, "live")  # Raises `ValueError` at once, and not when the first client comes.
        self.left_out = 0
        self._upstream = upstream
        self._messages_max = messages_max
        self._exchanges: list[Exchange] = []
        self._clients = 0
        self._apps: dict[str, str] = {}

    @property
    def server(self) -> str:
        """The server behind, as it may be told: without a password or a key that its address may hold."""
        parts = urlsplit(self._upstream)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))

    @property
    def messages(self) -> int:
        """How much has been noted."""
        return len(self._exchanges)

    def flow(self, *, title: str) -> str:
        """Write what was noted as a flow."""
        return write_flow(self._exchanges, title=title, app=next(iter(self._apps.values()), "live"))

    async def run(self, bound: socket, *, ready: Callable[[], None]) -> None:
        """Relay whoever connects to this listening socket, until cancelled; `ready` is called when it begins."""
        async with serve(self._relay, sock=bound, max_size=MESSAGE_BYTES_MAX, compression=None):
            ready()
            await anyio.sleep_forever()

    async def _relay(self, client: ServerConnection) -> None:
        self._clients += 1
        name = f"client{self._clients}"
        path = client.request.path if client.request is not None else "/"
        app = urlsplit(path).path.strip("/").partition("/")[0]
        if is_valid_name(app):
            self._apps[name] = app
        try:
            server = await connect(self._address(path), max_size=MESSAGE_BYTES_MAX)
        except (OSError, WebSocketException) as error:
            await client.close(_BAD_GATEWAY, str(error)[:_REASON_CHARACTERS_MAX])
            return
        async with anyio.create_task_group() as both:
            both.start_soon(self._pump_outward, name, client, server)
            both.start_soon(self._pump_inward, name, server, client)

    async def _pump_outward(self, name: str, client: ServerConnection, server: ClientConnection) -> None:
        """Hand on what the client says, and its leaving unless the server closed first."""
        try:
            while True:
                text = await client.recv()
                self._note(name, "send", text)
                await server.send(text)
        except ConnectionClosed:
            if server.close_code is None:
                self._note(name, "leave", "")
            await _close(server, client.close_code, client.close_reason)

    async def _pump_inward(self, name: str, server: ClientConnection, client: ServerConnection) -> None:
        """Hand on what the server says, and its closing unless the client left first."""
        try:
            while True:
                text = await server.recv()
                self._note(name, "receive", text)
                await client.send(text)
        except ConnectionClosed:
            if client.close_code is None:
                self._note(name, "closed", str(server.close_code))
            await _close(client, server.close_code, server.close_reason)

    def _note(self, name: str, direction: Direction, text: str | bytes) -> None:
        if self.messages >= self._messages_max:
            self.left_out += 1
            return
        shown = text if isinstance(text, str) else text.decode(errors="replace")
        self._exchanges.append(Exchange(name, direction, shown, self._apps.get(name, "")))

    def _address(self, path: str) -> str:
        """Give the address behind for a path that a client asked for; an upstream that has a path keeps its own."""
        parts = urlsplit(address_of(self._upstream, "live"))
        if urlsplit(self._upstream).path not in {"", "/"}:
            return urlunsplit(parts)
        asked = urlsplit(path)
        return urlunsplit((parts.scheme, parts.netloc, asked.path, asked.query, ""))


async def _close(connection: ClientConnection | ServerConnection, code: int | None, reason: str | None) -> None:
    await connection.close(_NORMAL if code is None or code in _NOT_FOR_SENDING else code, reason or "")
