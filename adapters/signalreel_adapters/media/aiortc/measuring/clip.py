"""The clip that every server of a measurement is sent: 720p30 VP8 at 1.5 Mbit/s and Opus, in packets ready to send.

Made once for a run, from drawn pictures and a noisy tone, with the encoders that PyAV brings. It is split as libwebrtc
does: into packets of nearly equal size, 1 200 bytes at most.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# PyAV types its packets by their stream, which none of these has.

import math
import random
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
from msgspec import Struct

from signalreel_adapters.media.aiortc.measuring.pictures import HEIGHT, NUMBERS, WIDTH, draw

__all__ = (
    "FRAMES_PER_SECOND",
    "SECONDS",
    "SOUNDS_PER_SECOND",
    "SOUND_SAMPLES",
    "Clip",
    "make_clip",
    "split",
)

FRAMES_PER_SECOND: Final = 30
SOUNDS_PER_SECOND: Final = 50
SOUND_SAMPLES: Final = 960
SECONDS: Final = 4
"""Long enough for one window of a measurement, which starts with the clip's only keyframe."""

_VIDEO_BITRATE: Final = 1_420_000  # with headers 1.5 Mbit/s
_AUDIO_BITRATE: Final = 64_000
_SAMPLE_RATE: Final = SOUNDS_PER_SECOND * SOUND_SAMPLES
_PAYLOAD_MAX: Final = 1_172
"""Bytes of a payload; with the header and its extension a packet has 1 200 at most."""

_DESCRIPTOR: Final = 4
_TONE: Final = 440.0  # Hz
_LOUD: Final = 8_000
_NOISE: Final = 800
_REAL_TIME: Final = {
    "cpu-used": "-6",
    "deadline": "realtime",
    "lag-in-frames": "0",
    "minrate": str(_VIDEO_BITRATE),
    "maxrate": str(_VIDEO_BITRATE),
    "bufsize": str(_VIDEO_BITRATE),
    "undershoot-pct": "100",
    "overshoot-pct": "15",
}
"""What libwebrtc asks of libvpx, in the words of FFmpeg."""


class Clip(Struct, frozen=True):
    """What is published: the payloads of each picture, and of each piece of sound."""

    pictures: tuple[tuple[bytes, ...], ...]
    sounds: tuple[bytes, ...]

    @property
    def packets_per_s(self) -> float:
        """How many packets a second of it has."""
        seconds = len(self.pictures) / FRAMES_PER_SECOND
        return sum(map(len, self.pictures)) / seconds + SOUNDS_PER_SECOND


def make_clip(seconds: float = SECONDS) -> Clip:
    """Draw, encode and split. Takes about half as long as the clip does."""
    encoded = _encode_pictures(round(seconds * FRAMES_PER_SECOND))
    return Clip(
        tuple(tuple(split(frame, number)) for number, frame in enumerate(encoded)),
        tuple(_encode_sounds(round(seconds * SOUNDS_PER_SECOND))),
    )


def split(frame: bytes, number: int) -> Iterator[bytes]:
    """Split an encoded picture into payloads of nearly equal size, each with its descriptor (RFC 7741, section 4.2)."""
    parts = math.ceil(len(frame) / (_PAYLOAD_MAX - _DESCRIPTOR))
    small, larger = divmod(len(frame), parts)
    at = 0
    for part in range(parts):
        size = small + (part >= parts - larger)
        start = 0x90 if part == 0 else 0x80
        yield bytes((start, 0x80, 0x80 | number >> 8 & 0x7F, number & 0xFF)) + frame[at : at + size]
        at += size


def _encode_pictures(count: int) -> list[bytes]:
    if count > NUMBERS:
        raise ValueError(f"a clip has {NUMBERS} pictures at most")
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.gop_size, encoder.thread_count = _VIDEO_BITRATE, count + 1, 1
    encoder.time_base = Fraction(1, FRAMES_PER_SECOND)
    encoder.framerate = Fraction(FRAMES_PER_SECOND)
    encoder.options = dict(_REAL_TIME)
    encoded: list[bytes] = []
    for number in range(count):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        frame.pts, frame.time_base = number, encoder.time_base
        frame.planes[0].update(draw(number))
        for plane in frame.planes[1:]:
            plane.update(bytes([128]) * plane.buffer_size)
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    return encoded


def _encode_sounds(count: int) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format, encoder.layout = _SAMPLE_RATE, "s16", "mono"
    encoder.bit_rate = _AUDIO_BITRATE
    noise = random.Random(1)  # noqa: S311 - the same sound in every run
    encoded: list[bytes] = []
    for number in range(count + 1):  # the encoder keeps one back
        samples = b"".join(
            int(_LOUD * math.sin(math.tau * _TONE * at / _SAMPLE_RATE) + noise.randint(-_NOISE, _NOISE)).to_bytes(
                2, "little", signed=True
            )
            for at in range(number * SOUND_SAMPLES, (number + 1) * SOUND_SAMPLES)
        )
        frame = av.AudioFrame("s16", "mono", SOUND_SAMPLES)
        frame.sample_rate, frame.pts = _SAMPLE_RATE, number * SOUND_SAMPLES
        frame.planes[0].update(samples)
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    return encoded[:count]
