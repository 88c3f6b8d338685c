"""uvicorn's HTTP protocol, with connections bounded: how many there are, and how long one may take to ask.

A socket costs a file descriptor, and a process has few of them. So a connection on which no whole request head has come
in a while is cut off, before its first request and between two; and beyond a number of connections each further one is
answered 503 and closed, so that those that are open go on.
"""

import asyncio
import sys
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from signalreel_adapters.access.webhook import CALLS_MAX
from signalreel_adapters.runtime import Counters, Limits

__all__ = ("FILES_RESERVED", "HttpProtocol", "http_protocol")

FILES_RESERVED: Final = 64 + CALLS_MAX
"""File descriptors that connections leave to everything else: the reel, pages, media, a way to ask for health, and the
calls of webhooks, each of which has one for as long as it is not answered."""

_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class HttpProtocol(H11Protocol):
    """An HTTP connection that has a limited time for each request head, and is one of a limited number."""

    limits = Limits()
    counters = Counters()
    connections_max = limits.connections_max

    _deadline: asyncio.TimerHandle | None = None
    _is_upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request, or say that there is no room."""
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            self.counters.connections_refused += 1
            transport.write(_FULL)
            transport.close()
            return
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came, and see whether a request is whole."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over; the WebSocket has its own rules."""
        self._is_upgraded = True
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        self._is_upgraded = True
        self._watch()

    def _watch(self) -> None:
        """Let the time run while no answer is under way: it begins with an answer's end and not with a byte."""
        # Before the first request there is no cycle, whatever its type says.
        is_answering = not getattr(self.cycle, "response_complete", True)
        if self._is_upgraded or is_answering:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.request_head_ms_max / 1_000, self._cut_off)

    def _cut_off(self) -> None:
        self.counters.connections_cut += 1
        self.transport.abort()


def http_protocol(given: Limits, counting: Counters) -> type[HttpProtocol]:
    """Make the protocol for these limits; of connections there are no more than the process has files for."""

    class Limited(HttpProtocol):
        limits = given
        counters = counting
        connections_max = min(given.connections_max, _files_max() - FILES_RESERVED)

    return Limited


if sys.platform == "win32":

    def _files_max() -> int:
        """Sockets are no files there; no limit of the process is known."""
        return sys.maxsize

else:
    import resource

    def _files_max() -> int:
        """Give how many files the process may have open."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return sys.maxsize if soft == resource.RLIM_INFINITY else soft
