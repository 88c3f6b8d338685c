"""What a server and the encoder of a ladder say to each other. A packet is a few bytes in front of what it carries.

The process gets its `Plan` as an argument. The server then sends every packet of the source, `Encode` whenever that
changes, and `Refresh`. The encoder says `Counted` when it listens, and again every second in which there was work;
otherwise the packets of its renditions, and `SourceBroken`.
"""

import struct
from typing import Final

import msgspec
from msgspec import Struct

__all__ = (
    "PACKET",
    "SOURCE_PIXELS_MAX",
    "Command",
    "Counted",
    "Encode",
    "Plan",
    "PlannedRung",
    "Refresh",
    "Report",
    "SourceBroken",
    "SourcePacket",
    "decode_command",
    "decode_report",
    "encode",
    "scaled",
)

SOURCE_PIXELS_MAX: Final = 3_840 * 2_160
"""Of one picture of the source. To decode a larger one would take a processor and much memory for itself."""

PACKET: Final = 0
"""The first byte of a message that is a packet; behind it, of a rendition, the whole RTP packet. msgpack says an array
with another one."""

_SOURCE: Final = struct.Struct("!BBHI")


class PlannedRung(Struct, frozen=True):
    """One rendition that may be asked for."""

    height: int
    bitrate: int
    ssrc: int


class Plan(Struct, frozen=True):
    """What there is to encode, and into what."""

    codec: str  #: by the name of an rtpmap
    payload_type: int
    rungs: tuple[PlannedRung, ...]


class Encode(Struct, frozen=True, array_like=True, tag=1):
    """Which renditions to encode from now on, by their heights; none means that nothing is decoded."""

    heights: tuple[int, ...]


class Refresh(Struct, frozen=True, array_like=True, tag=2):
    """Make the next picture of a rendition one that needs no other."""

    height: int


class SourcePacket(Struct, frozen=True, gc=False):
    """A packet of the source, without anything that only its transport needed."""

    marker: bool
    sequence: int
    timestamp: int
    payload: bytes

    def encode(self) -> bytes:
        """Give it as a message."""
        return _SOURCE.pack(PACKET, self.marker, self.sequence, self.timestamp) + self.payload


class SourceBroken(Struct, frozen=True, array_like=True, tag=3):
    """Nothing can be decoded before the next keyframe of the source."""


class Counted(Struct, frozen=True, array_like=True, tag=4):
    """What became of the pictures since the encoder's start."""

    decoded: int
    encoded: int  #: into however many renditions
    skipped: int  #: decoded only, because the next ones were there already
    dropped: int  #: not decoded: too many were waiting, or packets were missing


Command = Encode | Refresh
Report = SourceBroken | Counted

_encoder: Final = msgspec.msgpack.Encoder()
_commands: Final = msgspec.msgpack.Decoder(Command)
_reports: Final = msgspec.msgpack.Decoder(Report)


def encode(message: Command | Report) -> bytes:
    """Give a message as bytes."""
    return _encoder.encode(message)


def decode_command(message: bytes) -> Command | SourcePacket:
    """Read what the server says."""
    if message[0] != PACKET:
        command: Command = _commands.decode(message)
        return command
    _, marker, sequence, timestamp = _SOURCE.unpack_from(message)
    return SourcePacket(bool(marker), sequence, timestamp, message[_SOURCE.size :])


def decode_report(message: bytes) -> Report | bytes:
    """Read what an encoder says: a whole RTP packet, or something about the work."""
    return message[1:] if message[0] == PACKET else _reports.decode(message)


def scaled(width: int, height: int, rung: int) -> tuple[int, int]:
    """Give the size of a rendition: of the rung's height, in the picture's shape, both even as the encoders want it."""
    even = max(2, rung & ~1)
    return max(2, (width * even + height) // (2 * height) * 2), even
