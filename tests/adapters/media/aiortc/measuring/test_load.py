"""Load on a server; with a real one it is tested beside the benchmark."""

import os

import pytest

from signalreel_adapters.media.aiortc.measuring.clip import Clip
from signalreel_adapters.media.aiortc.measuring.load import Load
from signalreel_adapters.media.aiortc.measuring.servers.server import ServerFailed
from signalreel_adapters.media.aiortc.settings import LOOPBACK

pytestmark = pytest.mark.anyio

CLIP = Clip(pictures=((b"\x90\x80\x80\x00first",),), sounds=(b"sound one",))


class Refusing:
    """A server that lets nobody in."""

    name = "refusing"
    version = setting = ""
    transcodes = False
    process = os.getpid()

    async def start(self) -> None:
        """Nothing to start."""

    async def publish(self, offer: str) -> str:
        """Refuse."""
        raise ServerFailed("no publisher")

    async def live(self) -> None:
        """Never asked."""

    async def play(self) -> tuple[str, str]:
        """Refuse."""
        raise TimeoutError

    async def accept(self, viewer: str, answer: str) -> None:
        """Never asked."""

    async def stop(self) -> None:
        """Nothing to stop."""


async def test_a_server_that_takes_no_publisher_is_told() -> None:
    """What it said is passed on."""
    load = Load(Refusing(), LOOPBACK, CLIP)
    with pytest.raises(ServerFailed, match="no publisher"):
        await load.publish()
    await load.close()


async def test_a_server_that_lets_no_viewer_in_is_told() -> None:
    """Whatever it was that failed: it cannot be measured with fewer viewers than were asked for."""
    load = Load(Refusing(), LOOPBACK, CLIP)
    with pytest.raises(ServerFailed, match="did not let a viewer in"):
        await load.grow(3)
    await load.close()
