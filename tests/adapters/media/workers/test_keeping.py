"""`signalreel_adapters.media.workers.keeping`: a worker that ends is replaced, one that hangs is ended."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from signalreel.identifiers import Kind, Reference
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.workers import keeping
from signalreel_adapters.media.workers.keeping import Keeper, WorkerUnable
from signalreel_adapters.media.workers.messages import CloseEdge, Failed, FromWorker
from tests.adapters.media.aiortc.peers import eventually
from tests.adapters.media.workers.test_media import open_files, running

pytestmark = pytest.mark.anyio

STREAM = Reference(Kind.STREAM, "live", "s" * 200, 1)


class Kept:
    """A keeper of a worker of the given kind, and what was heard of it."""

    def __init__(self, how: str) -> None:
        self.heard: list[FromWorker] = []
        self.changes: list[str] = []
        self.fails = False  #: whether there is a bug in what hears of a loss
        program = ("tests.adapters.media.workers.fickle", how)
        self.keeper = Keeper(program, AiortcSettings(), self.heard.append, self._up, self._down, number=3)

    def _up(self) -> None:
        self.changes.append("up")

    def _down(self) -> None:
        self.changes.append("down")
        if self.fails:
            raise ValueError


@asynccontextmanager
async def kept(how: str = "good") -> AsyncIterator[Kept]:
    """A keeper that leaves no file, task or process behind."""
    files, tasks = open_files(), asyncio.all_tasks()
    world = Kept(how)
    try:
        yield world
    finally:
        pid = world.keeper.pid
        await world.keeper.close(5)
    assert running([pid] if pid else []) == []
    assert world.keeper.pid == 0
    await eventually(lambda: asyncio.all_tasks() <= tasks, "tasks end")
    assert open_files() == files


async def test_a_worker_is_there_once_it_is_ready() -> None:
    """It knows its port, hears what it is told, and is heard."""
    async with kept() as world:
        await world.keeper.start()
        world.keeper.send(CloseEdge(STREAM))
        await eventually(lambda: world.heard, "it is heard")

        assert world.keeper.ports == (7,)
        assert world.heard == [Failed()]
        assert world.changes == ["up"]


async def test_a_worker_that_is_killed_is_replaced() -> None:
    """Its end is told once, and the next one hears what comes then."""
    async with kept() as world:
        await world.keeper.start()
        os.kill(world.keeper.pid, signal.SIGKILL)
        await eventually(lambda: len(world.changes) == 3, "another one is there")
        world.keeper.send(CloseEdge(STREAM))
        await eventually(lambda: world.heard, "it is heard")

        assert world.changes == ["up", "down", "up"]
        assert world.keeper.starts == 2


@pytest.mark.parametrize(("how", "reason"), [("dead", "it ended while starting"), ("unable", "nothing is right")])
async def test_a_worker_that_cannot_begin_says_so(how: str, reason: str) -> None:
    """Whether it can still say why or not."""
    async with kept(how) as world:
        with pytest.raises(WorkerUnable, match=reason):
            await world.keeper.start()


async def test_a_loss_that_is_not_taken_is_no_end_of_keeping() -> None:
    """A bug of whoever is told that a worker is lost does not keep the next one from being started."""
    async with kept() as world:
        world.fails = True
        await world.keeper.start()
        os.kill(world.keeper.pid, signal.SIGKILL)
        await eventually(lambda: len(world.changes) == 3, "another one is there")

        assert world.changes == ["up", "down", "up"]


async def test_a_system_without_pipes_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no processes of this kind, starting one fails with what says so."""
    monkeypatch.setattr(sys, "platform", "darwin")
    async with kept() as world:
        with pytest.raises(WorkerUnable, match="need Linux, and this is darwin"):
            await world.keeper.start()
        monkeypatch.undo()


async def test_starts_that_fail_are_tried_later_and_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is twice the one before, up to the longest."""
    pauses: list[float] = []
    rest = asyncio.sleep

    async def note(seconds: float) -> None:
        if seconds:
            pauses.append(seconds)
        await rest(0)

    monkeypatch.setattr(keeping, "_PAUSE_SECONDS_MAX", 0.1)
    monkeypatch.setattr("signalreel_adapters.media.workers.keeping.asyncio.sleep", note)
    async with kept("dead") as world:
        with pytest.raises(WorkerUnable):
            await world.keeper.start()
        while len(pauses) < 3:
            await rest(0.01)
        monkeypatch.setattr("signalreel_adapters.media.workers.keeping.asyncio.sleep", rest)

        assert pauses[:3] == [0.05, 0.1, 0.1]


async def test_a_worker_that_stands_still_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connections would stand still with it, and nobody would be told."""
    monkeypatch.setattr(keeping, "_STILL_SECONDS_MAX", 0.2)
    async with kept("still") as world:
        await world.keeper.start()
        first = world.keeper.pid
        await eventually(lambda: "down" in world.changes, "it is ended", within=20)

        assert running([first]) == []


async def test_a_worker_that_does_not_read_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it is bounded."""
    monkeypatch.setattr(keeping, "_WAITING_BYTES_MAX", 100_000)
    async with kept("still") as world:
        await world.keeper.start()
        while world.changes == ["up"]:
            for _ in range(1_000):
                world.keeper.send(CloseEdge(STREAM))
            await asyncio.sleep(0)

        assert world.changes[:2] == ["up", "down"]
