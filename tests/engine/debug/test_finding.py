"""`signalreel.debug.finding`."""

import pytest
from msgspec.structs import replace

from signalreel.commands import Join, TakeCandidate, TakeConfiguration
from signalreel.debug.causes import Trail
from signalreel.debug.finding import blamed, find, given_by, is_alike, told_given
from signalreel.replay import Cursor
from tests.engine.world import World

SECRET = "192.0.2.1"


def relayed() -> World:
    """A pair in which an offer and a candidate were relayed."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Join("p"))
    world.say("bob", Join("p"))
    world.say("alice", TakeConfiguration("p", "offer", f"v=0 {SECRET}"))
    world.say("alice", TakeCandidate("p", 0, "0", SECRET))
    return world


def test_what_is_given_is_told_without_what_must_not_be_shown() -> None:
    """Transitions, messages with their fields, and the deadline; a description by its length and digest."""
    world = relayed()
    offer, candidate = (given_by(step) for step in world.steps[-2:])

    assert told_given(offer)[0] == "pair live/p: paired -> offered"
    assert told_given(offer)[1].startswith(
        "to bob: takeConfiguration (streamId='p', type='offer', sdp='(description of"
    )
    assert told_given(candidate)[1].endswith("candidate='(candidate of 9 bytes)')")
    assert SECRET not in str((told_given(offer), told_given(candidate)))


def test_sides_are_alike_when_they_show_the_same() -> None:
    """Which rows fired, and the digest of the state, are no part of it; everything the world sees is."""
    given = given_by(relayed().steps[-1])

    assert is_alike(given, replace(given, fired=(), state_digest=b"x"))
    for changes in ({"details": b""}, {"messages": ()}, {"deadline": (1, "pair live/p")}, {"refused": "x"}):
        assert not is_alike(given, replace(given, **changes))


def test_the_rule_is_that_of_the_first_transition_the_other_side_lacks() -> None:
    """Or of the machine that did not make the other side's; else of the first row that another side did not fire."""
    world = relayed()
    given = given_by(world.steps[-2])
    rule = "pair paired x takeConfiguration row 1: relay_offer"

    assert blamed(given, ()) == rule
    assert blamed(replace(given, moves=()), given.moves) == rule
    assert blamed(given, given.moves, replace(given, fired=())) == rule
    assert blamed(given, given.moves) == rule
    assert blamed(replace(given, fired=()), given.moves) == ""
    assert blamed(replace(given, fired=()), ()) == ""


def test_a_record_that_is_not_there_cannot_be_looked_at() -> None:
    """The caller's mistake is said."""
    cursor, trail = Cursor(relayed().reel()), Trail()
    with pytest.raises(LookupError, match="no record 99"):
        find(cursor, trail, 99, "seq == 99")
