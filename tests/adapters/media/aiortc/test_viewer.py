"""One player's connection: what it agreed to flows, and what it says is heard."""

import struct

from aiortc.rtp import (
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    pack_remb_fci,
)

from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.probing import Cluster
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.sdp import Codec, Description, Section
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.viewer import Viewer
from tests.adapters.media.aiortc.fakes import Clock, FakeTransport, published, rtp, vp8

HEAD = len(vp8(1, key=True))


class World:
    """One publisher and one player, both on fake transports."""

    def __init__(self, *, watches: str = "s1", layers: tuple[str, ...] = ()) -> None:
        self.clock = Clock()
        self.upstream, self.transport = FakeTransport(), FakeTransport()
        self.publisher = Publisher("s1", AiortcSettings(), PoliteFanOut(), self.clock)
        self.publisher.attach(self.upstream)
        picture = published(layers=layers, ssrcs=() if layers else (1,))
        self.publisher.agree((published("audio", ssrcs=(5,)), picture), carries_data=False)
        self.viewer = Viewer(self.transport, AiortcSettings(), self.clock, watches=watches)
        self.viewer.show({"s1": self.publisher})
        self.viewer.on_cluster = self.send_cluster
        self.clusters: list[int] = []
        self.padding: list[bytes] = []
        self.sequence = self.highest = self.backlog = 0

    def agree(self, *, types: tuple[int, ...] = (96, 97, 111), direction: str = "recvonly") -> None:
        """Answer for the player."""
        codecs = tuple(Codec(each, "x", 1) for each in types)
        sections = tuple(
            Section("video", str(mid), "", False, direction, "active", "", "", (), (), codecs) for mid in range(3)
        )
        self.viewer.agree(Description(sections, ice_lite=False))

    def send(self, *, key: bool = False) -> int:
        """Publish one packet of each kind; gives how many arrived at the player."""
        before = len(self.transport.sent)
        self.sequence += 1
        self.publisher.take_rtp(rtp(self.sequence, payload=vp8(self.sequence, key=key)))
        self.publisher.take_rtp(rtp(self.sequence, ssrc=5, payload_type=111))
        return len(self.transport.sent) - before

    def start(self) -> None:
        """Agree, connect, and let both kinds flow."""
        self.agree()
        self.viewer.connected()
        assert self.send(key=True) == 2

    def start_layers(self) -> None:
        """Agree, connect, and let two layers flow for as long as it takes to measure them."""
        self.agree()
        self.viewer.connected()
        self.watch(seconds=3)

    def watch(self, *, estimate: int = 0, seconds: int, squeezed: bool = False) -> set[int]:
        """Publish both layers with keyframes alone; gives the heights of what arrived at the player.

        The player says what it can take. When it is squeezed half of what is sent arrives, behind a queue that grows.
        """
        heights: set[int] = set()
        for step in range(20 * seconds):
            self.clock.now += 0.05
            self.sequence += 1
            self.transport.sent.clear()
            for ssrc, rid, height in ((11, b"h", 360), (12, b"l", 180)):
                payload = vp8(self.sequence, key=True, width=2 * height, height=height) + bytes(height)
                extensions = b"\xa0" + rid + b"\x40\x31"
                self.publisher.take_rtp(rtp(self.sequence, ssrc=ssrc, extensions=extensions, payload=payload))
            for packet in self.transport.sent:
                heights.add(len(packet) // 180 * 180)
                self.highest, ssrc = int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[8:12], "big")
                if estimate and step % 4 == 0:
                    self.backlog = self.backlog + 2 if squeezed else 0
                    self.hear(ssrc, estimate)
            if step % 20 == 0:
                for ssrc in (11, 12):
                    info = RtcpSenderInfo(int(self.clock.now * (1 << 32)), 90, 1, 1)
                    self.publisher.take_rtcp([RtcpSrPacket(ssrc=ssrc, sender_info=info)])
                self.publisher.report(self.clock.now)
                self.viewer.report(self.clock.now)
                self.viewer.follow_estimate(self.clock.now)
        return heights

    def hear(self, ssrc: int, estimate: int) -> None:
        """Hear from the player: what has arrived, when the last sender report did, and what it can take."""
        told = [each for each in self.transport.sent_rtcp if isinstance(each, RtcpSrPacket)]
        sent_at = told[-1].sender_info.ntp_timestamp if told else 0
        named, delay = sent_at >> 16 & 0xFFFFFFFF, max(0, int((self.clock.now - sent_at / (1 << 32)) * 65_536))
        highest = self.highest - self.backlog
        report = RtcpReceiverInfo(ssrc, 0, 0, highest, jitter=0, lsr=named, dlsr=delay)
        fci = pack_remb_fci(estimate, [1])
        remb = RtcpPsfbPacket(fmt=15, ssrc=7, media_ssrc=0, fci=fci)
        self.viewer.take_rtcp([RtcpRrPacket(ssrc=7, reports=[report]), remb])

    def send_cluster(self, cluster: Cluster) -> None:
        """Send the padding as soon as it is asked for."""
        self.clusters.append(cluster.bits)
        before = len(self.transport.sent)
        self.viewer.fill(cluster.bits, self.clock.now)
        self.padding += self.transport.sent[before:]
        del self.transport.sent[before:]
        self.viewer.end_cluster(self.clock.now + cluster.seconds)

    def video_ssrc(self) -> int:
        """The SSRC of the video that the player gets."""
        return next(int.from_bytes(packet[8:12], "big") for packet in self.transport.sent if packet[1] & 0x7F == 96)


