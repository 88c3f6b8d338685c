"""`signalreel.debug.pseudonyms`."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signalreel.debug.pseudonyms import KEY_LENGTH_MIN, Pseudonyms
from signalreel.identifiers import is_valid_name, playback_id
from signalreel.machines.texts import TOLD_LENGTH_MAX, told

KEY: Final = bytes(range(KEY_LENGTH_MIN))
TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40) | st.sampled_from(
    (".", "..", "a" * 255, "a" * 256, "x" * (TOLD_LENGTH_MAX + 1), "\x02" * 1_000, "!", "!a", "ARDAMSv", "ARDAMSvb")
)


def learnt(*texts: str, kept: tuple[str, ...] = ()) -> Pseudonyms:
    """Pseudonyms that know these texts."""
    pseudonyms = Pseudonyms(KEY, kept)
    for text in texts:
        pseudonyms.learn(text)
    return pseudonyms


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=8))
def test_a_pseudonym_is_to_the_engine_what_its_text_is(texts: list[str]) -> None:
    """Equal when these are, a valid name when these are, too long to be told when these are, and never the text."""
    pseudonyms = learnt(*texts)
    given = {text: pseudonyms.of(text) for text in texts}

    assert len(set(given.values())) == len(given)
    for text, standing in given.items():
        assert is_valid_name(standing) == is_valid_name(text)
        assert bool(told(standing)) == bool(told(text))
        assert standing != text or text == "!"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.from_regex(r"[A-Za-z0-9_.\-]{1,20}", fullmatch=True), min_size=2, max_size=8))
def test_names_come_in_the_same_order(names: list[str]) -> None:
    """Sorted by pseudonym is sorted by name, because machines and lists are sorted by it."""
    plain = [name for name in names if not name.startswith("ARDAMS")]
    pseudonyms = learnt(*plain)

    assert sorted(plain) == sorted(plain, key=pseudonyms.of)


def test_what_is_put_together_is_taken_apart() -> None:
    """The id of a playback, a track and one that is left out hold the same pseudonyms as what they are made of."""
    pseudonyms = learnt("session", "cam", playback_id("session", "ARDAMSvcam"), "!ARDAMSvcam", "!cam", "ARDAMSacam")
    session, cam = pseudonyms.of("session"), pseudonyms.of("cam")

    assert pseudonyms.of(playback_id("session", "cam")) == playback_id(session, cam)
    assert pseudonyms.of(playback_id("session", "ARDAMSvcam")) == f"{session}/ARDAMSv{cam}"
    assert pseudonyms.of("!ARDAMSvcam") == f"!ARDAMSv{cam}"
    assert (pseudonyms.of("!cam"), pseudonyms.of("ARDAMSacam")) == (f"!{cam}", f"ARDAMSa{cam}")


def test_nothing_stands_for_nothing_and_what_is_kept_for_itself() -> None:
    """An empty text says that there is none; a name that may be known stays, in all that is made of it."""
    pseudonyms = learnt("cam", "alice", kept=("cam",))

    assert (pseudonyms.of(""), pseudonyms.of("cam"), pseudonyms.of("!ARDAMSvcam")) == ("", "cam", "!ARDAMSvcam")
    assert pseudonyms.of("alice") != "alice"


def test_the_tag_depends_on_the_key_and_the_text_alone() -> None:
    """Another reel with the same key gives the same tag; another key gives another; what is unknown has one too."""
    tag = learnt("cam").of("cam").partition("-")[2]

    assert learnt("alice", "bob", "cam").of("cam").partition("-")[2] == tag
    assert learnt().of("cam").partition("-")[2] == tag
    assert Pseudonyms(KEY[::-1]).of("cam").partition("-")[2] != tag


def test_a_key_that_could_be_guessed_is_refused() -> None:
    """Whoever could try all keys would know all texts."""
    with pytest.raises(ValueError, match="16 bytes"):
        Pseudonyms(b"short")
