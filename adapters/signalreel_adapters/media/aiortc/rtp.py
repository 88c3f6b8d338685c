"""RTP packets as bytes: where their parts are, and the few bytes a forwarder changes.

Pure functions over bytes that came from the network. None of them raises on junk: a packet that does not hold what its
header promises is no packet, and the answer is `None`. RFC 3550 (header), RFC 8285 (header extensions), RFC 7741 (VP8).
"""

import struct
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

__all__ = (
    "HEADER",
    "HEADER_SIZE",
    "PACKET_BYTES_MAX",
    "RTCP_TYPES",
    "SEQUENCE_HALF",
    "SEQUENCE_MASK",
    "TIMESTAMP_MASK",
    "Packet",
    "Vp8Positions",
    "abs_send_time",
    "extension",
    "extensions",
    "is_newer",
    "is_rtcp",
    "parse",
    "seconds_since",
    "unwrap_retransmission",
    "vp8_positions",
)

HEADER: Final = struct.Struct("!BBHII")
"""Version and flags, marker and payload type, sequence number, timestamp, SSRC (RFC 3550, section 5.1)."""

HEADER_SIZE: Final = HEADER.size
SEQUENCE_MASK: Final = 0xFFFF
SEQUENCE_HALF: Final = 0x8000
TIMESTAMP_MASK: Final = 0xFFFF_FFFF

PACKET_BYTES_MAX: Final = 1_300
"""Largest plain packet that is forwarded. Every known sender stays below 1 250; SRTP adds up to 16 bytes, our own
header extensions up to 24, and the sum must pass pylibsrtp's limit of 1 356 and a path of 1 400."""

RTCP_TYPES: Final = range(192, 224)
"""The second byte of an RTCP packet, and of no RTP packet of a payload type that may be used beside it: 64 to 95 may
not (RFC 5761, section 4)."""

_ONE_BYTE_PROFILE: Final = 0xBEDE
_TWO_BYTE_PROFILE: Final = 0x1000
_TWO_BYTE_PROFILE_MASK: Final = 0xFFF0
_ONE_BYTE_STOP: Final = 15  # an id of 15 ends the processing of one-byte extensions (RFC 8285, section 4.2)
_VERSION: Final = 2


class Packet(Struct, gc=False, frozen=True):
    """Where the parts of one RTP packet are. Offsets count from the packet's first byte."""

    marker: int  #: 0x80 or 0, ready to be joined with a payload type
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    profile: int  #: of the header extensions; 0 without
    extensions_start: int  #: of the first element, behind profile and length
    payload_start: int
    payload_end: int  #: padding is behind it


class Vp8Positions(Struct, gc=False, frozen=True):
    """Where a VP8 payload descriptor keeps its running numbers; a position of 0 means the number is absent."""

    picture_at: int
    picture: int
    wide: bool  #: the picture id has 15 bits, else 7
    layer_at: int
    layer: int  #: TL0PICIDX


def parse(data: bytes) -> Packet | None:
    """Find the parts of an RTP packet, or say that it is none."""
    size = len(data)
    if size < HEADER_SIZE:
        return None
    fields: tuple[int, int, int, int, int] = HEADER.unpack_from(data)
    flags, marked_type, sequence, timestamp, ssrc = fields
    if flags >> 6 != _VERSION:
        return None
    start = HEADER_SIZE + 4 * (flags & 0x0F)
    profile = extensions_start = 0
    if flags & 0x10:
        if start + 4 > size:
            return None
        profile = data[start] << 8 | data[start + 1]
        extensions_start = start + 4
        start = extensions_start + 4 * (data[start + 2] << 8 | data[start + 3])
    end = size
    if flags & 0x20:
        if not data[-1]:
            return None
        end -= data[-1]
    if start > end:
        return None
    return Packet(
        marked_type & 0x80, marked_type & 0x7F, sequence, timestamp, ssrc, profile, extensions_start, start, end
    )


def extensions(data: bytes, packet: Packet) -> Iterator[tuple[int, int, int]]:
    """Give (id, start, length) of every header extension of a packet, in either form; stops at the first broken one."""
    at, end = packet.extensions_start, packet.payload_start
    if packet.profile == _ONE_BYTE_PROFILE:
        while at < end:
            lead = data[at]
            at += 1
            if not lead:
                continue
            length = (lead & 0x0F) + 1
            if lead >> 4 == _ONE_BYTE_STOP or at + length > end:
                return
            yield lead >> 4, at, length
            at += length
    elif packet.profile & _TWO_BYTE_PROFILE_MASK == _TWO_BYTE_PROFILE:
        while at < end:
            lead = data[at]
            at += 1
            if not lead:
                continue
            if at >= end or at + 1 + data[at] > end:
                return
            yield lead, at + 1, data[at]
            at += 1 + data[at]


def is_rtcp(data: bytes) -> bool:
    """Whether a packet of the range of RTP is RTCP (RFC 5761, section 4)."""
    return len(data) > 1 and data[1] in RTCP_TYPES


def extension(data: bytes, packet: Packet, ident: int) -> bytes | None:
    """Give the value of one header extension."""
    for found, start, length in extensions(data, packet):
        if found == ident:
            return data[start : start + length]
    return None


def is_newer(sequence: int, other: int) -> bool:
    """Whether a sequence number follows another, in 16-bit arithmetic (RFC 1982)."""
    return sequence != other and (sequence - other) & SEQUENCE_MASK < SEQUENCE_HALF


def abs_send_time(now: float) -> bytes:
    """Give a time in seconds as the 24 bits of abs-send-time: 6 of seconds, 18 of fraction. It wraps every 64 s."""
    return (int(now * 262_144) & 0xFF_FFFF).to_bytes(3, "big")


def seconds_since(send_time: bytes, now: float) -> float:
    """Give how long ago an abs-send-time was written by the same clock, up to the 64 s after which it wraps."""
    return (int(now * 262_144) - int.from_bytes(send_time, "big") & 0xFF_FFFF) / 262_144


def unwrap_retransmission(data: bytes, packet: Packet, payload_type: int, ssrc: int) -> bytes | None:
    """Give back the packet that a retransmission carries (RFC 4588, section 4), without its padding.

    `None` when it carries none: senders probe the path with empty retransmissions.
    """
    start = packet.payload_start
    if packet.payload_end - start < 2:  # noqa: PLR2004 - the original sequence number
        return None
    original = data[start] << 8 | data[start + 1]
    header = HEADER.pack(data[0] & ~0x20, packet.marker | payload_type, original, packet.timestamp, ssrc)
    return header + data[HEADER_SIZE:start] + data[start + 2 : packet.payload_end]


def vp8_positions(data: bytes, start: int, end: int) -> Vp8Positions | None:
    """Find PictureID and TL0PICIDX in the VP8 payload descriptor at `start` (RFC 7741, section 4.2)."""
    if end - start < 2 or not data[start] & 0x80:  # noqa: PLR2004 - a descriptor with extensions has two bytes
        return None
    flags = data[start + 1]
    at = start + 2
    picture_at = picture = layer_at = layer = 0
    wide = False
    if flags & 0x80:
        if at >= end:
            return None
        picture_at, wide = at, bool(data[at] & 0x80)
        if wide:
            if at + 1 >= end:
                return None
            picture = (data[at] & 0x7F) << 8 | data[at + 1]
        else:
            picture = data[at]
        at += 2 if wide else 1
    if flags & 0x40:
        if at >= end:
            return None
        layer_at, layer = at, data[at]
    return Vp8Positions(picture_at, picture, wide, layer_at, layer)
