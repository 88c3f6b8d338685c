"""`signalreel_adapters.server.transitions`."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from signalreel_adapters import FakeMedia, Limits, MemoryClient, Runtime, SeededIds
from signalreel_adapters.server.app import create_app
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.transitions import LISTENERS_MAX
from tests.adapters.calls import play, publish
from tests.adapters.servers import Served, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The server is uvicorn's, and so asyncio's."""
    return "asyncio"


class Listener:
    """Somebody who listens."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, dict[str, Any]]:
        """Give the next event: its name (`message` when it has none) and its object."""
        name = "message"
        async for line in self._lines:
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        return "end", {}


@asynccontextmanager
async def listening(server: Served) -> AsyncIterator[Listener]:
    """Listen until the block ends."""
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", server.url("/transitions", scheme="http")) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith(":")
        yield Listener(lines)


async def test_transitions_and_refusals_are_told() -> None:
    """A line for each transition with what moved and why, and one for each refusal."""
    async with served(media=FakeMedia(), ids=SeededIds(1)) as server, listening(server) as listener:
        client = MemoryClient(server.runtime)
        session = (await _session(server, client)).pop()
        await client.send({"command": "play", "streamId": "nothing"})
        await client.expect("no_stream_exist")
        await publish(client, "s")
        told = [await listener.next() for _ in range(3)]

    refused = {"seq": 2, "session": session, "input": "play", "id": "nothing", "refused": "no_stream_exist"}
    assert told[0] == ("message", refused)
    moved = told[1][1]
    assert moved.pop("time") > 0
    assert moved == {
        "seq": 3,
        "kind": "stream",
        "app": "live",
        "id": "s",
        "source": "idle",
        "target": "preparing",
        "input": "publish",
        "session": session,
    }
    assert told[2][1]["target"] == "negotiating"


async def test_a_late_listener_sees_what_lives() -> None:
    """First comes a line for each machine that lives, in the state it is in."""
    async with served(media=FakeMedia()) as server:
        publisher, viewer = MemoryClient(server.runtime), MemoryClient(server.runtime)
        await publish(publisher, "s")
        await play(viewer, "s")
        async with listening(server) as listener:
            told = [(await listener.next())[1] for _ in range(2)]

    assert [(line["kind"], line["source"], line["target"], line["input"]) for line in told] == [
        ("stream", "broadcasting", "broadcasting", ""),
        ("playback", "playing", "playing", ""),
    ]


async def test_nothing_secret_is_told() -> None:
    """No description, candidate, token or address reaches a listener (Contract 11)."""
    heard: list[tuple[str, dict[str, Any]]] = []
    async with served(media=FakeMedia()) as server, listening(server) as listener, server.client() as client:
        await client.send({"command": "publish", "streamId": "s", "token": "canary", "subscriberCode": "canary"})
        await client.expect("start")
        await client.send({"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": "canary"})
        await client.expect("takeConfiguration")
        await client.expect("publish_started")
        await client.send({"command": "takeCandidate", "streamId": "s", "label": 0, "candidate": "canary"})
        await client.send({"command": "stop", "streamId": "s"})
        await client.expect("publish_finished")
        while (event := await listener.next())[1].get("target") != "finished":
            heard.append(event)

    assert len(heard) >= 4
    assert "canary" not in repr(heard)
    assert "127.0.0.1" not in repr(heard)


async def test_a_slow_listener_is_told_of_the_gap() -> None:
    """A listener's queue is bounded: the oldest lines are dropped, and it learns how many steps it missed."""
    async with served(limits=Limits(subscription_steps_max=4)) as server, listening(server) as listener:
        # Everything happens in one turn of the loop, which the listener cannot follow.
        session = server.runtime.open_session("live", _Nowhere())
        for _ in range(20):
            session.receive('{"command":"play","streamId":"nothing"}')
        told = [await listener.next() for _ in range(5)]

    assert told[0] == ("gap", {"missed": 17})
    assert [line["seq"] for _, line in told[1:]] == [18, 19, 20, 21]


async def test_listening_ends_with_the_runtime() -> None:
    """A server that stops does not wait for those who only listen."""
    async with served() as server, listening(server) as listener:
        await server.runtime.stop()

        assert await listener.next() == ("end", {})


async def test_others_are_forbidden() -> None:
    """A page whose name resolves to this machine is told nothing."""
    async with served() as server, httpx.AsyncClient() as client:
        url = server.url("/transitions", scheme="http")
        answer = await client.get(url, headers={"host": "rebound.example"})

    assert answer.status_code == 403


@pytest.mark.parametrize("name", ["Forwarded", "Via", "X-Forwarded-For", "x-forwarded-proto", "x-real-ip"])
async def test_nobody_listens_through_a_proxy(name: str) -> None:
    """Behind a proxy on this machine every client looks like one on this machine."""
    async with served() as server, httpx.AsyncClient() as client:
        answer = await client.get(server.url("/transitions", scheme="http"), headers={name: "127.0.0.1"})

    assert answer.status_code == 403


async def test_a_key_is_asked_of_listeners_too() -> None:
    """Where there is one, this machine's own clients show it: a silent proxy's clients look the same."""
    key = b"0FtbV3hpCz-eT1Wj_7mYqQ"
    async with Runtime() as runtime:
        app = create_app(runtime, operators=Operators(key))
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:5080") as client:
            answer = await client.get("/transitions")

    assert answer.status_code == 401


async def test_there_is_a_limit_of_listeners() -> None:
    """One too many is answered 503, and when one leaves there is room again."""
    async with served() as server, httpx.AsyncClient() as client:
        url = server.url("/transitions", scheme="http")
        async with AsyncExitStack() as listening_on:
            for _ in range(LISTENERS_MAX):
                await listening_on.enter_async_context(listening(server))
            refused = await client.get(url)
        with anyio.fail_after(10):
            while True:
                async with client.stream("GET", url) as answer:
                    if answer.status_code == 200:
                        break

    assert refused.status_code == 503


async def _session(server: Served, client: MemoryClient) -> set[str]:
    await client.flush()
    return {session.id for session in server.runtime.engine.sessions()}


class _Nowhere:
    """A delivery that nobody reads."""

    def send(self, data: bytes) -> None:
        """Drop it."""

    def close(self, code: int, reason: str) -> None:
        """Drop it."""
