"""`signalreel_adapters.testing.calls`."""

import pytest

from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.testing import play, publish
from signalreel_adapters.transports.memory import UnexpectedMessage

pytestmark = pytest.mark.anyio


async def test_small_calls_end_when_media_flows() -> None:
    """One publishes in a room, one plays the room; both have read everything on the way there."""
    async with Runtime(media=FakeMedia()) as runtime:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "a", room="room")
        await play(viewer, "room")

        assert [len(await client.flush()) for client in (publisher, viewer)] == [0, 0]
        assert publisher.transcript[-1]["definition"] == "publish_started"
        assert viewer.transcript[-1]["definition"] == "play_started"


async def test_a_call_that_does_not_come_about_says_why() -> None:
    """What the server said instead is in the error."""
    async with Runtime(media=FakeMedia()) as runtime:
        first, second = MemoryClient(runtime), MemoryClient(runtime)
        await publish(first, "a")

        with pytest.raises(UnexpectedMessage, match="streamIdInUse"):
            await publish(second, "a")
