"""A ladder under a publisher on a fake transport, with the real encoder in this process: what is watched is encoded."""

import itertools

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpSenderInfo, RtcpSrPacket

from signalreel.settings import Rung
from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.ladder import RESTARTS_MAX
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.quality import Rung as Choice
from signalreel_adapters.media.aiortc.sdp import Codec
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.ladder.codec import Decoder
from signalreel_adapters.media.ladder.frames import Assembler
from signalreel_adapters.media.ladder.messages import Encode, Refresh, SourcePacket
from tests.adapters.media.aiortc.encoding import FakeEncoder, FakeEncoders
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, offered, published, rtp, vp8
from tests.adapters.media.ladder.pictures import source_packet, source_packets

RUNGS = (Rung(720, 1_500_000), Rung(240, 300_000), Rung(180, 200_000))
KEYS = frozenset(range(0, 60, 10))


class World:
    """A publisher with one picture, whose packets are real."""

    def __init__(self, codec: str = "VP8", *, count_max: int = 100, keys: frozenset[int] = KEYS) -> None:
        self.codec = codec
        self.keys = keys
        self.clock = Clock()
        self.transport = FakeTransport()
        self.encoders = FakeEncoders(count_max)
        self.publisher = Publisher(
            "s1", AiortcSettings(), PoliteFanOut(), self.clock, start_encoder=self.encoders.start
        )
        self.publisher.attach(self.transport)
        self.agreed = published(codec=Codec(96, codec, 90_000))
        self.publisher.agree((self.agreed,), carries_data=False, ladder=RUNGS)
        self.track = self.publisher.tracks[0]
        self.sequence = 0
        self._numbers = itertools.count()

    @property
    def encoder(self) -> FakeEncoder:
        """The newest encoder."""
        return self.encoders.started[-1]

    def pictures(self, count: int, *, height: int = 360, extensions: bytes = b"") -> None:
        """Send pictures, every tenth of them a keyframe by default. An encoder does its work after each."""
        for _ in range(count):
            number = next(self._numbers)
            for packet in self._packets(height, number):
                self.sequence += 1
                self.publisher.take_rtp(
                    rtp(
                        packet.sequence,
                        packet.timestamp,
                        marker=packet.marker,
                        payload=packet.payload,
                        extensions=extensions,
                    )
                )
            for encoder in self.encoders.started:
                if encoder.listens and not encoder.closed:
                    encoder.work()
            self.clock.now += 1 / 30

    def _packets(self, height: int, number: int) -> list[SourcePacket]:
        """The packets of one picture, numbered on."""
        first = 0xFFFF_0000 + number % 60 * 3_000 & 0xFFFF_FFFF
        packets = [each for each in source_packets(self.codec, height, 60, keys=self.keys) if each.timestamp == first]
        return [
            SourcePacket(each.marker, (self.sequence + at) & 0xFFFF, number * 3_000, each.payload)
            for at, each in enumerate(packets)
        ]

    def viewer(self, height: int = 0) -> tuple[Out, FakeTransport]:
        """A viewer that has pinned a height, or none."""
        transport = FakeTransport()
        out = Out(offered(), transport)
        out.ready = True
        self.track.subscribe(out, self.clock.now)
        self.track.pin(out, height, self.clock.now)
        return out, transport

    def watched(self, height: int = 240) -> tuple[Out, FakeTransport]:
        """A viewer that is shown a rung by an encoder that runs."""
        self.pictures(1)
        out, transport = self.viewer(height)
        self.encoder.start()
        self.pictures(12)
        assert self.shown(out) == height
        return out, transport

    def shown(self, out: Out) -> int:
        """The height of what a viewer is shown."""
        return out.layer.size[1] if out.layer is not None else 0

    def asked(self) -> int:
        """How often the publisher was asked for a keyframe."""
        return sum(isinstance(each, RtcpPsfbPacket) and each.fmt == 1 for each in self.transport.sent_rtcp)

    def decoded(self, sent: list[bytes]) -> list[tuple[int, int]]:
        """The heights of the pictures that a viewer decodes, each with whether it needs no other."""
        assembler, decoder = Assembler(self.codec), Decoder(self.codec)
        found: list[tuple[int, int]] = []
        for packet in sent:
            plain = packet[:12] + packet[16 + 4 * int.from_bytes(packet[14:16], "big") :]
            for frame in assembler.take(source_packet(plain)):
                picture = decoder.decode(frame.data)
                assert picture is not None
                found.append((picture.height, int(picture.key_frame)))
        return found


