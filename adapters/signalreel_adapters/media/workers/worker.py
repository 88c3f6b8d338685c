"""A media worker: a process with a media adapter of its own, told by the engine's process what to do.

Run as a program by `WorkersMedia`. It ends when its parent closes the pipe, or is gone.
"""

import asyncio
import gc
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from signalreel.events import AnyEvent
from signalreel.identifiers import Reference
from signalreel.notes import AnyNote
from signalreel_adapters.media.aiortc import AiortcMedia
from signalreel_adapters.media.aiortc.errors import MediaError
from signalreel_adapters.media.workers.edge import Edge
from signalreel_adapters.media.workers.messages import (
    Alive,
    Begin,
    CloseEdge,
    End,
    Failed,
    FollowMove,
    FromWorker,
    Noted,
    OpenEdge,
    OpenOrigin,
    Ready,
    Reported,
    ToWorker,
    Unable,
    encode,
    to_worker,
)
from signalreel_adapters.media.workers.origin import Origin
from signalreel_adapters.processes import Parent, serve_parent

__all__ = ("ALIVE_SECONDS", "Worker", "main", "serve")

ALIVE_SECONDS: Final = 1.0
"""How often a worker says that its loop runs."""


class Worker:
    """The adapter, and the ends of relays beside it."""

    def __init__(self, parent: Parent, media: AiortcMedia) -> None:
        self._parent = parent
        self._media = media
        self._edges: dict[Reference, Edge] = {}
        self._origins: set[Origin] = set()
        self._numbers = 0
        self.is_ending = False  #: whether the parent said so
        media.report_to(self._report, self._fail)

    @property
    def relays(self) -> tuple[int, int]:
        """How many origins and how many edges there are here."""
        return len(self._origins), len(self._edges)

    def take(self, message: ToWorker, files: list[int]) -> None:
        """Do what the parent says. Files are the worker's to close."""
        if isinstance(message, FollowMove):
            self._media.follow(message.move)
        elif isinstance(message, OpenOrigin | OpenEdge) and len(files) == 1:
            end = socket.socket(fileno=files.pop())
            (self._open_origin if isinstance(message, OpenOrigin) else self._open_edge)(message.stream, end)
        elif isinstance(message, CloseEdge):
            self._close_edge(message.stream)
        elif isinstance(message, End):
            self.is_ending = True
        for number in files:
            os.close(number)

    def _open_origin(self, stream: Reference, end: socket.socket) -> None:
        side = self._media.stream(stream)
        self._numbers -= 1  # players are counted upwards
        origin = Origin(side, self._numbers, self._media.settings, end, lambda: self._origins.discard(origin))
        self._origins.add(origin)

    def _open_edge(self, stream: Reference, end: socket.socket) -> None:
        edge = self._edges.get(stream)
        if edge is None:
            edge = Edge(
                self._media.make_publisher(stream.id),
                self._media.settings,
                time.monotonic,
                lambda: self._media.tell_players(stream),
            )
            self._edges[stream] = edge
            self._media.show_from_elsewhere(stream, edge, edge.look)
        edge.attach(end)

    def _close_edge(self, stream: Reference) -> None:
        edge = self._edges.pop(stream, None)
        if edge is not None:
            self._media.forget_elsewhere(stream)
            edge.close()

    def close(self) -> None:
        """End every relay."""
        for stream in list(self._edges):
            self._close_edge(stream)
        for origin in list(self._origins):
            origin.close()

    def say(self, message: FromWorker) -> None:
        """Tell the parent something. One that reads nothing any more is about to end us."""
        self._parent.send(encode(message))

    def _report(self, event: AnyEvent) -> None:
        self.say(Reported(event))

    def note(self, note: AnyNote) -> None:
        """Have something noted beside the reel."""
        self.say(Noted(note))

    def _fail(self) -> None:
        self.say(Failed())

    async def stay_alive(self) -> None:
        """Say regularly that the loop runs."""
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            self.say(Alive())


def _nothing() -> None:
    """Stand in until somebody wants to know."""


async def serve(parent: Parent, on_orphaned: Callable[[], None] = _nothing) -> None:
    """Be a worker until the parent says no more. `on_orphaned` is called when it is gone without a word."""
    waiting: deque[tuple[bytes, list[int]]] = deque()
    arrived = asyncio.Event()

    def keep(message: bytes, files: list[int]) -> None:
        waiting.append((message, files))
        arrived.set()

    parent.on_message = lambda message: keep(message, [])
    parent.on_files = keep
    listening = asyncio.ensure_future(parent.listen())
    first = asyncio.ensure_future(arrived.wait())
    await asyncio.wait((listening, first), return_when=asyncio.FIRST_COMPLETED)
    first.cancel()
    begin = to_worker.decode(waiting.popleft()[0]) if waiting else None
    if isinstance(begin, Begin):
        try:
            async with AiortcMedia(begin.settings) as media:
                worker = Worker(parent, media)
                if begin.notes:
                    media.note_to(worker.note)
                await _work(parent, worker, media.ports, waiting, listening)
                if not worker.is_ending:
                    on_orphaned()
        except MediaError as error:
            parent.send(encode(Unable(error.reason)))
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def _work(
    parent: Parent,
    worker: Worker,
    ports: tuple[int, ...],
    waiting: deque[tuple[bytes, list[int]]],
    listening: "asyncio.Future[None]",
) -> None:
    worker.say(Ready(ports))
    # What exists now lives as long as the process: the collector need not look at it again.
    gc.freeze()
    while waiting:
        message, files = waiting.popleft()
        worker.take(to_worker.decode(message), files)
    parent.on_message = lambda message: worker.take(to_worker.decode(message), [])
    parent.on_files = lambda message, files: worker.take(to_worker.decode(message), files)
    alive = asyncio.ensure_future(worker.stay_alive())
    try:
        await listening
    finally:
        alive.cancel()
        await asyncio.gather(alive, return_exceptions=True)
        worker.close()


def main() -> None:
    """Run as a child process.

    An orphan ends at once: its port is wanted by those who take the parent's place, and nobody is there to say to whom
    goodbye was said.
    """
    serve_parent(lambda parent: serve(parent, lambda: os._exit(1)))


if __name__ == "__main__":
    main()
