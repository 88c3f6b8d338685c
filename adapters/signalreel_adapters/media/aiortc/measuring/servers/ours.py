"""This server: the product's own engine and media adapter, in a process of their own, as `signalreel serve` sets them.

One UDP port for everybody, and the fan-out that the self-test chooses, unless the measurement is told another one.
"""

import asyncio
import gc
import os
import sys
import time
from collections import deque
from typing import Any

import msgspec

from signalreel.commands import AnyCommand, Play, Publish, TakeConfiguration
from signalreel.engine import Engine
from signalreel.events import AnyEvent, SessionOpened
from signalreel.messages import Description, Notification
from signalreel.record import Record
from signalreel_adapters.media.aiortc.adapter import AiortcMedia
from signalreel_adapters.media.aiortc.measuring.servers.answering import answer_lines, run_as_served
from signalreel_adapters.media.aiortc.measuring.servers.server import Lines, Setting
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.strategies import choose

__all__ = ("Forwarder", "Ours", "main", "media_settings")

_STREAM = "load"
_PUBLISHER = "publisher"


def media_settings(host: str, fan_out: str, transport: str) -> AiortcSettings:
    """Give the settings of the measurement: those of production, but for the address, and what is asked for."""
    return msgspec.convert(
        {"hosts": [host], "allow_loopback": True, "transport": transport, "fan_out": fan_out}, AiortcSettings
    )


class Ours:
    """Starts the server and speaks to it."""

    name = "signalreel"
    transcodes = False

    def __init__(self, setting: Setting, *, fan_out: str, transport: str) -> None:
        media_settings(setting.host, fan_out, transport)
        self.version = ""
        self.fan_out = ""  #: the one that its self-test has chosen
        self.setting = f"{transport}, fan-out {fan_out}"
        self._lines = Lines(
            [sys.executable, "-m", __spec__.name, setting.host, fan_out, transport],
            setting,
            name=self.name,
            surroundings=dict(os.environ),
        )

    @property
    def process(self) -> int:
        """The id of its process."""
        return self._lines.process

    async def start(self) -> None:
        """Start the process."""
        self.fan_out = str((await self._lines.start())["fan_out"])

    async def publish(self, offer: str) -> str:
        """Publish under the only name there is."""
        return str((await self._lines.ask("publish", sdp=offer))["sdp"])

    async def live(self) -> None:
        """Wait for `publish_started`."""
        await self._lines.ask("live")

    async def play(self) -> tuple[str, str]:
        """Open a session that plays."""
        answer = await self._lines.ask("play")
        return str(answer["viewer"]), str(answer["sdp"])

    async def accept(self, viewer: str, answer: str) -> None:
        """Say the answer in the session."""
        await self._lines.ask("accept", viewer=viewer, sdp=answer)

    async def stop(self) -> None:
        """End the process."""
        await self._lines.stop()


class Forwarder:
    """The program: an engine and the adapter, with sessions that exist by name only."""

    def __init__(self, settings: AiortcSettings) -> None:
        self._fan_out = choose(settings.fan_out)
        self.media = AiortcMedia(settings, fan_out=self._fan_out)
        self._engine = Engine()
        self._queue: deque[tuple[str, AnyCommand | None, AnyEvent | None]] = deque()
        self._running = False
        self._sessions = 0
        self._heard: dict[tuple[str, str], asyncio.Future[str]] = {}
        self.media.report_to(lambda event: self._apply("", None, event), lambda: None)

    async def publish(self, asked: dict[str, str]) -> dict[str, str]:
        """Publish what the offer describes."""
        self._apply(_PUBLISHER, None, SessionOpened("bench"))
        self._apply(_PUBLISHER, Publish(stream_id=_STREAM), None)
        self._apply(_PUBLISHER, TakeConfiguration(stream_id=_STREAM, type="offer", sdp=asked["sdp"]), None)
        return {"sdp": await self._hear(_PUBLISHER, "description")}

    async def live(self, asked: dict[str, str]) -> None:
        """Wait until media has come."""
        await self._hear(_PUBLISHER, "publish_started")

    async def play(self, asked: dict[str, str]) -> dict[str, str]:
        """Open a session that plays."""
        self._sessions += 1
        session = f"viewer-{self._sessions}"
        self._apply(session, None, SessionOpened("bench"))
        self._apply(session, Play(stream_id=_STREAM), None)
        return {"viewer": session, "sdp": await self._hear(session, "description")}

    async def accept(self, asked: dict[str, str]) -> None:
        """Take a viewer's answer."""
        self._apply(asked["viewer"], TakeConfiguration(stream_id=_STREAM, type="answer", sdp=asked["sdp"]), None)

    async def settle(self, asked: dict[str, str]) -> dict[str, str]:
        """Do what `signalreel serve` does before it takes connections: what is there now stays."""
        gc.freeze()
        return {"fan_out": type(self._fan_out).__name__.removesuffix("FanOut").lower()}

    def _hear(self, session: str, what: str) -> asyncio.Future[str]:
        return self._heard.setdefault((session, what), asyncio.get_running_loop().create_future())

    def _tell(self, session: str, what: str, text: str) -> None:
        future = self._hear(session, what)
        if not future.done():
            future.set_result(text)

    def _apply(self, session: str, command: AnyCommand | None, event: AnyEvent | None) -> None:
        """Apply an input, then those that came of it: what media reports at once waits for its turn."""
        self._queue.append((session, command, event))
        if self._running:
            return
        self._running = True
        while self._queue:
            whose, said, happened = self._queue.popleft()
            now = max(self._engine.time, time.monotonic_ns() // 1_000)
            step = self._engine.apply(Record(self._engine.seq + 1, now, whose, command=said, event=happened))
            for to, message in step.messages:
                if isinstance(message, Description):
                    self._tell(to, "description", message.sdp)
                elif isinstance(message, Notification):
                    self._tell(to, message.definition, "")
            self.media.react(step)
        self._running = False


async def _serve(host: str, fan_out: str, transport: str) -> None:
    forwarder = Forwarder(media_settings(host, fan_out, transport))
    async with forwarder.media:
        await answer_lines(
            {
                "hello": forwarder.settle,
                "publish": forwarder.publish,
                "live": forwarder.live,
                "play": forwarder.play,
                "accept": forwarder.accept,
            }
        )


def main(arguments: list[Any]) -> None:
    """Serve until stdin ends."""
    host, fan_out, transport = arguments
    run_as_served(_serve(host, fan_out, transport))


if __name__ == "__main__":
    main(sys.argv[1:])
