"""Frames put together of packets: in order, whole, from a keyframe on, whatever is lost or junk."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from signalreel_adapters.media.ladder.codec import Decoder
from signalreel_adapters.media.ladder.frames import CODECS, Assembler, Frame
from signalreel_adapters.media.ladder.messages import SourcePacket
from tests.adapters.media.ladder.pictures import encoded, source_packets

ALL = sorted(CODECS)
LENGTH = 60


def taken(assembler: Assembler, packets: list[SourcePacket]) -> list[Frame]:
    """What an assembler makes of packets."""
    return [frame for packet in packets for frame in assembler.take(packet)]


def data(codec: str, frames: list[Frame]) -> list[bytes]:
    """What of frames can be compared: start codes of H264 may have three bytes or four."""
    return (
        [frame.data.replace(b"\0\0\0\1", b"\0\0\1") for frame in frames]
        if codec == "H264"
        else [frame.data for frame in frames]
    )


def originals(codec: str, keys: frozenset[int] = frozenset()) -> list[bytes]:
    """What was encoded, to be compared likewise."""
    return data(codec, [Frame(0, frame) for frame, _ in encoded(codec, 180, LENGTH, keys=keys)])


@pytest.mark.parametrize("codec", ALL)
def test_a_whole_source_comes_through(codec: str) -> None:
    """Every frame, with its timestamp, across the wraps of both numbers; and it can be decoded."""
    assembler = Assembler(codec)
    frames = taken(assembler, source_packets(codec, 180, LENGTH))
    decoder = Decoder(codec)

    assert data(codec, frames) == originals(codec)
    assert [frame.timestamp for frame in frames] == [(0xFFFF_0000 + 3_000 * n) & 0xFFFF_FFFF for n in range(LENGTH)]
    assert all(decoder.decode(frame.data) for frame in frames)
    assert (assembler.is_broken, assembler.lost) == (False, 0)


@pytest.mark.parametrize("codec", ALL)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_packets_that_come_late_or_twice_are_put_in_order(codec: str, seed: int) -> None:
    """As long as none comes too late, what comes out is what would have without."""
    chance = random.Random(seed)
    packets = source_packets(codec, 180, LENGTH)
    late = chance.sample(range(1, len(packets)), len(packets) // 5)
    arrival = {at: at + chance.random() * 8 if at in late else at for at in range(len(packets))}
    shuffled = [
        packets[at] for at in sorted(arrival, key=arrival.__getitem__) for _ in range(1 + (chance.random() < 0.1))
    ]

    assert data(codec, taken(Assembler(codec), shuffled)) == originals(codec)


@pytest.mark.parametrize("codec", ALL)
def test_nothing_is_taken_before_a_keyframe(codec: str) -> None:
    """A source that is listened to from the middle on is broken until then."""
    keys = frozenset({30})
    packets = source_packets(codec, 180, LENGTH, keys=keys)
    assembler = Assembler(codec)
    first = taken(assembler, packets[3:10])
    broken = assembler.is_broken
    frames = taken(assembler, packets[10:])

    assert (first, broken) == ([], True)
    assert data(codec, frames) == originals(codec, keys)[30:]


@pytest.mark.parametrize("codec", ALL)
def test_a_packet_that_never_comes_is_given_up(codec: str) -> None:
    """After 0.4 s of the source's time; then nothing more is given before a keyframe, and that is said."""
    packets = source_packets(codec, 180, LENGTH)
    missing = next(at for at, packet in enumerate(packets) if packet.timestamp == 0xFFFF_0000 + 3_000 * 5)
    assembler = Assembler(codec)
    given_up_at = 0
    frames: list[Frame] = []
    for packet in packets[:missing] + packets[missing + 1 :]:
        frames += assembler.take(packet)
        if assembler.is_broken and not given_up_at:
            given_up_at = packet.timestamp

    assert data(codec, frames) == originals(codec)[:5]
    assert assembler.lost == 1
    # The first packet that waits is of the same picture, or of the next.
    assert given_up_at - packets[missing].timestamp in {39_000, 42_000}


