"""`signalreel_adapters.flows.hosting`: a runtime as a header asks for, and a hand on it."""

import pytest

from signalreel.commands import GetStreamInfo, Play, Publish
from signalreel.identifiers import App, SessionId
from signalreel_adapters import MemoryClient, SessionInfo
from signalreel_adapters.access import Purpose
from signalreel_adapters.flows.hosting import RefusingGate, hosted
from signalreel_adapters.flows.script import Disk, FindCandidate, Issue, Lose, Measure, PassTime, StopServer
from signalreel_adapters.flows.stages import Unable
from tests.adapters.calls import names, play, publish
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


async def test_media_reports_of_whoever_there_is() -> None:
    """Of the stream, or of everyone who plays it; where nothing is live, nothing can be reported."""
    async with hosted(flow_of("media: fake", "server stops")) as host:
        publisher, viewer = MemoryClient(host.runtime), MemoryClient(host.runtime)
        await publish(publisher, "s")
        await play(viewer, "s")
        await publisher.flush()
        await host.perform(FindCandidate(line=1, source="", stream_id="s"), "live")

        assert [names(await client.flush()) for client in (publisher, viewer)] == [["takeCandidate"]] * 2

        await host.perform(Measure(line=1, source="", stream_id="s", target=1, video=2, audio=3), "live")

        assert [names(await client.flush()) for client in (publisher, viewer)] == [[], ["bitrateMeasurement"]]
        with pytest.raises(Unable, match="nothing of other is live"):
            await host.perform(Lose(line=1, source="", stream_id="other"), "live")


async def test_time_passes_when_the_flow_lets_it() -> None:
    """And not before, however long the test takes."""
    step = PassTime(line=1, source="", milliseconds=5_000)
    async with hosted(flow_of("media: silent", "server lets 1 ms pass")) as host:
        client = MemoryClient(host.runtime)
        await client.send({"command": "publish", "streamId": "s"})

        assert names(await client.flush()) == ["start"]

        await host.perform(step, "live")

        assert names(await client.flush()) == ["publishTimeoutError"]


async def test_what_is_issued_opens_the_door() -> None:
    """A token and a code, under the name that the flow gave it."""
    token = Issue(line=1, source="", name="t", purpose=Purpose.PUBLISH, stream_id="s")
    code = Issue(line=1, source="", name="c", purpose=Purpose.PUBLISH, stream_id="u", subscriber_id="ben")
    async with hosted(flow_of("access: on", "server stops")) as host:
        learned = {**await host.perform(token, "live"), **await host.perform(code, "live")}
        anna, ben = MemoryClient(host.runtime), MemoryClient(host.runtime)
        await anna.send({"command": "publish", "streamId": "s", "token": learned["t"]})
        await ben.send({"command": "publish", "streamId": "u", "subscriberId": "ben", "subscriberCode": learned["c"]})

        assert [names(await client.flush()) for client in (anna, ben)] == [["start"]] * 2


async def test_stopping_twice_is_harmless() -> None:
    """The flow stops it, and so does its end."""
    async with hosted(flow_of("server stops")) as host:
        await host.perform(StopServer(line=1, source=""), "live")

        assert host.runtime.is_stopping
