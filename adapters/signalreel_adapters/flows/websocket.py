"""The stage behind an address: any server that speaks the protocol over WebSockets, ours or not. Runs on asyncio."""

from typing import Final, cast
from urllib.parse import urlsplit, urlunsplit

import anyio
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from signalreel_adapters.flows.stages import Decoded, FlowClient, Host
from signalreel_adapters.ports import TransportClosed

__all__ = ("MESSAGE_BYTES_MAX", "QUIET_S", "SocketFlowClient", "WebSocketStage", "address_of")

QUIET_S: Final = 0.2
"""How long nothing must come before it is believed that nothing will, in seconds: over a network nobody can know."""

MESSAGE_BYTES_MAX: Final = 1_048_576
"""The longest message that is taken from a server."""

_OPEN_S: Final = 10
_CLOSE_S: Final = 5
_ABNORMAL: Final = 1006
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class SocketFlowClient:
    """One WebSocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: object) -> None:
        """Send an object as JSON, or a text as it is."""
        text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise self._ended() from error

    async def receive(self) -> Decoded:
        """Wait for the next message."""
        try:
            return cast(Decoded, msgspec.json.decode(await self._connection.recv()))
        except ConnectionClosed as error:
            raise self._ended() from error

    async def close(self) -> None:
        """Close with the handshake of RFC 6455, section 7."""
        await self._connection.close()

    def _ended(self) -> TransportClosed:
        return TransportClosed(self._connection.close_code or _ABNORMAL, self._connection.close_reason or "")


class WebSocketStage:
    """A server at an address. `host` is the hand on it, for whoever runs the server as well."""

    def __init__(self, url: str, *, host: Host | None = None, quiet_s: float = QUIET_S) -> None:
        self.host = host
        self._url = url
        self._quiet_s = quiet_s

    async def connect(self, app: str) -> FlowClient:
        """Open another WebSocket."""
        try:
            connection = await connect(
                address_of(self._url, app), max_size=MESSAGE_BYTES_MAX, open_timeout=_OPEN_S, close_timeout=_CLOSE_S
            )
        except (OSError, WebSocketException) as error:
            raise TransportClosed(_ABNORMAL, str(error)) from error
        return SocketFlowClient(connection)

    async def settle(self) -> None:
        """Wait a moment."""
        await anyio.sleep(self._quiet_s)


def address_of(url: str, app: str) -> str:
    """Give the address of an app's WebSocket. A URL that has a path names one itself and is taken as it is.

    Raises `ValueError` when it is no URL of a server.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise ValueError(f"{url!r} is no address of a server; write it as ws://localhost:5080")
    path = parts.path if parts.path not in {"", "/"} else f"/{app}/websocket"
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))
