"""`signalreel_adapters.transports.websocket`: over real sockets, and on the ASGI messages alone."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from signalreel.events import SessionClosed
from signalreel.notes import Correlation
from signalreel.reel import MemoryReel, Reel
from signalreel_adapters import FakeMedia, Limits, MemoryClient, Runtime, SeededIds, TransportClosed
from signalreel_adapters.testing import TransportPair, check_transport
from signalreel_adapters.transports.websocket import AsgiMessage, WebSocketApp, WebSocketTransport, app_of
from tests.adapters.calls import ANSWER, OFFER, names
from tests.adapters.servers import JsonSocket, served

pytestmark = pytest.mark.anyio

NOT_A_NAME: Final = 400
NO_WEBSOCKET: Final = 404


@pytest.fixture
def anyio_backend() -> str:
    """The byte path of WebSockets is asyncio's, as uvicorn is."""
    return "asyncio"


class End:
    """The client's end, for the contract."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        """Send a text frame."""
        await self._connection.send(text)

    async def receive(self) -> bytes | str:
        """Receive a frame, or how it ended."""
        try:
            return await self._connection.recv()
        except ConnectionClosed:
            raise TransportClosed(self._connection.close_code or 0, self._connection.close_reason or "") from None

    async def close(self, code: int) -> None:
        """Send a close frame."""
        await self._connection.close(code)


@asynccontextmanager
async def make_pair() -> AsyncIterator[TransportPair]:
    """Run a server that hands out the bare transport of its one connection."""
    transports: list[WebSocketTransport] = []
    accepted, done = anyio.Event(), anyio.Event()

    async def app(
        scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        transports.append(WebSocketTransport(scope, receive, send))
        accepted.set()
        await done.wait()

    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="websockets-sansio"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server._serve, [bound])
            async with connect(f"ws://127.0.0.1:{bound.getsockname()[1]}/", compression=None) as client:
                await accepted.wait()
                try:
                    yield TransportPair(transports[0], End(client))
                finally:
                    done.set()
                    server.should_exit = server.force_exit = True
                    client.transport.abort()


async def test_it_keeps_the_contract() -> None:
    """A WebSocket keeps every promise of a transport."""
    await check_transport(make_pair)


class TestHandshake:
    """Who is let in."""

    @pytest.mark.parametrize(
        "path",
        [
            "/live/websocket",
            "/WebRTCAppEE/websocket?target=origin",
            "/a.b-c_9/websocket?token=secret&rtmpForward=true&x=%ff",
        ],
    )
    async def test_any_app_and_any_query_are_taken(self, path: str) -> None:
        """The app is the first part of the path, whatever it is called; the query is ignored."""
        async with served() as server, server.client(path=path) as client:
            await client.send({"command": "ping"})
            assert await client.receive() == {"command": "pong"}
            await server.runtime.idle()
            assert [session.app for session in server.runtime.engine.sessions()] == [path.split("/")[1]]

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/", NO_WEBSOCKET),
            ("/websocket", NO_WEBSOCKET),
            ("/live/", NO_WEBSOCKET),
            ("/live/socket", NO_WEBSOCKET),
            ("/a/b/websocket", NO_WEBSOCKET),
            ("//websocket", NOT_A_NAME),
            ("/../websocket", NOT_A_NAME),
            ("/%2e%2e/websocket", NOT_A_NAME),
            ("/li%76e/websocket", NOT_A_NAME),
            ("/a%20b/websocket", NOT_A_NAME),
            (f"/{'x' * 256}/websocket", NOT_A_NAME),
        ],
    )
    async def test_everything_else_is_refused_before_it_is_accepted(self, path: str, status: int) -> None:
        """A path that is none, or an app that is no name as it was written, gets an HTTP status and no session."""
        async with served() as server:
            with pytest.raises(InvalidStatus) as refused:
                await connect(server.url(path))

            assert refused.value.response.status_code == status
            assert server.runtime.counters.sessions_opened == 0

    async def test_compression_is_not_offered(self) -> None:
        """A client that asks for compression does not get it."""
        async with served() as server, connect(server.url()) as connection:
            assert connection.response is not None
            assert "sec-websocket-extensions" not in connection.response.headers

    async def test_a_stopping_server_takes_nobody(self) -> None:
        """Once the runtime stops, a handshake gets 503."""
        async with served() as server:
            await server.runtime.stop()
            with pytest.raises(InvalidStatus) as refused:
                await connect(server.url())

            assert refused.value.response.status_code == 503


class TestBadInput:
    """Contract 12 over the wire."""

    @pytest.mark.parametrize(
        ("data", "definition"),
        [
            ("undefined", ""),
            ("", ""),
            ("{}", ""),
            ('{"command":"fly","streamId":"a"}', ""),
            ('{"command":"publish","streamId":7}', ""),
            ('{"command":"publish","streamId":"s","video":{}}', ""),
            ('{"command":"publish"}', "noStreamNameSpecified"),
            ('{"command":"publish","streamId":"a\\n"}', "invalidStreamName"),
            ('{"command":"publish","streamId":".."}', "invalidStreamName"),
            ('{"command":"publish","streamId":"../x"}', "invalidStreamName"),
            ('{"command":"publish","streamId":"' + "x" * 65_536 + '"}', "invalidStreamName"),
            ('{"command":"publish","streamId":"\\ud800"}', ""),
            ("[" * 50_000, ""),
            (b"\xff\xfe", ""),
        ],
        ids=lambda value: repr(value)[:40],
    )
    async def test_it_is_answered_or_ignored_and_the_session_goes_on(self, data: str | bytes, definition: str) -> None:
        """Whatever a client sends, it gets the answer of the real server, and it and all others go on."""
        async with served(media=FakeMedia()) as server, server.client() as bad, server.client() as good:
            await publish(good, "good")
            await bad.send(data)
            await bad.send({"command": "play", "streamId": "nothing"})
            said = [await bad.receive() for _ in range(2 if definition else 1)]

            assert names(said) == ([definition] if definition else []) + ["no_stream_exist"]
            await good.send({"command": "stop", "streamId": "good"})
            await good.expect("publish_finished")

    async def test_ten_megabytes_end_the_session_with_1009(self) -> None:
        """A message beyond 81 920 bytes ends its session alone; the size is known before it is read."""
        async with served() as server, server.client() as bad, server.client() as good:
            await bad.send_all("x" * 10_000_000)

            assert await bad.ended() == 1009
            await good.send({"command": "ping"})
            assert await good.receive() == {"command": "pong"}
            assert server.runtime.counters.oversized == 1

    async def test_the_largest_message_is_read(self) -> None:
        """Exactly 81 920 bytes are a message like any other."""
        start, end = '{"command":"ping","x":"', '"}'
        async with served() as server, server.client() as client:
            await client.send(start + "x" * (81_920 - len(start + end)) + end)

            assert await client.receive() == {"command": "pong"}


class TestOrigins:
    """Whose pages may connect (cross-site WebSocket hijacking: a browser asks nobody before it opens one)."""

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            (None, 101),
            ("https://good.example", 101),
            ("http://localhost:8080", 101),
            ("https://evil.example", 403),
            ("https://good.example.evil.example", 403),
            ("https://good.example:444", 403),
            ("http://good.example", 403),
            ("https://good.example/", 403),
            ("null", 403),
            ("", 403),
        ],
    )
    async def test_a_page_must_be_on_the_list(self, origin: str | None, status: int) -> None:
        """The origin must be one of the list to the letter; a client that names none is no page."""
        headers = {} if origin is None else {"Origin": origin}
        async with served(origins=["https://good.example", "http://localhost:8080"]) as server:
            try:
                async with connect(server.url(), additional_headers=headers):
                    found = 101
            except InvalidStatus as error:
                found = error.response.status_code

        assert found == status

    async def test_two_origins_are_not_better_than_one(self) -> None:
        """Each that is named must be on the list."""
        headers = [("Origin", "https://good.example"), ("Origin", "https://evil.example")]
        async with served(origins=["https://good.example"]) as server:
            with pytest.raises(InvalidStatus):
                await connect(server.url(), additional_headers=headers)

    async def test_without_a_list_every_page_may_connect(self) -> None:
        """Clients' pages live elsewhere more often than not."""
        async with served() as server, connect(server.url(), additional_headers={"Origin": "null"}) as client:
            await client.send('{"command":"ping"}')

            assert await client.recv() == '{"command":"pong"}'


