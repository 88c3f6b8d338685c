"""`signalreel_adapters.testing.clients`."""

import pytest

from signalreel.commands import Publish, Stop
from signalreel.reel import MemoryReel
from signalreel_adapters import FakeMedia
from signalreel_adapters.access.chain import ClosedGate
from signalreel_adapters.testing import Clients, ManualClock

pytestmark = pytest.mark.anyio


async def test_a_call_takes_three_lines() -> None:
    """A publisher and a viewer are live as they are given; what one does the other hears."""
    async with Clients() as clients:
        ann, bob = await clients.publisher("stream"), await clients.viewer("stream")
        await ann.send(Stop("stream"))

        assert (await bob.expect("play_finished"))["streamId"] == "stream"


async def test_rooms_apps_and_identities_are_passed_on() -> None:
    """They reach the engine as they would from a network."""
    async with Clients() as clients:
        await clients.publisher("a", room="room", app="other", identity="ann")
        await clients.viewer("room", app="other")
        opened = clients.runtime.engine.sessions()

        assert [(session.app, session.identity) for session in opened] == [("other", "ann"), ("other", "")]
        assert clients.runtime.engine.broadcast("room", app="other") is not None


async def test_what_is_given_is_used() -> None:
    """Reel, media and gate are those of the test."""
    reel, media = MemoryReel(), FakeMedia()
    async with Clients(reel, media=media, gate=ClosedGate()) as clients:
        client = clients()
        await client.send(Publish(stream_id="a"))

        await client.expect("unauthorized_access")
        assert (clients.reel, clients.media) == (reel, media)
    assert reel.last_seq > 0


async def test_the_same_test_gives_the_same_reel() -> None:
    """Ids are counted and time stands still: two runs differ in no byte."""
    runs: list[list[bytes]] = []
    for _ in range(2):
        async with Clients(clock=ManualClock()) as clients:
            await clients.publisher("a")
            await clients.viewer("a")
        runs.append([entry.chain for entry in clients.reel.entries()])

    assert runs[0] == runs[1] != []
