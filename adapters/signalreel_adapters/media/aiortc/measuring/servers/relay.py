"""aiortc as its documentation shows it: an `RTCPeerConnection` for each peer, and a `MediaRelay` between them.

It decodes what is published once and encodes it for every viewer, which is what a server on stock aiortc does. The
encoder starts at 1.5 Mbit/s, where stock aiortc starts at 0.5, so that it makes what the others forward.
"""

import os
import sys
from importlib.metadata import version
from typing import Final

import aiortc.codecs.vpx
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay

from signalreel_adapters.media.aiortc.measuring.servers.answering import answer_lines, run_as_served
from signalreel_adapters.media.aiortc.measuring.servers.server import Lines, Setting

__all__ = ("Relay", "StockRelay", "main")

_BITRATE: Final = 1_500_000
_NO_SERVERS: Final = RTCConfiguration(iceServers=[])


class Relay:
    """Starts the server and speaks to it."""

    name = "aiortc_relay"
    transcodes = True

    def __init__(self, setting: Setting) -> None:
        self.version = version("aiortc")
        self.setting = "RTCPeerConnection and MediaRelay, VP8 encoded for each viewer at 1.5 Mbit/s"
        self._lines = Lines(
            [sys.executable, "-m", __spec__.name], setting, name=self.name, surroundings=dict(os.environ)
        )

    @property
    def process(self) -> int:
        """The id of its process."""
        return self._lines.process

    async def start(self) -> None:
        """Start the process."""
        await self._lines.start()

    async def publish(self, offer: str) -> str:
        """Take the publisher's offer."""
        return str((await self._lines.ask("publish", sdp=offer))["sdp"])

    async def live(self) -> None:
        """Nothing to wait for: its tracks are there before their media."""

    async def play(self) -> tuple[str, str]:
        """Make a connection for a viewer."""
        answer = await self._lines.ask("play")
        return str(answer["viewer"]), str(answer["sdp"])

    async def accept(self, viewer: str, answer: str) -> None:
        """Take a viewer's answer."""
        await self._lines.ask("accept", viewer=viewer, sdp=answer)

    async def stop(self) -> None:
        """End the process."""
        await self._lines.stop()


class StockRelay:
    """The program."""

    def __init__(self) -> None:
        self._relay = MediaRelay()
        self._tracks: list[MediaStreamTrack] = []
        self._connections: list[RTCPeerConnection] = []

    def _connect(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(_NO_SERVERS)
        self._connections.append(connection)
        return connection

    async def publish(self, asked: dict[str, str]) -> dict[str, str]:
        """Answer the publisher and take its tracks."""
        connection = self._connect()
        connection.on("track", self._tracks.append)
        await connection.setRemoteDescription(RTCSessionDescription(asked["sdp"], "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return {"sdp": connection.localDescription.sdp}

    async def play(self, asked: dict[str, str]) -> dict[str, str]:
        """Offer a viewer the relayed tracks. Only sound is buffered: a late picture is of no use."""
        connection = self._connect()
        for track in self._tracks:
            connection.addTrack(self._relay.subscribe(track, buffered=track.kind == "audio"))
        await connection.setLocalDescription(await connection.createOffer())
        return {"viewer": str(len(self._connections) - 1), "sdp": connection.localDescription.sdp}

    async def accept(self, asked: dict[str, str]) -> None:
        """Take a viewer's answer."""
        connection = self._connections[int(asked["viewer"])]
        await connection.setRemoteDescription(RTCSessionDescription(asked["sdp"], "answer"))

    async def hello(self, asked: dict[str, str]) -> None:
        """Say that it is there."""

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            await connection.close()


async def _serve() -> None:
    aiortc.codecs.vpx.DEFAULT_BITRATE = _BITRATE
    relay = StockRelay()
    await answer_lines({"hello": relay.hello, "publish": relay.publish, "play": relay.play, "accept": relay.accept})
    await relay.close()


def main() -> None:
    """Serve until stdin ends. aiortc's threads do not: the process is ended without waiting for them."""
    run_as_served(_serve())
    os._exit(0)


if __name__ == "__main__":
    main()
