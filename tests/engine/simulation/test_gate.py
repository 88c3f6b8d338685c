"""The gate of a simulated server."""

from random import Random

from signalreel.commands import Publish, Stop
from signalreel.simulation.gate import Gate
from signalreel.simulation.luck import Luck


def test_only_commands_that_need_a_grant_get_one() -> None:
    """And whoever asks is named by it."""
    gate = Gate(Luck(Random(1), {}), uses_once=False)
    grant = gate.decide(Publish("s1"), "tag-of-ann", 5, is_thief=False)

    assert grant is not None
    assert (grant.allowed, grant.identity, grant.once, grant.until) == (True, "tag-of-ann", "", 0)
    assert gate.decide(Stop("s1"), "tag-of-ann", 5, is_thief=False) is None


def test_each_attempt_brings_a_token_of_its_own_and_a_thief_sometimes_another_s() -> None:
    """So that a grant is sometimes asked for twice."""
    gate = Gate(Luck(Random(1), {}), uses_once=True)
    grants = [gate.decide(Publish("s1"), "tag-of-ann", 5, is_thief=False) for _ in range(20)]
    assert len({grant.once for grant in grants if grant is not None}) == 20
    stolen = [gate.decide(Publish("s1"), "tag-of-eve", 5, is_thief=True) for _ in range(50)]

    assert len({grant.once for grant in stolen if grant is not None}) < 50


def test_a_wrong_token_is_not_let_in() -> None:
    """By the odds of the plan."""
    gate = Gate(Luck(Random(1), {"wrong token": 1.0}), uses_once=True)
    grant = gate.decide(Publish("s1"), "tag-of-ann", 5, is_thief=False)

    assert grant is not None
    assert not grant.allowed
