"""A published stream: how packets find their layer, what the publisher is told, what is found out about it."""

from aiortc.rtp import RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket, unpack_remb_fci

from signalreel.events import Track as FoundTrack
from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, junk, offered, published, rtp, vp8

MID = b"\x40\x31"  # the mid `1` under id 4
SIMULCAST = published(layers=("q", "f"), ssrcs=(), repairs=())


class World:
    """A publisher on a fake transport."""

    def __init__(self, *tracks: PublishedTrack, settings: AiortcSettings | None = None) -> None:
        self.clock = Clock()
        self.transport = FakeTransport()
        self.flowing = 0
        self.publisher = Publisher("s1", settings or AiortcSettings(), PoliteFanOut(), self.clock)
        self.publisher.on_flowing = self._flows
        self.publisher.attach(self.transport)
        self.publisher.agree(tracks or (published("audio"), published()), carries_data=False)

    def _flows(self) -> None:
        self.flowing += 1

    def viewer(self, track: int = 1) -> tuple[Out, FakeTransport]:
        """A viewer of one track."""
        transport = FakeTransport()
        out = Out(offered(self.publisher.tracks[track].published.kind), transport)
        out.ready = True
        self.publisher.tracks[track].subscribe(out, self.clock.now)
        return out, transport

    def layer(self, rid: str, sequence: int, *, ssrc: int, key: bool = True, height: int = 360) -> None:
        """Send a picture of one simulcast layer."""
        extensions = bytes((0xA0 | len(rid) - 1,)) + rid.encode()
        self.publisher.take_rtp(
            rtp(
                sequence,
                ssrc=ssrc,
                extensions=extensions,
                payload=vp8(sequence, key=key, height=height) + bytes(height),
            )
        )


def test_media_flows_with_the_first_packet_of_a_track() -> None:
    """Once, and not for junk."""
    world = World(published("audio", ssrcs=(5,)), published())
    world.publisher.take_rtp(b"junk")
    world.publisher.take_rtp(rtp(1, ssrc=77, payload_type=50))
    assert world.flowing == 0
    world.publisher.take_rtp(rtp(1, payload=vp8(1)))
    world.publisher.take_rtp(rtp(2, payload=vp8(2)))

    assert (world.flowing, world.publisher.junk) == (1, 2)


def test_an_unknown_ssrc_is_placed_by_its_mid() -> None:
    """Two tracks may share a payload type; the mid tells."""
    world = World(published(mid="0", ssrcs=()), published(mid="1", ssrcs=()))
    world.publisher.take_rtp(rtp(1, ssrc=5, payload=vp8(1)))
    world.publisher.take_rtp(rtp(1, ssrc=6, extensions=MID, payload=vp8(1)))

    assert [len(track.layers) for track in world.publisher.tracks] == [0, 1]


def test_an_unknown_ssrc_is_placed_by_a_payload_type_of_one_track() -> None:
    """Clients without the mid extension are understood."""
    world = World(published("audio", ssrcs=()), published(ssrcs=()))
    world.publisher.take_rtp(rtp(1, ssrc=5, payload=vp8(1)))
    world.publisher.take_rtp(rtp(1, ssrc=6, payload_type=111))

    assert [[layer.ssrc for layer in track.layers.values()] for track in world.publisher.tracks] == [[6], [5]]


def test_learned_ssrcs_are_bounded() -> None:
    """A publisher that changes its SSRC with every packet is not followed for ever."""
    world = World(published(ssrcs=()), settings=AiortcSettings(streams_per_publisher_max=4))
    for ssrc in range(1, 100):
        world.publisher.take_rtp(rtp(1, ssrc=ssrc, payload=vp8(1)))

    assert len(world.publisher.tracks[0].layers) == 1


def test_a_retransmission_fills_the_gap() -> None:
    """Unwrapped, it is passed on under its original number; padding that comes first is not."""
    world = World()
    _, viewer = world.viewer()
    probe = rtp(1, ssrc=2, payload_type=97, payload=b"\0\x05junk")
    world.publisher.take_rtp(probe)
    world.publisher.take_rtp(rtp(10, payload=vp8(1, key=True)))
    world.publisher.take_rtp(rtp(12, payload=vp8(3)))
    world.publisher.take_rtp(rtp(2, ssrc=2, payload_type=97, payload=b"\x00\x0b" + vp8(2)))

    numbers = [int.from_bytes(packet[2:4], "big") for packet in viewer.sent]
    assert [number - numbers[0] & 0xFFFF for number in numbers] == [0, 2, 1]


