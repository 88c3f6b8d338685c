"""Packets made of frames: read back by others' readers, they are the frames again."""

from collections.abc import Callable
from typing import Final

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from hypothesis import given
from hypothesis import strategies as st

from signalreel_adapters.media.aiortc.keyframe import HEAD_BYTES, frame_size, starts_keyframe
from signalreel_adapters.media.aiortc.rtp import parse, vp8_positions
from signalreel_adapters.media.ladder.frames import Assembler, Frame
from signalreel_adapters.media.ladder.packets import PAYLOAD_BYTES_MAX, Packetizer
from tests.adapters.media.ladder.pictures import WIDTH, encoded, source_packet

READERS: Final[dict[str, Callable[[bytes], bytes]]] = {"VP8": vp8_depayload, "H264": h264_depayload}
"""aiortc's, which knows no VP9."""


def packetizer(codec: str) -> Packetizer:
    """One whose numbers wrap soon."""
    return Packetizer(codec, 96, 7, first_sequence=0xFFFE, first_picture=0x7FFF)


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_another_reader_gets_the_frame_back(codec: str) -> None:
    """aiortc's gives the bytes that the encoder gave, but for how long H264's start codes are."""
    maker = packetizer(codec)
    for frame, key in encoded(codec, 480, 4):
        packets = maker.packets(frame, 90_000, key=key)
        read = b"".join(READERS[codec](packet[12:]) for packet in packets)

        assert len(packets) > 1 or not key
        assert read.replace(b"\0\0\0\1", b"\0\0\1") == frame.replace(b"\0\0\0\1", b"\0\0\1")


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9"])
def test_the_forwarder_finds_keyframes_and_their_size(codec: str) -> None:
    """In the first packet of a keyframe, and in no packet of another frame."""
    maker = packetizer(codec)
    for frame, key in encoded(codec, 480, 4, keys=frozenset({2})):
        packets = maker.packets(frame, 90_000, key=key)
        heads = [packet[12 : 12 + HEAD_BYTES] for packet in packets]

        assert starts_keyframe(codec, heads[0]) is key
        assert (frame_size(codec, heads[0]) if key else None) == ((WIDTH[480], 480) if key else None)
        if codec != "H264":  # where each slice of a keyframe counts as one
            assert not any(starts_keyframe(codec, head) for head in heads[1:])


def test_numbers_go_on() -> None:
    """From packet to packet, from picture to picture, beyond what their fields hold; the last has the marker."""
    maker = packetizer("VP8")
    packets = [packet for number in range(2) for packet in maker.packets(bytes(3_000), number, key=False)]
    parsed = [parse(packet) for packet in packets]
    pictures = [vp8_positions(packet, 12, len(packet)) for packet in packets]

    assert [each and (each.sequence, each.timestamp, bool(each.marker)) for each in parsed] == [
        (0xFFFE, 0, False),
        (0xFFFF, 0, False),
        (0, 0, True),
        (1, 1, False),
        (2, 1, False),
        (3, 1, True),
    ]
    assert [each and (each.picture, each.wide) for each in pictures] == [(0x7FFF, True)] * 3 + [(0, True)] * 3
    assert {each and (each.payload_type, each.ssrc) for each in parsed} == {(96, 7)}


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264"])
@given(
    sizes=st.lists(st.integers(1, 4 * PAYLOAD_BYTES_MAX), min_size=1, max_size=5),
    seed=st.integers(0, 255),
)
def test_whatever_its_size_a_frame_comes_back(codec: str, sizes: list[int], seed: int) -> None:
    """No packet is too large, and what reads the packets of sources gets each frame as it was."""
    maker, assembler = packetizer(codec), Assembler(codec)
    frames = [frame_of(codec, size, seed) for size in sizes]
    got: list[Frame] = []
    for number, frame in enumerate(frames):
        for packet in maker.packets(frame, number, key=True):
            assert len(packet) <= 12 + PAYLOAD_BYTES_MAX
            got += assembler.take(source_packet(packet))

    assert got == [Frame(number, frame) for number, frame in enumerate(frames)]


def frame_of(codec: str, size: int, seed: int) -> bytes:
    """A keyframe by its first byte, and otherwise bytes that are no start code."""
    rest = bytes((seed + at) % 254 + 2 for at in range(size))
    if codec == "H264":
        return b"\0\0\0\1\x67\x42\x02" + b"\0\0\0\1\x68\x02" + b"\0\0\0\1\x65" + rest
    return b"\0" + rest
