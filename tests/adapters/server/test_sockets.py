"""`signalreel_adapters.server.sockets`."""

import asyncio
import contextlib
import logging

import anyio
import anyio.lowlevel
import pytest
import uvicorn
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from signalreel_adapters import Limits
from signalreel_adapters.server.sockets import (
    CONTROLS_PER_S_MAX,
    HANDSHAKE_S_MAX,
    MESSAGE_FRAMES_MAX,
    TURN_BYTES_MAX,
    WebSocketProtocol,
)
from signalreel_adapters.transports.websocket import Receive, Scope, Send
from tests.adapters.servers import JsonSocket, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """uvicorn's protocol is asyncio's."""
    return "asyncio"


async def test_a_client_that_was_ended_and_does_not_read_is_cut_off() -> None:
    """A connection whose buffer nobody empties does not stay: its socket is freed a while after its session."""
    limits = Limits(outbox_messages_max=8, close_ms_max=1, bytes_per_s_max=-1)
    async with served(limits=limits) as server:
        slow = await connect(server.url(), compression=None, max_queue=1, ping_interval=None)
        question = '{"command":"publish","streamId":"' + "x" * 60_000 + '"}'
        with anyio.fail_after(20):
            while True:
                try:
                    await slow.send(question)
                except ConnectionClosed:
                    break

        assert server.runtime.counters.slow_sessions == 1


async def test_a_refusal_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """Refusing a handshake by status leaves no complaint in the log."""
    async with served() as server:
        with caplog.at_level(logging.WARNING), pytest.raises(InvalidStatus):
            await connect(server.url("/a%20b/websocket"))
        await anyio.wait_all_tasks_blocked()

    assert caplog.records == []


async def test_a_flood_of_pings_ends_the_connection() -> None:
    """More protocol pings in a second than any client sends are failed with 1008; others do not notice."""
    async with served() as server, server.client() as other, connect(server.url(), ping_interval=None) as flooder:
        flooder.transport.write(frame(Opcode.PING, b"1") * 3 * CONTROLS_PER_S_MAX)

        assert await JsonSocket(flooder).ended() == 1008
        assert flooder.close_reason == "too many pings"
        await other.ping()


@pytest.mark.parametrize(("frames", "ended"), [(MESSAGE_FRAMES_MAX, False), (MESSAGE_FRAMES_MAX + 1, True)])
async def test_a_message_has_a_limit_of_frames(frames: int, ended: bool) -> None:
    """Empty frames add nothing to a message's size, so their number is limited too, and beyond it is 1008."""
    async with served() as server, connect(server.url(), compression=None) as client:
        await client.send(['{"command":"ping"}', *[""] * (frames - 2)])  # The library adds an empty last frame.
        if ended:
            assert await JsonSocket(client).ended() == 1008
        else:
            assert await client.recv() == '{"command":"pong"}'


async def test_text_that_is_not_utf_8_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """It ends the connection with 1007 (RFC 6455, section 8.1) and leaves nothing in the log."""
    async with served() as server, connect(server.url(), compression=None) as client:
        with caplog.at_level(logging.WARNING):
            await client.send(b"\xff\xfe", text=True)

            assert await JsonSocket(client).ended() == 1007

    assert caplog.records == []


class Wire(asyncio.Transport):
    """A transport that writes down what it is told, and whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_read = True
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep what is written."""
        self.written += bytes(data)

    def pause_reading(self) -> None:
        """Read nothing."""
        self.is_read = False

    def resume_reading(self) -> None:
        """Read on."""
        self.is_read = True

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.is_closed

    def close(self) -> None:
        """Close."""
        self.is_closed = True

    def abort(self) -> None:
        """Close at once."""
        self.is_closed = True


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A client's frame."""
    return Frame(opcode, data, fin).serialize(mask=True)


