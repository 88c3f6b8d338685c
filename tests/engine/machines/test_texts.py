"""How long a text may be that others are told, and how much a list of them."""

import pytest

from signalreel.machines.texts import LIST_SIZE_MAX, SHARE_SIZE_MIN, TOLD_LENGTH_MAX, listed, told


@pytest.mark.parametrize(
    ("letter", "most"),
    [("x", TOLD_LENGTH_MAX), ("\U0001f3a5", TOLD_LENGTH_MAX), ('"', TOLD_LENGTH_MAX), ("\x01", TOLD_LENGTH_MAX // 6)],
)
def test_a_text_beyond_all_measure_is_not_told(letter: str, most: int) -> None:
    """A control character counts as the six that it is in JSON; of every other one there may be as many."""
    assert told(letter * most) == letter * most
    assert told(letter * (most + 1)) == ""


def shown(*texts: str) -> list[str]:
    """What is left of texts in a list of them."""
    return list(listed(texts, lambda text: text, lambda text: ""))


def test_a_list_that_is_not_too_much_is_told_whole() -> None:
    """However unequal its entries are."""
    whole = ["x" * (LIST_SIZE_MAX - 4), ""]  # Each has its two quotation marks.

    assert shown() == []
    assert shown(*whole) == whole


def test_whoever_takes_more_than_a_share_is_told_without_texts() -> None:
    """The others keep theirs, so nobody pushes anybody out."""
    share = LIST_SIZE_MAX // 2 - 2

    assert shown("x" * (share + 1), "y" * share) == ["", "y" * share]


def test_in_a_large_room_everybody_has_a_share() -> None:
    """Names of a thousand streams are told, though they are more than a list of fewer could be."""
    names = ["n" * (SHARE_SIZE_MIN - 2)] * 1_000

    assert shown(*names, "n" * (SHARE_SIZE_MIN - 1)) == [*names, ""]
