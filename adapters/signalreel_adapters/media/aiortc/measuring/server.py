"""The server of a measurement: the engine and the adapter in a process of their own, spoken to through a pipe."""

import asyncio
import os
import time
from collections import deque
from multiprocessing.connection import Connection
from typing import Any

from signalreel.commands import AnyCommand
from signalreel.engine import Engine
from signalreel.events import AnyEvent, SessionOpened
from signalreel.record import Record
from signalreel_adapters.media.aiortc.adapter import AiortcMedia
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("serve",)


def serve(pipe: "Connection[Any, Any]", settings: AiortcSettings, core: int | None) -> None:
    """Serve until the pipe says `end`. What comes in are pairs: a word, and what goes with it."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    asyncio.run(_Server(pipe, settings).run())


class _Server:
    def __init__(self, pipe: "Connection[Any, Any]", settings: AiortcSettings) -> None:
        self._pipe = pipe
        self._engine = Engine()
        self._media = AiortcMedia(settings)
        self._queue: deque[tuple[str, AnyCommand | None, AnyEvent | None]] = deque()
        self._running = False
        self._ended = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._media.report_to(lambda event: self._apply("", None, event), lambda: None)
        async with self._media:
            loop.add_reader(self._pipe.fileno(), self._hear)
            self._pipe.send(("ready", ""))
            await self._ended.wait()
            loop.remove_reader(self._pipe.fileno())

    def _hear(self) -> None:
        try:
            while self._pipe.poll():
                self._obey(*self._pipe.recv())
        except EOFError:
            self._ended.set()

    def _obey(self, word: str, what: Any) -> None:  # noqa: ANN401 - whatever the word asks for
        if word == "open":
            self._apply(what, None, SessionOpened("bench"))
        elif word == "say":
            self._apply(what[0], what[1], None)
        elif word == "cpu":
            self._pipe.send(("cpu", time.process_time()))
        else:
            self._ended.set()

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
                self._pipe.send(("message", (to, message)))
            self._media.react(step)
        self._running = False
