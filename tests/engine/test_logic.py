"""The flags of the logic."""

import pytest

from signalreel.engine import Engine
from signalreel.errors import CatalogueError, InvalidRecord
from signalreel.events import LogicRaised
from signalreel.header import Header
from signalreel.logic import CATALOGUE, Catalogue, Flag
from signalreel.settings import Settings
from tests.engine.world import record_of

TWO = Catalogue([Flag(1, "9.1.0", "made up"), Flag(2, "9.2.0", "made up as well")])


@pytest.mark.parametrize("numbers", [(2,), (1, 1), (1, 3), (0,)])
def test_flags_are_numbered_without_a_gap(numbers: tuple[int, ...]) -> None:
    """A number that is missing or there twice could mean two things on a reel: it fails at import."""
    with pytest.raises(CatalogueError, match="stands in the place of flag"):
        Catalogue(Flag(number, "9.1.0", "made up") for number in numbers)


def test_a_catalogue_knows_which_flags_are_unraised_and_which_unknown() -> None:
    """An older reel lacks some of the flags, a newer one has some that are not known."""
    assert TWO.unraised(()) == (1, 2)
    assert TWO.unraised((1,)) == (2,)
    assert TWO.unknown((1, 2, 3)) == (3,)


def test_a_new_engine_and_a_new_header_start_with_every_known_flag() -> None:
    """Contract 9: what starts now goes by the logic of now; what an older header says stands."""
    assert Engine(catalogue=TWO).environment.logic == (1, 2)
    assert Engine(logic=(), catalogue=TWO).environment.logic == ()
    assert Header(Settings()).logic == CATALOGUE.numbers == Engine().environment.logic


def test_raising_a_flag_is_an_input_that_the_state_digest_covers() -> None:
    """Contract 9: two engines that differ in a flag alone are in different states; raising it makes them equal."""
    old = Engine(logic=(1,), state_digest_every=1, catalogue=TWO)
    new = Engine(logic=(1, 2), state_digest_every=1, catalogue=TWO)
    once = record_of(1, 0, "", LogicRaised(1))

    assert old.apply(once).state_digest != new.apply(once).state_digest
    again = record_of(2, 0, "", LogicRaised(2))
    assert old.apply(again).state_digest == new.apply(again).state_digest
    assert old.environment.logic == (1, 2)


def test_a_flag_is_in_force_from_its_record_on_and_is_kept_by_a_snapshot() -> None:
    """A machine asks the context; an engine that is restored from a snapshot goes by the same logic."""
    engine = Engine(logic=(), catalogue=TWO)
    assert not engine._context.has_raised(2)
    engine.apply(record_of(1, 0, "", LogicRaised(2)))
    restored = Engine(catalogue=TWO)
    restored.restore(engine.snapshot())

    assert engine._context.has_raised(2)
    assert restored.environment.logic == (2,)


def test_an_unknown_flag_is_refused_before_anything_changes() -> None:
    """A newer version raised it: how its machines go by it cannot be known here."""
    engine = Engine(catalogue=TWO)
    before = engine.snapshot()

    with pytest.raises(InvalidRecord, match="does not know flag 3 of the logic"):
        engine.apply(record_of(1, 0, "", LogicRaised(3)))
    assert engine.snapshot() == before
