"""`signalreel_adapters.flows.patterns`: what is a pattern, what is none, and where it stops being one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel_adapters.flows.patterns import (
    PATTERN_DEPTH_MAX,
    Anything,
    ListOf,
    Literal,
    ObjectOf,
    Pattern,
    PatternError,
    PatternUnfinished,
    Text,
    names_in,
    read_pattern,
    write_pattern,
)

PATTERNS: st.SearchStrategy[Pattern] = st.recursive(
    st.one_of(
        st.just(Anything()),
        st.builds(Text, st.text(max_size=8)),
        st.builds(Literal, st.one_of(st.none(), st.booleans(), st.integers())),
    ),
    lambda inner: st.one_of(
        st.builds(ListOf, st.lists(inner, max_size=3).map(tuple), st.booleans()),
        st.builds(
            ObjectOf,
            st.dictionaries(st.text(max_size=4), inner, max_size=3).map(lambda d: tuple(d.items())),
            st.booleans(),
        ),
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("*", Anything()),
        ('"a"', Text("a")),
        ("-1.5", Literal(-1.5)),
        ("null", Literal(None)),
        ("[]", ListOf(())),
        ("[*, ...]", ListOf((Anything(),), is_open=True)),
        ("{...}", ObjectOf((), is_open=True)),
        (
            '{"a": 1, "b": [true], ...}',
            ObjectOf((("a", Literal(1)), ("b", ListOf((Literal(value=True),)))), is_open=True),
        ),
        ('\n{\n"a":\n"}"\n}', ObjectOf((("a", Text("}")),))),
    ],
)
def test_patterns_are_json_with_gaps(text: str, pattern: Pattern) -> None:
    """Whatever is JSON is a pattern, and so are `*` and `...` in their places."""
    assert read_pattern(text) == (pattern, "")


def test_what_follows_a_pattern_is_given_back() -> None:
    """A line may go on with a comment; that is for the caller to judge."""
    assert read_pattern('{"a": *}  # why') == (ObjectOf((("a", Anything()),)), "# why")


@pytest.mark.parametrize(
    ("text", "told", "at"),
    [
        ("hello", "no JSON value", 0),
        ('{"a" 1}', "a colon is missing", 5),
        ('{"a": 1 "b": 2}', "a comma or `}` is missing", 8),
        ("[1 2]", "a comma or `]` is missing", 3),
        ('{..., "a": 1}', "`...` stands at the end", 4),
        ("[..., 1]", "`...` stands at the end", 4),
        ('{"a": 1, "a": 2}', "stands twice", 9),
        ("{1: 2}", "its name, in quotes", 1),
        ('{"a": "b}', "no JSON value", 6),
    ],
)
def test_what_is_no_pattern_is_told_with_its_place(text: str, told: str, at: int) -> None:
    """The error says what was expected, and at which character."""
    with pytest.raises(PatternError, match=told) as wrong:
        read_pattern(text)

    assert (wrong.value.at, isinstance(wrong.value, PatternUnfinished)) == (at, False)


@pytest.mark.parametrize("text", ["", "{", '{"a":', '{"a": [', "[1,", '{"a": 1'])
def test_what_may_go_on_is_told_apart(text: str) -> None:
    """A text that ends within an object or list may be a pattern together with its next line."""
    with pytest.raises(PatternUnfinished):
        read_pattern(text)


def test_depth_is_bounded() -> None:
    """A file cannot exhaust the stack."""
    with pytest.raises(PatternError, match="deep"):
        read_pattern("[" * (PATTERN_DEPTH_MAX + 2))


def test_names_stand_in_braces_within_texts() -> None:
    """A name begins with a small letter; JSON inside a text holds none."""
    pattern, _ = read_pattern('{"a": "{x}", "b": ["v{y}-{x}", 1, *], "c": "{\\"muted\\":false}", "d": "{X} {}", ...}')

    assert names_in(pattern) == ("x", "y", "x")


@given(PATTERNS)
def test_what_is_written_reads_the_same(pattern: Pattern) -> None:
    """Writing and reading are each other's inverse."""
    assert read_pattern(write_pattern(pattern)) == (pattern, "")
