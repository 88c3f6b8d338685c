"""Pictures that say which one they are: a bar code at the top, drawn before encoding and read after decoding.

With it a measurement knows when a picture that a viewer has decoded was sent, whatever a server did in between:
forwarded it, renumbered it, or decoded and encoded it again.
"""

# pyright: reportUnknownMemberType=false
# PyAV types its packets by their stream, which none of these has.

import random
import time
from collections.abc import Sequence
from typing import Final

import av
import av.error
from aiortc.codecs.vpx import VpxPayloadDescriptor
from msgspec import Struct

__all__ = ("HEIGHT", "NUMBERS", "WIDTH", "PictureReader", "Shown", "draw", "read_number")

WIDTH: Final = 1_280
HEIGHT: Final = 720
_BITS: Final = 12
_BAR: Final = 48  # pixels; three macroblocks, so that no encoder smears one bar over the next
_BLACK: Final = 16
_WHITE: Final = 235
_GREY: Final = 128
_RAMP: Final = 256  # pixels until the background repeats
_SLIDE: Final = 3  # pixels that it moves in a picture
_NOISE_WIDTH: Final = 160
_NOISE_HEIGHTS: Final = (100, 140)  # in turns, as moving pictures do not all cost the same

NUMBERS: Final = 1 << _BITS
"""How many pictures can be told apart."""


class Shown(Struct, frozen=True):
    """A picture that was decoded, and when, in nanoseconds of the monotonic clock."""

    number: int
    arrived: int  #: the last packet
    decoded: int


def draw(number: int) -> bytes:
    """Draw the brightness of one picture, row by row: its number, a sliding pattern, and noise that is never the same.

    The noise is there to be expensive: without it an encoder stays below the bit rate it may use.
    """
    noise = random.Random(number)  # noqa: S311 - the same pictures in every run
    ramp = bytes(range(_RAMP)) * (WIDTH // _RAMP + 2)
    bars = b"".join(bytes([_WHITE if number >> bit & 1 else _BLACK]) * _BAR for bit in range(_BITS))
    height = _NOISE_HEIGHTS[number % len(_NOISE_HEIGHTS)]
    left = number * 7 % (WIDTH - _NOISE_WIDTH)
    top = _BAR + number * 3 % (HEIGHT - _BAR - height)
    rows: list[bytes] = []
    for row in range(HEIGHT):
        start = (row + number * _SLIDE) % _RAMP
        line = ramp[start : start + WIDTH]
        if row < _BAR:
            line = bars + line[len(bars) :]
        elif top <= row < top + height:
            line = line[:left] + noise.randbytes(_NOISE_WIDTH) + line[left + _NOISE_WIDTH :]
        rows.append(line)
    return b"".join(rows)


def read_number(brightness: Sequence[int], line_size: int) -> int:
    """Read the number of a picture from its brightness."""
    row = line_size * (_BAR // 2)
    threshold = (_BLACK + _WHITE) // 2
    return sum(1 << bit for bit in range(_BITS) if brightness[row + bit * _BAR + _BAR // 2] > threshold)


class PictureReader:
    """Puts pictures of VP8 together from the payloads of packets that come in order, and decodes them.

    After a lost packet nothing is shown before the next keyframe, as at the start: what is predicted from a picture
    that is not there would show the number of another one.
    """

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self._decoder = av.CodecContext.create("vp8", "r")
        self._decoder.thread_count = 1
        self._parts: list[bytes] = []
        self._next = -1
        self._started = False

    def take(self, sequence: int, payload: bytes, *, last: bool, arrived: int) -> None:
        """Take one packet's payload; the last one of a picture shows it."""
        if not payload:
            return
        descriptor, data = VpxPayloadDescriptor.parse(payload)
        if sequence != self._next:
            self._parts, self._started = [], False
        if descriptor.partition_start and descriptor.partition_id == 0:
            self._parts = [data]
            self._started = self._started or not data[0] & 1
        elif self._parts:
            self._parts.append(data)
        self._next = sequence + 1 & 0xFFFF
        if last and self._parts and self._started:
            self._show(b"".join(self._parts), arrived)

    def _show(self, encoded: bytes, arrived: int) -> None:
        try:
            pictures = self._decoder.decode(av.Packet(encoded))
        except av.error.FFmpegError:
            self._started = False
            return
        decoded = time.monotonic_ns()
        for picture in pictures:
            plane = picture.planes[0]
            self.shown.append(Shown(read_number(memoryview(plane), plane.line_size), arrived, decoded))
