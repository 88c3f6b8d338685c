"""The adapter's side of a playback: offers, answers, and switches that come before there is anything to switch."""

import msgspec
import pytest

from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    ResolutionChanged,
)
from signalreel.identifiers import Kind, Reference
from signalreel.messages import VideoTrackAssignment
from signalreel_adapters.media.aiortc.data import DataEnd
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.playing import PlaybackSide
from signalreel_adapters.media.aiortc.probing import Cluster
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, published, rtp, vp8
from tests.adapters.media.aiortc.peers import eventually
from tests.adapters.media.aiortc.test_data import FakeChannel, FakeSctp
from tests.adapters.media.aiortc.test_sdp import FINGERPRINT

pytestmark = pytest.mark.anyio

MACHINE = Reference(Kind.PLAYBACK, "live", "b/s1", 9)


def answer(setup: str = "active", port: int = 9) -> str:
    """A player's answer to the offer of one stream, without a data channel."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
    for kind, mid, codec in (("audio", 0, "111 opus/48000/2"), ("video", 1, "96 VP8/90000")):
        lines += [f"m={kind} {port} UDP/TLS/RTP/SAVPF {codec.split()[0]}", f"a=mid:{mid}", "a=recvonly"]
        lines += [f"a=rtpmap:{codec}", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdefghijkl", f"a=setup:{setup}"]
        lines += [f"a=fingerprint:sha-256 {FINGERPRINT}"]
    return "\r\n".join([*lines, ""])


class World:
    """A stream that flows, and a playback of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.events: list[AnyEvent] = []
        self.transport, self.upstream = FakeTransport(), FakeTransport()
        settings = AiortcSettings()
        self.stream = StreamSide(
            Reference(Kind.STREAM, "live", "s1", 3),
            settings,
            lambda controlling: self.upstream,
            self.events.append,
            Failures(),
            fan_out=PoliteFanOut(),
            clock=self.clock,
        )
        self.stream.publisher.agree((published("audio", ssrcs=(5,)), published()), carries_data=False)
        self.side = PlaybackSide(MACHINE, 1, settings, self._make, self.events.append, Failures(), clock=self.clock)
        self.sequence = 0

    def _make(self, controlling: bool) -> PeerTransport:
        assert controlling
        return self.transport

    async def offered(self, count: int = 1) -> DescriptionCreated:
        """Wait for an offer."""
        await eventually(
            lambda: sum(isinstance(each, DescriptionCreated) for each in self.events) >= count, "the offer"
        )
        return [each for each in self.events if isinstance(each, DescriptionCreated)][-1]

    async def connected(self) -> None:
        """Offer, answer and connect."""
        self.side.offer({"s1": self.stream})
        await self.offered()
        self.side.take_answer(answer())
        self.transport.up.set()
        await eventually(lambda: MediaConnected(MACHINE) in self.events, "it is connected")

    def send(self) -> set[int]:
        """Publish a packet of each kind; gives the payload types that arrived."""
        self.transport.sent.clear()
        self.sequence += 1
        self.stream.publisher.take_rtp(rtp(self.sequence, payload=vp8(self.sequence, key=True)))
        self.stream.publisher.take_rtp(rtp(self.sequence, ssrc=5, payload_type=111))
        return {packet[1] & 0x7F for packet in self.transport.sent}


async def test_a_stream_is_offered_with_the_names_of_its_tracks() -> None:
    """The server takes part in neither side of the handshake yet, and names every mid."""
    world = World()
    world.side.offer({"s1": world.stream})
    offer = await world.offered()

    assert (offer.type, offer.id_mapping) == ("offer", {"0": "ARDAMSas1", "1": "ARDAMSvs1"})
    assert "a=setup:actpass\r\n" in offer.sdp
    assert "m=application 9 " in offer.sdp
    await world.side.close()


async def test_an_answered_offer_connects_and_flows() -> None:
    """The player that is active starts the handshake."""
    world = World()
    await world.connected()
    assert world.transport.remote is not None
    assert world.transport.remote.dtls_client

    assert world.send() == {96, 111}
    await world.side.close()


async def test_an_answer_must_fit() -> None:
    """One to no offer, one that chooses no side, one that takes nothing: the client's fault."""
    world = World()
    world.side.take_answer(answer())
    await eventually(lambda: len(world.events) == 1, "the first failure")
    world.side.offer({"s1": world.stream})
    world.side.take_answer(answer("actpass"))
    world.side.take_answer(answer(port=0))
    await eventually(lambda: len(world.events) == 4, "the others")

    failed = [each for each in world.events if isinstance(each, DescriptionFailed)]
    assert [each.side for each in failed] == ["remote"] * 3
    await world.side.close()


async def test_switches_before_the_offer_are_remembered() -> None:
    """New pages switch tracks off as soon as they ask to play."""
    world = World()
    world.side.switch("s1", "video", enabled=False)
    await world.connected()

    assert world.send() == {111}
    await world.side.close()


