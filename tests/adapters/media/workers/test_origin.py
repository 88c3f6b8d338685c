"""`signalreel_adapters.media.workers.origin`: all that a publisher sends goes out; what comes back reaches it."""

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpSenderInfo, RtcpSrPacket

from signalreel.identifiers import Kind, Reference
from signalreel.settings import Rung
from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.strategies import choose
from signalreel_adapters.media.workers.origin import RTP_WAITING_BYTES_MAX, Origin
from signalreel_adapters.media.workers.relay import Standing, data_message, keyframe_request
from signalreel_adapters.pipes import Pipe, socket_pair
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, published, rtp, vp8
from tests.adapters.media.aiortc.peers import eventually
from tests.adapters.media.workers.test_relay import heard

pytestmark = pytest.mark.anyio

SETTINGS = AiortcSettings(buffered_bytes_max=10_000)
LADDER = (Rung(240, 300_000), Rung(180, 200_000))


class Ear:
    """A data channel's end that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def send(self, message: object) -> bool:
        """Be told something."""
        self.told.append(message)
        return True


class World:
    """A stream with a publisher, one relay of it, and whoever is at the other end."""

    def __init__(self, *tracks: object, listens: bool = True) -> None:
        self.clock = Clock()
        self.transport = FakeTransport()
        machine = Reference(Kind.STREAM, "live", "s1", 1)
        self.side = StreamSide(
            machine,
            SETTINGS,
            lambda _: self.transport,
            lambda _: None,
            Failures(),
            fan_out=choose("polite"),
            clock=self.clock,
        )
        self.side.publisher.attach(self.transport)
        self.side.publisher.agree(tracks or (published(),), carries_data=True)  # type: ignore[arg-type]
        self.ears = {name: Ear() for name in ("publisher", "player")}
        self.side.relay.publisher = self.ears["publisher"]
        self.side.relay.players[1] = self.ears["player"]
        ours, theirs = socket_pair()
        self.ends = 0
        self.origin = Origin(self.side, -1, SETTINGS, ours, self._end)
        self.messages: list[bytes] = []
        self.far_ends = 0
        self.far = Pipe(theirs, self.messages.append, self._far_end)
        if listens:
            self.far.listen()

    def _end(self) -> None:
        self.ends += 1

    def _far_end(self) -> None:
        self.far_ends += 1

    async def until(self, count: int) -> list[object]:
        """What was heard at the other end once so many messages came."""
        await eventually(lambda: len(self.messages) >= count, f"{count} messages")
        return [each for message in self.messages for each in heard(message)]

    def close(self) -> None:
        """Free both ends."""
        self.origin.close()
        self.far.close()


async def test_what_is_published_is_said_first() -> None:
    """Tracks, layers, what is off, whether there is data: enough to offer the stream."""
    world = World(published(), published("audio", ssrcs=(5,)))

    assert await world.until(1) == [
        Standing(
            is_here=True,
            tracks=(published(), published("audio", ssrcs=(5,))),
            layers=((0, 1, ""), (1, 5, "")),
            carries_data=True,
        )
    ]
    world.close()


async def test_renditions_are_said_and_not_sent() -> None:
    """The edge makes those that its own viewers watch."""
    world = World()
    world.side.publisher.agree((published(),), carries_data=True, ladder=LADDER)
    told = (await world.until(2))[-1]

    assert isinstance(told, Standing)
    assert told.ladder == LADDER
    world.close()


async def test_packets_go_out_as_they_came_and_repaired_ones_unwrapped() -> None:
    """A retransmission goes out as the packet that it carries; junk does not go out."""
    world = World()
    first, lost = rtp(1, payload=vp8(1, key=True)), rtp(2, payload=vp8(2))
    wrapped = rtp(9, ssrc=2, payload_type=97, payload=(2).to_bytes(2, "big") + vp8(2))
    for packet in (first, rtp(3, payload=vp8(3)), wrapped, b"\x80\x60junk", rtp(1, ssrc=77, payload_type=99)):
        world.side.publisher.take_rtp(packet)

    assert (await world.until(4))[1:] == [("rtp", first), ("rtp", rtp(3, payload=vp8(3))), ("rtp", lost)]
    world.close()


async def test_a_change_is_said_before_anything_that_rests_on_it() -> None:
    """A layer that is found, a kind switched off, a publisher that went and came back: each is said, in order."""
    layered = published(layers=("h", "l"), ssrcs=(), repairs=())
    world = World(layered)
    publisher = world.side.publisher
    packet = rtp(1, ssrc=40, extensions=b"\xa0l", payload=vp8(1, key=True))
    publisher.take_rtp(packet)
    world.side.switch("audio", enabled=False)
    publisher.detach()
    publisher.attach(world.transport)
    publisher.agree((layered,), carries_data=True)

    told = await world.until(6)
    assert told[1:] == [
        Standing(True, (layered,), ((0, 40, "l"),), (), True),
        ("rtp", packet),
        Standing(True, (layered,), ((0, 40, "l"),), ("audio",), True),
        Standing(False, (layered,), (), ("audio",), True),
        Standing(True, (layered,), (), ("audio",), True),
    ]
    world.close()


async def test_sender_reports_go_out() -> None:
    """Those of layers alone."""
    world = World()
    report, other = (RtcpSrPacket(ssrc=ssrc, sender_info=RtcpSenderInfo(5, 6, 7, 8)) for ssrc in (1, 99))
    world.side.publisher.take_rtcp([report, other])

    assert (await world.until(2))[1:] == [report]
    world.close()


async def test_a_keyframe_that_is_wanted_is_asked_for_once() -> None:
    """Requests of the edge join those of the viewers here; one for no layer is dropped."""
    world = World()
    for ssrc in (1, 1, 99):
        world.far.send(keyframe_request(ssrc))
    await eventually(lambda: world.transport.sent_rtcp, "a request")

    assert world.transport.sent_rtcp == [RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=1)]
    world.close()


async def test_messages_are_relayed_in_both_directions() -> None:
    """What the publisher and the players here say is heard there, and the other way round, and by nobody twice."""
    world = World()
    relay = world.side.relay
    relay.from_publisher("to all")
    relay.from_player(1, b"from a player")
    world.far.send(data_message("from afar"))
    await eventually(lambda: len(world.ears["publisher"].told) == 2, "the publisher hears both")

    assert (await world.until(3))[1:] == ["to all", b"from a player"]
    assert world.ears["publisher"].told == [b"from a player", "from afar"]
    assert world.ears["player"].told == ["to all", "from afar"]
    world.close()


async def test_an_edge_that_does_not_read_loses_packets_and_nothing_else() -> None:
    """What waits of RTP is bounded, messages are dropped, and what is published is said all the same."""
    world = World(listens=False)
    for number in range(2_000):
        world.side.publisher.take_rtp(rtp(number, payload=vp8(number) + bytes(1_100)))
    assert world.origin.dropped > 0
    dropped = world.origin.dropped
    assert not world.origin.send("chatter")
    assert world.origin.dropped == dropped + 1
    world.side.switch("audio", enabled=False)

    world.far.listen()
    told = await world.until(2 + 2_000 - dropped)
    assert isinstance(told[-1], Standing)
    assert told[-1].disabled == ("audio",)
    assert RTP_WAITING_BYTES_MAX < sum(map(len, world.messages)) < 3 * RTP_WAITING_BYTES_MAX
    world.close()


async def test_the_relay_ends_with_its_stream() -> None:
    """And leaves nothing behind at the publisher."""
    world = World()
    world.side.publisher.close()
    await eventually(lambda: world.far_ends, "the edge hears of the end")

    assert world.ends == 1
    assert world.side.publisher.taps == ()
    assert list(world.side.relay.players) == [1]
    world.close()
    assert world.ends == 1


@pytest.mark.parametrize("message", [b"\xff", b""])
async def test_the_relay_ends_with_its_edge(message: bytes) -> None:
    """Whether the edge is gone, or says what no edge says."""
    world = World()
    if message:
        world.far.send(message)
    else:
        world.far.close()
    await eventually(lambda: world.ends, "the origin hears of the end")

    assert world.side.publisher.taps == ()
    world.side.publisher.take_rtp(rtp(1))
    world.close()


async def test_nothing_is_published_at_an_edge() -> None:
    """A standing that comes from there changes nothing."""
    world = World()
    world.origin.take_standing(Standing(False, (), ()))

    assert world.side.publisher.is_here
    assert len(world.side.publisher.tracks) == 1
    world.close()