async def connected(kind: type[WebSocketProtocol] = WebSocketProtocol) -> tuple[WebSocketProtocol, Wire]:
    """A connection after its handshake, whose application takes what comes and says nothing."""

    async def application(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    config = uvicorn.Config(application, log_config=None, lifespan="off", ws_ping_interval=None)
    config.load()
    wire = Wire()
    protocol = kind(config, ServerState(), {})
    protocol.connection_made(wire)
    protocol.data_received(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await anyio.wait_all_tasks_blocked()
    assert wire.written.startswith(b"HTTP/1.1 101")
    wire.written = b""
    return protocol, wire


UPGRADE = (
    b"GET /live/websocket%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)
"""A handshake, with room for a query and for headers."""


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (b"", b"Cookie: " + b"c" * 9_000 + b"\r\n"),
        (b"?q=" + b"q" * 9_000, b""),
        (b"", b"".join(b"X%d: y\r\n" % number for number in range(130))),
        (b"", b"Content-Length: 10\r\n"),
        (b"", b"Transfer-Encoding: chunked\r\n"),
    ],
    ids=["a large cookie", "a long query", "many headers", "a body", "a body in chunks"],
)
async def test_a_handshake_that_cannot_be_read_is_answered_and_closed(query: bytes, headers: bytes) -> None:
    """What HTTP takes and the WebSocket's parser does not is 400, at once, and keeps no connection."""
    async with served() as server, await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(UPGRADE % (query, headers))
        said = b""
        with anyio.fail_after(HANDSHAKE_S_MAX / 2), contextlib.suppress(anyio.EndOfStream, anyio.BrokenResourceError):
            while True:
                said += await stream.receive()

    assert said.startswith(b"HTTP/1.1 400 ")


class Hasty(WebSocketProtocol):
    """A connection with no time for its handshake."""

    handshake_s_max = 0.0


async def test_a_handshake_that_nobody_completes_is_cut_off() -> None:
    """An application that says nothing keeps no socket either: before a session there is nothing else that ends one."""

    async def application(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    config = uvicorn.Config(application, log_config=None, lifespan="off", ws_ping_interval=None)
    config.load()
    wire = Wire()
    protocol = Hasty(config, ServerState(), {})
    protocol.connection_made(wire)
    protocol.data_received(UPGRADE % (b"", b""))
    with anyio.fail_after(5):
        while not wire.is_closed:
            await anyio.lowlevel.checkpoint()
    protocol.connection_lost(None)

    assert wire.written == b""


async def test_a_complete_handshake_has_all_the_time() -> None:
    """The limit is for the handshake alone; the connection goes on after it."""
    protocol, wire = await connected(Hasty)
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(0, passed.set)
    await passed.wait()
    closed = wire.is_closed
    protocol.connection_lost(None)

    assert not closed


async def test_what_was_read_at_once_is_taken_in_turns() -> None:
    """A chunk of many small frames is parsed piece by piece, and nothing is read before all of it is."""
    protocol, wire = await connected()
    count = MESSAGE_FRAMES_MAX - 1
    protocol.data_received(frame(Opcode.TEXT, b"", fin=False) + frame(Opcode.CONT, b"", fin=False) * count)
    first = len(protocol.frames)
    read_meanwhile = wire.is_read
    await anyio.wait_all_tasks_blocked()
    protocol.connection_lost(None)

    assert first <= TURN_BYTES_MAX // 6 < count
    assert not read_meanwhile
    assert (len(protocol.frames), wire.is_read) == (count + 1, True)


async def test_nothing_is_lost_between_turns() -> None:
    """Messages that came in one chunk, the close among them, reach the application in their order."""
    async with served() as server, connect(server.url(), compression=None) as client:
        text = b'{"command":"getStreamInfo","streamId":"x"}'
        client.transport.write(frame(Opcode.TEXT, text) * 500 + frame(Opcode.TEXT, b'{"command":"ping"}'))
        said = [await client.recv() for _ in range(501)]

    assert [number for number, message in enumerate(said) if message == '{"command":"pong"}'] != []
    assert sum("no_stream_exist" in str(message) for message in said) == 500


async def test_who_pings_and_does_not_read_is_not_read() -> None:
    """While a pong waits for the client nothing more is taken from it; once it reads, all goes on."""
    protocol, wire = await connected()
    protocol.pause_writing()
    protocol.data_received(frame(Opcode.PING, b"1"))
    protocol.data_received(frame(Opcode.PING, b"2"))

    assert (wire.written, wire.is_read) == (Frame(Opcode.PONG, b"1").serialize(mask=False), False)
    wire.written = b""
    protocol.resume_writing()
    await anyio.wait_all_tasks_blocked()
    protocol.connection_lost(None)

    assert (wire.written, wire.is_read) == (Frame(Opcode.PONG, b"2").serialize(mask=False), True)
