"""Which SCTP packets are handed to aiortc; what it keeps of them is bounded."""

import struct
from types import SimpleNamespace
from typing import cast

import pytest
from aiortc import RTCSctpTransport

from signalreel_adapters.media.aiortc.sctp import admits_packet
from signalreel_adapters.media.aiortc.settings import AiortcSettings

SETTINGS = AiortcSettings(fragments_max=4, channel_numbers_max=16)
LAST = 100


def association(waiting: int = 0, window: int = 1_000, under_way: int = 0) -> RTCSctpTransport:
    """What the guard reads of an association."""
    stream = SimpleNamespace(reassembly=[None] * waiting)
    found = SimpleNamespace(
        _last_received_tsn=LAST,
        _advertised_rwnd=window,
        _inbound_streams={0: stream},
        _sent_queue=[None] * under_way,
    )
    return cast(RTCSctpTransport, found)


def chunk(kind: int, value: bytes) -> bytes:
    """A packet of one chunk."""
    return bytes(12) + struct.pack("!BBH", kind, 0, 4 + len(value)) + value


def data(number: int, stream: int = 0) -> bytes:
    """A packet with a piece of a message."""
    return chunk(0, struct.pack("!IHHI", number, stream, 0, 51) + b"text")


def sack(*ranges: tuple[int, int], count: int | None = None) -> bytes:
    """A packet with an acknowledgement."""
    packed = b"".join(struct.pack("!HH", *each) for each in ranges)
    return chunk(3, struct.pack("!IIHH", 1, 1, len(ranges) if count is None else count, 0) + packed)


@pytest.mark.parametrize(
    ("waiting", "window", "number", "admitted"),
    [
        (0, 1_000, LAST + 5, True),
        (3, 1, LAST + 5, True),
        (4, 1_000, LAST + 5, False),
        (0, 0, LAST + 5, False),
        (4, 0, LAST + 1, True),
        (7, -1_000, LAST + 1, True),
        (8, 1_000, LAST + 1, False),
        (0, -(1 << 20), LAST + 1, False),
    ],
)
def test_pieces_are_kept_within_bounds(waiting: int, window: int, number: int, admitted: bool) -> None:
    """By number and by bytes; the one that all others may wait for has room of its own, and that is bounded too."""
    assert admits_packet(association(waiting, window), data(number), SETTINGS) is admitted


def test_the_piece_after_the_highest_number_is_the_next_one() -> None:
    """Numbers begin again at 0."""
    full = association(waiting=4, window=0)
    full._last_received_tsn = (1 << 32) - 1

    assert admits_packet(full, data(0), SETTINGS)


@pytest.mark.parametrize(("stream", "admitted"), [(0, True), (15, True), (16, False), (65_535, False)])
def test_streams_have_low_numbers(stream: int, admitted: bool) -> None:
    """Each that is named costs a record for good, in data and in what is skipped."""
    skipped = chunk(192, struct.pack("!IHHHH", LAST + 1, 0, 0, stream, 0))

    assert admits_packet(association(), data(LAST + 1, stream), SETTINGS) is admitted
    assert admits_packet(association(), skipped, SETTINGS) is admitted


@pytest.mark.parametrize(
    ("packet", "admitted"),
    [
        (sack(), True),
        (sack((2, 3), (5, 5)), True),
        (sack((2, 5)), False),
        (sack(*[(1, 65_535)] * 280), False),
        (sack((9, 2)), True),
        (sack(count=1), False),
    ],
    ids=["nothing missing", "as many as are under way", "more", "far more", "none at all", "cut off"],
)
def test_no_more_is_acknowledged_than_is_under_way(packet: bytes, admitted: bool) -> None:
    """Else one packet would keep a processor busy for seconds."""
    assert admits_packet(association(under_way=3), packet, SETTINGS) is admitted


@pytest.mark.parametrize(
    "packet",
    [b"", bytes(12), bytes(15), bytes(12) + b"\0\0\0\0", bytes(12) + b"\0\0\xff\xff", chunk(0, b""), chunk(3, b"\0")],
)
def test_what_is_malformed_is_for_the_stack_to_refuse(packet: bytes) -> None:
    """Looking at it must not raise."""
    assert admits_packet(association(), packet, SETTINGS)


def test_every_chunk_of_a_packet_is_looked_at() -> None:
    """The first one may be harmless."""
    assert not admits_packet(association(), data(LAST + 1) + data(LAST + 2, 99)[12:], SETTINGS)
