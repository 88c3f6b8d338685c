"""`signalreel_adapters.media.workers.edge`: a stream of another process, as viewers of this one see it."""

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket

from signalreel.settings import Rung
from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.filter import Candidate
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.strategies import choose
from signalreel_adapters.media.workers import edge as module
from signalreel_adapters.media.workers.edge import Edge
from signalreel_adapters.media.workers.relay import (
    Standing,
    data_message,
    keyframe_request,
    report_message,
    standing_message,
)
from signalreel_adapters.pipes import Pipe, socket_pair
from tests.adapters.media.aiortc.encoding import FakeEncoders
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, offered, published, rtp, vp8
from tests.adapters.media.aiortc.peers import eventually

pytestmark = pytest.mark.anyio

SETTINGS = AiortcSettings(buffered_bytes_max=10_000)
HERE = Standing(is_here=True, tracks=(published(),), layers=((0, 1, ""),))
AWAY = Standing(is_here=False, tracks=(published(),), layers=())


class Player:
    """A data channel's end that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def send(self, message: object) -> bool:
        """Be told something."""
        self.told.append(message)
        return True


class World:
    """An edge, one viewer of its video, and the origin's end as a bare pipe."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.switched = 0
        self.encoders = FakeEncoders()
        self.edge = Edge(
            Publisher("s1", SETTINGS, choose("polite"), self.clock, start_encoder=self.encoders.start),
            SETTINGS,
            self.clock,
            self._tell_players,
        )
        self.asked: list[bytes] = []
        self.ends = 0
        self.origin = self.connect()
        self.viewer = FakeTransport()
        self.out = Out(offered(), self.viewer)

    def _tell_players(self) -> None:
        self.switched += 1

    def _end(self) -> None:
        self.ends += 1

    def connect(self) -> Pipe:
        """Make a relay."""
        ours, theirs = socket_pair()
        self.edge.attach(theirs)
        origin = Pipe(ours, self.asked.append, self._end)
        origin.listen()
        return origin

    async def tell(self, *standings: Standing) -> None:
        """Have the origin say what is published, and wait until it is known."""
        for told in standings:
            self.origin.send(standing_message(told))
        await self.edge.ready()

    async def watched(self) -> None:
        """Tell of a publisher, and let the viewer watch its video."""
        await self.tell(HERE)
        self.out.ready = self.out.enabled = True
        self.edge.publisher.tracks[0].subscribe(self.out, self.clock.now)

    def close(self) -> None:
        """Free both ends."""
        self.edge.close()
        self.origin.close()


async def test_packets_reach_the_viewers_from_a_keyframe_on() -> None:
    """A viewer makes the origin be asked for one, and is sent what follows it, in the offer's numbering."""
    world = World()
    await world.watched()
    await eventually(lambda: world.asked, "a keyframe is asked for")
    for number, key in ((1, False), (2, True), (3, False)):
        world.origin.send(rtp(number, payload=vp8(number, key=key)))
    await eventually(lambda: len(world.viewer.sent) == 2, "two packets are forwarded")

    assert world.asked == [keyframe_request(1)]
    assert [packet[8:12] for packet in world.viewer.sent] == [(7_000).to_bytes(4, "big")] * 2
    assert world.viewer.sent[0].endswith(vp8(2, key=True)[5:])
    world.close()


async def test_an_edge_makes_renditions_for_its_own_viewers() -> None:
    """The relay carries what is published, and says what else it is to be played in."""
    world = World()
    await world.tell(Standing(True, HERE.tracks, HERE.layers, ladder=(Rung(240, 300_000), Rung(720, 1_500_000))))
    world.origin.send(rtp(1, payload=vp8(1, key=True)))
    track = world.edge.publisher.tracks[0]
    await eventually(lambda: track.encoded, "there are renditions")
    world.out.ready = world.out.enabled = True
    track.subscribe(world.out, world.clock.now)
    world.edge.look(world.clock.now)

    assert [layer.size for layer in track.encoded.values()] == [(426, 240)]
    assert [rung.bitrate for rung in world.encoders.started[0].plan.rungs] == [300_000, 1_500_000]
    world.close()
    assert world.encoders.started[0].closed


