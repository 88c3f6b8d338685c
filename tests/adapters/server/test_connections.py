"""`signalreel_adapters.server.connections`."""

import resource

import anyio
import httpx
import pytest

from signalreel_adapters import Limits
from signalreel_adapters.access.webhook import CALLS_MAX
from signalreel_adapters.runtime import Counters
from signalreel_adapters.server.connections import FILES_RESERVED, http_protocol
from tests.adapters.servers import Served, served

pytestmark = pytest.mark.anyio

HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def anyio_backend() -> str:
    """uvicorn's protocol is asyncio's."""
    return "asyncio"


async def said_to(server: Served, *parts: bytes) -> bytes:
    """Send parts of requests, each once the one before is answered; give all that is said until the end."""
    said = b""
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        for part in parts:
            await stream.send(part)
            if part.endswith(HEAD):
                said += await stream.receive()
        try:
            while True:
                said += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return said


@pytest.mark.parametrize("part", [b"", b"G", HEAD[:-2], b"GET /live/websocket HTTP/1.1\r\nUpgrade: websocket\r\n"])
async def test_a_connection_that_asks_for_nothing_is_cut_off(part: bytes) -> None:
    """Half a request head is none: after the limit the socket is freed, and it is counted."""
    async with served(limits=Limits(request_head_ms_max=1)) as server:
        with anyio.fail_after(10):
            said = await said_to(server, *([part] if part else []))

        assert (said, server.runtime.counters.connections_cut) == (b"", 1)


@pytest.mark.parametrize("rest", [b"GET", b""])
async def test_half_a_second_request_is_cut_off_too(rest: bytes) -> None:
    """Also between two requests a few bytes do not keep a socket, nor does the body that a request promised."""
    promising = HEAD.replace(b"Host", b"Content-Length: 1000\r\nHost") + b"x"
    async with served(limits=Limits(request_head_ms_max=100)) as server:
        with anyio.fail_after(4):  # Without it a connection stays for as long as it likes; idle ones go after five.
            said = await said_to(server, HEAD, rest) if rest else await said_to(server, promising)

        assert said.startswith(b"HTTP/1.1 200")
        assert server.runtime.counters.connections_cut == 1


async def test_a_client_that_asked_in_time_is_not_cut_off() -> None:
    """The time is for the head alone: a WebSocket goes on after it, and so does an answer without end."""
    async with (
        served(limits=Limits(request_head_ms_max=200)) as server,
        server.client() as client,
        httpx.AsyncClient() as browser,
        browser.stream("GET", server.url("/transitions", scheme="http")) as listening,
    ):
        # One that says nothing is cut off meanwhile, so the time of the others is over as well.
        await said_to(server)
        await client.ping()
        await client.send({"command": "play", "streamId": "nothing"})

        assert await anext(aiter(listening.aiter_lines())) != ""
        assert server.runtime.counters.connections_cut == 1


async def test_there_is_a_limit_of_connections() -> None:
    """One too many is answered 503 and closed; those that are open go on, and when one leaves there is room again."""
    async with served(limits=Limits(connections_max=2)) as server, server.client() as first:
        async with server.client():
            said = await said_to(server)
            await first.ping()
        while len(server.runtime.engine.sessions()) > 1:
            await first.ping()
        async with server.client() as third:
            await third.ping()

        assert said.startswith(b"HTTP/1.1 503")
        assert server.runtime.counters.connections_refused == 1


def test_connections_leave_files_for_the_rest() -> None:
    """However many are allowed, the process keeps some descriptors for its reel and its pages."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (500, hard))
    try:
        protocol = http_protocol(Limits(), Counters())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert protocol.connections_max == 500 - FILES_RESERVED
    assert FILES_RESERVED - CALLS_MAX >= 64  # Calls of webhooks that nobody answers leave as many to all else.
