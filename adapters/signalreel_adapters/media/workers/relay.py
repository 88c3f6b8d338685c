"""What the two ends of a relay say to each other: one published stream, carried from where it is to where it is played.

The origin is where the publisher is connected, the edge where viewers are whom the origin does not have. There is one
relay for a stream and an edge, whatever the number of viewers. Messages travel whole and in order, or the relay has
ended; how they are carried is no concern of this module. The first byte says what a message is (RFC 7983, section 7,
gives RTP and RTCP the range that is theirs here):

| first byte | message | direction |
|---|---|---|
| 128 to 191 | an RTP packet of a layer | to the edge |
| 128 to 191, second 192 to 223 | an RTCP packet (RFC 5761, section 4): a sender report | to the edge |
| | a picture loss indication | to the origin |
| 1 | a `Standing`, as MessagePack | to the edge |
| 2 | a data-channel message of text, as UTF-8 | either |
| 3 | a data-channel message of bytes | either |

RTP packets are as the publisher sent them, with its SSRCs, payload types and header extensions, but in the clear, and
retransmissions are unwrapped. SSRCs in RTCP are the publisher's in both directions. Packets and data-channel messages
may be dropped where the other end reads too slowly; nothing else may. A `Standing` is whole each time. It is the first
message, and comes again before anything that could not be understood without it.
"""

from typing import Final, Protocol

import msgspec
from aiortc.rtp import AnyRtcpPacket, RtcpPacket, RtcpPsfbPacket, RtcpSrPacket
from msgspec import Struct

from signalreel.settings import Rung
from signalreel_adapters.media.aiortc.data import Message
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.rtcp import PLI
from signalreel_adapters.media.aiortc.rtp import is_rtcp

__all__ = (
    "FORMAT",
    "Listener",
    "Standing",
    "data_message",
    "hear",
    "keyframe_request",
    "report_message",
    "standing_message",
)

FORMAT: Final = 1
"""The version of what stands above. An end that is told of another one ends the relay."""

_STANDING: Final = 1
_TEXT: Final = 2
_BYTES: Final = 3
_MEDIA_FIRST: Final = 128
_MEDIA_LAST: Final = 191


class Standing(Struct, frozen=True, array_like=True):
    """What is published: all that an edge must know to read packets, and to offer the stream to viewers."""

    is_here: bool  #: whether the publisher is connected; one that is away may come back with other layers
    tracks: tuple[PublishedTrack, ...]
    layers: tuple[tuple[int, int, str], ...]  #: number of the track, SSRC, rid; "" for the only one
    disabled: tuple[str, ...] = ()  #: kinds that nobody is to be sent, by the publisher's own wish
    carries_data: bool = False
    ladder: tuple[Rung, ...] = ()  #: renditions that an edge makes for its own viewers
    format: int = FORMAT


class Listener(Protocol):
    """Takes what an end hears, by what it is."""

    def take_rtp(self, data: bytes) -> None:
        """Take an RTP packet."""
        ...

    def take_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """Take RTCP packets."""
        ...

    def take_standing(self, told: Standing) -> None:
        """Take what is published now."""
        ...

    def take_data(self, message: Message) -> None:
        """Take what somebody said on a data channel."""
        ...


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Standing).decode


def hear(message: bytes, listener: Listener) -> bool:
    """Hand a message to whoever it is for; false when it is none that an end of this format says."""
    if not message:
        return False
    lead = message[0]
    if _MEDIA_FIRST <= lead <= _MEDIA_LAST:
        if not is_rtcp(message):
            listener.take_rtp(message)
            return True
        try:
            packets = RtcpPacket.parse(message)
        except ValueError:
            return False
        listener.take_rtcp(packets)
        return True
    try:
        if lead == _STANDING:
            told = _decode(message[1:])
            if told.format != FORMAT:
                return False
            listener.take_standing(told)
        elif lead == _TEXT:
            listener.take_data(message[1:].decode())
        elif lead == _BYTES:
            listener.take_data(message[1:])
        else:
            return False
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def standing_message(told: Standing) -> bytes:
    """Give a message that says what is published."""
    return bytes((_STANDING,)) + _encode(told)


def data_message(said: Message) -> bytes:
    """Give a message that carries what somebody said on a data channel."""
    return bytes((_TEXT,)) + said.encode() if isinstance(said, str) else bytes((_BYTES,)) + said


def report_message(report: RtcpSrPacket) -> bytes:
    """Give a message that carries a sender report, without what it says of others."""
    return bytes(RtcpSrPacket(ssrc=report.ssrc, sender_info=report.sender_info))


def keyframe_request(ssrc: int) -> bytes:
    """Give a message that asks for a keyframe of the layer with this SSRC."""
    return bytes(RtcpPsfbPacket(fmt=PLI, ssrc=0, media_ssrc=ssrc))
