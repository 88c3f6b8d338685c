"""`signalreel_adapters.cli.debug.stepper.walk`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from signalreel.debug.predicates import compile_predicate
from signalreel.debug.state import state_of
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel_adapters.cli.debug.stepper.walk import PAGE_LINES, Walk, seconds
from tests.adapters.cli.debug.stepper.golden import explored, golden_reel


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    """A walk that knows every place."""
    return explored(tmp_path)


def first_found(looking: Iterator[tuple[int, bool]]) -> int | None:
    """Look until something is found."""
    return next((seq for seq, is_it in looking if is_it), None)


def test_exploring_gives_the_times_and_every_refusal(tmp_path: Path) -> None:
    """What is learnt on the way is what a replay gives."""
    walk = explored(tmp_path)
    replayed = list(Cursor(golden_reel(tmp_path)))

    assert walk.is_explored
    assert walk.refused == {each.step.record.seq: each.step.refused for each in replayed if each.step.refused}
    assert [walk.time_of(seq) for seq in range(1, walk.last + 1)] == [each.step.record.time for each in replayed]
    assert walk.diverged == []


@pytest.mark.parametrize("way", [(3, 2, 1, 2), (150, 20, 21, 149), (0, 158, 0, 1)])
def test_a_place_is_the_same_however_one_came_there(walk: Walk, tmp_path: Path, way: tuple[int, ...]) -> None:
    """The state, the step and what changed after a record do not depend on where one was before."""
    seen = [walk.go(seq) for seq in way][-1]
    other = explored(tmp_path)

    assert seen == other.go(way[-1])
    assert walk.position == way[-1]
    assert state_of(walk.engine) == state_of(other.engine)


def test_what_a_record_changed_is_told_alone(walk: Walk) -> None:
    """After a jump the changes are those of the record, not of all that was jumped over: record 7 made the stream."""
    walk.go(150)
    seen = walk.go(7)
    assert seen is not None

    assert {change.path[0] for change in seen.changes} == {"stream", "standings", "deadline"}


def test_a_walk_does_not_leave_the_reel(walk: Walk) -> None:
    """Going too far goes to the end; before the first record there is nothing to see."""
    assert walk.go(10**9) == walk.go(walk.last)
    assert walk.go(-5) is None
    assert (walk.position, list(walk.engine.sessions())) == (0, [])


def test_a_time_is_found(walk: Walk) -> None:
    """It is the first record that is not before it."""
    time = walk.time_of(100)
    found = walk.at_time(time)

    assert (walk.time_of(found), walk.time_of(found - 1) < time) == (time, True)
    assert walk.at_time(10**15) == walk.last
    assert seconds(1_500_000) == "1.500000"


def test_lines_are_those_of_the_records(walk: Walk) -> None:
    """Across pages, in any order; there is none outside of the reel, and no description in any."""
    seqs = [walk.last, 1, PAGE_LINES, PAGE_LINES + 1, 1]
    lines = [walk.line(seq) for seq in seqs]

    assert [line.seq for line in lines if line is not None] == seqs
    assert (walk.line(0), walk.line(walk.last + 1)) == (None, None)
    assert not any("v=0" in line.text for seq in range(1, walk.last + 1) if (line := walk.line(seq)) is not None)


def test_a_text_is_searched_both_ways(walk: Walk) -> None:
    """In names, and in refusals, which stand in no record."""
    first = min(walk.refused)
    definition = walk.refused[first]
    last = max(seq for seq, each in walk.refused.items() if each == definition)

    assert first_found(walk.searching(definition.upper(), 0)) == first
    assert first_found(walk.searching(definition, walk.last + 1, forward=False)) == last
    assert first_found(walk.searching("no such text", 0)) is None


def test_a_condition_is_run_to_both_ways(walk: Walk) -> None:
    """The next record at which it holds, or the last one before."""
    refused = compile_predicate("refused")
    first, second, *_ = walk.refused

    assert first_found(walk.running(refused, 0)) == first
    assert first_found(walk.running(refused, first)) == second
    assert first_found(walk.running(refused, second, forward=False)) == first
    assert first_found(walk.running(refused, first, forward=False)) is None


def test_the_state_is_listed_by_kind_and_name(walk: Walk) -> None:
    """Every session that is there, and whatever surrounds them."""
    walk.go(20)

    assert set(walk.state()["session"]) == {session.id for session in walk.engine.sessions()}
    assert {"settings", "environment"} <= set(walk.state())


def test_an_empty_reel_can_be_walked() -> None:
    """There is nothing to see, and nothing fails."""
    walk = Walk(MemoryReel())

    assert (walk.explore(1.0), walk.go(1), walk.last) == (False, None, 0)


def test_a_damaged_reel_ends_where_the_damage_is(tmp_path: Path) -> None:
    """What is before it can be seen, and what is wrong is said."""
    reel = MemoryReel()
    for entry in list(golden_reel(tmp_path).entries())[:30]:
        reel.append(entry.seq, entry.record if entry.seq != 20 else b"\xc1")
    walk = Walk(reel)
    while walk.explore(1.0):
        pass

    assert (walk.last, walk.line(20)) == (19, None)
    assert "record 20" in walk.damage
