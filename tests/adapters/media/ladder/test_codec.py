"""Encoders that hold their bitrate and make keyframes when they are told to; a decoder that says when it cannot."""

import pytest

from signalreel_adapters.media.ladder.codec import CLOCK_RATE, Decoder, Encoder, UndecodableError
from signalreel_adapters.media.ladder.messages import SOURCE_PIXELS_MAX
from tests.adapters.media.ladder.pictures import WIDTH, encoded, pictures

ALL = ["VP8", "H264", "VP9"]
COUNT = 150


@pytest.mark.parametrize("codec", ALL)
@pytest.mark.parametrize("per_second", [30, 15])
def test_bitrates_are_held(codec: str, per_second: int) -> None:
    """Within 15 %, however fast the pictures come, once the encoder has seen how fast that is."""
    encoder = Encoder(codec, (WIDTH[240], 240), 300_000)
    sizes = [
        len(encoder.encode(picture, number * CLOCK_RATE // per_second, key=False)[0])
        for number, picture in enumerate(pictures(360, COUNT))
    ]
    settled = sizes[COUNT // 2 :]

    assert abs(sum(settled) * 8 * per_second / len(settled) / 300_000 - 1) < 0.15


@pytest.mark.parametrize("codec", ALL)
def test_keyframes_are_made_when_they_are_wanted(codec: str) -> None:
    """The first picture, and those that are asked for: no other in a hundred."""
    keys = frozenset({7, 8, 50})
    made = encoded(codec, 180, 100, keys=keys)

    assert {number for number, (_, key) in enumerate(made) if key} == {0} | keys


@pytest.mark.parametrize("codec", ALL)
def test_what_is_encoded_can_be_decoded_at_once(codec: str) -> None:
    """Each frame gives its picture, of its size, with no frame of delay on either side."""
    decoder = Decoder(codec)
    for frame, _ in encoded(codec, 240, 10):
        picture = decoder.decode(frame)

        assert picture is not None
        assert (picture.width, picture.height) == (WIDTH[240], 240)


@pytest.mark.parametrize("codec", ALL)
def test_a_larger_picture_is_scaled(codec: str) -> None:
    """To the size of the encoder."""
    frame, key = Encoder(codec, (WIDTH[180], 180), 200_000).encode(pictures(360, 1)[0], 0, key=False)
    picture = Decoder(codec).decode(frame)

    assert key
    assert picture is not None
    assert (picture.width, picture.height) == (WIDTH[180], 180)


@pytest.mark.parametrize("codec", ALL)
def test_junk_is_undecodable(codec: str) -> None:
    """It raises what says so, and the next keyframe is decoded all the same."""
    decoder = Decoder(codec)
    with pytest.raises(UndecodableError):
        decoder.decode(b"\xff" * 30)

    assert decoder.decode(encoded(codec, 180, 1)[0][0]) is not None


@pytest.mark.parametrize("codec", ALL)
def test_a_picture_that_is_too_large_is_undecodable(codec: str) -> None:
    """The largest that is let in is decoded, one with a row of blocks more is not; a small one is again, afterwards."""
    width, height = 3_840, SOURCE_PIXELS_MAX // 3_840
    picture = pictures(360, 1)[0]
    fits, does_not, small = (
        Encoder(codec, size, 200_000).encode(picture, 0, key=True)[0]
        for size in ((width, height), (width, height + 16), (320, 180))
    )
    decoder = Decoder(codec)

    shown = decoder.decode(fits)
    assert shown is not None
    assert (shown.width, shown.height) == (width, height)
    with pytest.raises(UndecodableError):
        decoder.decode(does_not)
    assert decoder.decode(small) is not None
