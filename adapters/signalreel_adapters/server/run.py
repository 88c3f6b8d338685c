"""Running the server: a socket, uvicorn on it, and a graceful end.

The end, at the first SIGINT or SIGTERM: no new connections, `server_will_stop` to every session, spread over time;
sessions that do not leave are closed with 1012; the reel is flushed; out, at the latest after `DRAIN_S_MAX`. A second
signal skips all that, but not the reel.

A reel can take a while to bring back. So the server listens first, and says that it is starting until it is ready.
"""

import signal
import socket
from collections.abc import AsyncGenerator, Callable, Collection, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import anyio
import anyio.abc
import uvicorn

from signalreel_adapters.runtime import Runtime
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.server.app import create_app
from signalreel_adapters.server.connections import http_protocol
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.rest import Services
from signalreel_adapters.server.sockets import WebSocketProtocol

__all__ = ("DRAIN_S_MAX", "PING_S", "listen", "listening", "serve", "url_of")

DRAIN_S_MAX: Final = 15
"""Seconds from the first signal until the server goes whatever the sessions do."""

PING_S: Final = 20
"""Seconds between two protocol pings of a connection, and until one unanswered ends it."""

_BACKLOG: Final = 2048
_THIS_MACHINE: Final = frozenset({"0.0.0.0", "::", "127.0.0.1"})  # noqa: S104 - compared with, not bound to
_REQUESTS_S_MAX: Final = 2
"""Seconds for requests that are under way when everything else has ended."""

_log: Final = Log("signalreel.server")


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: what a signal means is decided here."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when connections are taken."""
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals alone."""
        yield

    def stop_listening(self) -> None:
        """Take no new connections; those that are open go on."""
        for server in getattr(self, "servers", ()):
            server.close()

    def hang_up(self) -> None:
        """Close every connection that is still open, whatever it does."""
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """Bind a socket (port 0: the system chooses). Raises `OSError` when the address cannot be had."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG)


def url_of(bound: socket.socket) -> str:
    """Give the address of the page, as one types it into a browser on this machine."""
    host, port = bound.getsockname()[:2]
    name = "localhost" if host in _THIS_MACHINE else str(host)
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


async def serve(
    runtime: Runtime,
    bound: socket.socket,
    *,
    pages: Path | None = None,
    origins: Collection[str] | None = None,
    operators: Operators | None = None,
    rest: Services | None = None,
    proxies: Collection[str] = (),
    ready: Callable[[], None] = lambda: None,
    heed_signals: bool = True,
) -> None:
    """Serve a runtime on a bound socket until a signal ends it, or this is cancelled.

    `proxies` are the addresses or networks of which `X-Forwarded-For` is believed. Each sets it, or appends to it: the
    last address in it that is no proxy's is the client's. From anybody else, and without proxies, it says nothing.
    `ready` is called once connections are taken. Runs on asyncio, because uvicorn does. Whoever calls it has entered
    the runtime, or does so meanwhile (`listening` is for that).
    """
    config = uvicorn.Config(
        create_app(runtime, pages=pages, origins=origins, operators=operators, rest=rest),
        http=http_protocol(runtime.limits, runtime.counters),
        ws=WebSocketProtocol,
        ws_max_size=runtime.limits.message_bytes_max,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,  # 64 KiB a connection, and a small message can then unpack to a large one.
        # By default uvicorn believes what comes from this machine: a client behind a proxy could choose its address.
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        lifespan="off",
        log_config=None,
        access_log=False,  # Paths may carry tokens in their query.
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_REQUESTS_S_MAX,
    )
    server = _Server(config)
    try:
        async with anyio.create_task_group() as tasks:

            async def run() -> None:
                await server.serve(sockets=[bound])
                tasks.cancel_scope.cancel()

            tasks.start_soon(run)
            await server.listens.wait()
            if heed_signals:
                await _until_signalled(server, runtime, tasks, ready)
            else:
                ready()
                await anyio.sleep_forever()
    finally:
        server.stop_listening()
        server.hang_up()


@asynccontextmanager
async def listening(
    runtime: Runtime,
    bound: socket.socket,
    *,
    pages: Path | None = None,
    origins: Collection[str] | None = None,
    operators: Operators | None = None,
    rest: Services | None = None,
    proxies: Collection[str] = (),
) -> AsyncGenerator[None]:
    """Serve beside the body, which enters the runtime and then waits; the body is cancelled when a signal has ended it.

    The body begins once connections are taken and signals heard, so that a start can be watched, and broken off.
    """
    listens = anyio.Event()
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            await serve(
                runtime,
                bound,
                pages=pages,
                origins=origins,
                operators=operators,
                rest=rest,
                proxies=proxies,
                ready=listens.set,
            )
            tasks.cancel_scope.cancel()

        tasks.start_soon(run)
        await listens.wait()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again below, out of the group that would wrap it
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _until_signalled(
    server: _Server, runtime: Runtime, tasks: anyio.abc.TaskGroup, ready: Callable[[], None]
) -> None:
    """Begin the end at the first signal, force it at the second. Ready only once a signal would be heard."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        ready()
        async for _ in signals:
            if server.should_exit or runtime.is_stopping:
                _log.warning("stopping at once")
                server.force_exit = server.should_exit = True
                tasks.cancel_scope.cancel()
                return
            _log.info("stopping", sessions=len(runtime.engine.sessions()))
            tasks.start_soon(_drain, server, runtime)


async def _drain(server: _Server, runtime: Runtime) -> None:
    server.stop_listening()
    with anyio.move_on_after(DRAIN_S_MAX) as drain:
        await runtime.stop()
    if drain.cancelled_caught:
        _log.warning("sessions remained when the time was over", sessions=len(runtime.engine.sessions()))
    server.should_exit = True
