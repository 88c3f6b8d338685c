"""Where pictures begin, and how large they are: what can be read from the head of a video payload without decoding.

Pure functions over bytes from the network; on junk they say "no keyframe" or "size not known". A viewer is started,
resumed and switched only where `starts_keyframe` says so.
"""

from collections.abc import Callable
from typing import Final

__all__ = ("HEAD_BYTES", "Size", "frame_size", "starts_keyframe")

HEAD_BYTES: Final = 160
"""How much of a payload is looked at: an aggregated H264 sequence parameter set must fit."""

Size = tuple[int, int]
"""Width and height in pixels."""

_PIXELS_MAX: Final = 16_384  # larger sizes are junk: no encoder in a browser goes beyond
_H264_SPS: Final = 7
_H264_IDR: Final = 5
_H264_STAP_A: Final = 24
_H264_FU_A: Final = 28
_AV1_SEQUENCE_HEADER: Final = 1
_GOLOMB_BITS_MAX: Final = 31
_H264_HIGH_PROFILES: Final = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})


def starts_keyframe(codec: str, head: bytes) -> bool:
    """Whether this payload is the first packet of a picture that needs no other. True for anything that is no video."""
    test = _KEYFRAME_TESTS.get(codec)
    return test is None or test(head)


def frame_size(codec: str, head: bytes) -> Size | None:
    """Read the size of the picture that a keyframe's first payload starts, where the codec says it."""
    reader = _SIZE_READERS.get(codec)
    if reader is None:
        return None
    try:
        size = reader(head)
    except (IndexError, _Junk):
        return None
    return size if size is not None and 0 < size[0] <= _PIXELS_MAX and 0 < size[1] <= _PIXELS_MAX else None


class _Junk(Exception):
    """The bits do not hold what they promise."""


