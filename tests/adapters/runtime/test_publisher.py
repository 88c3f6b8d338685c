"""`signalreel_adapters.runtime.publisher`."""

from collections.abc import Callable
from typing import Self

import pytest
from structlog.testing import capture_logs

from signalreel.commands import Publish, TakeCandidate, TakeConfiguration
from signalreel.engine import Engine
from signalreel.events import SessionOpened
from signalreel.record import Record
from signalreel.step import Step
from signalreel_adapters.ports import Report
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.publisher import Publisher
from signalreel_adapters.runtime.subscriptions import Overflow, Subscription, Subscriptions

pytestmark = pytest.mark.anyio


class Broken:
    """A media adapter that always raises."""

    def report_to(self, report: Report, failed: Callable[[], None]) -> None:
        """Take nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        """Leave nothing."""

    def react(self, step: Step) -> None:
        """Fail."""
        raise LookupError("a=ice-pwd:canary")


def steps() -> list[Step]:
    """A session that publishes, offers, and is refused a second stream."""
    engine = Engine()
    records = [
        Record(1, 0, "s", event=SessionOpened("live")),
        Record(2, 0, "s", command=Publish(stream_id="a")),
        Record(3, 0, "s", command=TakeConfiguration(stream_id="a", type="offer", sdp="a=ice-pwd:canary")),
        Record(4, 0, "s", command=Publish(stream_id="b")),
        Record(5, 0, "s", command=TakeCandidate(stream_id="a", candidate="canary")),
    ]
    return [engine.apply(record) for record in records]


async def test_an_adapter_that_raises_stops_nothing() -> None:
    """A media adapter's exception is counted and logged, and subscribers get the step all the same."""
    counters = Counters()
    subscriptions = Subscriptions(counters)
    everything = Subscription(machine=None, id=None, app=None, steps_max=10, overflow=Overflow.END)
    subscriptions.add(everything)
    publisher = Publisher({}, subscriptions, Broken(), counters)
    with capture_logs() as logs:
        for step in steps():
            publisher.publish(step)
    subscriptions.close()

    assert counters.media_failures == 5
    assert [given.record.seq async for given in everything] == [1, 2, 3, 4, 5]
    assert {log["error"] for log in logs if log["event"] == "media adapter failed"} == {"LookupError"}


async def test_transitions_and_refusals_are_logged() -> None:
    """A line each, with what moved and why; candidates and steps in which nothing moved say nothing."""
    publisher = Publisher({}, Subscriptions(Counters()), None, Counters())
    with capture_logs() as logs:
        for step in steps():
            publisher.publish(step)

    assert [(log["event"], log["seq"], log["input"]) for log in logs] == [
        ("transition", 2, "publish"),
        ("transition", 3, "takeConfiguration"),
        ("refused", 4, "publish"),
    ]
    assert logs[0] == {
        "event": "transition",
        "seq": 2,
        "kind": "stream",
        "app": "live",
        "id": "a",
        "source": "idle",
        "target": "preparing",
        "input": "publish",
        "session": "s",
        "log_level": "info",
    }


async def test_no_log_holds_a_description() -> None:
    """Descriptions, and errors that might quote them, never reach a log (Contract 11)."""
    publisher = Publisher({}, Subscriptions(Counters()), Broken(), Counters())
    with capture_logs() as logs:
        for step in steps():
            publisher.publish(step)

    assert "canary" not in repr(logs)