def test_nothing_flows_before_the_player_agreed_and_is_connected() -> None:
    """Both are needed, in either order."""
    world = World()
    assert world.send(key=True) == 0
    world.agree()
    assert world.send(key=True) == 0
    world.viewer.connected()

    assert world.send(key=True) == 2


def test_a_section_that_the_player_does_not_want_stays_silent() -> None:
    """By its direction, or by a codec that it left out."""
    world = World()
    world.agree(types=(111,))
    world.viewer.connected()
    assert world.send(key=True) == 1
    world.agree(direction="inactive")

    assert world.send(key=True) == 0


def test_a_player_without_retransmission_streams_gets_plain_ones() -> None:
    """The answer left out the payload type of retransmissions."""
    world = World()
    world.agree(types=(96, 111))
    world.viewer.connected()
    world.send(key=True)
    original = world.transport.sent[0]
    number = int.from_bytes(original[2:4], "big")
    world.viewer.take_rtcp([RtcpRtpfbPacket(fmt=1, ssrc=7, media_ssrc=world.video_ssrc(), lost=[number])])

    assert world.transport.sent[-1] == original


def test_kinds_are_switched_for_this_player() -> None:
    """Named by the stream, by a track's name, or both kinds at once."""
    world = World()
    world.start()
    world.viewer.switch("s1", "video", enabled=False)
    assert world.send(key=True) == 1
    world.viewer.switch("ARDAMSas1", "", enabled=False)
    assert world.send(key=True) == 0
    world.viewer.switch("s1", "", enabled=True)

    assert world.send(key=True) == 2


def test_a_player_may_begin_with_everything_off() -> None:
    """It gets what it switches on itself, of one stream or, by the room's name, of all there are."""
    world = World(watches="room")
    world.viewer.switch_off()
    world.agree()
    world.viewer.connected()
    assert world.send(key=True) == 0
    world.viewer.switch("s1", "audio", enabled=True)
    assert world.send(key=True) == 1
    world.viewer.switch("s1", "video", enabled=True)
    assert world.send(key=True) == 2
    world.viewer.switch_off()
    world.viewer.switch("room", "", enabled=True)

    assert world.send(key=True) == 2


def test_what_is_played_names_all_that_is_in_it() -> None:
    """A room's name switches every stream of it, those that come later too; one of them may be an exception."""
    world = World(watches="room")
    world.start()
    world.viewer.switch("room", "video", enabled=False)
    world.viewer.switch("nobody", "audio", enabled=False)
    assert world.send(key=True) == 1
    world.viewer.show({"s1": world.publisher})
    assert world.send(key=True) == 1
    world.viewer.switch("s1", "", enabled=True)
    assert world.send(key=True) == 2
    world.viewer.switch("room", "", enabled=False)
    assert world.send(key=True) == 0
    world.viewer.switch("room", "", enabled=True)

    assert world.send(key=True) == 2


def test_pictures_are_those_of_the_assigned_streams() -> None:
    """Named as a stream or as its track; the sound of all goes on."""
    world = World(watches="room")
    world.start()
    world.viewer.assign(["s2", ""])
    assert world.send(key=True) == 1
    world.viewer.assign(["ARDAMSvs1"])
    assert world.send(key=True) == 2
    world.viewer.assign([])

    assert world.send(key=True) == 1