def test_missing_video_is_asked_for() -> None:
    """By a NACK with the layer's SSRC, until it is there; missing sound is not worth the time, nor an alarm."""
    world, gaps = World(published("audio", ssrcs=(5,)), published()), []
    world.publisher.on_gap = lambda: gaps.append(world.clock.now)
    for sequence in (1, 3):
        world.publisher.take_rtp(rtp(sequence, payload=vp8(sequence)))
        world.publisher.take_rtp(rtp(sequence, ssrc=5, payload_type=111))

    assert gaps == [world.clock.now]
    assert world.publisher.request_missing(world.clock.now)
    world.publisher.take_rtp(rtp(2, payload=vp8(2)))
    assert not world.publisher.request_missing(world.clock.now)
    assert world.transport.sent_rtcp == [RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=1, lost=[2])]


def test_a_viewer_makes_the_publisher_be_asked_for_a_keyframe() -> None:
    """By a picture loss indication."""
    world = World()
    world.viewer()

    assert world.transport.sent_rtcp == [RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=1)]


def test_what_flowed_is_that_of_all_layers() -> None:
    """With what did not come, the largest picture, and how often a keyframe was asked for."""
    world = World(SIMULCAST)
    world.viewer(0)
    for ssrc, rid, height in ((1, "q", 180), (2, "f", 360)):
        world.layer(rid, 1, ssrc=ssrc, height=height)
    world.layer("f", 3, ssrc=2, height=360)
    flow = world.publisher.flow()

    assert (flow.packets, flow.lost, flow.height) == (3, 1, 360)
    assert flow.octets >= 180 + 360 + 360
    assert flow.keyframes_asked == len(
        [packet for packet in world.transport.sent_rtcp if isinstance(packet, RtcpPsfbPacket) and packet.fmt == 1]
    )


def test_reports_say_what_arrived_and_what_to_stay_below() -> None:
    """Receiver reports with the sender's clock, and a REMB with every video SSRC."""
    world = World(published(), settings=AiortcSettings(video_bitrate_max=1_000_000))
    world.publisher.report(world.clock.now)
    assert world.transport.sent_rtcp == []
    world.publisher.take_rtp(rtp(1, payload=vp8(1)))
    world.publisher.take_rtcp([RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(5 << 32, 9, 1, 1))])
    world.publisher.report(world.clock.now + 1)

    report, remb = world.transport.sent_rtcp
    assert isinstance(report, RtcpRrPacket)
    assert (report.reports[0].ssrc, report.reports[0].lsr, report.reports[0].dlsr) == (1, 5 << 16, 65_536)
    assert isinstance(remb, RtcpPsfbPacket)
    bitrate, ssrcs = unpack_remb_fci(remb.fci)
    assert abs(bitrate - 1_000_000) < 10
    assert ssrcs == [1]


def test_simulcast_layers_are_told_by_rid_and_chosen_by_height() -> None:
    """A viewer gets the best layer; a pinned height, the largest that is not higher."""
    world = World(SIMULCAST)
    for step in range(1, 15):
        world.layer("q", step, ssrc=10, height=180)
        world.layer("f", step, ssrc=11, height=720)
        world.clock.now += 0.1
    out, _ = world.viewer(0)
    world.layer("q", 20, ssrc=10, height=180)
    world.layer("f", 20, ssrc=11, height=720)
    assert out.layer is world.publisher.tracks[0].layers["f"]
    world.publisher.tracks[0].pin(out, 360, world.clock.now)
    world.layer("q", 21, ssrc=10, height=180)

    assert out.layer is world.publisher.tracks[0].layers["q"]
    world.publisher.tracks[0].pin(out, 0, world.clock.now)
    world.layer("f", 21, ssrc=11, height=720)
    assert out.layer is world.publisher.tracks[0].layers["f"]


