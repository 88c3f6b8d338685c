"""The decoder of a source and the encoders of its renditions, by PyAV. One thread each: the process is one of many."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal, cast

from av import CodecContext, Packet, VideoFrame
from av.codec.context import Flags
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from signalreel_adapters.media.ladder.messages import SOURCE_PIXELS_MAX

__all__ = ("CLOCK_RATE", "Decoder", "Encoder", "UndecodableError")

CLOCK_RATE: Final = 90_000
"""Of the RTP timestamps of every video codec."""

_TIME_BASE: Final = Fraction(1, CLOCK_RATE)
_FRAMES_PER_SECOND: Final = 30
"""What an encoder is begun with."""

_KEYFRAME_INTERVAL_MAX: Final = 100_000
"""Pictures: in effect, a keyframe is made when somebody needs one and not before."""

_INTERVAL_WEIGHT: Final = 0.1  # of the newest interval between two pictures, in the mean of the last ones
_INTERVAL_CHANGE: Final = 0.25  # of the mean, with which an encoder that cannot follow it is begun anew
_INTERVAL_SETTLING: Final = 2 * CLOCK_RATE
_PAUSE: Final = CLOCK_RATE // 4  # between two pictures, that says nothing about how fast they come

_PIXEL_FORMAT: Final = "yuv420p"
_DECODERS: Final = {"VP8": "vp8", "VP9": "vp9", "H264": "h264"}  # ffmpeg's own: half the time of libvpx


class UndecodableError(Exception):
    """The frame is of no use, and no other is before the next keyframe."""


class Decoder:
    """Decodes one source. A picture of more than `SOURCE_PIXELS_MAX` is refused before there is memory for it."""

    def __init__(self, codec: str) -> None:
        context = _context(_DECODERS[codec], "r")
        context.thread_count = 1
        context.flags |= Flags.low_delay
        # libav looks at this whenever a bitstream, wherever in it, changes the size; its own bound is 2^31 pixels.
        context.options = {"max_pixels": str(SOURCE_PIXELS_MAX)}
        self._context = context

    def decode(self, data: bytes) -> VideoFrame | None:
        """Decode a frame; `None` for one that shows nothing. Raises `UndecodableError`."""
        try:
            pictures = self._context.decode(Packet(data))  # pyright: ignore[reportUnknownMemberType]
        except FFmpegError as error:
            raise UndecodableError from error
        return pictures[-1] if pictures else None


class Encoder:
    """Encodes one rendition of one size, at a constant bitrate, for a picture that is seen at once."""

    def __init__(self, codec: str, size: tuple[int, int], bitrate: int) -> None:
        self.size = size
        self._codec = codec
        self._bitrate = bitrate
        self._interval = self._assumed = float(CLOCK_RATE // _FRAMES_PER_SECOND)
        self._last = self._opened_at = -1
        self._context = self._open()

    def encode(self, picture: VideoFrame, time: int, *, key: bool) -> tuple[bytes, bool]:
        """Encode a picture; gives its frame, and whether that is a keyframe. Empty when the encoder left it out.

        `time` is in ticks of the media clock, and later than that of the picture before.
        """
        self._follow(time)
        scaled = picture.reformat(*self.size, format=_PIXEL_FORMAT, interpolation="FAST_BILINEAR", threads=1)
        scaled.pts, scaled.time_base = time, _TIME_BASE
        scaled.pict_type = PictureType.I if key else PictureType.NONE
        made = self._context.encode(scaled)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        packets = cast("Sequence[Packet[VideoStream]]", made)
        return b"".join(map(bytes, packets)), any(packet.is_keyframe for packet in packets)

    def _follow(self, time: int) -> None:
        """Keep to the bitrate when the pictures come faster or slower than was assumed.

        libvpx reads it off their times. x264 does so only one picture late, which nobody wants to wait for.
        """
        if self._last < 0:
            self._opened_at = time
        elif time - self._last < _PAUSE:
            self._interval += (time - self._last - self._interval) * _INTERVAL_WEIGHT
        self._last = time
        differs = abs(self._interval - self._assumed) > _INTERVAL_CHANGE * self._assumed
        if self._codec == "H264" and differs and time - self._opened_at > _INTERVAL_SETTLING:
            self._assumed, self._opened_at = self._interval, time
            self._context = self._open()

    def _open(self) -> VideoCodecContext:
        name, options = _encoder(self._codec, self._bitrate)
        context = _context(name, "w")
        context.width, context.height = self.size
        context.pix_fmt = _PIXEL_FORMAT
        context.bit_rate = self._bitrate
        context.time_base = _TIME_BASE
        context.framerate = Fraction(round(1_000 * CLOCK_RATE / self._assumed), 1_000)
        context.gop_size = _KEYFRAME_INTERVAL_MAX
        context.thread_count = 1
        context.options = options
        if self._codec == "H264":
            context.profile = "Baseline"
        return context


def _context(name: str, mode: Literal["r", "w"]) -> VideoCodecContext:
    context = CodecContext.create(name, mode)
    if not isinstance(context, VideoCodecContext):  # as none is that is named here
        raise TypeError(name)
    return context


def _encoder(codec: str, bitrate: int) -> tuple[str, dict[str, str]]:
    """Give ffmpeg's name of an encoder, and the options with which it costs little and holds its bitrate."""
    rate = str(bitrate)
    if codec == "H264":
        options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "maxrate": rate, "bufsize": rate}
        return "libx264", options
    options = {
        "deadline": "realtime",
        "lag-in-frames": "0",
        "minrate": rate,
        "maxrate": rate,
        "bufsize": rate,
        "static-thresh": "1",
    }
    if codec == "VP8":
        return "libvpx", options | {"cpu-used": "-10"}
    return "libvpx-vp9", options | {"cpu-used": "8"}