class _Bits:
    """Reads big-endian bit fields; an IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def golomb(self) -> int:
        """Read an unsigned exponential Golomb code (H.264, section 9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > _GOLOMB_BITS_MAX:
                raise _Junk
        return (1 << zeros) - 1 + self.take(zeros)


def _vp8_frame_at(head: bytes) -> int:
    """Where the VP8 frame starts behind its payload descriptor (RFC 7741, section 4.2)."""
    if not head[0] & 0x80:
        return 1
    flags, at = head[1], 2
    if flags & 0x80:
        at += 2 if head[2] & 0x80 else 1
    return at + bool(flags & 0x40) + bool(flags & 0x30)


def _vp8_key(head: bytes) -> bool:
    if not head or not head[0] & 0x10 or head[0] & 0x07:  # the start of partition 0 only
        return False
    try:
        return not head[_vp8_frame_at(head)] & 1
    except IndexError:
        return False


def _vp8_size(head: bytes) -> Size | None:
    at = _vp8_frame_at(head)
    if head[at + 3 : at + 6] != b"\x9d\x01\x2a":  # the start code of a keyframe (RFC 6386, section 9.1)
        return None
    width = head[at + 6] | head[at + 7] << 8
    height = head[at + 8] | head[at + 9] << 8
    return width & 0x3FFF, height & 0x3FFF


def _vp9_key(head: bytes) -> bool:
    """Not predicted from another picture, first packet of it, and the lowest spatial layer (RFC 9628, section 4.2)."""
    if not head or head[0] & 0x40 or not head[0] & 0x08:
        return False
    if not head[0] & 0x20:
        return True
    at = 1
    if head[0] & 0x80:
        at += 2 if len(head) > 1 and head[1] & 0x80 else 1
    return len(head) > at and not head[at] & 0x0E


def _vp9_size(head: bytes) -> Size | None:
    flags, at = head[0], 1
    if flags & 0x80:
        at += 2 if head[1] & 0x80 else 1
    if flags & 0x20:
        at += 1 if flags & 0x10 else 2
    if flags & 0x02:  # the scalability structure; the last spatial layer is the largest
        structure, at = head[at], at + 1
        if structure & 0x10:
            at += 4 * (structure >> 5)
            return head[at] << 8 | head[at + 1], head[at + 2] << 8 | head[at + 3]
        if structure & 0x08:
            pictures, at = head[at], at + 1
            for _ in range(pictures):
                at += 1 + (head[at] >> 2 & 0x03)
    bits = _Bits(head[at:])
    if bits.take(2) != 2:  # noqa: PLR2004 - the frame marker of the uncompressed header
        return None
    profile = bits.take(1) | bits.take(1) << 1
    if profile or bits.take(1) or bits.take(1):  # only profile 0 is offered; a shown or predicted frame has no size
        return None
    bits.take(2)
    if bits.take(24) != 0x49_83_42:  # noqa: PLR2004 - the sync code
        return None
    srgb = 7
    if bits.take(3) != srgb:
        bits.take(1)
    return bits.take(16) + 1, bits.take(16) + 1


def _h264_units(head: bytes) -> list[bytes]:
    """The NAL units whose first bytes stand in a payload (RFC 6184, sections 5.6 to 5.8), with their header byte."""
    if not head:
        return []
    kind = head[0] & 0x1F
    if kind == _H264_FU_A:
        start = len(head) > 1 and head[1] & 0x80
        return [bytes((head[0] & 0x60 | head[1] & 0x1F,)) + head[2:]] if start else []
    if kind != _H264_STAP_A:
        return [head]
    units: list[bytes] = []
    at = 1
    while at + 2 < len(head):
        length = head[at] << 8 | head[at + 1]
        units.append(head[at + 2 : at + 2 + length])
        at += 2 + max(1, length)
    return [unit for unit in units if unit]


def _h264_key(head: bytes) -> bool:
    return any(unit[0] & 0x1F in (_H264_SPS, _H264_IDR) for unit in _h264_units(head))


def _h264_size(head: bytes) -> Size | None:
    for unit in _h264_units(head):
        if unit[0] & 0x1F == _H264_SPS:
            return _sps_size(_Bits(unit[1:].replace(b"\x00\x00\x03", b"\x00\x00")))
    return None


def _sps_size(bits: _Bits) -> Size:
    """Read a sequence parameter set up to its cropping (H.264, section 7.3.2.1.1)."""
    profile = bits.take(8)
    bits.take(16)
    bits.golomb()
    chroma = 1
    if profile in _H264_HIGH_PROFILES:
        chroma = bits.golomb()
        if chroma == 3 and bits.take(1):  # noqa: PLR2004 - 4:4:4
            raise _Junk
        bits.golomb()
        bits.golomb()
        if bits.take(2) & 1:  # scaling lists are as long as the rest; no browser sends any
            raise _Junk
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        raise _Junk  # no real-time encoder uses it, and its list is unbounded
    bits.golomb()
    bits.take(1)
    width = (bits.golomb() + 1) * 16
    height_in_maps = bits.golomb() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    height = height_in_maps * 16 * (2 - frames_only)
    bits.take(1)
    if bits.take(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        across = 2 if chroma in (1, 2) else 1
        down = (2 if chroma == 1 else 1) * (2 - frames_only)
        width -= across * (left + right)
        height -= down * (top + bottom)
    return width, height


def _av1_key(head: bytes) -> bool:
    """A new coded video sequence starts, and not in the middle of a unit (AV1 RTP specification, section 4.4)."""
    return bool(head) and bool(head[0] & 0x08) and not head[0] & 0x80


def _av1_size(head: bytes) -> Size | None:
    at = 1
    one_element = 0x10
    if head[0] & 0x30 != one_element:  # with one element, its length is not written
        while head[at] & 0x80:
            at += 1
        at += 1
    header = head[at]
    if header >> 3 & 0x0F != _AV1_SEQUENCE_HEADER:
        return None
    at += 2 if header & 0x04 else 1
    if header & 0x02:
        while head[at] & 0x80:
            at += 1
        at += 1
    bits = _Bits(head[at:])
    bits.take(4)
    if bits.take(1):
        bits.take(5)
    else:
        if bits.take(1):
            return None  # timing information makes the rest longer; browsers send none
        delays = bits.take(1)
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            levels_without_tier = 7
            if bits.take(5) > levels_without_tier:
                bits.take(1)
            if delays and bits.take(1):
                bits.take(4)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


_KEYFRAME_TESTS: Final[dict[str, Callable[[bytes], bool]]] = {
    "VP8": _vp8_key,
    "VP9": _vp9_key,
    "H264": _h264_key,
    "AV1": _av1_key,
}
_SIZE_READERS: Final[dict[str, Callable[[bytes], Size | None]]] = {
    "VP8": _vp8_size,
    "VP9": _vp9_size,
    "H264": _h264_size,
    "AV1": _av1_size,
}
