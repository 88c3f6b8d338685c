"""The clip is what the documents say it is."""

import pytest

from signalreel_adapters.media.aiortc.measuring.clip import SECONDS, make_clip, split
from signalreel_adapters.media.aiortc.measuring.peers import DESCRIPTOR_BYTES


def test_the_clip_has_the_rate_that_is_told_and_no_two_equal_packets() -> None:
    """About 212 packets and 1.5 Mbit a second; a packet is recognised by its payload, so there is none twice."""
    clip = make_clip()
    payloads = [part for picture in clip.pictures for part in picture] + list(clip.sounds)
    bits = sum(len(payload) + 20 for payload in payloads) * 8 / SECONDS

    assert (len(clip.pictures), len(clip.sounds)) == (30 * SECONDS, 50 * SECONDS)
    assert clip.packets_per_s == pytest.approx(212, abs=8)
    assert bits == pytest.approx(1.5e6, rel=0.05)
    assert len({payload[DESCRIPTOR_BYTES:] for payload in payloads}) == len(payloads)
    assert max(map(len, payloads)) + 20 <= 1_200


def test_a_picture_is_split_into_parts_of_nearly_equal_size() -> None:
    """Only the first starts the partition, all have the picture's number, and nothing of the picture is lost."""
    frame = bytes(range(256)) * 20
    parts = list(split(frame, 300))

    assert [len(part) - DESCRIPTOR_BYTES for part in parts] == [1024] * 5
    assert [part[0] for part in parts] == [0x90, 0x80, 0x80, 0x80, 0x80]
    assert {part[1:4] for part in parts} == {b"\x80\x81\x2c"}
    assert b"".join(part[DESCRIPTOR_BYTES:] for part in parts) == frame


def test_more_pictures_than_have_numbers_are_refused() -> None:
    """Two of the same number could not be told apart."""
    with pytest.raises(ValueError, match="4096 pictures"):
        make_clip(200)
