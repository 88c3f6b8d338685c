"""From RTP packets back to the frames that a decoder takes: in order, whole, and from a keyframe on.

Pure code, told no time: how long a missing packet is waited for is counted in the source's own. Whatever the packets
hold, the answer is frames or none; junk is a frame that is lost.
RFC 7741 (VP8), RFC 6184 (H264), RFC 9628 (VP9).
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from signalreel_adapters.media.ladder.messages import SourcePacket

__all__ = ("CODECS", "Assembler", "Frame")

_WAIT_TICKS: Final = 36_000
"""How much later than a missing packet others may be before it is given up: 0.4 s, in which it is asked for and sent
again a few times."""

_HELD_MAX: Final = 1_024
"""Packets that wait for a missing one: 0.4 s of 25 Mbit/s."""

_JUMP: Final = 3_000
"""A step back of the sequence number by more is a source that numbers anew (RFC 3550, appendix A.1)."""

_FRAME_BYTES_MAX: Final = 4_194_304
"""A frame that does not end is junk."""

_SEQUENCE_MASK: Final = 0xFFFF
_SEQUENCE_HALF: Final = 0x8000
_TIMESTAMP_MASK: Final = 0xFFFF_FFFF
_TIMESTAMP_HALF: Final = 0x8000_0000
_UNIT_START: Final = b"\0\0\0\1"
_H264_IDR: Final = 5
_H264_SPS: Final = 7
_H264_SINGLE_MAX: Final = 23
_H264_STAP_A: Final = 24
_H264_FU_A: Final = 28


class Frame(Struct, frozen=True, gc=False):
    """One encoded picture, as a decoder takes it."""

    timestamp: int
    data: bytes


class _Junk(Exception):
    """A payload does not hold what it promises."""


class _Part(Struct, frozen=True, gc=False):
    """What one packet has of a frame."""

    data: bytes
    starts_key: bool = False  #: with it, a frame begins that needs no other


class Assembler:
    """Takes the packets of one source. `is_broken` says that a keyframe is needed before anything else is of use."""

    def __init__(self, codec: str) -> None:
        self.is_broken = True
        self.lost = 0  #: times that something was missing, or was junk
        self._read = _READERS[codec]
        self._next = -1
        self._held: dict[int, SourcePacket] = {}
        self._parts: list[bytes] = []
        self._bytes = 0
        self._timestamp = 0

    def take(self, packet: SourcePacket) -> list[Frame]:
        """Take one packet; gives the frames that it completes, which are several when it was waited for."""
        if self._next < 0 and not self._starts_key(packet):
            return []
        if self._next < 0:
            self._next, self.is_broken = packet.sequence, False
        ahead = (packet.sequence - self._next) & _SEQUENCE_MASK
        if ahead >= _SEQUENCE_HALF:
            if ahead <= _SEQUENCE_MASK - _JUMP:
                self.give_up()
            return []
        self._held[packet.sequence] = packet
        frames = self._drain()
        if self._held and self._waited_in_vain(packet):
            self._skip_to_keyframe()
            frames += self._drain()
        return frames

    def give_up(self) -> None:
        """Take nothing more before the next keyframe."""
        self.is_broken = True
        self._next = -1
        self._held.clear()
        self._begin_frame()

    def _waited_in_vain(self, newest: SourcePacket) -> bool:
        first = min(self._held, key=lambda each: (each - self._next) & _SEQUENCE_MASK)
        waited = (newest.timestamp - self._held[first].timestamp) & _TIMESTAMP_MASK
        return len(self._held) > _HELD_MAX or _WAIT_TICKS < waited < _TIMESTAMP_HALF

    def _skip_to_keyframe(self) -> None:
        """Go on behind a gap that is not filled: with the newest keyframe that is here already, if one is."""
        held = dict(self._held)
        keys = sorted(
            (sequence for sequence, packet in held.items() if self._starts_key(packet)),
            key=lambda each: (each - self._next) & _SEQUENCE_MASK,
        )
        # Several packets of one keyframe look like its start in H264.
        newest = next((each for each in keys if held[each].timestamp == held[keys[-1]].timestamp), -1)
        self.lost += 1
        self.give_up()
        if newest >= 0:
            self._next, self.is_broken = newest, False
            self._held = {
                each: packet for each, packet in held.items() if (each - newest) & _SEQUENCE_MASK < _SEQUENCE_HALF
            }

    def _starts_key(self, packet: SourcePacket) -> bool:
        try:
            return bool(packet.payload) and self._read(packet.payload).starts_key
        except (_Junk, IndexError):
            return False

    def _drain(self) -> list[Frame]:
        """Take what stands in line."""
        frames: list[Frame] = []
        while (packet := self._held.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & _SEQUENCE_MASK
            try:
                self._add(packet, frames)
            except (_Junk, IndexError):
                self.lost += 1
                self.give_up()
        return frames

    def _add(self, packet: SourcePacket, frames: list[Frame]) -> None:
        if self._parts and packet.timestamp != self._timestamp:
            self._finish(frames)  # of a sender that sets no marker
        self._timestamp = packet.timestamp
        if packet.payload:  # else it is padding, which only counts
            data = self._read(packet.payload).data
            self._parts.append(data)
            self._bytes += len(data)
        if self._bytes > _FRAME_BYTES_MAX:
            raise _Junk
        if packet.marker:
            self._finish(frames)

    def _finish(self, frames: list[Frame]) -> None:
        if self._bytes:
            frames.append(Frame(self._timestamp, b"".join(self._parts)))
        self._begin_frame()

    def _begin_frame(self) -> None:
        self._parts.clear()
        self._bytes = 0


def _read_vp8(payload: bytes) -> _Part:
    first, at = payload[0], 1
    if first & 0x80:
        flags = payload[1]
        at = 2
        if flags & 0x80:
            at += 2 if payload[at] & 0x80 else 1
        at += bool(flags & 0x40) + bool(flags & 0x30)
    starts = bool(first & 0x10) and not first & 0x07
    return _Part(payload[at:], starts_key=starts and not payload[at] & 1)


def _read_vp9(payload: bytes) -> _Part:
    """Only the lowest spatial layer is of use here: a frame of several is more than a decoder takes at once."""
    first, at = payload[0], 1
    if first & 0x80:
        at += 2 if payload[at] & 0x80 else 1
    layer = 0
    if first & 0x20:
        layer = payload[at] >> 1 & 0x07
        at += 1 if first & 0x10 else 2
    if first & 0x50 == 0x50:  # noqa: PLR2004 - in flexible mode, a frame that refers to others names them
        while payload[at] & 1:
            at += 1
        at += 1
    if first & 0x02:
        at = _behind_structure(payload, at)
    if layer:
        return _Part(b"")
    if at > len(payload):
        raise _Junk
    return _Part(payload[at:], starts_key=bool(first & 0x08) and not first & 0x40)


def _behind_structure(payload: bytes, at: int) -> int:
    """Give where a VP9 scalability structure ends (RFC 9628, section 4.2.1)."""
    structure = payload[at]
    at += 1
    if structure & 0x10:
        at += 4 * ((structure >> 5) + 1)
    if structure & 0x08:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 0x03)
    return at


def _read_h264(payload: bytes) -> _Part:
    kind = payload[0] & 0x1F
    if kind == _H264_FU_A:
        header = payload[1]
        start = _UNIT_START + bytes((payload[0] & 0xE0 | header & 0x1F,)) if header & 0x80 else b""
        return _Part(start + payload[2:], starts_key=bool(start) and header & 0x1F == _H264_IDR)
    if kind == _H264_STAP_A:
        units = list(_aggregated(payload))
    elif 0 < kind <= _H264_SINGLE_MAX:
        units = [payload]
    else:
        raise _Junk
    starts_key = any(unit[0] & 0x1F in (_H264_SPS, _H264_IDR) for unit in units)
    return _Part(b"".join(_UNIT_START + unit for unit in units), starts_key=starts_key)


def _aggregated(payload: bytes) -> list[bytes]:
    units: list[bytes] = []
    at = 1
    while at < len(payload):
        length = payload[at] << 8 | payload[at + 1]
        unit = payload[at + 2 : at + 2 + length]
        if not length or len(unit) != length:
            raise _Junk
        units.append(unit)
        at += 2 + length
    return units


_READERS: Final[dict[str, Callable[[bytes], _Part]]] = {"VP8": _read_vp8, "H264": _read_h264, "VP9": _read_vp9}

CODECS: Final = frozenset(_READERS)
"""What a ladder can be made of, by the names of an rtpmap."""
