"""`signalreel_adapters.cli.debug.otherchild`: what both ends say; that it runs is shown of the other end."""

import io

import pytest

from signalreel_adapters.cli.debug.otherchild import FRAME_BYTES_MAX, read_frame, write_frame


def test_a_frame_comes_as_it_went() -> None:
    """Whole and in order, and empty when nothing more comes."""
    stream = io.BytesIO()
    write_frame(stream, b"one")
    write_frame(stream, b"two" * 100)
    stream.seek(0)

    assert [read_frame(stream) for _ in range(3)] == [b"one", b"two" * 100, b""]


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0\x05abc", (FRAME_BYTES_MAX + 1).to_bytes(4, "big")])
def test_a_frame_that_cannot_be_is_refused(data: bytes) -> None:
    """Torn in its length or behind it, or longer than any."""
    with pytest.raises(ValueError, match="a frame"):
        read_frame(io.BytesIO(data))