class TestSlowClients:
    """Contract 15 over the wire."""

    async def test_a_client_that_does_not_read_is_ended_alone(self) -> None:
        """Its outbox fills, it is cut off, its socket is freed; another one's call goes on all the while."""
        limits = Limits(
            outbox_messages_max=64,
            outbox_bytes_max=1_000_000,
            session_inputs_max=16,
            pings_per_s_max=-1,
            bytes_per_s_max=-1,
        )
        async with served(limits=limits) as server, server.client() as quick:
            slow = await connect(server.url(), compression=None, max_queue=1, ping_interval=None)
            name = "x" * 60_000
            async with anyio.create_task_group() as tasks:

                async def flood() -> None:
                    try:
                        while True:
                            # Its answer is as long as the question, and nobody reads it.
                            await slow.send(f'{{"command":"publish","streamId":"{name}"}}')
                    except ConnectionClosed:
                        return

                tasks.start_soon(flood)
                for _ in range(50):
                    await quick.send({"command": "play", "streamId": "nothing"})
                    await quick.expect("no_stream_exist")
                while not server.runtime.counters.slow_sessions:
                    await quick.send({"command": "ping"})
                    await quick.receive()
                await slow.wait_closed()
            await server.runtime.idle()

            assert server.runtime.counters.slow_sessions == 1
            assert len(server.runtime.engine.sessions()) == 1


