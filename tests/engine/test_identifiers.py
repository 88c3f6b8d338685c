"""Names, and the rule for those that come from outside."""

import pytest

from signalreel.identifiers import NAME_LENGTH_MAX, Kind, Reference, is_valid_name, playback_id


@pytest.mark.parametrize("name", ["stream1", "A-Z_a.z-0", "...", ".hidden", "-", "_", "a" * NAME_LENGTH_MAX])
def test_a_name_of_letters_digits_dash_dot_and_underscore_is_valid(name: str) -> None:
    """What the Ant Media server's validator lets through, up to the length limit, is a name here too."""
    assert is_valid_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a\n",
        "\n",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "a b",
        "a\x00",
        "stream%31",
        "stréam",
        "\u0661",  # a digit in Arabic script: a pattern with \d would take it
        "\ud800",
        "a" * (NAME_LENGTH_MAX + 1),
        "a" * 65_536,
    ],
    ids=ascii,
)
def test_anything_else_is_no_name(name: str) -> None:
    """Contract 12: path segments, line ends, other scripts, lone surrogates and 64 KiB are refused, not sanitised."""
    assert not is_valid_name(name)


def test_a_playback_is_named_by_its_session_and_what_it_plays() -> None:
    """The two parts of a playback's id cannot run into one another, since `/` stands in no stream's name."""
    assert playback_id("session-1", "stream.1") == "session-1/stream.1"
    assert not is_valid_name(playback_id("a", "b"))


def test_two_lives_of_one_id_differ_in_their_references() -> None:
    """Contract 7: `born` is part of a reference, so equality tells one life from the next."""
    first, second = (Reference(Kind.STREAM, "live", "s1", born) for born in (3, 9))

    assert first != second
    assert first == Reference(Kind.STREAM, "live", "s1", 3)
