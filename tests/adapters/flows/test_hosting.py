"""`signalreel_adapters.flows.hosting`: a runtime as a header asks for, and a hand on it."""

import pytest

from signalreel.commands import GetStreamInfo, Play, Publish
from signalreel.identifiers import App, SessionId
from signalreel_adapters import MemoryClient, SessionInfo
from signalreel_adapters.flows.hosting import RefusingGate, hosted
from signalreel_adapters.flows.script import Disk, StopServer
from tests.adapters.calls import names, publish
from tests.adapters.flows.staging import flow_of

pytestmark = pytest.mark.anyio


async def test_the_gate_refuses_what_it_was_told_to() -> None:
    """Each command with its definition, and nothing else."""
    gate = RefusingGate({"publish": "unauthorized_access", "play": "user_blocked"})
    session = SessionInfo(SessionId("one"), App("live"))
    publish, play, ask = [(await gate.decide(one, session)).grant for one in (Publish(), Play(), GetStreamInfo())]

    assert (publish.allowed, publish.refusal) == (False, "unauthorized_access")
    assert (play.allowed, play.refusal) == (False, "user_blocked")
    assert ask.allowed


async def test_settings_are_the_headers() -> None:
    """And the defaults where it says nothing."""
    async with hosted(flow_of('settings: {"viewersMax": 7}', "server stops")) as host:
        assert host.runtime.engine.settings.viewers_max == 7
    async with hosted(flow_of("server stops")) as host:
        assert host.runtime.engine.settings.viewers_max == -1


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ("any", ["takeConfiguration", "publish_started"]),
        ("fake", ["takeConfiguration", "publish_started"]),
        ("silent", ["takeConfiguration"]),
        ("refuses remote", ["notSetRemoteDescription"]),
        ("refuses local", ["notSetLocalDescription"]),
    ],
)
async def test_media_does_what_the_header_says(wish: str, said: list[str]) -> None:
    """Connect, keep silent, or refuse."""
    async with hosted(flow_of(f"media: {wish}", "server stops")) as host:
        client = MemoryClient(host.runtime)
        await client.send({"command": "publish", "streamId": "s"})
        await client.send({"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": "v=0"})

        assert names(await client.flush()) == ["start", *said]


async def test_it_ends_without_its_disk() -> None:
    """A flow may end while the reel cannot be written; the runtime stops all the same."""
    async with hosted(flow_of("server stops")) as host:
        client = MemoryClient(host.runtime)
        await publish(client, "s")
        await host.perform(Disk(line=1, source="", works=False), "live")

        assert not host.runtime.is_stopping


async def test_stopping_twice_is_harmless() -> None:
    """The flow stops it, and so does its end."""
    async with hosted(flow_of("server stops")) as host:
        await host.perform(StopServer(line=1, source=""), "live")

        assert host.runtime.is_stopping