@pytest.mark.parametrize("codec", ALL)
def test_a_keyframe_behind_a_gap_ends_the_waiting(codec: str) -> None:
    """When one has arrived by the time the gap is given up, the frames go on with it."""
    keys = frozenset({10})
    packets = source_packets(codec, 180, LENGTH, keys=keys)
    missing = next(at for at, packet in enumerate(packets) if packet.timestamp == 0xFFFF_0000 + 3_000 * 5)
    assembler = Assembler(codec)
    frames = taken(assembler, packets[:missing] + packets[missing + 1 :])

    assert data(codec, frames) == originals(codec, keys)[:5] + originals(codec, keys)[10:]
    assert assembler.is_broken is False


def test_a_source_that_numbers_anew_is_followed_from_its_keyframe() -> None:
    """A step back of more than anything late can be is another run of numbers."""
    assembler = Assembler("VP8")
    taken(assembler, source_packets("VP8", 180, 4, sequence=40_000))
    frames = taken(assembler, source_packets("VP8", 180, 4, sequence=20_000))

    # The packet that shows it is not taken, and it was the keyframe's.
    assert (frames, assembler.is_broken) == ([], True)
    assert len(taken(assembler, source_packets("VP8", 180, 4, sequence=20_100))) == 4


def test_padding_only_counts() -> None:
    """A packet without a payload fills a number and ends nothing."""
    packets = source_packets("VP8", 180, 3)
    empty = structs.replace(packets[-1], sequence=(packets[-1].sequence + 1) & 0xFFFF, payload=b"", marker=False)
    more = structs.replace(packets[-1], sequence=(packets[-1].sequence + 2) & 0xFFFF, timestamp=0)

    assert len(taken(Assembler("VP8"), [*packets, empty, more])) == 4


def test_a_sender_without_markers_is_understood() -> None:
    """A frame ends where the next timestamp begins."""
    packets = [structs.replace(packet, marker=False) for packet in source_packets("VP8", 180, 5)]

    assert data("VP8", taken(Assembler("VP8"), packets)) == originals("VP8")[:4]


def test_vp9_descriptors_are_read() -> None:
    """Flexible mode with references, layer indices and a scalability structure; of the layers, the lowest is taken."""
    structure = bytes((0x38, 1, 64, 0, 180, 2, 128, 1, 104, 1, 0x04 | 0x10, 1))
    key = bytes((0x80 | 0x20 | 0x10 | 0x08 | 0x02, 0x81, 0x23, 0x00)) + structure + b"key"
    upper = bytes((0x80 | 0x20 | 0x10 | 0x08 | 0x04, 0x81, 0x23, 0x02)) + b"upper"
    delta = bytes((0x80 | 0x40 | 0x20 | 0x10 | 0x08, 0x81, 0x24, 0x00, 0x03, 0x04)) + b"delta"
    packets = [
        SourcePacket(False, 1, 0, key),
        SourcePacket(True, 2, 0, upper),
        SourcePacket(True, 3, 3_000, delta),
    ]

    assert taken(Assembler("VP9"), packets) == [Frame(0, b"key"), Frame(3_000, b"delta")]


@pytest.mark.parametrize("codec", ALL)
@given(st.data())
def test_junk_raises_nothing(codec: str, drawn: st.DataObject) -> None:
    """Packets of any bytes, and real ones with bytes changed and ends cut off."""
    chance = random.Random(drawn.draw(st.integers(0, 2**32)))
    assembler = Assembler(codec)
    for packet in source_packets(codec, 180, 12):
        changed = bytearray(packet.payload)
        if chance.random() < 0.3:
            changed[chance.randrange(len(changed))] = chance.getrandbits(8)
            del changed[chance.randrange(len(changed) + 1) :]
        assembler.take(structs.replace(packet, payload=bytes(changed)))
    for step in range(40):
        assembler.take(
            SourcePacket(bool(chance.getrandbits(1)), 100 + step, step, chance.randbytes(chance.randrange(9)))
        )
