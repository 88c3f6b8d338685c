"""What can be wrong with a list of records, and what a check says of records that cannot be applied."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from signalreel.commands import JoinRoom
from signalreel.debug.failing import NEVER, Breaks, Check, Differs, Holds, Start, engine_of, start_of, steps_of
from signalreel.debug.finding import Given, given_by
from signalreel.debug.predicates import compile_predicate
from signalreel.header import Header
from signalreel.record import Record
from signalreel.replay import Cursor
from signalreel.settings import Settings
from tests.engine.world import World
from tests.engine.zoo import ZOO, planted, recorded

START = Start(Header(Settings()))


def published() -> Sequence[Record]:
    """One session publishes."""
    world = World()
    world.open("alice")
    world.publish("alice", "s1")
    return world.records


def same(start: Start, records: Sequence[Record]) -> list[Given]:
    """What another code does that does the same."""
    return [given_by(step) for step in steps_of(start, records)]


def test_a_condition_goes_wrong_where_it_first_holds() -> None:
    """The first record is given, and none when it holds nowhere."""
    assert Holds(compile_predicate('stream("s1").state == "broadcasting"')).first(START, published()) == 5
    assert Holds(compile_predicate('stream("s2")')).first(START, published()) == NEVER


def test_another_code_that_does_the_same_makes_nothing_wrong() -> None:
    """Only another outcome counts."""
    assert Differs(same).first(START, published()) == NEVER


def test_an_invariant_goes_wrong_where_it_is_first_broken() -> None:
    """The bug of the zoo that breaks it shows by its record; without the bug nothing is broken."""
    found = recorded(ZOO[2])
    records = [replayed.step.record for replayed in Cursor(found.reel)]
    check = Breaks("pair-of-two")
    assert check.first(start_of(found.reel), records) == NEVER
    with planted(ZOO[2].name):
        assert check.first(start_of(found.reel), records) == found.seq


@pytest.mark.parametrize("check", [Holds(compile_predicate("seq > 1")), Breaks("one-owner"), Differs(same)], ids=repr)
def test_records_that_cannot_be_applied_do_not_go_wrong(check: Check) -> None:
    """A list that is no reel is not the failure that was meant."""
    first, *rest = published()
    broken = replace(first, seq=1, event=None, command=JoinRoom("r1"))
    assert check.first(START, [replace(broken, ids=()), *rest]) == NEVER


def test_names_are_replaced_where_the_condition_has_them() -> None:
    """Whatever is no name stays."""
    check = Holds(compile_predicate('sent("start", to="alice") and stream("s1").sessions == ("alice",)'))
    renamed = check.renamed(lambda text: {"alice": "session-1", "s1": "stream-1"}.get(text, text))
    assert renamed.text == "sent('start', to='session-1') and stream('stream-1').sessions == ('session-1',)"
    for other in (Breaks("one-owner"), Differs(same)):
        assert other.renamed(str.upper) is other


def test_an_engine_starts_as_the_header_says() -> None:
    """Settings and wall clock are the header's."""
    engine = engine_of(Start(Header(Settings(restore_ms=7), started_at=9)))
    assert (engine.settings.restore_ms, engine.environment.clock_offset, engine.seq) == (7, 9, 0)
