"""One incoming stream: who is let in, what is kept, what viewers are promised of every packet."""

from collections.abc import Sequence

import pytest

from signalreel_adapters.media.aiortc.fanout import FanOut, PoliteFanOut
from signalreel_adapters.media.aiortc.layer import HISTORY_PACKETS, Layer
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Forwarded, Out
from signalreel_adapters.media.aiortc.rtp import abs_send_time, parse
from tests.adapters.media.aiortc.fakes import SEED, Clock, FakeTransport, junk, offered, published, rtp, vp8


class World:
    """A layer, and how often a keyframe was asked for."""

    def __init__(self, track: PublishedTrack | None = None, *, fan_out: FanOut | None = None) -> None:
        self.clock = Clock()
        self.asked = 0
        self.transport = FakeTransport()
        self.layer = Layer(
            track or published(),
            1,
            "",
            fan_out=fan_out or PoliteFanOut(),
            keyframe_interval=0.5,
            ask_for_keyframe=self._ask,
        )

    def _ask(self, layer: Layer) -> None:
        self.asked += 1

    def viewer(self, kind: str = "video") -> Out:
        """A viewer that waits to be let in."""
        out = Out(offered(kind), self.transport)
        out.ready = True
        self.layer.await_start(out, self.clock.now)
        return out

    def take(self, data: bytes) -> None:
        """Give the layer a packet."""
        packet = parse(data)
        assert packet is not None
        self.layer.take(data, packet, self.clock.now)


def test_nobody_is_let_in_before_a_keyframe() -> None:
    """Half a picture is of no use; a keyframe is asked for, once in the interval."""
    world = World()
    world.viewer()
    for step in range(5):
        world.take(rtp(step, payload=vp8(step)))
    assert (world.transport.sent, world.asked) == ([], 1)
    world.clock.now += 0.5
    world.take(rtp(5, payload=vp8(5)))
    world.take(rtp(6, payload=vp8(6, key=True)))

    assert (len(world.transport.sent), world.asked) == (1, 2)


def test_a_viewer_that_is_not_ready_waits_without_asking() -> None:
    """Its transport is still connecting; the publisher need not hurry."""
    world = World()
    out = world.viewer()
    out.ready = False
    world.clock.now += 1
    world.take(rtp(1, payload=vp8(1)))
    world.take(rtp(2, payload=vp8(2, key=True)))

    assert (world.transport.sent, world.asked) == ([], 1)


def test_audio_starts_at_once() -> None:
    """Every packet of sound stands alone, and nobody is asked for anything."""
    world = World(published("audio"))
    world.viewer("audio")
    world.take(rtp(1, payload_type=111, payload=b"\xfc"))

    assert (len(world.transport.sent), world.asked) == (1, 0)


def test_video_carries_its_sending_time_and_orientation_under_our_ids() -> None:
    """The publisher's own extensions, its mid among them, go no farther."""
    world = World()
    world.viewer()
    world.take(rtp(1, extensions=b"\x40\x31" + b"\xd0\x01", payload=vp8(1, key=True)))

    packet = world.transport.sent[0]
    assert packet[12:24] == b"\xbe\xde\x00\x02\x22" + abs_send_time(world.clock.now) + b"\x30\x01\x00\x00"
    assert packet[24:] == vp8(1, key=True)


def test_audio_carries_its_level_under_our_id() -> None:
    """Speaker detection works for viewers."""
    world = World(published("audio", audio_level_id=7))
    world.viewer("audio")
    world.take(rtp(1, payload_type=111, extensions=b"\x70\x85" + b"\x40\x30", payload=b"\xfc"))

    assert world.transport.sent[0][12:] == b"\xbe\xde\x00\x01\x10\x85\x00\x00\xfc"


def test_contributing_sources_are_left_out_and_padding_is_kept() -> None:
    """CSRCs would name strangers; padding belongs to the packet's size."""
    world = World(published("audio"))
    world.viewer("audio")
    plain = rtp(1, payload_type=111, payload=b"")
    world.take(bytes((0xA1,)) + plain[1:] + b"\0\0\0\x09" + b"\xfc\xfc\0\0\x03")

    packet = world.transport.sent[0]
    assert packet[0] == 0xA0
    assert packet[12:] == b"\xfc\xfc\0\0\x03"


def test_the_last_packets_are_kept_and_no_more() -> None:
    """One bounded history for all viewers, of video alone."""
    world = World()
    for step in range(HISTORY_PACKETS + 10):
        world.take(rtp(step, payload=vp8(step)))

    assert world.layer.history(9) is None
    kept = world.layer.history(10)
    assert kept is not None
    assert kept.sequence == 10
    assert World(published("audio")).layer.history(1) is None


def test_size_and_rate_are_measured() -> None:
    """Read from keyframes, and counted in whole windows."""
    world = World()
    world.take(rtp(1, payload=vp8(1, key=True, width=320, height=240)))
    for step in range(2, 12):
        world.clock.now += 0.1
        world.take(rtp(step, payload=vp8(step) + bytes(100)))

    assert world.layer.size == (320, 240)
    assert world.layer.rate.rate(world.clock.now) > 8_000


def test_a_publisher_that_numbers_anew_makes_everybody_start_anew() -> None:
    """After a jump the flow goes on from a keyframe, continuously."""
    world = World()
    world.viewer()
    world.take(rtp(1, payload=vp8(1, key=True)))
    world.take(rtp(30_000, payload=vp8(2)))
    assert len(world.transport.sent) == 1
    world.take(rtp(30_001, payload=vp8(3, key=True)))

    first, second = (int.from_bytes(packet[2:4], "big") for packet in world.transport.sent)
    assert second == (first + 1) & 0xFFFF


def test_a_packet_too_large_for_a_path_is_dropped() -> None:
    """It could not be encrypted in the buffer, nor pass a tunnel."""
    world = World()
    world.take(rtp(1, payload=bytes(1_400)))

    assert world.layer.junk == 1


def test_a_layer_that_ends_lets_everybody_go() -> None:
    """Nobody keeps it alive."""
    world = World()
    flowing, waiting = world.viewer(), world.viewer()
    waiting.ready = False
    world.take(rtp(1, payload=vp8(1, key=True)))
    assert world.layer.is_watched
    assert world.layer.release() == [flowing, waiting]

    assert (flowing.layer, waiting.target, world.layer.is_watched) == (None, None, False)


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264", "AV1"])
def test_junk_is_forwarded_or_dropped_but_raises_nothing(codec: str) -> None:
    """A publisher may send whatever it likes."""
    base = published()
    world = World(published(codec=type(base.codec)(96, codec, 90_000)))
    world.viewer()
    for data in junk():
        packet = parse(data)
        if packet is not None:
            world.layer.take(data, packet, world.clock.now)
    assert world.layer.reception.missing <= 512, f"seed {SEED}"


class _HoldingFanOut(PoliteFanOut):
    """Holds packets back until it is told to let them go."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Forwarded] = []

    def forward(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Hold it."""
        self.held.append(packet)

    def flush(self) -> None:
        """Let them go."""
        self.held.clear()


def test_what_is_asked_for_again_has_been_sent_before() -> None:
    """A packet that is held may be made longer yet: sent twice, one number would stand for two texts under one key."""
    fan_out = _HoldingFanOut()
    world = World(fan_out=fan_out)
    world.viewer()
    world.take(rtp(1, payload=vp8(1, key=True)))
    assert len(fan_out.held) == 1

    assert world.layer.history(1) is not None
    assert fan_out.held == []
