"""The encoder of a ladder from its messages to its packets, in this process and without a clock."""

import pytest

from signalreel_adapters.media.ladder.codec import Decoder
from signalreel_adapters.media.ladder.encoder import Done, LadderEncoder
from signalreel_adapters.media.ladder.frames import Assembler
from signalreel_adapters.media.ladder.messages import (
    Command,
    Counted,
    Encode,
    Plan,
    PlannedRung,
    Refresh,
    SourcePacket,
    encode,
)
from tests.adapters.media.ladder.pictures import source_packet, source_packets

ALL = ["VP8", "H264", "VP9"]
RUNGS = (PlannedRung(240, 300_000, 24), PlannedRung(180, 200_000, 18))


class World:
    """An encoder, what it made, and who watches that."""

    def __init__(self, codec: str = "VP8") -> None:
        self.encoder = LadderEncoder(Plan(codec, 96, RUNGS))
        self.made: dict[int, list[bytes]] = {rung.height: [] for rung in RUNGS}
        self.done: list[Done] = []
        self._assemblers = {rung.height: Assembler(codec) for rung in RUNGS}
        self._decoders = {rung.height: Decoder(codec) for rung in RUNGS}
        self._watched = dict.fromkeys(self.made, 0)

    def say(self, *commands: Command) -> None:
        """Say something to it."""
        for command in commands:
            self.encoder.hear(encode(command))

    def source(self, packets: list[SourcePacket], *, work: bool = True) -> None:
        """Have packets of the source arrive, and do the work after each of them."""
        for packet in packets:
            self.encoder.hear(packet.encode())
            if work:
                self.work()

    def work(self) -> None:
        """Do all there is to do."""
        while (job := self.encoder.next_job()) is not None:
            done = self.encoder.run(job)
            self.encoder.finish(done)
            self.done.append(done)
            for height, packets in done.packets:
                self.made[height] += packets

    def shown(self, height: int) -> list[tuple[int, int, int, bool]]:
        """What has come since the last look, decoded: timestamp, width, height, and whether it needs no other."""
        found: list[tuple[int, int, int, bool]] = []
        packets, self._watched[height] = self.made[height][self._watched[height] :], len(self.made[height])
        for packet in packets:
            for frame in self._assemblers[height].take(source_packet(packet)):
                picture = self._decoders[height].decode(frame.data)
                assert picture is not None
                found.append((frame.timestamp, picture.width, picture.height, picture.key_frame))
        return found


def behind(packets: list[SourcePacket]) -> int:
    """The sequence number that goes on where packets end."""
    return (packets[-1].sequence + 1) & 0xFFFF


@pytest.mark.parametrize("codec", ALL)
def test_a_source_becomes_its_renditions(codec: str) -> None:
    """Each picture in each size that is wanted, with the source's timestamps across their wrap, and one keyframe."""
    world = World(codec)
    world.say(Encode((240, 180)))
    packets = source_packets(codec, 360, 30)
    world.source(packets)
    timestamps = list(dict.fromkeys(packet.timestamp for packet in packets))

    assert world.shown(240) == [(at, 426, 240, number == 0) for number, at in enumerate(timestamps)]
    assert world.shown(180) == [(at, 320, 180, number == 0) for number, at in enumerate(timestamps)]
    assert {packet[8:12] for packet in world.made[240]} == {(24).to_bytes(4, "big")}
    assert world.encoder.counted == Counted(30, 30, 0, 0)


def test_what_nobody_wants_is_not_encoded() -> None:
    """And with nothing wanted at all, nothing is decoded either."""
    world = World()
    packets = source_packets("VP8", 360, 30, keys=frozenset({20}))
    ten = [packet for packet in packets if (packet.timestamp - 0xFFFF_0000) & 0xFFFF_FFFF < 30_000]
    rest = packets[len(ten) :]
    world.source(ten)
    assert world.encoder.counted == Counted(0, 0, 0, 0)
    world.say(Encode((180,)))
    world.source(rest)

    assert world.made[240] == []
    assert len(world.shown(180)) == 10
    assert world.encoder.counted == Counted(10, 10, 0, 0)


def test_a_rendition_that_is_wanted_later_begins_with_a_keyframe() -> None:
    """At once, and so does one that was not wanted for a while; the other goes on undisturbed."""
    world = World()
    packets = source_packets("VP8", 360, 40)
    quarter = len(packets) // 4
    keys: list[list[bool]] = []
    for number, wanted in enumerate([(240,), (240, 180), (240,), (240, 180)]):
        world.say(Encode(wanted))
        world.source(packets[number * quarter : (number + 1) * quarter])
        keys.append([each[3] for each in world.shown(180)])

    assert [bool(each) and each[0] and sum(each) == 1 for each in keys] == [False, True, False, True]
    assert sum(each[3] for each in world.shown(240)) == 1


