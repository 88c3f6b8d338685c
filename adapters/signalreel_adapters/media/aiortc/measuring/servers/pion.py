"""A broadcast forwarder on pion, the Go stack: `broadcast.go`, built here against Debian's packaged sources.

It runs on one processor (`GOMAXPROCS=1`), as every server of the measurement does. No interceptor is installed, and
packets are not parsed beyond what pion does by itself: it is what a forwarder on pion costs at the least.
"""

import asyncio
import os
import shutil
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from signalreel_adapters.media.aiortc.measuring.servers.server import Lines, Setting, Unavailable
from signalreel_adapters.media.aiortc.measuring.usage import package_version

__all__ = ("SOURCE", "Pion")

SOURCE: Final = files("signalreel_adapters.media.aiortc.measuring.servers") / "broadcast.go"
_SOURCES: Final = Path("/usr/share/gocode")
_PACKAGE: Final = "golang-github-pion-webrtc.v3-dev"
_BUILD_TIMEOUT: Final = 240.0
"""Seconds; the first build compiles all of pion, about half a minute of CPU time. Later ones find it in Go's cache."""


class Pion:
    """Builds the program, starts it and speaks to it."""

    name = "pion"
    transcodes = False

    def __init__(self, setting: Setting) -> None:
        self.version = ""
        self.setting = "GOMAXPROCS=1, no interceptors, a socket for each peer"
        self._folder = setting.folder
        self._program = setting.folder / "broadcast"
        surroundings = {**os.environ, "GOMAXPROCS": "1"}
        self._lines = Lines([str(self._program), setting.host], setting, name=self.name, surroundings=surroundings)

    @property
    def process(self) -> int:
        """The id of its process."""
        return self._lines.process

    async def start(self) -> None:
        """Build the program and start it."""
        self.version = await package_version(_PACKAGE)
        await self._build()
        await self._lines.start()

    async def _build(self) -> None:
        go = shutil.which("go")
        if go is None:
            raise Unavailable("needs the Go tool chain (Debian: golang-go)")
        if not (_SOURCES / "src/github.com/pion/webrtc").is_dir():
            raise Unavailable(f"needs the sources of pion (Debian: {_PACKAGE})")
        surroundings = {**os.environ, "GO111MODULE": "off", "GOPATH": str(_SOURCES), "GOFLAGS": ""}
        if not {"HOME", "XDG_CACHE_HOME", "GOCACHE"} & surroundings.keys():
            surroundings["GOCACHE"] = str(self._folder / "go-cache")
        with as_file(SOURCE) as source:
            building = await asyncio.create_subprocess_exec(
                go,
                "build",
                "-o",
                str(self._program),
                str(source),
                env=surroundings,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(_BUILD_TIMEOUT):
                    _, complaints = await building.communicate()
            except TimeoutError:
                raise Unavailable(f"could not be built within {_BUILD_TIMEOUT:.0f} s") from None
            finally:
                if building.returncode is None:
                    with suppress(ProcessLookupError):
                        building.kill()
                    await building.wait()
        if building.returncode:
            lines = complaints.decode(errors="replace").strip().splitlines()
            raise Unavailable(f"could not be built: {lines[-1] if lines else building.returncode}")

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
        """End it."""
        await self._lines.stop()
