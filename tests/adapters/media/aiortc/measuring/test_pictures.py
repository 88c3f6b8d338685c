"""A picture says which one it is, before encoding and after."""

import pytest

from signalreel_adapters.media.aiortc.measuring.clip import make_clip
from signalreel_adapters.media.aiortc.measuring.pictures import HEIGHT, NUMBERS, WIDTH, PictureReader, draw, read_number


@pytest.mark.parametrize("number", [0, 1, 2_730, NUMBERS - 1])
def test_a_number_is_read_from_the_picture_that_was_drawn(number: int) -> None:
    """The bars are where they are looked for, and nothing is drawn over them."""
    picture = draw(number)

    assert len(picture) == WIDTH * HEIGHT
    assert read_number(picture, WIDTH) == number


def test_pictures_are_put_together_and_decoded_from_a_keyframe_on() -> None:
    """Numbers survive the encoder; nothing is shown before a keyframe, at the start and after a lost packet."""
    clip = make_clip(0.2)
    reader = PictureReader()
    sequence = 65_530
    for lost, number in [(False, 1), *((each == 4, each) for each in range(6)), (False, 0), (False, 1)]:
        for at, part in enumerate(clip.pictures[number]):
            sequence = sequence + 1 & 0xFFFF
            if not (lost and at == 1):
                reader.take(sequence, part, last=at == len(clip.pictures[number]) - 1, arrived=7)
    reader.take(sequence, b"", last=True, arrived=7)

    assert [shown.number for shown in reader.shown] == [0, 1, 2, 3, 0, 1]
    assert all(shown.arrived == 7 < shown.decoded for shown in reader.shown)
