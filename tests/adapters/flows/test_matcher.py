"""`signalreel_adapters.flows.matcher`: what fits a pattern, and how a difference is told."""

from typing import Any

import pytest

from signalreel_adapters.flows.matcher import Mismatch, fill, match
from signalreel_adapters.flows.patterns import read_pattern


def matched(pattern: str, value: object, **known: str) -> dict[str, str]:
    """Match a value against the text of a pattern; give what was learned."""
    return match(read_pattern(pattern)[0], value, known)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("*", None),
        ("*", {"a": [1]}),
        ("1", 1),
        ("1.0", 1),
        ("true", True),
        ("null", None),
        ('"a.b"', "a.b"),
        ("[...]", []),
        ("[1, ...]", [1, 2]),
        ("{...}", {"a": 1}),
        ('{"b": *, "a": 1}', {"a": 1, "b": 2}),
        ('"{x}"', "text\nof two lines"),
    ],
)
def test_it_fits(pattern: str, value: object) -> None:
    """Wildcards stand for anything, `...` for any further entries, fields come in any order."""
    matched(pattern, value)


@pytest.mark.parametrize(
    ("pattern", "value", "told"),
    [
        ("1", True, "expected 1, found true"),
        ("true", 1, "expected true, found 1"),
        ("null", 0, "expected null, found 0"),
        ('"a.b"', "aXb", "expected 'a.b', found 'aXb'"),
        ('"a"', 7, "expected a text, found 7"),
        ('{"a": 1}', {"a": 1, "b": 2}, "b: not expected: 2"),
        ('{"a": 1, ...}', {}, "a: the field is missing"),
        ('{"a": {"b": [1, 2]}}', {"a": {"b": [1, 3]}}, r"a.b\[1\]: expected 2, found 3"),
        ("[1]", [1, 2], "expected 1 in the list"),
        ("[1, 2, ...]", [1], "expected 2 or more in the list"),
        ("[]", {}, "expected a list"),
        ("{}", [], "expected an object"),
    ],
)
def test_a_difference_is_told_with_its_place(pattern: str, value: object, told: str) -> None:
    """The path, what was expected, and what was found."""
    with pytest.raises(Mismatch, match=told):
        matched(pattern, value)


def test_long_values_are_told_shortened() -> None:
    """A description would drown the difference."""
    with pytest.raises(Mismatch) as wrong:
        matched('"a"', "x" * 5_000)

    assert "(5002 characters)" in str(wrong.value)
    assert len(str(wrong.value)) < 200


class TestNames:
    """Texts that are noted when they are first heard."""

    def test_a_name_is_learned(self) -> None:
        """The first time, it stands for whatever comes."""
        assert matched('{"a": "{x}", "b": "v{y}"}', {"a": "1", "b": "v2"}) == {"x": "1", "y": "2"}

    def test_a_name_that_is_known_must_be_the_same(self) -> None:
        """The second time, it is what it was, letter by letter."""
        assert matched('"v{x}"', "va.c", x="a.c") == {}
        with pytest.raises(Mismatch, match=r"expected 'va\.c', found 'vabc'"):
            matched('"v{x}"', "vabc", x="a.c")

    def test_a_name_is_one_thing_within_a_message(self) -> None:
        """Twice in one text or in two fields, it is the same."""
        assert matched('["{x}-{x}", "{x}"]', ["1-1", "1"]) == {"x": "1"}
        for wrong in (["1-2", "1"], ["1-1", "2"]):
            with pytest.raises(Mismatch):
                matched('["{x}-{x}", "{x}"]', wrong)

    def test_a_name_stands_for_at_least_one_character(self) -> None:
        """An empty id is no id."""
        with pytest.raises(Mismatch):
            matched('"{x}"', "")

    def test_nothing_is_learned_from_what_does_not_fit(self) -> None:
        """What was known before is not touched."""
        known: dict[str, str] = {}
        with pytest.raises(Mismatch):
            match(read_pattern('["{x}", 1]')[0], ["a", 2], known)

        assert known == {}


class TestFilling:
    """What a client says."""

    def test_names_are_replaced(self) -> None:
        """The message is the pattern with every name spelled out; other braces stay."""
        pattern, _ = read_pattern('{"a": "{x}!", "b": [1, null, {"c": "{\\"d\\":1}"}]}')
        said: Any = fill(pattern, {"x": "1"})

        assert said == {"a": "1!", "b": [1, None, {"c": '{"d":1}'}]}

    @pytest.mark.parametrize("text", ["*", "[...]", "{...}", '{"a": [*]}', '"{x}"'])
    def test_gaps_cannot_be_said(self, text: str) -> None:
        """A wildcard or an unknown name is an error."""
        with pytest.raises(Mismatch):
            fill(read_pattern(text)[0], {})