async def test_an_offer_waits_for_what_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ready` returns once it is known; when nobody says it, it returns all the same, a little later."""
    monkeypatch.setattr(module, "READY_SECONDS_MAX", 0.01)
    world = World()

    await world.edge.ready()
    assert world.edge.publisher.tracks == []

    await world.watched()
    assert [track.published for track in world.edge.publisher.tracks] == [published()]
    world.close()


async def test_of_rtcp_only_keyframe_requests_go_back() -> None:
    """Receiver reports and requests for lost packets are between the publisher and its origin."""
    world = World()
    await world.watched()
    await eventually(lambda: world.asked, "a keyframe is asked for")
    world.asked.clear()
    world.origin.send(rtp(1, payload=vp8(1, key=True)))
    world.origin.send(rtp(9, payload=vp8(9)))
    await eventually(lambda: len(world.viewer.sent) == 2, "packets with a gap between them")
    world.clock.now += 2
    world.edge.publisher.request_missing(world.clock.now)
    world.edge.look(world.clock.now)
    world.edge.publisher.request_keyframe(1)
    await eventually(lambda: world.asked, "another keyframe is asked for")

    assert world.asked == [keyframe_request(1)]
    world.close()


async def test_sender_reports_set_the_clock() -> None:
    """The times that viewers are told are the publisher's."""
    world = World()
    await world.watched()
    world.origin.send(report_message(RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(5 << 32, 9_000, 0, 0))))
    layer = world.edge.publisher.tracks[0].layers[""]
    await eventually(lambda: layer.clock.reading(world.clock.now), "a report")

    assert layer.clock.reading(world.clock.now) == (5 << 32, 9_000)
    world.close()


async def test_layers_are_those_that_the_origin_knows() -> None:
    """Simulcast layers come by name; of one that goes on nothing is lost, and one with a new SSRC begins anew."""
    track = published(layers=("h", "l"), ssrcs=(), repairs=())
    world = World()
    await world.tell(Standing(True, (track,), ((0, 40, "h"), (0, 41, "l"))))
    before = dict(world.edge.publisher.tracks[0].layers)
    world.origin.send(standing_message(Standing(True, (track,), ((0, 40, "h"), (0, 51, "l")))))
    layers = world.edge.publisher.tracks[0].layers
    await eventually(lambda: layers["l"].ssrc == 51, "the new layer")

    assert layers["h"] is before["h"]
    assert set(layers) == {"h", "l"}
    world.close()


async def test_a_publisher_that_goes_away_may_come_back() -> None:
    """Its viewers stay, and go on with what it sends over its new connection; so does one whose origin was lost."""
    world = World()
    await world.watched()
    await world.tell(AWAY, Standing(False, (), ()), Standing(True, (published(ssrcs=(8,)),), ((0, 8, ""),)))
    await eventually(lambda: 8 in [ssrc for _, ssrc, _ in world.edge.publisher.layers()], "the new layer")
    world.origin.send(rtp(1, ssrc=8, payload=vp8(1, key=True)))
    await eventually(lambda: len(world.viewer.sent) == 1, "it is forwarded")

    world.origin.close()
    await eventually(lambda: not world.edge.publisher.is_here, "the relay is gone")
    world.origin = world.connect()
    await world.tell(HERE)
    await eventually(lambda: world.edge.publisher.is_here, "there is another")
    world.origin.send(rtp(70, payload=vp8(2, key=True)))
    await eventually(lambda: len(world.viewer.sent) == 2, "it is forwarded too")
    first, second = (int.from_bytes(packet[2:4], "big") for packet in world.viewer.sent)
    assert second == first + 1
    world.close()


async def test_a_publisher_that_is_away_is_offered_all_the_same() -> None:
    """Its tracks are known, so that a viewer can be there when it comes back."""
    world = World()
    await world.tell(AWAY)

    assert [track.published for track in world.edge.publisher.tracks] == [published()]
    assert not world.edge.publisher.is_here
    world.close()


async def test_what_the_publisher_switches_off_is_off_here() -> None:
    """The players are told to look, at each change and at nothing else."""
    world = World()
    off = Standing(True, (published(),), ((0, 1, ""),), ("video",))
    await world.tell(HERE, off, off, HERE)
    await eventually(lambda: world.switched == 2, "two changes")

    assert world.edge.publisher.disabled == set()
    world.close()


async def test_messages_are_relayed_in_both_directions() -> None:
    """What a player here says goes to the origin and to the other players here; what comes is heard by all of them."""
    world = World()
    first, second = Player(), Player()
    world.edge.relay.players.update({1: first, 2: second})
    world.edge.relay.from_player(1, "hello")
    world.origin.send(data_message(b"from afar"))
    await eventually(lambda: len(second.told) == 2 and world.asked, "messages")

    assert first.told == [b"from afar"]
    assert second.told == ["hello", b"from afar"]
    assert world.asked == [data_message("hello")]
    world.close()


async def test_what_the_origin_does_not_read_is_dropped() -> None:
    """Messages wait up to a bound; without a relay they are dropped at once."""
    world = World()
    world.origin.close()
    ours, theirs = socket_pair()
    world.edge.attach(theirs)
    said = 0
    while world.edge.send("x" * 1_000):
        said += 1

    assert said > 10
    assert world.edge.dropped == 1
    world.edge.close()
    assert not world.edge.send("x")
    ours.close()


async def test_an_edge_that_is_closed_lets_everybody_go() -> None:
    """The origin hears of the end, and an offer that waits goes on."""
    world = World()
    await world.watched()
    world.edge.close()
    await eventually(lambda: world.ends, "the origin hears of it")

    assert world.out.layer is None
    assert world.edge.publisher.tracks[0].outs == {}
    await world.edge.ready()
    world.close()


async def test_what_no_origin_says_ends_the_relay() -> None:
    """Viewers stay."""
    world = World()
    await world.watched()
    world.origin.send(b"\xff")
    await eventually(lambda: world.ends, "the end")

    assert not world.edge.publisher.is_here
    assert list(world.edge.publisher.tracks[0].outs) == [world.out]
    world.close()


async def test_a_relay_is_no_transport_for_peers() -> None:
    """What only a peer could do is refused, and what needs no peer does nothing."""
    world = World()
    await world.tell(HERE)
    transport = world.edge.transport

    for refused in (transport.gather(), transport.connect(Remote("", "", False, (), False))):
        with pytest.raises(TransportFailed):
            await refused
    with pytest.raises(TransportFailed):
        transport.open_sctp()
    transport.add_candidate(Candidate("1", 1, "127.0.0.1", 9, "host"))
    transport.refresh()
    transport.send_rtcp([RtcpRrPacket(ssrc=1), RtcpRtpfbPacket(1, 1, 1, [3]), RtcpPsfbPacket(15, 1, 1)])
    await transport.close()
    assert not transport.send_rtp(b"")
    assert world.asked == []
    world.close()
