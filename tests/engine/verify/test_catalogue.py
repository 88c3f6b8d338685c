"""`signalreel.verify.catalogue`."""

from signalreel.verify.catalogue import INVARIANTS, Violation
from tests.engine.verify.broken import BROKEN_STATES, BROKEN_STEPS
from tests.repository import ROOT


def test_every_invariant_can_fail() -> None:
    """For each of them there is a state or a step that breaks it, which the tests of the checks show to be seen."""
    assert {name for name, _ in (*BROKEN_STATES, *BROKEN_STEPS)} == set(INVARIANTS)


def test_every_invariant_says_where_it_is_promised() -> None:
    """In a sentence, and with the words of the protocol that it is about."""
    for name, invariant in INVARIANTS.items():
        assert invariant.name == name
        assert invariant.sentence.endswith(".")
        assert invariant.promised


def test_every_invariant_stands_in_the_reference() -> None:
    """With its sentence and what it follows from, as they are written here."""
    page = (ROOT / "docs" / "reference" / "conditions.md").read_text(encoding="utf-8")

    for name, invariant in INVARIANTS.items():
        assert f"| `{name}` | {invariant.sentence} | {invariant.promised} |" in page


def test_a_violation_says_what_where_and_since_when() -> None:
    """In one line."""
    violation = Violation("one-owner", 7, "stream live/s1", "2 sessions hold it")

    assert str(violation) == "one-owner is broken after record 7: stream live/s1: 2 sessions hold it"