def test_rungs_may_be_chosen_before_they_are_encoded() -> None:
    """Those lower than the source, by the bitrates of the settings; nothing is started for them."""
    world = World()
    assert world.track.rungs(world.clock.now) == ()
    world.pictures(60)
    rungs = world.track.rungs(world.clock.now)

    assert rungs[:2] == (Choice(180, 200_000), Choice(240, 300_000))
    assert [rung.height for rung in rungs] == [180, 240, 360]
    assert [layer.size for layer in world.track.encoded.values()] == [(426, 240), (320, 180)]
    assert world.encoders.started == []


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9"])
def test_a_pinned_rung_is_encoded_and_shown(codec: str) -> None:
    """The viewer stays with the source until the rung's keyframe, goes over to it, and comes back, without a gap."""
    world = World(codec)
    out, transport = world.viewer()
    world.pictures(11)
    world.track.pin(out, 240, world.clock.now)
    assert world.shown(out) == 360
    world.encoder.start()
    world.pictures(10)
    assert world.encoder.commands[0] == Encode((240,))
    there = world.shown(out)
    world.track.pin(out, 0, world.clock.now)
    world.pictures(10)

    heights = [height for height, _ in world.decoded(transport.sent)]
    assert (there, world.shown(out)) == (240, 360)
    assert sorted(set(heights)) == [240, 360]
    assert [height for height, _ in itertools.groupby(heights)] == [360, 240, 360]
    numbers = [int.from_bytes(packet[2:4], "big") for packet in transport.sent]
    assert [number - numbers[0] & 0xFFFF for number in numbers] == list(range(len(numbers)))


def test_what_nobody_watches_is_not_encoded() -> None:
    """An encoder gets no packets then; a while after the last viewer it is ended, and started anew for the next one."""
    world = World()
    out, _ = world.watched()
    world.track.pin(out, 0, world.clock.now)
    world.pictures(10)
    world.publisher.report(world.clock.now)
    first, packets = world.encoder, world.encoder.packets
    world.pictures(10)
    assert (first.commands[-1], first.packets, first.closed) == (Encode(()), packets, False)
    world.track.unsubscribe(out)
    world.clock.now += 10.1
    world.publisher.report(world.clock.now)
    assert first.closed
    assert [rung.height for rung in world.track.rungs(world.clock.now)] == [180, 240, 360]

    out, _ = world.viewer(180)
    world.encoder.start()
    world.pictures(20)
    assert world.encoder is not first
    assert world.shown(out) == 180
    assert {rung.ssrc for rung in first.plan.rungs}.isdisjoint({rung.ssrc for rung in world.encoder.plan.rungs})


def test_an_encoder_is_ready_before_it_is_needed() -> None:
    """It is started for the first viewer of whatever rendition, and decodes nothing until a rung is watched."""
    world = World()
    world.pictures(1)
    world.publisher.report(world.clock.now)
    assert world.encoders.started == []
    out, _ = world.viewer()
    world.pictures(1)
    world.publisher.report(world.clock.now)
    world.encoder.start()
    world.pictures(10)
    assert world.encoder.said == []
    world.track.pin(out, 240, world.clock.now)
    world.pictures(10)

    assert (world.shown(out), len(world.encoders.started)) == (240, 1)


def test_one_encoder_makes_all_rungs_of_a_picture() -> None:
    """What is watched is told to it whenever that changes."""
    world = World()
    world.watched(240)
    low, _ = world.viewer(180)
    world.pictures(3)
    assert world.shown(low) == 180
    world.track.unsubscribe(low)
    world.publisher.report(world.clock.now)

    assert len(world.encoders.started) == 1
    assert [each for each in world.encoder.commands if isinstance(each, Encode)][-2:] == [
        Encode((240, 180)),
        Encode((240,)),
    ]


