"""The zoo itself: every bug shows by the record that it is said to show by, and by no other; then it is gone again."""

import pytest

from signalreel.debug.causes import rules_of
from signalreel.debug.predicates import compile_predicate
from signalreel.replay import Cursor
from tests.engine.zoo import ZOO, Bug, planted, recorded, zoo_names


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_a_bug_shows_by_its_record_and_its_rule(bug: Bug) -> None:
    """With the bug in, a good server's reel first differs by the record that the recipe names, where the rule fired."""
    found = recorded(bug)
    with planted(bug.name):
        first = next(replayed for replayed in Cursor(found.reel) if replayed.divergence is not None)
    assert first.step.record.seq == found.seq
    assert bug.rule in rules_of(first.step)


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_a_server_with_the_bug_records_it(bug: Bug) -> None:
    """A reel of a server with the bug first differs from what is right by the record that the recipe names."""
    found = recorded(bug, wrong=True)
    first = next(replayed for replayed in Cursor(found.reel) if replayed.divergence is not None)
    assert first.step.record.seq == found.seq


@pytest.mark.parametrize("bug", ZOO, ids=zoo_names)
def test_a_bug_is_gone_afterwards(bug: Bug) -> None:
    """Once it is no longer planted, nothing of it is left, whatever was planted before."""
    with planted(bug.name):
        pass
    assert [replayed for replayed in Cursor(recorded(bug).reel) if replayed.divergence is not None] == []


@pytest.mark.parametrize("bug", [bug for bug in ZOO if bug.wrong], ids=zoo_names)
def test_what_is_wrong_can_be_said(bug: Bug) -> None:
    """The condition holds first on the record by which the bug shows, and on none when the bug is not in."""
    found, predicate = recorded(bug), compile_predicate(bug.wrong)
    cursor = Cursor(found.reel)
    assert [one.step.record.seq for one in cursor if predicate.holds(cursor.engine, one.step)] == []
    with planted(bug.name):
        cursor = Cursor(found.reel)
        holding = [one.step.record.seq for one in cursor if predicate.holds(cursor.engine, one.step)]
    assert holding[0] == found.seq