def test_the_automatic_choice_follows_what_the_player_says_and_a_pin_overrules_it() -> None:
    """Down when less arrives, up again when there is room; pinned, it stays."""
    world = World(layers=("h", "l"))
    world.start_layers()
    assert world.watch(estimate=10_000_000, seconds=5) == {360}
    assert world.clusters == []
    assert world.watch(estimate=50_000, seconds=2, squeezed=True) == {360, 180}
    world.viewer.force_height(360)
    assert 360 in world.watch(estimate=50_000, seconds=2)
    assert world.watch(estimate=40_000, seconds=4, squeezed=True) == {360}
    world.viewer.force_height(180)
    world.watch(estimate=50_000, seconds=2)
    clusters = len(world.clusters)
    assert world.watch(estimate=10_000_000, seconds=8) == {180}
    assert len(world.clusters) == clusters
    world.viewer.force_height(0)

    assert 360 in world.watch(estimate=10_000_000, seconds=2)


def test_more_is_sent_again_when_a_cluster_was_carried() -> None:
    """Padding repeats packets as retransmissions, with numbers of their own; the player's next report lets it climb."""
    world = World(layers=("h", "l"))
    world.start_layers()
    world.watch(estimate=10_000_000, seconds=2)
    world.watch(estimate=30_000, seconds=2, squeezed=True)
    world.clusters.clear()
    world.padding.clear()

    assert 360 in world.watch(estimate=30_000, seconds=8)
    assert 0 < sum(world.clusters) <= 8 * sum(map(len, world.padding))
    assert {packet[1] & 0x7F for packet in world.padding} == {97}
    numbers = [int.from_bytes(packet[2:4], "big") for packet in world.padding]
    assert len(set(numbers)) == len(numbers) > 0


def test_a_player_without_retransmissions_is_not_padded() -> None:
    """It climbs by trials."""
    world = World(layers=("h", "l"))
    world.agree(types=(96, 111))
    world.viewer.connected()
    world.watch(seconds=3)
    world.watch(estimate=10_000_000, seconds=2)
    world.watch(estimate=30_000, seconds=2, squeezed=True)
    assert 360 in world.watch(estimate=30_000, seconds=8)

    assert world.clusters == []
    assert world.viewer.fill(1_000_000_000, world.clock.now) < 1_000_000_000


def test_requests_of_a_lossy_player_become_few() -> None:
    """A hundred a second for a keyframe are two for the publisher."""
    world = World()
    world.start()
    ssrc = world.video_ssrc()
    world.clock.now += 1
    before = len(world.upstream.sent_rtcp)
    for _ in range(100):
        world.viewer.take_rtcp([RtcpPsfbPacket(fmt=1, ssrc=7, media_ssrc=ssrc)])
        world.clock.now += 0.01

    assert sum(isinstance(each, RtcpPsfbPacket) for each in world.upstream.sent_rtcp[before:]) == 2


def test_what_is_measured_is_what_is_sent() -> None:
    """Of the layer that is shown, and nothing while none is."""
    world = World(layers=("h", "l"))
    world.start_layers()
    large = world.viewer.measured()[1]
    world.viewer.force_height(180)
    world.watch(seconds=3)
    small = world.viewer.measured()[1]
    world.viewer.switch("s1", "video", enabled=False)
    world.watch(seconds=3)

    assert (large, small) == (20 * 8 * (360 + HEAD), 20 * 8 * (180 + HEAD))
    assert world.viewer.measured()[1] == 0


def test_a_changed_height_is_given_once() -> None:
    """Not the first, which is no change; and not of a room, which has none."""
    world = World(layers=("h", "l"))
    world.start_layers()
    assert world.viewer.changed_height() == 0
    world.viewer.force_height(180)
    world.watch(seconds=1)
    assert [world.viewer.changed_height() for _ in range(2)] == [180, 0]
    world.viewer.watches = "room"
    world.viewer.force_height(360)
    world.watch(seconds=1)

    assert world.viewer.changed_height() == 0


def test_a_choice_before_the_first_look_is_a_change() -> None:
    """The player has seen the other height by then, however early it chooses."""
    world = World(layers=("h", "l"))
    world.start_layers()
    world.viewer.force_height(180)
    world.watch(seconds=1)

    assert world.viewer.changed_height() == 180


def test_the_publishers_own_switch_counts_too() -> None:
    """Either one may stop a kind."""
    world = World()
    world.start()
    world.publisher.disabled = {"video"}
    world.viewer.publisher_switched()

    assert world.send(key=True) == 1