def test_a_viewers_keyframe_request_reaches_the_encoder() -> None:
    """And not the publisher."""
    world = World()
    out, transport = world.watched()
    world.clock.now += 1
    asked, sent = world.asked(), len(transport.sent)
    assert out.layer is not None
    out.layer.request_keyframe(world.clock.now)
    world.pictures(1)

    assert world.asked() == asked
    assert world.encoder.commands[-1] == Refresh(240)
    assert world.decoded(transport.sent[sent:]) == [(240, 1)]


def test_a_lost_packet_of_a_rung_is_sent_again() -> None:
    """From its own history, as of every layer."""
    world = World()
    out, transport = world.watched()
    sequence = int.from_bytes(transport.sent[-1][2:4], "big")

    assert out.retransmit(sequence, world.clock.now)


def test_rungs_keep_the_sources_time() -> None:
    """Their timestamps are the source's, and so is the clock that their reports are made of: sound stays in step."""
    world = World()
    out, _ = world.watched()
    world.publisher.take_rtcp([RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(5 << 32, 9, 1, 1))])
    source, rung = world.track.layers[""], out.layer
    assert isinstance(rung, Layer)

    assert rung.clock.reading(world.clock.now) == source.clock.reading(world.clock.now) is not None
    assert rung.last is not None
    assert source.last is not None
    assert rung.last.timestamp == source.last.timestamp


def test_rungs_follow_the_size_of_their_source() -> None:
    """What is not lower any more goes, and its viewers get the source; it is back when the source has grown again."""
    world = World()
    out, _ = world.watched(240)
    world.pictures(20, height=240)
    assert out.layer is world.track.layers[""]
    small = (world.shown(out), [rung.height for rung in world.track.rungs(world.clock.now)])
    world.pictures(20, height=360)

    assert small == (240, [180, 240])
    assert [rung.height for rung in world.track.rungs(world.clock.now)] == [180, 240, 360]
    assert world.shown(out) == 240


def test_a_source_that_numbers_anew_gets_another_encoder() -> None:
    """Its timestamps may be others; viewers go on with them on new layers."""
    world = World()
    out, _ = world.watched()
    first = world.encoder
    world.sequence += 20_000
    world.pictures(10)
    assert first.closed
    world.encoder.start()
    world.pictures(20)

    assert world.encoder is not first
    assert world.shown(out) == 240


def test_viewers_are_back_on_the_source_when_the_encoder_ends() -> None:
    """A second later there is another one; each further pause is longer, and after the last one there are no rungs."""
    world = World()
    out, _ = world.watched()
    shown: list[int] = []
    pauses: list[float] = []
    for _ in range(RESTARTS_MAX):
        world.encoder.end()
        count, ended_at = len(world.encoders.started), world.clock.now
        world.pictures(10)
        shown.append(world.shown(out))
        while len(world.encoders.started) == count:
            world.clock.now += 0.1
            world.publisher.report(world.clock.now)
        pauses.append(round(world.clock.now - ended_at))
        world.encoder.start()
        world.pictures(10)
        shown.append(world.shown(out))
    world.encoder.end()
    world.clock.now += 1_000
    world.publisher.report(world.clock.now)
    world.pictures(10)

    assert shown == [360, 240] * RESTARTS_MAX
    assert pauses == [1, 2, 4, 8, 16]
    assert world.shown(out) == 360
    assert world.track.encoded == {}


def test_an_encoder_that_says_nothing_is_ended() -> None:
    """Although it has work: the source sends."""
    world = World()
    world.watched()
    world.encoder.listens = False  # it works no more
    for _ in range(6):
        world.pictures(30)
        world.publisher.report(world.clock.now)

    assert world.encoder.killed


def test_an_encoder_that_is_behind_gets_nothing_before_the_next_keyframe() -> None:
    """What it does not take is counted, and the publisher is asked for a keyframe."""
    world = World()
    world.watched()
    world.clock.now += 1
    asked, packets = world.asked(), world.encoder.packets
    world.encoder.is_full = True
    world.pictures(1)
    world.encoder.is_full = False
    world.pictures(2)
    assert (world.asked(), world.encoder.packets) == (asked + 1, packets)
    world.pictures(10)

    assert world.encoder.packets > packets