@pytest.mark.parametrize("codec", ALL)
def test_a_keyframe_is_made_for_whoever_asks(codec: str) -> None:
    """The next picture of that rendition, once."""
    world = World(codec)
    world.say(Encode((240, 180)))
    packets = source_packets(codec, 360, 20)
    half = next(at for at, packet in enumerate(packets) if packet.timestamp == (0xFFFF_0000 + 30_000) & 0xFFFF_FFFF)
    world.source(packets[:half])
    world.shown(240), world.shown(180)
    world.say(Refresh(240))
    world.source(packets[half:])

    assert [each[3] for each in world.shown(240)] == [True] + [False] * 9
    assert not any(each[3] for each in world.shown(180))


@pytest.mark.parametrize("codec", ALL)
def test_a_source_that_changes_its_size_is_followed(codec: str) -> None:
    """The renditions keep their heights and take on the new shape; what is not lower than the source is not made."""
    world = World(codec)
    world.say(Encode((240, 180)))
    first = source_packets(codec, 360, 10)
    world.source(first)
    before = [each[1:] for height in (240, 180) for each in world.shown(height)]
    world.source(source_packets(codec, 240, 10, sequence=behind(first), timestamp=0x10_0000))

    assert before == [(426, 240, at == 0) for at in range(10)] + [(320, 180, at == 0) for at in range(10)]
    assert world.shown(240) == []
    assert [each[1:3] for each in world.shown(180)] == [(320, 180)] * 10


def test_an_encoder_that_is_late_encodes_fewer_pictures() -> None:
    """It decodes those in between, so that the last ones are right, and counts them."""
    world = World()
    world.say(Encode((240,)))
    world.source(source_packets("VP8", 360, 10), work=False)
    world.work()

    assert world.encoder.counted == Counted(10, 3, 7, 0)
    assert [each[0] for each in world.shown(240)] == [(0xFFFF_0000 + 3_000 * n) & 0xFFFF_FFFF for n in (7, 8, 9)]


def test_an_encoder_that_is_far_behind_waits_for_a_keyframe() -> None:
    """What waits is dropped and counted; the source's next keyframe is asked for, and work goes on with it."""
    world = World()
    world.say(Encode((240,)))
    packets = source_packets("VP8", 360, 70, keys=frozenset({60}))
    fifty = next(at for at, packet in enumerate(packets) if packet.timestamp == (0xFFFF_0000 + 150_000) & 0xFFFF_FFFF)
    world.source(packets[:fifty], work=False)
    asked, world.encoder.is_broken = world.encoder.is_broken, False
    world.work()
    world.source(packets[fifty:])

    assert asked
    assert world.encoder.counted == Counted(10, 10, 0, 46)
    assert [each[0] for each in world.shown(240)] == [(0xFFFF_0000 + 3_000 * n) & 0xFFFF_FFFF for n in range(60, 70)]


def test_what_cannot_be_decoded_is_dropped_and_a_keyframe_asked_for() -> None:
    """Junk in the place of a frame stops nothing but the pictures up to the next keyframe."""
    world = World()
    world.say(Encode((240,)))
    packets = source_packets("VP8", 360, 30, keys=frozenset({20}))
    ten = next(at for at, packet in enumerate(packets) if packet.timestamp == (0xFFFF_0000 + 30_000) & 0xFFFF_FFFF)
    junk = SourcePacket(True, packets[ten].sequence, packets[ten].timestamp, b"\x90\x80\x80\x01")
    world.source(packets[:ten])
    world.source([junk])
    asked = world.encoder.is_broken
    world.source(packets[ten + 1 :])

    assert asked
    assert [each[0] for each in world.shown(240)] == [
        (0xFFFF_0000 + 3_000 * n) & 0xFFFF_FFFF for n in (*range(10), *range(20, 30))
    ]
    assert world.encoder.counted == Counted(20, 20, 0, 1)


def test_a_source_from_its_middle_on_is_broken() -> None:
    """Whoever starts an encoder need not know where the source stands: it says that it needs a keyframe."""
    world = World()
    world.say(Encode((240,)))
    world.source(source_packets("VP8", 360, 10)[5:])

    assert world.encoder.is_broken
    assert world.made[240] == []


def test_intervals_are_those_of_the_pictures() -> None:
    """For the pacing: none for the first, then the source's, up to a bound."""
    world = World()
    world.say(Encode((180,)))
    first = source_packets("VP8", 240, 3)
    world.source(first)
    world.source(source_packets("VP8", 240, 1, sequence=behind(first), timestamp=90_000))

    assert [done.interval for done in world.done] == [0.0, 1 / 30, 1 / 30, 1 / 20]
