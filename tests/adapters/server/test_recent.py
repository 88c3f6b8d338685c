"""`signalreel_adapters.server.recent`."""

import msgspec
import pytest
from msgspec.structs import replace

from signalreel.events import ResourcesMeasured
from signalreel.reel import MemoryReel
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds
from signalreel_adapters.server.recent import RECENT_STEPS_MAX, Recent, Told, told_from_reel
from signalreel_adapters.testing import ManualClock
from tests.adapters.calls import play, publish

pytestmark = pytest.mark.anyio


async def both(steps: int = 0) -> tuple[Told, Told, str]:
    """Tell of a publisher's session from memory and from the reel, after so many steps of others."""
    reel = MemoryReel()
    async with Runtime(reel, media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
        recent = Recent(runtime)
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "s")
        session = runtime.engine.find("stream", "s", app="live").sessions[0]  # type: ignore[arg-type, union-attr]
        await play(viewer, "s")
        for number in range(steps):
            runtime.report(ResourcesMeasured(number % 2, 1))
        await runtime.idle()
        memory = recent.told(session)
        return memory, told_from_reel(reel, session, records_max=10_000), session


async def test_a_session_is_told_alike_from_memory_and_from_the_reel() -> None:
    """What it said, what it was told, and the machines that it moved; nothing of the others."""
    memory, reel, session = await both()

    assert memory.records == tuple(replace(record, notes=()) for record in reel.records)
    assert (memory.is_whole, memory.source, reel.is_whole, reel.source) == (True, "memory", True, "reel")
    assert [record.input for record in memory.records] == [
        "SessionOpened",
        "publish",
        "takeConfiguration",
        "DescriptionCreated",
        "MediaConnected",
    ]
    assert {record.session for record in memory.records} == {session, ""}
    assert "v=0" not in msgspec.json.encode(reel).decode()


async def test_memory_is_bounded_and_says_when_it_begins_too_late() -> None:
    """The newest steps are kept; of an older session the reel still tells."""
    memory, reel, _ = await both(RECENT_STEPS_MAX)

    assert (memory.is_whole, len(memory.records)) == (False, 0)
    assert (reel.is_whole, len(reel.records)) == (True, 5)


async def test_a_reel_is_read_no_further_than_is_asked() -> None:
    """However long it is."""
    reel = MemoryReel()
    async with Runtime(reel, media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
        await publish(MemoryClient(runtime), "s")
        session = next(iter(runtime.engine.sessions())).id
        await runtime.idle()

    assert [record.input for record in told_from_reel(reel, session, records_max=3).records] == [
        "SessionOpened",
        "publish",
    ]
