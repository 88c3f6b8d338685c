"""WebSockets over ASGI: `/{app}/websocket`, as the clients of the protocol know it.

    app = WebSocketApp(runtime)         # an ASGI application; mount it in any host, or let the server do it

Any app name that obeys the rule of stream names is served; a query string is accepted and ignored (clients send
`?target=origin`, `?rtmpForward=true` and tokens). Everything else is refused before the handshake with an HTTP status.

Text frames and binary frames are decoded alike: no client sends binary ones, and nothing is gained by refusing them.
The size of messages, compression and keep-alive are the ASGI server's business; `signalreel_adapters.server` sets them.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from typing import Any, Final

from signalreel.identifiers import is_valid_name
from signalreel_adapters.ports import Peer, TransportClosed
from signalreel_adapters.runtime import Runtime

__all__ = ("AsgiMessage", "Receive", "Scope", "Send", "WebSocketApp", "WebSocketTransport", "app_of")

AsgiMessage = MutableMapping[str, Any]
"""A message between an ASGI server and an application (ASGI specification, version 3)."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[AsgiMessage]]
Send = Callable[[AsgiMessage], Awaitable[None]]

_CORRELATING: Final = (b"x-request-id", b"traceparent")
"""Headers that name a request in the logs of the host, the first that is there."""

_BAD_REQUEST: Final = 400
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503

_NO_STATUS: Final = 1005
"""No close code was given (RFC 6455, section 7.4.1): a client that just went away."""


class WebSocketTransport:
    """One accepted WebSocket of an ASGI server, as a `Transport`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        self._peer = Peer("websocket", str(client[0]) if client else "")
        self._receive = receive
        self._send = send
        self._end: TransportClosed | None = None

    @property
    def peer(self) -> Peer:
        """The client's address, as the server knows it."""
        return self._peer

    async def receive(self) -> bytes | str:
        """Wait for the next frame's content."""
        if self._end is not None:
            raise TransportClosed(self._end.code, self._end.reason)
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise self._ended(message.get("code") or _NO_STATUS, message.get("reason") or "")
        text = message.get("text")
        return text if text is not None else message.get("bytes") or b""

    async def send(self, data: bytes) -> None:
        """Send one text frame; waits while the socket's buffer is full."""
        await self._hand_over({"type": "websocket.send", "text": data.decode()})

    async def close(self, code: int, reason: str) -> None:
        """Send a close frame. A reason beyond the 123 bytes of a close frame is cut (RFC 6455, section 5.5)."""
        if self._end is None:
            self._end = TransportClosed(code, reason)
            short = reason.encode()[:123].decode(errors="ignore")
            try:
                await self._send({"type": "websocket.close", "code": code, "reason": short})
            except OSError:
                return  # It had ended already, which is what was wanted.

    def _ended(self, code: int, reason: str) -> TransportClosed:
        """Take note of the end, unless it was known: the first to close says how."""
        if self._end is None:
            self._end = TransportClosed(code, reason)
        return TransportClosed(self._end.code, self._end.reason)

    async def _hand_over(self, message: AsgiMessage) -> None:
        if self._end is not None:
            raise TransportClosed(self._end.code, self._end.reason)
        try:
            await self._send(message)
        except OSError as error:  # What ASGI has a server raise once the client is gone (specification, version 2.4).
            raise TransportClosed from error


class WebSocketApp:
    """Serves a runtime's clients at `/{app}/websocket`.

    `identify` may say who a client is, from what the host has put into the scope; it is recorded with the session.

    `origins` are those whose pages may connect, each as browsers spell it (`https://example.org`, with the port where
    it is not the usual one); others are refused with 403. A client that names no origin is no page, and let in. None
    lets every page in: browsers ask nobody before they open a WebSocket, so only this list or a gate keeps them out.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        identify: Callable[[Scope], str] | None = None,
        origins: Collection[str] | None = None,
    ) -> None:
        self._runtime = runtime
        self._identify = identify
        self._origins = frozenset(origins) if origins is not None else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket, from its handshake to its end."""
        await receive()  # `websocket.connect`, by the specification the first message.
        app = app_of(scope)
        if app is None:
            await _refuse(scope, send, _NOT_FOUND)
        elif self._origins is not None and not _origins_of(scope) <= self._origins:
            await _refuse(scope, send, _FORBIDDEN)
        elif not is_valid_name(app):
            await _refuse(scope, send, _BAD_REQUEST)
        elif self._runtime.is_stopping:
            await _refuse(scope, send, _UNAVAILABLE)
        else:
            identity = self._identify(scope) if self._identify is not None else ""
            try:
                await send({"type": "websocket.accept"})
            except OSError:
                return  # The client did not wait for the end of the handshake.
            transport = WebSocketTransport(scope, receive, send)
            await self._runtime.attach(transport, app=app, identity=identity, correlation=_correlation_of(scope))


def app_of(scope: Scope) -> str | None:
    """Give the app that a path names, as it was written; None when it is no path of a WebSocket.

    The raw path is looked at: decoded, `%2e%2e` would look like a name.
    """
    raw: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    path = raw.decode("latin-1").removeprefix(str(scope.get("root_path", "")))
    match path.split("/"):
        case ["", app, "websocket"]:
            return app
        case _:
            return None


def _origins_of(scope: Scope) -> set[str]:
    """Give what a client names as the origin of its page: one, or none when it is no page."""
    return {value.decode("latin-1") for name, value in scope.get("headers", ()) if name == b"origin"}


def _correlation_of(scope: Scope) -> str:
    """Give the id under which whoever passed the request on knows it; nothing when it names none.

    `X-Request-ID` is what proxies set; of a `traceparent` (W3C Trace Context, section 3.2) the whole is taken.
    """
    headers = {name: value for name, value in scope.get("headers", ()) if name in _CORRELATING}
    return next((headers[name].decode("latin-1") for name in _CORRELATING if name in headers), "")


async def _refuse(scope: Scope, send: Send, status: int) -> None:
    """Refuse the handshake, with a status where the server can say one (else it says 403)."""
    try:
        if "websocket.http.response" in scope.get("extensions", {}):
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b""})
        else:
            await send({"type": "websocket.close"})
    except OSError:
        return
