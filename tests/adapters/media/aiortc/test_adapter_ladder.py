"""A ladder through the whole adapter: real pictures over real ICE, DTLS and SRTP, and a real encoder process."""

import pytest

from signalreel.commands import ForceStreamQuality
from signalreel.engine import Engine
from signalreel.events import ResolutionChanged, TracksFound
from signalreel.settings import Rung, Settings
from signalreel_adapters.media.ladder.codec import Decoder
from signalreel_adapters.media.ladder.frames import Assembler
from tests.adapters.media.aiortc.peers import VIDEO, Call, PlayingPeer, PublishingPeer, closing, eventually
from tests.adapters.media.ladder.pictures import source_packet, source_packets

pytestmark = pytest.mark.anyio

KEYS = frozenset(range(0, 60, 10))
PATIENCE_S = 30.0


class Camera(PublishingPeer):
    """Publishes VP8 that is real: 640x360, 50 pictures a second, and a keyframe as soon as one is asked for."""

    def send_picture(self) -> None:
        """Send the next picture, or the next that is a keyframe."""
        self.picture += 1
        if self.wants_key:
            self.picture += -self.picture % 10
        self.wants_key = False
        self.timestamp[VIDEO] = (self.timestamp[VIDEO] + 1_800) & 0xFFFFFFFF
        first = 0xFFFF_0000 + self.picture % 60 * 3_000 & 0xFFFF_FFFF
        for packet in source_packets("VP8", 360, 60, keys=KEYS):
            if packet.timestamp == first:
                self._send_packet(VIDEO, self.video_ssrc, packet.payload, marker=packet.marker)


class Screen:
    """Decodes what arrives at a player."""

    def __init__(self, player: PlayingPeer) -> None:
        self._player = player
        self._assembler, self._decoder = Assembler("VP8"), Decoder("VP8")
        self._taken = 0
        self._height = 0

    @property
    def height(self) -> int:
        """The height of the newest picture."""
        packets = self._player.arrived("video")
        for packet in packets[self._taken :]:
            extensions = 4 + 4 * int.from_bytes(packet[14:16], "big") if packet[0] & 0x10 else 0
            padding = packet[-1] if packet[0] & 0x20 else 0
            plain = packet[:12] + packet[12 + extensions : len(packet) - padding]
            for frame in self._assembler.take(source_packet(plain)):
                picture = self._decoder.decode(frame.data)
                self._height = picture.height if picture is not None else self._height
        self._taken = len(packets)
        return self._height


async def test_a_height_is_forced_and_let_go() -> None:
    """The player decodes it, both changes are reported, all renditions are found, and nothing stays behind."""
    source, player = Camera(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.engine = Engine(Settings(adaptive=True, ladder=(Rung(240, 300_000), Rung(180, 200_000))))
        call.open("a", "b")
        await call.publish("a", "s1", source)
        call.play("b", "s1", player)
        await eventually(lambda: call.notified("b", "play_started"), "play_started")
        screen = Screen(player)
        await eventually(lambda: screen.height == 360, "the source is decoded", PATIENCE_S)
        call.say("b", ForceStreamQuality("s1", 240))
        await eventually(lambda: screen.height == 240, "240 is decoded", PATIENCE_S)
        await eventually(lambda: len(call.of(ResolutionChanged)) == 1, "it is told")
        call.say("b", ForceStreamQuality("s1", 0))
        await eventually(lambda: screen.height == 360, "the source is back", PATIENCE_S)
        await eventually(lambda: len(call.of(ResolutionChanged)) == 2, "that is told")

        found = call.of(TracksFound)[-1]
        assert isinstance(found, TracksFound)
        assert sorted(one.height for one in found.tracks if one.kind == "video") == [180, 240, 360]
        assert call.failures == 0
        encoders = call.media._encoders
        assert encoders.count == 1

    assert encoders.count == 0
