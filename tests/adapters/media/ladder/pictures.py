"""Moving pictures, encoded and not, for the tests of the ladder."""

from functools import cache

import av
from av import VideoFrame

from signalreel_adapters.media.ladder.codec import Encoder
from signalreel_adapters.media.ladder.messages import SourcePacket
from signalreel_adapters.media.ladder.packets import Packetizer

__all__ = ("INTERVAL", "WIDTH", "encoded", "pictures", "source_packet", "source_packets")

INTERVAL = 3_000
"""Ticks between two pictures: 30 a second."""

WIDTH = {720: 1280, 480: 854, 360: 640, 240: 426, 180: 320}


@cache
def pictures(height: int, count: int) -> tuple[VideoFrame, ...]:
    """Pictures that move all over."""
    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={WIDTH[height]}x{height}:rate=30")
    shape = graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    source.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    found: list[VideoFrame] = []
    for _ in range(count):
        picture = graph.pull()
        assert isinstance(picture, VideoFrame)
        found.append(picture)
    return tuple(found)


@cache
def encoded(
    codec: str, height: int, count: int, *, keys: frozenset[int] = frozenset()
) -> tuple[tuple[bytes, bool], ...]:
    """The same encoded: the first is a keyframe, and so are those whose number is in `keys`."""
    encoder = Encoder(codec, (WIDTH[height], height), 1_500_000)
    return tuple(
        encoder.encode(picture, number * INTERVAL, key=number in keys)
        for number, picture in enumerate(pictures(height, count))
    )


def source_packet(packet: bytes) -> SourcePacket:
    """An RTP packet without extensions, as the encoder hears of it."""
    return SourcePacket(
        bool(packet[1] & 0x80), int.from_bytes(packet[2:4], "big"), int.from_bytes(packet[4:8], "big"), packet[12:]
    )


def source_packets(
    codec: str,
    height: int,
    count: int,
    *,
    keys: frozenset[int] = frozenset(),
    sequence: int = 65_500,
    timestamp: int = 0xFFFF_0000,
) -> list[SourcePacket]:
    """The packets of encoded pictures. Their numbers wrap soon."""
    packetizer = Packetizer(codec, 96, 1, first_sequence=sequence, first_picture=0x7FF0)
    return [
        source_packet(packet)
        for number, (frame, key) in enumerate(encoded(codec, height, count, keys=keys))
        for packet in packetizer.packets(frame, (timestamp + number * INTERVAL) & 0xFFFF_FFFF, key=key)
    ]