class TestEndings:
    """How a session ends, as the reel has it."""

    async def test_the_clients_code_is_recorded(self) -> None:
        """A close in good order and a socket that just goes are told apart on the reel."""
        async with served() as server:
            steps = server.runtime.steps()
            polite = await connect(server.url())
            await polite.close(1001, "bye")
            rude = await connect(server.url())
            rude.transport.abort()
            ends: list[SessionClosed] = []
            while len(ends) < 2:
                event = (await anext(steps)).record.event
                ends += [event] if isinstance(event, SessionClosed) else []

        assert ends[0] == SessionClosed(1001, "bye")
        assert ends[1].code in {1005, 1006}

    async def test_a_code_of_the_server_reaches_the_client(self) -> None:
        """When the runtime stops, clients are told and closed with 1012."""
        async with served() as server, server.client() as client:
            await client.ping()
            await server.runtime.stop(grace_ms=0)
            await client.expect("server_will_stop")

            assert await client.ended() == 1012


def test_the_app_is_read_from_the_raw_path() -> None:
    """A mounted application takes the path below its mount; what was percent-encoded stays so."""
    assert app_of({"path": "/live/websocket", "raw_path": b"/live/websocket"}) == "live"
    assert app_of({"path": "/live/websocket"}) == "live"
    assert app_of({"path": "/x/live/websocket", "raw_path": b"/x/live/websocket", "root_path": "/x"}) == "live"
    assert app_of({"path": "/../websocket", "raw_path": b"/%2e%2e/websocket"}) == "%2e%2e"
    assert app_of({"path": "/live/websocket/signaling"}) is None


async def test_a_host_may_say_who_a_client_is() -> None:
    """What `identify` reads from the scope is recorded with the session."""
    said: list[AsgiMessage] = []
    incoming: Iterator[AsgiMessage] = iter(
        [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001, "reason": "bye"}]
    )

    async def receive() -> AsgiMessage:
        return next(incoming)

    async def send(message: AsgiMessage) -> None:
        said.append(message)

    async with Runtime() as runtime:
        sessions = runtime.steps()
        app = WebSocketApp(runtime, identify=lambda scope: str(scope["user"]))
        await app({"type": "websocket", "path": "/live/websocket", "user": "maria"}, receive, send)
        opened, closed = (await anext(sessions)).record.event, (await anext(sessions)).record.event

    assert getattr(opened, "identity", "") == "maria"
    assert (getattr(closed, "code", 0), getattr(closed, "reason", "")) == (1001, "bye")
    assert said == [{"type": "websocket.accept"}]


