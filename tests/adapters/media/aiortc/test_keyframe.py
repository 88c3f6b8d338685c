"""Keyframes and sizes are read from the first packet of a picture."""

import random

import pytest

from signalreel_adapters.media.aiortc.keyframe import frame_size, starts_keyframe
from tests.adapters.media.aiortc.fakes import SEED, vp8


def bits(*fields: tuple[int, int]) -> bytes:
    """Write (value, width) fields one after the other."""
    text = "".join(f"{value:0{width}b}" for value, width in fields)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def golomb(value: int) -> tuple[int, int]:
    """Write an exponential Golomb code as a field."""
    width = (value + 1).bit_length()
    return value + 1, 2 * width - 1


def sps(width: int, height: int, *, crop_bottom: int = 0) -> bytes:
    """A baseline sequence parameter set, as a NAL unit."""
    fields = [(66, 8), (0, 8), (31, 8), golomb(0), golomb(0), golomb(2), golomb(1), (0, 1)]
    fields += [golomb(width // 16 - 1), golomb((height + 15) // 16 - 1), (1, 1), (1, 1)]
    fields += [(1, 1), golomb(0), golomb(0), golomb(0), golomb(crop_bottom)] if crop_bottom else [(0, 1)]
    return b"\x67" + bits(*fields, (1, 1))


def vp9_key(width: int, height: int) -> bytes:
    """A VP9 payload that starts a keyframe, profile 0."""
    header = bits(
        (2, 2),
        (0, 2),
        (0, 1),
        (0, 1),
        (1, 1),
        (0, 1),
        (0x498342, 24),
        (1, 3),
        (0, 1),
        (width - 1, 16),
        (height - 1, 16),
    )
    return b"\x88\x05" + header


def av1_key(width: int, height: int) -> bytes:
    """An AV1 payload that starts a new coded video sequence, with one element."""
    header = bits(
        (0, 3),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 1),
        (0, 5),
        (0, 12),
        (4, 5),
        (9, 4),
        (8, 4),
        (width - 1, 10),
        (height - 1, 9),
    )
    return b"\x18" + b"\x08" + header


@pytest.mark.parametrize(
    ("codec", "head", "key"),
    [
        ("VP8", vp8(1, key=True), True),
        ("VP8", vp8(1), False),
        ("VP8", b"\x80" + vp8(1, key=True)[1:], False),  # not the first packet of a partition
        ("VP8", b"\x90", False),
        ("VP8", b"", False),
        ("VP9", vp9_key(640, 360), True),
        ("VP9", b"\x48\x00", False),  # predicted from another picture
        ("VP9", b"\x80\x05", False),  # not the first packet of its picture
        ("VP9", b"\xa8\x05\x02", False),  # a higher spatial layer
        ("H264", b"\x67\x42", True),
        ("H264", b"\x65", True),
        ("H264", b"\x41\x9a", False),
        ("H264", b"\x78\x00\x02\x67\x42\x00\x02\x68\xce", True),  # aggregated
        ("H264", b"\x7c\x85\x88", True),  # the first fragment
        ("H264", b"\x7c\x05\x88", False),  # a later one
        ("H264", b"", False),
        ("AV1", b"\x18\x08", True),
        ("AV1", b"\x98\x08", False),  # in the middle of a unit
        ("AV1", b"\x10\x30", False),
        ("opus", b"\xfc", True),
    ],
)
def test_keyframes_are_told_by_their_first_packet(codec: str, head: bytes, key: bool) -> None:
    """Each codec says in its first bytes whether a picture stands alone."""
    assert starts_keyframe(codec, head) is key


@pytest.mark.parametrize(
    ("codec", "head", "size"),
    [
        ("VP8", vp8(1, key=True, width=1280, height=720), (1280, 720)),
        ("VP8", vp8(1, key=True, width=0, height=720), None),
        ("VP9", vp9_key(1920, 1080), (1920, 1080)),
        ("H264", sps(640, 368), (640, 368)),
        ("H264", sps(640, 368, crop_bottom=4), (640, 360)),
        ("H264", b"\x78" + len(sps(320, 240)).to_bytes(2, "big") + sps(320, 240), (320, 240)),
        ("H264", b"\x65\x88", None),
        ("AV1", av1_key(640, 360), (640, 360)),
        ("opus", b"\xfc", None),
    ],
)
def test_sizes_are_read_where_the_codec_says_them(codec: str, head: bytes, size: tuple[int, int] | None) -> None:
    """Width and height in pixels, cropping included."""
    assert frame_size(codec, head) == size


@pytest.mark.parametrize("codec", ["VP8", "VP9", "H264", "AV1"])
def test_junk_raises_nothing(codec: str) -> None:
    """Random and mutilated payloads have no size, or one that is possible."""
    chance = random.Random(SEED)
    real = {
        "VP8": vp8(1, key=True),
        "VP9": vp9_key(640, 360),
        "H264": sps(640, 368, crop_bottom=4),
        "AV1": av1_key(640, 360),
    }
    for _ in range(3_000):
        head = bytearray(real[codec]) if chance.random() < 0.5 else bytearray(chance.randbytes(chance.randrange(1, 40)))
        head[chance.randrange(len(head))] = chance.getrandbits(8)
        data = bytes(head[: chance.randrange(len(head) + 1)])
        starts_keyframe(codec, data)
        size = frame_size(codec, data)
        assert size is None or all(0 < side <= 16_384 for side in size), f"seed {SEED}: {data.hex()}"
