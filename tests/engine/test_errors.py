"""What the exceptions say."""

import pytest

from signalreel.errors import (
    Divergence,
    InvalidPredicate,
    NothingInCommon,
    OutOfOrder,
    ReelBusy,
    ReelDamaged,
    ReelError,
    ReelUnavailable,
    SignalreelError,
    TableError,
    Undecodable,
)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            TableError("pair", ["Join in empty: no row", "Leave in waiting: no row"]),
            "the table of the pair machine has 2 fault(s):\nJoin in empty: no row\nLeave in waiting: no row",
        ),
        (OutOfOrder("seq", 4, 7), "the record's seq is 7; at least 4 was expected"),
        (InvalidPredicate("seq = 1", 5, "invalid syntax"), "the expression cannot be used at column 5: invalid syntax"),
        (InvalidPredicate("x", 0, "it is too long"), "the expression cannot be used: it is too long"),
        (Undecodable("not_json"), "not_json"),
        (
            NothingInCommon((78, 142), (1, 77)),
            "the two have no record in common: this reel has 78 to 142, the other 1 to 77",
        ),
        (ReelUnavailable("the disk is full"), "the disk is full"),
        (ReelBusy("calls.reel"), "calls.reel is being written by another process; one reel has one writer"),
        (ReelDamaged("record 7", "cannot be decoded"), "record 7: cannot be decoded"),
        (
            Divergence(7, "digest", "aa", "bb", "publish"),
            "record 7 (publish): digest recorded as aa, computed as bb",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_takes_facts_and_writes_its_own_sentence(error: SignalreelError, sentence: str) -> None:
    """Each class builds its message from what it was given, and all have one base."""
    assert isinstance(error, SignalreelError)
    assert str(error) == sentence


def test_whatever_is_wrong_with_a_reel_is_one_family() -> None:
    """Code that only wants to know that the reel failed catches one class."""
    assert all(issubclass(kind, ReelError) for kind in (ReelUnavailable, ReelBusy, ReelDamaged))


def test_undecodable_input_carries_the_answer_to_it() -> None:
    """The transport sends `definition` when there is one, about `stream_id`; without one it says nothing."""
    answered = Undecodable("unknown_command", "invalidStreamName", "a b")

    assert (answered.reason, answered.definition, answered.stream_id) == ("unknown_command", "invalidStreamName", "a b")
    assert (Undecodable("not_json").definition, Undecodable("not_json").stream_id) == ("", "")