async def test_a_server_without_refusals_by_status_still_refuses() -> None:
    """Where the ASGI server has no extension for it, the handshake is refused by closing."""
    said: list[AsgiMessage] = []

    async def receive() -> AsgiMessage:
        return {"type": "websocket.connect"}

    async def send(message: AsgiMessage) -> None:
        said.append(message)

    async with Runtime() as runtime:
        await WebSocketApp(runtime)({"type": "websocket", "path": "/a b/websocket"}, receive, send)

    assert said == [{"type": "websocket.close"}]


async def publish(client: JsonSocket, stream_id: str) -> None:
    """Publish over a socket until it is live."""
    await client.send({"command": "publish", "streamId": stream_id})
    await client.expect("start")
    await client.send({"command": "takeConfiguration", "streamId": stream_id, "type": "offer", "sdp": OFFER})
    await client.expect("takeConfiguration")
    await client.expect("publish_started")


SCRIPT: Final[list[tuple[str, dict[str, object], int]]] = [
    ("a", {"command": "publish", "streamId": "s", "mainTrack": "room"}, 1),
    ("a", {"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": OFFER}, 2),
    ("b", {"command": "publish", "streamId": "s"}, 1),
    ("b", {"command": "joinRoom", "room": "room", "streamId": "t"}, 1),
    ("b", {"command": "getRoomInfo", "room": "room", "streamId": "t"}, 1),
    ("b", {"command": "play", "streamId": "s"}, 1),
    ("b", {"command": "takeConfiguration", "streamId": "s", "type": "answer", "sdp": ANSWER}, 1),
    ("b", {"command": "play", "streamId": "nothing"}, 1),
    ("b", {"command": "getTrackList", "streamId": "s"}, 1),
    ("b", {"command": "fly"}, 1),
    ("a", {"command": "stop", "streamId": "s"}, 1),
    ("b", {"command": "ping"}, 2),
    ("b", {"command": "leaveFromRoom", "room": "room"}, 1),
]
"""Who says what, and how many messages that brings them."""


async def test_memory_and_websocket_tell_the_same_story() -> None:
    """One scripted call gives each session the same transcript over both transports."""
    transcripts: list[dict[str, list[dict[str, Any]]]] = []
    reels: list[Reel] = [MemoryReel(), MemoryReel()]
    async with Runtime(reels[0], media=FakeMedia(), ids=SeededIds(1)) as runtime:
        transcripts.append(await _played({"a": MemoryClient(runtime), "b": MemoryClient(runtime)}))
    async with (
        served(reels[1], media=FakeMedia(), ids=SeededIds(1)) as server,
        server.client() as publisher,
        server.client() as viewer,
    ):
        await publisher.ping()
        transcripts.append(await _played({"a": publisher, "b": viewer}))

    assert transcripts[0] == transcripts[1]
    assert [len(said) for said in transcripts[0].values()] == [4, 11]


async def _played(clients: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    heard: dict[str, list[dict[str, Any]]] = {name: [] for name in clients}
    for who, message, answers in SCRIPT:
        await clients[who].send(message)
        heard[who] += [await clients[who].receive() for _ in range(answers)]
    return heard


@pytest.mark.parametrize(
    ("headers", "noted"),
    [
        ({"X-Request-ID": "req-1", "traceparent": "00-4bf9-00f0-01"}, [Correlation("req-1")]),
        ({"traceparent": "00-4bf9-00f0-01"}, [Correlation("00-4bf9-00f0-01")]),
        ({"X-Request-ID": "<script>"}, []),
        ({}, []),
    ],
)
async def test_the_id_of_the_request_is_noted_beside_the_reel(
    headers: dict[str, str], noted: list[Correlation]
) -> None:
    """So that the logs of a proxy and the reel can be read together; what is no id is left out."""
    reel = MemoryReel()
    async with served(reel) as server:
        async with connect(server.url(), additional_headers=headers):
            pass
        await server.runtime.idle()

    assert [note.body for note in reel.notes() if isinstance(note.body, Correlation)] == noted