def test_keyframe_requests_reach_the_publisher() -> None:
    """As picture loss indications and as full intra requests; not for what is switched off, not for strangers."""
    world = World()
    world.start()
    ssrc = world.video_ssrc()

    def asked() -> int:
        world.clock.now += 1
        return sum(isinstance(each, RtcpPsfbPacket) for each in world.upstream.sent_rtcp)

    before = asked()
    world.viewer.take_rtcp([RtcpPsfbPacket(fmt=1, ssrc=7, media_ssrc=ssrc)])
    assert asked() == before + 1
    world.viewer.take_rtcp([RtcpPsfbPacket(fmt=4, ssrc=7, media_ssrc=0, fci=struct.pack("!IBxxx", ssrc, 1))])
    assert asked() == before + 2
    world.viewer.take_rtcp([RtcpPsfbPacket(fmt=1, ssrc=7, media_ssrc=12_345)])
    world.viewer.switch("s1", "video", enabled=False)
    world.viewer.take_rtcp([RtcpPsfbPacket(fmt=1, ssrc=7, media_ssrc=ssrc)])
    assert asked() == before + 2
    assert world.viewer.flow().keyframes_asked == 2


def test_what_flowed_is_what_was_sent_and_what_the_player_says_of_it() -> None:
    """Packets of all kinds, the losses that it last reported, the height of the picture that it gets."""
    world = World(layers=("h", "l"))
    world.start_layers()
    info = RtcpReceiverInfo(
        world.video_ssrc(), fraction_lost=0, packets_lost=3, highest_sequence=9, jitter=0, lsr=0, dlsr=0
    )
    world.viewer.take_rtcp([RtcpRrPacket(ssrc=7, reports=[info])])
    flow = world.viewer.flow()

    assert (flow.packets, flow.lost, flow.height) == (3 * 20, 3, 360)


def test_the_players_estimate_is_measured() -> None:
    """The last REMB; before there is one, what is sent. Broken ones change nothing."""
    world = World()
    world.start()
    world.viewer.report(world.clock.now)
    for _ in range(20):
        world.clock.now += 0.1
        world.send()
    world.viewer.report(world.clock.now)
    target, video, audio = world.viewer.measured()
    assert target == video + audio > 0
    remb = RtcpPsfbPacket(fmt=15, ssrc=7, media_ssrc=0, fci=pack_remb_fci(700_000, [1]))
    world.viewer.take_rtcp([remb])
    for fci in (b"REMB", b"REMB\xff" + bytes(3), b"JUNK" + bytes(8), b""):
        world.viewer.take_rtcp([RtcpPsfbPacket(fmt=15, ssrc=7, media_ssrc=0, fci=fci)])

    assert abs(world.viewer.measured()[0] - 700_000) < 10


def test_sender_reports_are_on_the_players_clock() -> None:
    """The publisher's report, moved by the same offset as the packets, with counts of this player."""
    world = World()
    world.start()
    world.publisher.take_rtcp([RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(5 << 32, 90, 1, 1))])
    world.viewer.report(world.clock.now)

    report, names = world.transport.sent_rtcp
    assert isinstance(report, RtcpSrPacket)
    assert isinstance(names, RtcpSdesPacket)
    packet = next(each for each in world.transport.sent if each[1] & 0x7F == 96)
    offset = int.from_bytes(packet[4:8], "big")  # the original's timestamp is 0
    assert report.ssrc == world.video_ssrc()
    assert report.sender_info.rtp_timestamp == (90 + offset) & 0xFFFFFFFF
    assert report.sender_info.packet_count == 1


def test_a_flow_that_has_begun_anew_is_reported_on_at_once() -> None:
    """With the next word of the player, and once: its timestamps have moved, and its sound must fit them."""
    world = World()
    world.start()
    world.publisher.take_rtcp([RtcpSrPacket(ssrc=1, sender_info=RtcpSenderInfo(5 << 32, 90, 1, 1))])

    for _ in range(2):
        world.viewer.take_rtcp([])
    assert sum(isinstance(each, RtcpSrPacket) for each in world.transport.sent_rtcp) == 1
    world.viewer.switch("s1", "video", enabled=False)
    world.viewer.switch("s1", "video", enabled=True)
    world.clock.now += 1
    world.send(key=True)
    world.viewer.take_rtcp([])

    assert sum(isinstance(each, RtcpSrPacket) for each in world.transport.sent_rtcp) == 2


def test_a_stream_that_leaves_the_offer_stops() -> None:
    """And comes back with new SSRCs."""
    world = World()
    world.start()
    before = world.video_ssrc()
    world.viewer.show({})
    assert world.send(key=True) == 0
    world.viewer.show({"s1": world.publisher})
    assert world.send(key=True) == 0
    world.transport.sent.clear()
    world.agree()

    assert world.send(key=True) == 2
    assert world.video_ssrc() != before


def test_a_closed_player_leaves_no_trace() -> None:
    """No track keeps it."""
    world = World()
    world.start()
    world.viewer.close()

    assert world.send(key=True) == 0
    assert all(not track.outs for track in world.publisher.tracks)
