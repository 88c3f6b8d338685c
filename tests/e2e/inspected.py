"""A server with a call on it, for the inspector: in a thread of its own, because Playwright keeps this one busy."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import anyio

from signalreel_adapters import FakeMedia, SqliteReel
from signalreel_adapters.server.operators import Operators
from tests.adapters.servers import JsonSocket, served

__all__ = ("ADDRESS", "STREAM", "Inspected", "inspected")

STREAM: Final = "lobby-camera"
ADDRESS: Final = "198.51.100.77"
_OFFER: Final = f"v=0\r\no=- 1 1 IN IP4 {ADDRESS}\r\ns=-\r\nt=0 0\r\n"
_START_S_MAX: Final = 20
_REFUSED_EVERY_S: Final = 0.5


class Inspected:
    """The running server."""

    def __init__(self) -> None:
        self.url = ""
        self.started = threading.Event()
        self.over = threading.Event()


@contextmanager
def inspected(folder: Path, *, key: bytes | None = None) -> Iterator[Inspected]:
    """Serve two streams, a viewer, a member of a room, and somebody who wants an id that is taken, again and again."""
    running = Inspected()
    thread = threading.Thread(target=lambda: anyio.run(_serve, folder, key, running))
    thread.start()
    try:
        assert running.started.wait(_START_S_MAX)
        yield running
    finally:
        running.over.set()
        thread.join()


async def _serve(folder: Path, key: bytes | None, running: Inspected) -> None:
    reel = SqliteReel(folder / "calls.reel")
    async with (
        served(reel, media=FakeMedia(), operators=Operators(key)) as server,
        server.client() as first,
        server.client() as second,
        server.client() as viewer,
        server.client() as late,
    ):
        await _publish(first, STREAM)
        await _publish(second, "garden")
        await viewer.send({"command": "play", "streamId": STREAM})
        await viewer.expect("takeConfiguration")
        await viewer.send({"command": "takeConfiguration", "streamId": STREAM, "type": "answer", "sdp": _OFFER})
        await viewer.expect("play_started")
        await viewer.send({"command": "joinRoom", "room": "lobby"})
        running.url = server.url("/", scheme="http")
        running.started.set()
        while not running.over.is_set():
            await late.send({"command": "publish", "streamId": STREAM})
            await late.expect("streamIdInUse")
            await anyio.sleep(_REFUSED_EVERY_S)


async def _publish(client: JsonSocket, stream_id: str) -> None:
    await client.send({"command": "publish", "streamId": stream_id})
    await client.expect("start")
    await client.send({"command": "takeConfiguration", "streamId": stream_id, "type": "offer", "sdp": _OFFER})
    await client.expect("takeConfiguration")
    await client.expect("publish_started")
