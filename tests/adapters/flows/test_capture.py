"""`signalreel_adapters.flows.capture`: the proxy hands everything on, and what it noted holds as a flow."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from signalreel_adapters import FakeMedia
from signalreel_adapters.flows import memory_stage, parse_flow, perform
from signalreel_adapters.flows.capture import Capture
from signalreel_adapters.flows.script import Connect
from signalreel_adapters.server import listen
from tests.adapters.servers import JsonSocket, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, which the `websockets` library is for."""
    return "asyncio"


@asynccontextmanager
async def capturing(capture: Capture) -> AsyncGenerator[str]:
    """Run a proxy on a free port; give its address."""
    listens = anyio.Event()
    with listen("127.0.0.1", 0) as bound:
        async with anyio.create_task_group() as tasks:

            async def run() -> None:
                await capture.run(bound, ready=listens.set)

            tasks.start_soon(run)
            await listens.wait()
            yield f"ws://127.0.0.1:{bound.getsockname()[1]}"
            tasks.cancel_scope.cancel()


async def test_a_call_through_it_becomes_a_flow_that_holds() -> None:
    """Two clients talk through the proxy, one leaves; what was noted is performed on another server."""
    async with served(media=FakeMedia()) as server:
        capture = Capture(f"ws://127.0.0.1:{server.port}")
        async with capturing(capture) as url, connect(f"{url}/room-app/websocket?target=origin") as one:
            first = JsonSocket(one)
            await first.send({"command": "joinRoom", "room": "r", "token": "secret"})
            mine = (await first.expect("joinedTheRoom"))["streamId"]
            await first.send({"command": "publish", "streamId": mine})
            await first.expect("start")
            async with connect(f"{url}/room-app/websocket") as two:
                second = JsonSocket(two)
                await second.send({"command": "publish", "streamId": mine})
                await second.expect("streamIdInUse")
    text = capture.flow(title="captured")
    flow = parse_flow(text, file="captured.flow", app="x")
    async with memory_stage(flow) as stage:
        await perform(flow, stage)

    assert flow.app == "room-app"
    assert [line.partition("{")[0].strip() for line in text.splitlines()[3:]] == [
        "client1 >",
        "client1 <",
        "client1 >",
        "client1 <",
        "client2 >",
        "client2 <",
        "client2 leaves",
        "client1 leaves",
    ]
    assert (mine in text, "secret" in text) == (False, False)


async def test_what_was_captured_in_two_apps_holds_in_two_apps() -> None:
    """The id that is taken in one is free in the other, there as here."""
    publish = {"command": "publish", "streamId": "s"}
    async with served(media=FakeMedia()) as server:
        capture = Capture(f"ws://127.0.0.1:{server.port}")
        async with capturing(capture) as url:
            for app in ("one", "two"):
                async with connect(f"{url}/{app}/websocket") as client:
                    await JsonSocket(client).send(publish)
                    await JsonSocket(client).expect("start")
    flow = parse_flow(capture.flow(title="captured"), file="captured.flow", app="x")
    async with memory_stage(flow) as stage:
        await perform(flow, stage)

    assert [step.app for step in flow.steps if isinstance(step, Connect)] == ["one", "two"]


def test_the_server_is_told_without_what_lets_one_in() -> None:
    """The title of a flow is passed around with it."""
    assert Capture("wss://ann:secret@example.org:5443/live/websocket?token=secret").server == (
        "wss://example.org:5443/live/websocket"
    )


async def test_the_servers_close_reaches_the_client() -> None:
    """With its code and reason, and is noted."""
    async with served() as server:
        capture = Capture(f"ws://127.0.0.1:{server.port}/live/websocket")
        async with capturing(capture) as url, connect(url) as client:
            await JsonSocket(client).ping()
            await server.runtime.stop(spread_ms=0, grace_ms=0)
            code = await JsonSocket(client).ended()

    assert code == 1012
    assert "client1 is closed 1012\n" in capture.flow(title="captured")


async def test_a_server_that_is_not_there_is_told() -> None:
    """The client is closed with the code for a bad gateway."""
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
    async with capturing(Capture(f"ws://127.0.0.1:{port}")) as url, connect(f"{url}/live/websocket") as client:
        with pytest.raises(ConnectionClosed):
            await client.recv()

        assert client.close_code == 1014


async def test_what_is_noted_is_bounded() -> None:
    """Messages beyond the most are handed on all the same, and counted."""
    async with served() as server:
        capture = Capture(f"ws://127.0.0.1:{server.port}", messages_max=1)
        async with capturing(capture) as url, connect(f"{url}/live/websocket") as client:
            await JsonSocket(client).ping()

    assert capture.messages == 1
    assert capture.left_out >= 1


def test_an_address_that_is_none_is_told_at_once() -> None:
    """Before anybody connects."""
    with pytest.raises(ValueError, match="write it as"):
        Capture("localhost")
