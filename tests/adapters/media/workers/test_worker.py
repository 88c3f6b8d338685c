"""`signalreel_adapters.media.workers.worker`: what a worker does with what it is told, without a process around it."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from signalreel.commands import TakeConfiguration
from signalreel.events import DescriptionFailed
from signalreel.identifiers import Kind, Reference
from signalreel.step import PublishTerms, Transition
from signalreel_adapters.media.moves import Move
from signalreel_adapters.media.workers import worker as module
from signalreel_adapters.media.workers.messages import (
    Alive,
    Begin,
    CloseEdge,
    End,
    FollowMove,
    FromWorker,
    OpenEdge,
    OpenOrigin,
    Ready,
    Reported,
    ToWorker,
    encode,
    from_worker,
)
from signalreel_adapters.media.workers.relay import Standing, standing_message
from signalreel_adapters.media.workers.worker import serve
from signalreel_adapters.pipes import Pipe, socket_pair
from signalreel_adapters.processes import Parent
from tests.adapters.media.aiortc.fakes import published
from tests.adapters.media.aiortc.peers import SETTINGS, eventually
from tests.adapters.media.workers.test_media import open_files

pytestmark = pytest.mark.anyio

STREAM = Reference(Kind.STREAM, "live", "s1", 3)
OFFER = TakeConfiguration("s1", "offer", "no description at all")
TERMS = PublishTerms(video=True, audio=True, codecs=("VP8",))


class World:
    """The parent's end of a worker that runs in this process."""

    def __init__(self) -> None:
        self.heard: list[FromWorker] = []
        ours, theirs = socket_pair()
        self.pipe = Pipe(ours, lambda data: self.heard.append(from_worker.decode(data)))
        self.pipe.listen()
        self.parent = Parent(theirs)
        self.orphaned = 0
        self.working = asyncio.ensure_future(serve(self.parent, self._orphan))

    def _orphan(self) -> None:
        self.orphaned += 1

    def tell(self, message: ToWorker, files: list[int] | None = None) -> None:
        """Tell the worker something."""
        assert self.pipe.send(encode(message), files or ())

    def connect(self, message: ToWorker) -> "Relayed":
        """Tell the worker of a relay, and be its other end."""
        ours, theirs = socket_pair()
        self.tell(message, [theirs.fileno()])
        theirs.close()
        return Relayed(ours)


class Relayed:
    """The other end of a relay."""

    def __init__(self, end: socket.socket) -> None:
        self.messages: list[bytes] = []
        self.ends = 0
        self.pipe = Pipe(end, self.messages.append, self._end)
        self.pipe.listen()

    def _end(self) -> None:
        self.ends += 1


@asynccontextmanager
async def working() -> AsyncIterator[World]:
    """A worker that has begun; at its end no file is left open."""
    files = open_files()
    world = World()
    try:
        world.tell(Begin(SETTINGS))
        await eventually(lambda: world.heard, "it is ready")
        yield world
        world.tell(End())
    finally:
        world.pipe.finish()
        await world.working
        world.parent.close()
        world.pipe.close()
    assert world.orphaned == 0
    assert open_files() == files


async def test_a_worker_begins_and_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ready once it can take connections, and says regularly that its loop runs."""
    monkeypatch.setattr(module, "ALIVE_SECONDS", 0.01)
    async with working() as world:
        await eventually(lambda: len(world.heard) > 2, "it lives")

        assert world.heard[:3] == [Ready(), Alive(), Alive()]


async def test_moves_are_followed_and_events_reported() -> None:
    """An offer that is none is reported as one that failed."""
    async with working() as world:
        world.tell(FollowMove(Move(Transition(STREAM, "preparing", "negotiating", TERMS), OFFER)))
        await eventually(lambda: len(world.heard) > 1, "an event")

        reported = world.heard[1]
        assert isinstance(reported, Reported)
        assert isinstance(reported.event, DescriptionFailed)


async def test_an_origin_says_what_is_published_and_ends_with_its_stream() -> None:
    """It may be opened before the offer was answered."""
    async with working() as world:
        far = world.connect(OpenOrigin(STREAM))
        await eventually(lambda: far.messages, "what is published")
        world.tell(FollowMove(Move(Transition(STREAM, "preparing", "finished"))))
        await eventually(lambda: far.ends, "the end")

        assert far.messages[0] == standing_message(Standing(is_here=False, tracks=(), layers=()))
        far.pipe.close()


async def test_an_edge_may_change_its_origin_and_is_closed_when_told() -> None:
    """The relay before ends when another one comes, and the last one with the edge."""
    async with working() as world:
        first = world.connect(OpenEdge(STREAM))
        first.pipe.send(standing_message(Standing(True, (published(),), ((0, 1, ""),))))
        second = world.connect(OpenEdge(STREAM))
        await eventually(lambda: first.ends, "the first relay ends")
        assert second.ends == 0
        world.tell(CloseEdge(STREAM))
        await eventually(lambda: second.ends, "the second too")
        world.tell(CloseEdge(STREAM))

        for end in (first, second):
            end.pipe.close()


async def test_relays_end_with_the_worker() -> None:
    """Whoever is at the other end hears of it."""
    async with working() as world:
        relays = [world.connect(OpenEdge(STREAM)), world.connect(OpenOrigin(STREAM))]
        await eventually(lambda: relays[1].messages, "both are there")
    for relay in relays:
        await eventually(lambda: relay.ends, "it ends")  # noqa: B023
        relay.pipe.close()


async def test_files_that_nobody_asked_for_are_closed() -> None:
    """A message that needs none, or another number of them, keeps none open."""
    async with working() as world:
        reading, writing = os.pipe()
        world.tell(CloseEdge(STREAM), [reading])
        world.tell(OpenEdge(STREAM), [reading, writing])
        world.tell(OpenOrigin(STREAM))
        os.close(reading)
        os.close(writing)
        far = world.connect(OpenOrigin(STREAM))
        await eventually(lambda: far.messages, "all that was read")
        far.pipe.close()


async def test_an_orphan_knows_that_it_is_one() -> None:
    """A pipe that ends without a word of the end is a parent that is gone."""
    world = World()
    world.tell(Begin(SETTINGS))
    await eventually(lambda: world.heard, "it is ready")
    world.pipe.close()
    await world.working
    world.parent.close()

    assert world.orphaned == 1


async def test_a_parent_that_says_nothing_has_no_worker() -> None:
    """A worker whose parent is gone before the first word ends."""
    world = World()
    world.pipe.finish()
    await world.working
    world.parent.close()
    world.pipe.close()

    assert world.heard == []
