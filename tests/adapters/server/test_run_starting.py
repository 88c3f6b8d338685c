"""`signalreel_adapters.server.run` while the runtime starts: it listens at once, and says that it is not ready."""

import os
import signal
from typing import Self

import anyio
import httpx
import pytest
from websockets.asyncio.client import connect

from signalreel_adapters import FakeMedia, Runtime
from signalreel_adapters.server import listen, listening
from tests.adapters.servers import JsonSocket
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """What uvicorn runs on."""
    return "asyncio"


class HeldMedia(FakeMedia):
    """Media that takes as long to start as the test likes."""

    def __init__(self) -> None:
        super().__init__()
        self.is_starting = anyio.Event()
        self.may_go_on = anyio.Event()

    async def __aenter__(self) -> Self:
        """Wait for the test."""
        self.is_starting.set()
        await self.may_go_on.wait()
        return await super().__aenter__()


async def test_it_listens_while_it_starts(evidence: EvidenceNotes) -> None:
    """Over a WebSocket: `not_initialized_yet` and pongs, health 503 "starting"; then the same socket is served."""
    media = HeldMedia()
    runtime = Runtime(media=media)
    seen: list[tuple[int, str]] = []

    async def come(port: int) -> None:
        await media.is_starting.wait()
        async with (
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser,
            connect(f"ws://127.0.0.1:{port}/live/websocket", compression=None) as connection,
        ):
            client = JsonSocket(connection)
            await client.ping()
            for command in ("publish", "play", "join"):
                await client.send({"command": command, "streamId": "s"})
                told = await client.expect("not_initialized_yet")
                assert told["streamId"] == "s"
                evidence.tick("REAL-26", transport="websocket", captured=told)
            health = await browser.get("/healthz")
            seen.append((health.status_code, health.json()["status"]))
            media.may_go_on.set()
            while not runtime.is_ready:
                await anyio.lowlevel.checkpoint()
            health = await browser.get("/healthz")
            seen.append((health.status_code, health.json()["status"]))
            await client.send({"command": "publish", "streamId": "s"})
            await client.expect("start")
        os.kill(os.getpid(), signal.SIGTERM)

    with listen("127.0.0.1", 0) as bound:
        async with anyio.create_task_group() as tasks, listening(runtime, bound):
            tasks.start_soon(come, bound.getsockname()[1])
            async with runtime:
                await anyio.sleep_forever()

    assert seen == [(503, "starting"), (200, "ok")]
    assert not media.is_entered


async def test_a_signal_breaks_a_start_off() -> None:
    """A server that is told to end while it starts does not wait for the start."""
    media = HeldMedia()
    runtime = Runtime(media=media)

    async def end() -> None:
        await media.is_starting.wait()
        os.kill(os.getpid(), signal.SIGTERM)

    with listen("127.0.0.1", 0) as bound:
        async with anyio.create_task_group() as tasks, listening(runtime, bound):
            tasks.start_soon(end)
            async with runtime:
                raise AssertionError("it never became ready")

    assert not runtime.is_ready


async def test_what_goes_wrong_comes_out_as_it_is() -> None:
    """An error of the start is not wrapped in a group, so that a command line can say what to do."""
    with listen("127.0.0.1", 0) as bound, pytest.raises(LookupError, match="mine"):
        async with listening(Runtime(), bound):
            raise LookupError("mine")
