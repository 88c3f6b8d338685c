"""Luck: odds, counts and the end of both."""

from random import Random

from signalreel.simulation.luck import Luck


def test_what_strikes_is_counted_and_what_has_no_odds_never_strikes() -> None:
    """A plan says which faults exist at all."""
    luck = Luck(Random(1), {"loss": 1.0})

    assert luck.meets("loss")
    assert not luck.meets("duplication")
    assert luck.counts == {"loss": 1}


def test_nothing_goes_wrong_after_healing() -> None:
    """Whatever the odds were."""
    luck = Luck(Random(1), {"loss": 1.0})
    luck.heal()

    assert not luck.meets("loss")
    assert luck.counts == {}


def test_deeds_are_numbered_and_some_are_left_out() -> None:
    """Those that are left out count as well, so that the others keep their numbers."""
    luck = Luck(Random(1), {}, (2, 4))

    assert [luck.is_done() for _ in range(5)] == [True, False, True, False, True]
    assert luck.deeds == 5