def test_a_source_that_cannot_be_decoded_is_asked_for_a_keyframe() -> None:
    """As soon as the encoder says so."""
    world = World(keys=frozenset({0, 10}))
    world.watched()
    world.clock.now += 1
    asked = world.asked()
    world.sequence += 1  # a packet is missing, and never comes
    for _ in range(16):
        world.pictures(1)

    assert world.asked() > asked


def test_with_too_many_encoders_the_source_is_played() -> None:
    """The viewer waits there, and is put on the rung when there is room."""
    world = World(count_max=0)
    out, _ = world.viewer(240)
    world.pictures(20)
    assert world.shown(out) == 360
    world.encoders.count_max = 1
    world.publisher.report(world.clock.now)
    world.encoder.start()
    world.pictures(12)

    assert world.shown(out) == 240


def test_an_orientation_is_told_to_the_viewers_of_rungs() -> None:
    """The picture is encoded as it came, so how it is to be turned must come along."""
    world = World()
    _, transport = world.watched()
    before = transport.sent[-1]
    world.pictures(2, extensions=b"\xd0\x01")
    after = transport.sent[-1]

    assert b"\x01" not in before[20:24]
    assert after[20:24] == bytes((after[20],)) + b"\x01\0\0"


def test_all_renditions_are_reported() -> None:
    """What is encoded as it is measured, what is not as it would be."""
    world = World()
    world.watched(240)
    world.pictures(45)
    found = world.publisher.found(world.clock.now)

    assert found is not None
    assert [(one.codec, one.width, one.height) for one in found] == [
        ("VP8", 320, 180),
        ("VP8", 426, 240),
        ("VP8", 640, 360),
    ]
    assert found[0].bitrate == 200_000
    assert found[1].bitrate not in {0, 300_000}


@pytest.mark.parametrize(
    "track", [published(layers=("q", "f")), published(codec=Codec(96, "AV1", 90_000)), published("audio")]
)
def test_what_cannot_have_a_ladder_has_none(track: PublishedTrack) -> None:
    """Simulcast is a ladder already, sound is none, and for AV1 there is no encoder that is quick enough."""
    world = World()
    world.publisher.agree((track,), carries_data=False, ladder=RUNGS)
    world.pictures(3)

    assert [each.encoded for each in world.publisher.tracks] == [{}]


def test_a_picture_that_is_too_large_has_none() -> None:
    """Whoever publishes says how large it is, and a decoder would believe it: it does not get the packet."""
    world = World()
    world.watched()
    heard = world.encoder.packets
    payload = vp8(1, key=True, width=16_000, height=16_000)
    world.publisher.take_rtp(rtp(world.sequence, 3_000_000, marker=True, payload=payload))

    assert world.track.encoded == {}
    assert world.encoder.packets == heard


def test_a_storm_of_new_numbers_starts_few_encoders() -> None:
    """A publisher that numbers anew with every packet has one encoder at once, and the next after longer pauses."""
    world = World()
    world.watched()
    payload = vp8(1, key=True, width=640, height=360)
    began = world.clock.now
    times: list[float] = []
    while world.clock.now < began + 150:
        for number in range(20):
            world.publisher.take_rtp(rtp(number % 2 * 30_000, 3_000 * number, marker=True, payload=payload))
            times += [world.clock.now - began] * (len(world.encoders.started) - 1 - len(times))
        world.clock.now += 1
        world.publisher.report(world.clock.now)

    assert len(times) <= 10
    assert times[0] == 0
    assert all(encoder.closed for encoder in world.encoders.started[:-1])
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert 30 <= max(pauses) <= 62


def test_nothing_stays_behind() -> None:
    """When the connection or the stream is gone, so is the encoder."""
    world = World()
    out, _ = world.watched()
    world.publisher.detach()

    assert world.encoder.closed
    assert world.track.encoded == {}
    assert world.shown(out) == 0
    world.publisher.attach(world.transport)
    world.publisher.agree((world.agreed,), carries_data=False, ladder=RUNGS)
    world.pictures(11)
    world.encoder.start()
    world.pictures(12)
    assert world.shown(out) == 240
    world.publisher.close()
    assert world.encoder.closed
