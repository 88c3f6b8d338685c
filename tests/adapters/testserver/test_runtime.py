"""`signalreel_adapters.testserver.runtime`."""

import pytest

from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.testing import ManualClock, play, publish
from signalreel_adapters.testserver import MockingRuntime
from signalreel_adapters.transports.memory import MemoryClient

pytestmark = pytest.mark.anyio


async def test_other_ids_are_served_as_always() -> None:
    """A whole call, and nobody meets the faults that another client has asked for."""
    async with MockingRuntime(media=FakeMedia(), clock=ManualClock()) as runtime:
        ann, bob, eve = MemoryClient(runtime), MemoryClient(runtime), MemoryClient(runtime)
        await eve.send({"command": "publish", "streamId": "mock:no_pong"})
        await eve.expect("start")
        await publish(ann, "stream")
        await play(bob, "stream")
        await ann.send({"command": "stop", "streamId": "stream"})

        await ann.expect("publish_finished")
        await bob.expect("play_finished")


async def test_a_client_that_goes_takes_its_faults_along() -> None:
    """Nothing that was to happen later holds the end of its connection up."""
    async with MockingRuntime(media=FakeMedia(), clock=ManualClock()) as runtime:
        client = MemoryClient(runtime)
        await publish(client, "mock:low_bitrate|finish_after=1m|slow_answer=0s")
        await client.close()

        assert runtime.engine.sessions() == ()
        assert list(runtime.engine.machines()) == []


async def test_a_stopping_server_turns_away_as_always() -> None:
    """Through the faults, too."""
    async with MockingRuntime(media=FakeMedia(), clock=ManualClock()) as runtime:
        await runtime.stop(spread_ms=0, grace_ms=0)
        client = MemoryClient(runtime)

        assert (await client.closed()).code == 1012