async def test_a_changed_height_is_reported() -> None:
    """The publisher's picture has another size from its next keyframe on."""
    world = World()
    await world.connected()
    world.transport.last_heard = world.clock.now + 2
    world.send()
    world.side.look(world.clock.now + 1)
    world.sequence += 1
    world.stream.publisher.take_rtp(rtp(world.sequence, payload=vp8(2, key=True, width=320, height=180)))
    world.side.look(world.clock.now + 2)

    changes = [each for each in world.events if isinstance(each, ResolutionChanged)]
    assert changes == [ResolutionChanged(MACHINE, 180)]
    await world.side.close()


async def test_assigned_pictures_flow_and_the_list_is_told_when_the_player_can_hear() -> None:
    """Before the first offer as well as later; the sound of all goes on."""
    world = World()
    world.side.assign((VideoTrackAssignment("videoTrack0", "s2"),))
    await world.connected()
    assert world.send() == {111}
    channel = FakeChannel(bytes_max=1_000)
    world.side._data = end = DataEnd(FakeSctp(), AiortcSettings(), print, world.clock)  # type: ignore[arg-type]
    end._use(channel)  # type: ignore[arg-type]
    world.side.assign((VideoTrackAssignment("videoTrack0", "s1", reserved=True),))

    assert world.send() == {96, 111}
    [told] = [msgspec.json.decode(str(each)) for each in channel.sent]
    assert told == {
        "eventType": "VIDEO_TRACK_ASSIGNMENT_LIST",
        "streamId": "s1",
        "payload": [{"videoLabel": "videoTrack0", "trackId": "s1", "reserved": True}],
    }
    await world.side.close()


async def test_a_new_offer_uses_the_same_connection() -> None:
    """Its version counts up, and the transport is not opened again."""
    world = World()
    await world.connected()
    world.side.offer({})
    offer = await world.offered(2)

    assert offer.id_mapping == {}
    assert offer.sdp.split("\r\n")[1].split()[2] == "2"
    assert "a=sendonly" not in offer.sdp
    assert world.send() == set()
    await world.side.close()


async def test_the_bitrate_is_reported_in_regular_turns() -> None:
    """Not before the interval has passed."""
    world = World()
    await world.connected()
    world.transport.last_heard = world.clock.now + 3
    world.side.look(world.clock.now + 1)
    world.side.look(world.clock.now + 3)

    assert [each for each in world.events if isinstance(each, BitrateMeasured)] == [BitrateMeasured(MACHINE, 0, 0, 0)]
    await world.side.close()


async def test_padding_is_sent_in_slices_with_a_report_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evenly over its time, one cluster at a time; as much as is asked for, and at most a packet more."""
    world = World()
    await world.connected()
    world.send()
    viewer = world.side.viewer
    assert viewer is not None
    slices: list[int] = []
    ended: list[float] = []

    def fill(bits: int, now: float) -> int:
        slices.append(bits)
        world.clock.now += 0.01
        return bits + 100

    monkeypatch.setattr(viewer, "fill", fill)
    monkeypatch.setattr(viewer, "end_cluster", ended.append)
    for _ in range(2):
        viewer.on_cluster(Cluster(10_000, 0.1))
    await eventually(lambda: bool(ended), "the end of the cluster")

    assert len(ended) == 1
    assert slices == pytest.approx([1_000 * step for step in range(len(slices))], abs=1)
    assert len(slices) in {10, 11}
    await world.side.close()


async def test_a_cluster_ends_when_nothing_can_be_padded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture was switched off, or the player is gone: the one is told, the other not waited for."""
    world = World()
    await world.connected()
    viewer = world.side.viewer
    assert viewer is not None
    ended: list[float] = []
    monkeypatch.setattr(viewer, "end_cluster", ended.append)
    viewer.on_cluster(Cluster(10_000, 0.1))
    await eventually(lambda: bool(_tick(world, ended)), "the end of the cluster")
    viewer.on_cluster(Cluster(10_000, 0.1))
    await world.side.close()

    assert len(ended) == 1


def _tick(world: World, ended: list[float]) -> list[float]:
    world.clock.now += 0.01
    return ended


async def test_closing_leaves_the_stream_alone() -> None:
    """Its tracks keep no trace of the player."""
    world = World()
    await world.connected()
    await world.side.close()

    assert world.send() == set()
    assert world.transport.closed
    assert world.stream.relay.players == {}


async def test_a_probe_that_fails_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends nothing but itself."""
    world = World()
    await world.connected()
    viewer = world.side.viewer
    assert viewer is not None
    failures: list[str] = []
    monkeypatch.setattr(world.side._failures, "count_with", lambda: failures.append("one"))
    monkeypatch.setattr(viewer, "fill", lambda *_: 1 // 0)
    viewer.on_cluster(Cluster(10_000, 0.1))
    await eventually(lambda: bool(failures), "the failure")

    assert failures == ["one"]
    await world.side.close()
