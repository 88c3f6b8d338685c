"""`signalreel_adapters.runtime.watching`."""

from typing import cast

import pytest
from structlog.testing import capture_logs

from signalreel.engine import Engine
from signalreel.events import SessionOpened
from signalreel.identifiers import App
from signalreel.record import Record
from signalreel.step import Step
from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.watching import TOLD_MAX, Watching
from signalreel_adapters.testing import ManualClock, publish
from signalreel_adapters.transports.memory import MemoryClient
from tests.engine.zoo import planted

pytestmark = pytest.mark.anyio

LIES = "an id stuck after close"


async def broken_by(calls: int, *, monitored: bool) -> dict[str, int]:
    """Have so many streams lose their publishers; give what was counted."""
    async with Runtime(media=FakeMedia(), clock=ManualClock(), monitored=monitored) as runtime:
        for number in range(calls):
            client = MemoryClient(runtime)
            await publish(client, f"s{number}")
            await client.close()
        return dict(runtime.counters.broken)


async def test_nothing_is_broken_by_engines_without_a_bug() -> None:
    """Whole calls, and nothing is told."""
    with capture_logs() as logs:
        assert await broken_by(3, monitored=True) == {}

    assert [line for line in logs if line["log_level"] == "error"] == []


async def test_what_is_broken_is_counted_and_told_with_its_record() -> None:
    """A stream that nobody owns any more; the calls go on as they would."""
    with planted(LIES), capture_logs() as logs:
        broken = await broken_by(TOLD_MAX + 3, monitored=True)

    told = [line for line in logs if line["event"] == "invariant broken"]
    assert broken["nothing-outlives-its-owner"] >= TOLD_MAX + 3
    assert len([line for line in told if line["invariant"] == "nothing-outlives-its-owner"]) == TOLD_MAX
    assert all(line["seq"] > 0 and line["subject"] for line in told)


async def test_nobody_watches_unless_asked_to() -> None:
    """The same bug, and nothing is counted."""
    with planted(LIES):
        assert await broken_by(1, monitored=False) == {}


class Unreadable:
    """Something that is no step: what a monitor makes of it is a mistake."""

    def __getattr__(self, name: str) -> object:
        if name == "record":
            return Record(1, 0, "a", event=SessionOpened(App("live")))
        raise LookupError("a=ice-pwd:canary")


def test_a_mistake_of_the_monitor_ends_the_watching_only() -> None:
    """It is logged once, without what it was about; later steps are not looked at."""
    watching, counters = Watching(Engine(), Counters()), Counters()
    with capture_logs() as logs:
        for _ in range(2):
            watching.look(cast(Step, Unreadable()))

    assert [line["event"] for line in logs] == ["the monitor failed and watches no more"]
    assert "canary" not in str(logs)
    assert counters.broken == {}
