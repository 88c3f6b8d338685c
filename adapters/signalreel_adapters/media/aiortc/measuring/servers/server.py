"""What a measurement asks of a server, and the way to ask it that most share: lines of JSON through pipes."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from signalreel_adapters.media.aiortc.measuring.usage import on_core

__all__ = ("ANSWER_TIMEOUT", "Lines", "Server", "ServerFailed", "Setting", "Unavailable")

ANSWER_TIMEOUT: Final = 20.0
"""Seconds for one answer; a server that makes its keys with ten others needs a while."""

_END_TIMEOUT: Final = 5.0
_LINE_MAX: Final = 1 << 20


class Unavailable(Exception):
    """This server cannot be had here. The message says what it needs."""


class ServerFailed(Exception):
    """A server did not do what it was asked, or is no longer there."""


class Setting(msgspec.Struct, frozen=True):
    """Where a server is to run."""

    host: str  #: the address that everything is sent to and from
    core: int | None
    folder: Path  #: for what it writes: configuration, log, program


class Server(Protocol):
    """A server of a measurement: one publisher and many viewers. It is the offerer to its viewers."""

    name: str
    version: str
    setting: str  #: how it runs, in words
    transcodes: bool  #: whether it sends packets of its own making

    @property
    def process(self) -> int:
        """The id of its process."""
        ...

    async def start(self) -> None:
        """Start it, or say why not with `Unavailable`. Returns when it takes questions."""
        ...

    async def publish(self, offer: str) -> str:
        """Take the publisher's offer; gives the answer."""
        ...

    async def live(self) -> None:
        """Wait until what is published can be played."""
        ...

    async def play(self) -> tuple[str, str]:
        """Let a viewer come; gives what to call it, and the offer to it."""
        ...

    async def accept(self, viewer: str, answer: str) -> None:
        """Take a viewer's answer."""
        ...

    async def stop(self) -> None:
        """End it. Harmless when it never started."""
        ...


class Lines:
    """A program that reads questions from its stdin and writes answers on its stdout, a line of JSON each.

    It ends when its stdin does, so it never outlives whoever started it.
    """

    def __init__(self, arguments: Sequence[str], setting: Setting, *, name: str, surroundings: dict[str, str]) -> None:
        self._arguments = arguments
        self._setting = setting
        self._name = name
        self._surroundings = surroundings
        self._log = setting.folder / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count(1)

    @property
    def process(self) -> int:
        """The id of its process."""
        if self._process is None:
            raise ServerFailed(f"{self._name} was not started")
        return self._process.pid

    async def start(self) -> dict[str, Any]:
        """Start it on its core and wait for its first answer."""
        with on_core(self._setting.core), self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._surroundings,
                limit=_LINE_MAX,
            )
        self._hearing = asyncio.create_task(self._hear())
        return await self.ask("hello")

    async def ask(self, do: str, **fields: str) -> dict[str, Any]:
        """Ask one thing; gives the answer. Raises `ServerFailed`."""
        process, number = self._process, next(self._numbers)
        if process is None or process.stdin is None or self._hearing is None or self._hearing.done():
            raise ServerFailed(self._why())
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            process.stdin.write(msgspec.json.encode({"id": number, "do": do, **fields}) + b"\n")
            async with asyncio.timeout(ANSWER_TIMEOUT):
                answer: dict[str, Any] = await future
        except (TimeoutError, OSError) as error:
            raise ServerFailed(f"{self._name} did not answer to {do!r}") from error
        finally:
            del self._waiting[number]
        if answer.get("error"):
            raise ServerFailed(f"{self._name}: {answer['error']}")
        return answer

    async def _hear(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        async for line in process.stdout:
            answer: dict[str, Any] = msgspec.json.decode(line)
            future = self._waiting.get(answer["id"])
            if future is not None and not future.done():
                future.set_result(answer)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ServerFailed(self._why()))

    def _why(self) -> str:
        with suppress(OSError):
            lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if lines:
                return f"{self._name} ended: {lines[-1]}"
        return f"{self._name} ended"

    async def stop(self) -> None:
        """Close its stdin, and kill it when that does not end it."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_TIMEOUT):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        if self._hearing is not None:
            await self._hearing
