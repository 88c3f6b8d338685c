"""Encoder processes, started and ended: real children of this process, of which nothing stays behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from signalreel_adapters.media.aiortc.encoders import EncoderProcess, Encoders
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.ladder.messages import Counted, Encode, Plan, PlannedRung, SourceBroken, decode_report
from tests.adapters.media.aiortc.peers import eventually
from tests.adapters.media.ladder.pictures import source_packets

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

PLAN = Plan("VP8", 96, (PlannedRung(180, 200_000, 18),))
PATIENCE_S = 20


class Heard:
    """What is heard of one encoder."""

    def __init__(self) -> None:
        self.starts = asyncio.Event()
        self.ends = asyncio.Event()
        self.messages: list[bytes] = []

    def take(self, message: bytes) -> None:
        """Hear a message."""
        self.messages.append(message)

    def start(self, encoders: Encoders) -> EncoderProcess:
        """Start one."""
        process = encoders.start(PLAN, on_start=self.starts.set, on_message=self.take, on_end=self.ends.set)
        assert process is not None
        return process


async def until(event: asyncio.Event) -> None:
    """Wait, not for ever."""
    with anyio.fail_after(PATIENCE_S):
        await event.wait()


def open_files() -> set[Path]:
    """The numbers of this process's open files."""
    return set(Path("/proc/self/fd").iterdir())


@asynccontextmanager
async def encoders(count_max: int = 2, **options: str) -> AsyncIterator[Encoders]:
    """Encoders, of which neither open files nor tasks stay behind."""
    files, tasks = open_files(), asyncio.all_tasks()
    made = Encoders(count_max, Failures(), **options)
    try:
        yield made
    finally:
        await made.close()
    assert made.count == 0
    assert asyncio.all_tasks() == tasks
    assert open_files() <= files


async def test_an_encoder_listens_once_it_is_started() -> None:
    """Nothing is taken before; then what is said is heard, and answered."""
    heard = Heard()
    async with encoders() as made:
        process = heard.start(made)
        assert process.send(Encode((180,))) is False
        await until(heard.starts)
        assert process.send(Encode((180,)))
        assert process.send(source_packets("VP8", 360, 12)[-1])
        await eventually(lambda: len(heard.messages) > 1, "it answers", PATIENCE_S)

    assert [decode_report(message) for message in heard.messages] == [Counted(0, 0, 0, 0), SourceBroken()]
    assert not heard.ends.is_set()


async def test_there_are_no_more_than_so_many() -> None:
    """One that is being ended counts until it has."""
    async with encoders(1) as made:
        first, second = Heard(), Heard()
        process = first.start(made)
        refused = made.start(PLAN, on_start=second.starts.set, on_message=second.take, on_end=second.ends.set)
        await until(first.starts)
        process.close()
        still = made.start(PLAN, on_start=second.starts.set, on_message=second.take, on_end=second.ends.set)
        await eventually(lambda: not made.count, "it has ended")
        second.start(made)

    assert (refused, still) == (None, None)


async def test_the_end_of_an_encoder_is_told_once() -> None:
    """When it is killed, or cannot be started; not when it is closed."""
    killed, impossible, closed = Heard(), Heard(), Heard()
    async with encoders() as made:
        process = killed.start(made)
        await until(killed.starts)
        process.kill()
        await until(killed.ends)
        assert process.send(Encode((180,))) is False
        early = closed.start(made)
        early.close()
    async with encoders(module="signalreel_adapters.media.ladder.nothing") as made:
        impossible.start(made)
        await until(impossible.ends)

    assert (closed.starts.is_set(), closed.ends.is_set()) == (False, False)
