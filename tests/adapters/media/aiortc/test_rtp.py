"""Where the parts of a packet are, and that junk has none."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel_adapters.media.aiortc import rtp
from signalreel_adapters.media.aiortc.rtp import Vp8Positions
from tests.adapters.media.aiortc.fakes import SEED, junk, vp8
from tests.adapters.media.aiortc.fakes import rtp as make


def test_a_plain_packet_is_read() -> None:
    """Every field of a packet without extensions stands where RFC 3550 has it."""
    packet = rtp.parse(make(7, 90, ssrc=0xDEADBEEF, payload_type=96, marker=True, payload=b"abc"))

    assert packet == rtp.Packet(0x80, 96, 7, 90, 0xDEADBEEF, 0, 0, 12, 15)


def test_contributing_sources_extensions_and_padding_are_left_out_of_the_payload() -> None:
    """The payload starts behind CSRCs and extensions, and ends before the padding."""
    data = struct.pack("!BBHII", 0xB1, 96, 1, 2, 3) + bytes(4) + b"\xbe\xde\0\x01\x40\x31\0\0" + b"load" + b"\0\0\x03"
    packet = rtp.parse(data)

    assert packet is not None
    assert data[packet.payload_start : packet.payload_end] == b"load"
    assert rtp.extension(data, packet, 4) == b"1"


def test_two_byte_extensions_are_read() -> None:
    """Both forms of RFC 8285 are understood."""
    data = struct.pack("!BBHII", 0x90, 96, 1, 2, 3) + b"\x10\x00\0\x02" + b"\x04\x03abc\0\x05\0" + b"load"
    packet = rtp.parse(data)

    assert packet is not None
    assert rtp.extension(data, packet, 4) == b"abc"
    assert rtp.extension(data, packet, 5) == b""
    assert rtp.extension(data, packet, 6) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        b"\x40" + bytes(11),
        b"\x8f" + bytes(20),
        b"\x90" + bytes(11) + b"\xbe\xde\xff\xff",
        b"\xa0" + bytes(12),
        b"\xa0" + bytes(11) + b"\xff",
    ],
)
def test_what_does_not_hold_what_its_header_promises_is_no_packet(data: bytes) -> None:
    """Short, of another version, or cut off: the answer is None."""
    assert rtp.parse(data) is None


def test_junk_raises_nothing() -> None:
    """Two thousand hostile datagrams go through every function of the module."""
    for data in junk():
        packet = rtp.parse(data)
        if packet is None:
            continue
        assert packet.payload_start <= packet.payload_end <= len(data), f"seed {SEED}: {data.hex()}"
        list(rtp.extensions(data, packet))
        rtp.vp8_positions(data, packet.payload_start, packet.payload_end)
        rtp.unwrap_retransmission(data, packet, 96, 1)


@given(st.binary(max_size=64), st.integers(0, 15))
def test_no_bytes_make_extensions_leave_the_block(block: bytes, ident: int) -> None:
    """Whatever stands in an extension block, an element never reaches beyond it."""
    padded = block + bytes(-len(block) % 4)
    for profile in (0xBEDE, 0x1000, 0x1234):
        data = struct.pack("!BBHII", 0x90, 96, 1, 2, 3) + struct.pack("!HH", profile, len(padded) // 4) + padded
        packet = rtp.parse(data)
        assert packet is not None
        for _, start, length in rtp.extensions(data, packet):
            assert packet.extensions_start <= start <= start + length <= packet.payload_start
        rtp.extension(data, packet, ident)


@pytest.mark.parametrize(
    ("sequence", "other", "newer"),
    [(1, 0, True), (0, 0, False), (0, 65_535, True), (65_535, 0, False), (40_000, 1, False)],
)
def test_sequence_numbers_wrap(sequence: int, other: int, newer: bool) -> None:
    """Half of the range is ahead, half is behind (RFC 1982)."""
    assert rtp.is_newer(sequence, other) is newer


def test_abs_send_time_is_six_bits_of_seconds_and_eighteen_of_fraction() -> None:
    """The value wraps every 64 s."""
    assert rtp.abs_send_time(1.5) == b"\x06\x00\x00"
    assert rtp.abs_send_time(65.5) == b"\x06\x00\x00"


def test_the_time_since_a_send_time_is_told_over_its_wrap() -> None:
    """By the same clock, and a moment after 64 s as before."""
    assert rtp.seconds_since(rtp.abs_send_time(63.5), 64.25) == 0.75
    assert rtp.seconds_since(rtp.abs_send_time(10.0), 10.0) == 0.0


def test_a_retransmission_gives_back_its_original() -> None:
    """The original number stands before the payload (RFC 4588); padding is left out."""
    wrapped = make(99, 90, ssrc=2, payload_type=97, marker=True, extensions=b"\x40\x31", payload=b"\x12\x34load")
    packet = rtp.parse(wrapped)
    assert packet is not None

    assert rtp.unwrap_retransmission(wrapped, packet, 96, 1) == make(
        0x1234, 90, ssrc=1, payload_type=96, marker=True, extensions=b"\x40\x31", payload=b"load"
    )


def test_an_empty_retransmission_carries_nothing() -> None:
    """Senders probe the path with padding alone."""
    probe = make(99, payload=b"\x01", flags=0xA0)
    packet = rtp.parse(probe)
    assert packet is not None

    assert rtp.unwrap_retransmission(probe, packet, 96, 1) is None


def test_the_running_numbers_of_vp8_are_found() -> None:
    """PictureID in both widths, and TL0PICIDX behind it (RFC 7741, section 4.2)."""
    wide = vp8(0x1234, layer=9)

    assert rtp.vp8_positions(wide, 0, len(wide)) == Vp8Positions(2, 0x1234, True, 4, 9)
    assert rtp.vp8_positions(b"\x90\xc0\x05\x06", 0, 4) == Vp8Positions(2, 5, False, 3, 6)
    assert rtp.vp8_positions(b"\x90\x40\x06", 0, 3) == Vp8Positions(0, 0, False, 2, 6)
    assert rtp.vp8_positions(b"\x10\x00", 0, 2) is None
    assert rtp.vp8_positions(b"\x90\x80\x80", 0, 3) is None


@pytest.mark.parametrize(
    ("second", "told"),
    [(96, False), (0x80 | 63, False), (0x80 | 64, True), (200, True), (0x80 | 95, True), (224, False)],
)
def test_rtcp_is_told_by_its_second_byte(second: int, told: bool) -> None:
    """Both go through one port; what a single byte cannot tell is neither."""
    assert rtp.is_rtcp(bytes((0x80, second, 0, 0))) is told
    assert not rtp.is_rtcp(b"\x80")