def test_what_was_found_is_reported_at_once_and_again_with_its_bitrates() -> None:
    """As soon as the size of the picture is known, then as soon as both tracks have been measured."""
    world = World(published("audio", ssrcs=(5,)), published(), settings=AiortcSettings(tracks_interval=3.0))
    found: list[tuple[float, list[tuple[str, int, bool]]]] = []
    for step in range(30):
        world.publisher.take_rtp(rtp(step, ssrc=5, payload_type=111))
        if step:
            world.publisher.take_rtp(rtp(step, payload=vp8(step, key=step == 2)))
        now = world.publisher.found(world.clock.now)
        if now is not None:
            found.append((round(world.clock.now - 1_000, 1), [(one.kind, one.height, one.bitrate > 0) for one in now]))
        world.clock.now += 0.1

    assert found == [
        (0.2, [("audio", 0, False), ("video", 360, False)]),
        (1.1, [("audio", 0, True), ("video", 360, True)]),
    ]


def test_what_never_comes_is_not_waited_for() -> None:
    """A publisher that offers a picture and sends none has sound to report."""
    world = World(published("audio", ssrcs=(5,)), published())
    world.publisher.take_rtp(rtp(1, ssrc=5, payload_type=111))
    world.clock.now += 2.0
    early = world.publisher.found(world.clock.now)
    world.clock.now += 0.1
    late = world.publisher.found(world.clock.now)

    assert early is None
    assert late is not None
    assert [(one.kind, one.bitrate) for one in late] == [("audio", 0), ("video", 0)]


def test_what_was_found_is_reported_when_it_changes() -> None:
    """Not before the interval, and only for a real change."""
    world = World(settings=AiortcSettings(tracks_interval=3.0))
    world.publisher.take_rtp(rtp(1, payload=vp8(1, key=True)))
    world.clock.now += 2.1
    found = world.publisher.found(world.clock.now)

    assert found == (
        FoundTrack("ARDAMSas1", "audio", "opus", 0, 0, found[0].bitrate if found else 0),
        FoundTrack("ARDAMSvs1", "video", "VP8", 640, 360, found[1].bitrate if found else 0),
    )
    world.clock.now += 2.9
    world.publisher.take_rtp(rtp(2, payload=vp8(2, key=True, width=320, height=180)))
    assert world.publisher.found(world.clock.now) is None
    world.clock.now += 0.2
    changed = world.publisher.found(world.clock.now)
    assert changed is not None
    assert (changed[1].width, changed[1].height) == (320, 180)


def test_viewers_outlive_the_transport() -> None:
    """A new connection with the same codec goes on where the old one stopped."""
    world = World()
    _, viewer = world.viewer()
    world.publisher.take_rtp(rtp(10, payload=vp8(1, key=True)))
    world.publisher.detach()
    world.publisher.take_rtp(rtp(11, payload=vp8(2)))
    world.publisher.attach(world.transport)
    world.publisher.agree((published("audio"), published(ssrcs=(500,), repairs=())), carries_data=False)
    world.publisher.take_rtp(rtp(40_000, ssrc=500, payload=vp8(900, key=True)))

    numbers = [int.from_bytes(packet[2:4], "big") for packet in viewer.sent]
    assert [number - numbers[0] & 0xFFFF for number in numbers] == [0, 1]
    assert int.from_bytes(viewer.sent[1][22:24], "big") & 0x7FFF == 2


def test_a_track_of_another_codec_is_another_track() -> None:
    """Its viewers would get what they did not agree to."""
    world = World()
    out, viewer = world.viewer()
    base = published()
    h264 = published(codec=type(base.codec)(96, "H264", 90_000))
    world.publisher.agree((published("audio"), h264), carries_data=False)
    world.publisher.take_rtp(rtp(1, payload=b"\x65\x88"))

    assert (viewer.sent, out.layer, out.target) == ([], None, None)


def test_junk_raises_nothing() -> None:
    """Whatever a publisher sends finds a layer or is counted."""
    world = World(SIMULCAST, published("audio", ssrcs=()))
    for data in junk():
        world.publisher.take_rtp(data)
