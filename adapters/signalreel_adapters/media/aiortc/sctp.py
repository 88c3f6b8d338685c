"""What may reach aiortc's SCTP: a peer's packets that cost no more than they carry.

The stack keeps whatever a peer sends ahead of what is missing, without end; it counts every number of an acknowledged
range; and it keeps a record for every stream that is named. So packets are looked at here before they are handed over,
and those that no browser sends are dropped, as a network might have done.
"""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# aiortc says nowhere else what it keeps.

import struct
from collections.abc import Iterator
from typing import Final

from aiortc import RTCSctpTransport

from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("admits_packet",)

_PACKET_HEADER: Final = 12
_CHUNK: Final = struct.Struct("!BBH")
_DATA, _SACK, _FORWARD = 0, 3, 192  # RFC 9260, section 3.2; RFC 3758, section 3.2
_DATA_FIELDS: Final = struct.Struct("!IH")  # its number among all, its stream
_SACK_FIELDS: Final = struct.Struct("!IIHH")  # number, window, how many ranges, how many duplicates
_PAIR: Final = struct.Struct("!HH")
_NUMBERS: Final = 1 << 32
_WINDOW: Final = 1 << 20
"""Bytes that aiortc tells a peer it may have under way."""


def _chunks(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the type and the value of each chunk; ends at the first that is malformed."""
    at = _PACKET_HEADER
    while at + _CHUNK.size <= len(packet):
        kind, _, length = _CHUNK.unpack_from(packet, at)
        if length < _CHUNK.size or at + length > len(packet):
            return
        yield kind, packet[at + _CHUNK.size : at + length]
        at += length + -length % 4


def admits_packet(sctp: RTCSctpTransport, packet: bytes, settings: AiortcSettings) -> bool:
    """Whether a packet is handed over."""
    for kind, value in _chunks(packet):
        if kind == _DATA and len(value) >= _DATA_FIELDS.size:
            number, stream = _DATA_FIELDS.unpack_from(value)
            if stream >= settings.channel_numbers_max or not _has_room(sctp, number, settings.fragments_max):
                return False
        elif kind == _SACK and len(value) >= _SACK_FIELDS.size:
            if not _is_of_what_was_sent(sctp, value):
                return False
        elif kind == _FORWARD and any(
            stream >= settings.channel_numbers_max for stream, _ in _PAIR.iter_unpack(value[4 : len(value) & ~3])
        ):
            return False
    return True


def _has_room(sctp: RTCSctpTransport, number: int, fragments_max: int) -> bool:
    """Whether one more piece may be kept.

    The very next one has room of its own: it may be the one that all the others wait for.
    """
    last, window = sctp._last_received_tsn, sctp._advertised_rwnd  # noqa: SLF001
    waiting = sum(len(stream.reassembly) for stream in sctp._inbound_streams.values())  # noqa: SLF001
    if last is not None and number == (last + 1) % _NUMBERS:
        return waiting < 2 * fragments_max and window > -_WINDOW
    return waiting < fragments_max and window > 0


def _is_of_what_was_sent(sctp: RTCSctpTransport, value: bytes) -> bool:
    """Whether an acknowledgement names no more than is under way; each number in it costs aiortc a turn."""
    count = _SACK_FIELDS.unpack_from(value)[2]
    under_way = len(sctp._sent_queue)  # noqa: SLF001
    packed = value[_SACK_FIELDS.size : _SACK_FIELDS.size + count * _PAIR.size]
    ranges: list[tuple[int, int]] = list(_PAIR.iter_unpack(packed[: len(packed) & ~3]))
    return len(ranges) == count and sum(max(0, last - first + 1) for first, last in ranges) <= under_way
