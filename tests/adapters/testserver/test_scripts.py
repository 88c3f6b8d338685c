"""`signalreel_adapters.testserver.scripts`."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel.identifiers import is_valid_name
from signalreel_adapters.testserver.scripts import (
    DURATION_S_MAX,
    InvalidScript,
    inner_of,
    is_mock,
    outer_in,
    read_script,
)

SIGNS = string.ascii_letters + string.digits + "_.:|=@+,;-"


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("mock:no_pong", {"no_pong": 0}),
        ("mock:slow_answer=8s", {"slow_answer": 8_000_000}),
        ("mock:slow_answer=1.5ms|no_pong", {"slow_answer": 1_500, "no_pong": 0}),
        ("mock:half_open=2m", {"half_open": 120_000_000}),
        ("mock:half_open", {"half_open": 0}),
        ("mock:close", {"close": 1011}),
        ("mock:close=4999|times=3", {"close": 4999, "times": 3}),
        ("mock:name=camera|streamIdInUse", {"name": 0, "streamIdInUse": 0}),
    ],
)
def test_faults_are_read_with_their_values(name: str, faults: dict[str, int]) -> None:
    """Durations in microseconds, codes and counts as they are, defaults where nothing is said."""
    assert read_script(name).faults == faults


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("mock:", "faults with |"),
        ("mock:no pong", "without spaces"),
        ("mock:nopong", "no fault 'nopong'"),
        ("mock:no_pong|", "no fault ''"),
        ("mock:no_pong=1s", "takes no value"),
        ("mock:no_pong=", "takes no value"),
        ("mock:slow_answer", "a duration"),
        ("mock:slow_answer=8", "a duration"),
        ("mock:slow_answer=-8s", "a duration"),
        (f"mock:slow_answer={DURATION_S_MAX + 1}s", "a duration"),
        ("mock:close=999", "a close code"),
        ("mock:close=1006", "a close code"),
        ("mock:close=5000", "a close code"),
        ("mock:times=0", "a count"),
        ("mock:times=1001", "a count"),
        ("mock:name=", "any text"),
        ("mock:no_pong|no_pong", "twice"),
        ("mock:streamIdInUse|no_stream_exist", "one way only"),
    ],
)
def test_what_is_no_fault_is_told(name: str, why: str) -> None:
    """In a sentence for whoever wrote it."""
    with pytest.raises(InvalidScript, match=why.replace("|", r"\|")):
        read_script(name)


def test_the_refusal_of_a_script_is_known() -> None:
    """There is one at most."""
    found = read_script("mock:times=2|highResourceUsage").refusal

    assert found is not None
    assert found.name == "highResourceUsage"
    assert read_script("mock:no_pong").refusal is None


@given(st.text(SIGNS, min_size=1, max_size=60))
def test_an_id_comes_back_as_it_was_written(rest: str) -> None:
    """The engine accepts what stands for it, and no two ids become one."""
    name = f"mock:{rest}"
    inner = inner_of(name)

    assert isinstance(inner, str)
    assert is_valid_name(inner)
    assert not is_mock(inner)
    assert outer_in(f'{{"streamId":"{inner}"}}') == f'{{"streamId":"{name}"}}'


def test_ids_are_found_wherever_they_stand() -> None:
    """In lists, in objects and behind the ! of a track that is not wanted; other texts are left alone."""
    said = {"command": "play", "streamId": "mock:no_pong", "trackList": ["!mock:no_pong", "plain"], "sdp": "a=mock:x y"}

    assert inner_of(said) == {
        "command": "play",
        "streamId": "mock.no_pong",
        "trackList": ["!mock.no_pong", "plain"],
        "sdp": "a=mock:x y",
    }
    assert inner_of([1, None, True]) == [1, None, True]
