"""From the frames of an encoder to RTP packets: VP8 (RFC 7741), H264 (RFC 6184) and VP9 (RFC 9628)."""

import re
import struct
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ("PAYLOAD_BYTES_MAX", "Packetizer")

PAYLOAD_BYTES_MAX: Final = 1_180
"""Of one packet. With all that is added on the way to a viewer it stays below 1 250, as what browsers send does."""

_HEADER: Final = struct.Struct("!BBHII")
_SEQUENCE_MASK: Final = 0xFFFF
_PICTURE_MASK: Final = 0x7FFF
_WIDE_PICTURE: Final = 0x8000  # in front of a picture id of 15 bits
_H264_SPS: Final = 7
_H264_PPS: Final = 8
_H264_STAP_A: Final = 24
_H264_FU_A: Final = 28
_UNIT_STARTS: Final = re.compile(rb"\x00{2,3}\x01")


class Packetizer:
    """Makes the packets of one rendition; its numbers go on from frame to frame.

    `first_sequence` and `first_picture` are where they start.
    """

    def __init__(
        self,
        codec: str,
        payload_type: int,
        ssrc: int,
        *,
        first_sequence: int,
        first_picture: int,
    ) -> None:
        self._payload_type = payload_type
        self._ssrc = ssrc
        self._sequence = first_sequence
        self._picture = first_picture
        self._cut: Callable[[bytes, bool], list[bytes]] = {"VP8": self._vp8, "VP9": self._vp9, "H264": self._h264}[
            codec
        ]

    def packets(self, frame: bytes, timestamp: int, *, key: bool) -> list[bytes]:
        """Give the RTP packets of a frame; the last of them has the marker."""
        payloads = self._cut(frame, key)
        self._picture = (self._picture + 1) & _PICTURE_MASK
        packets: list[bytes] = []
        for index, payload in enumerate(payloads):
            marked = 0x80 if index == len(payloads) - 1 else 0
            header = _HEADER.pack(0x80, marked | self._payload_type, self._sequence, timestamp, self._ssrc)
            self._sequence = (self._sequence + 1) & _SEQUENCE_MASK
            packets.append(header + payload)
        return packets

    def _vp8(self, frame: bytes, key: bool) -> list[bytes]:
        """The picture says itself whether it is a keyframe. Browsers put everything into partition 0, too."""
        rest = b"\x80" + (_WIDE_PICTURE | self._picture).to_bytes(2, "big")
        pieces = list(_pieces(frame, PAYLOAD_BYTES_MAX - 1 - len(rest)))
        return [(b"\x90" if index == 0 else b"\x80") + rest + piece for index, piece in enumerate(pieces)]

    def _vp9(self, frame: bytes, key: bool) -> list[bytes]:
        """In the mode that is not flexible, without layers."""
        picture = (_WIDE_PICTURE | self._picture).to_bytes(2, "big")
        pieces = list(_pieces(frame, PAYLOAD_BYTES_MAX - 1 - len(picture)))
        last = len(pieces) - 1
        flags = 0x80 | (0 if key else 0x40)
        return [
            bytes((flags | (0x08 if index == 0 else 0) | (0x04 if index == last else 0),)) + picture + piece
            for index, piece in enumerate(pieces)
        ]

    def _h264(self, frame: bytes, key: bool) -> list[bytes]:
        """Parameter sets go together, so that whoever looks at the first packet of a keyframe finds its size there."""
        units = [unit for unit in _UNIT_STARTS.split(frame) if unit]
        sets = [unit for unit in units if unit[0] & 0x1F in (_H264_SPS, _H264_PPS)]
        payloads: list[bytes] = []
        together = 1 + sum(2 + len(unit) for unit in sets)
        if len(sets) > 1 and together <= PAYLOAD_BYTES_MAX:
            importance = max(unit[0] & 0x60 for unit in sets)
            joined = b"".join(len(unit).to_bytes(2, "big") + unit for unit in sets)
            payloads.append(bytes((importance | _H264_STAP_A,)) + joined)
            units = [unit for unit in units if unit not in sets]
        for unit in units:
            payloads += [unit] if len(unit) <= PAYLOAD_BYTES_MAX else _fragments(unit)
        return payloads


def _pieces(data: bytes, size_max: int) -> Iterator[bytes]:
    """Cut into pieces of about one size, which is easier on a path than full packets and a tiny one."""
    count = max(1, -(-len(data) // size_max))
    size, larger = divmod(len(data), count)
    at = 0
    for index in range(count):
        end = at + size + (index < larger)
        yield data[at:end]
        at = end


def _fragments(unit: bytes) -> list[bytes]:
    """Cut a unit into fragments (RFC 6184, section 5.8)."""
    pieces = list(_pieces(unit[1:], PAYLOAD_BYTES_MAX - 2))
    indicator, kind, last = unit[0] & 0xE0 | _H264_FU_A, unit[0] & 0x1F, len(pieces) - 1
    return [
        bytes((indicator, (0x80 if index == 0 else 0) | (0x40 if index == last else 0) | kind)) + piece
        for index, piece in enumerate(pieces)
    ]
