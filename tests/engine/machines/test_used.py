"""A one-time token is used when a command is accepted with it, and by one session (Contract 11)."""

from signalreel.commands import Join, Publish
from signalreel.engine import Engine
from signalreel.events import ClockAdjusted
from signalreel.machines.used import Used, UsedTags
from signalreel.record import Grant
from signalreel.refusals import STREAM_ID_IN_USE, UNAUTHORIZED_ACCESS
from signalreel.settings import Settings
from tests.engine.world import APP, MS, World

ONCE = Grant(allowed=True, once="tag-of-a-token", until=60_000_000)


def test_a_second_session_is_refused_what_one_has_used() -> None:
    """Contract 11: the first accepted command uses the token; another session with it gets `unauthorized_access`."""
    world = World()
    world.open("one", "two")

    first = world.say("one", Publish("s1"), grant=ONCE)
    second = world.say("two", Publish("s2"), grant=ONCE)

    assert (first.refused, second.refused) == ("", UNAUTHORIZED_ACCESS.definition)


def test_a_refused_command_uses_nothing() -> None:
    """Contract 11: a retry after another refusal finds the token unused."""
    world = World()
    world.open("holder", "one")
    world.say("holder", Publish("s1"))

    refused = world.say("one", Publish("s1"), grant=ONCE)
    world.close("holder")
    retried = world.say("one", Publish("s1"), grant=ONCE)

    assert (refused.refused, retried.refused) == (STREAM_ID_IN_USE.definition, "")


def test_the_same_session_may_use_it_again() -> None:
    """Whoever used a token and asks for the same thing again is not refused."""
    world = World()
    world.open("one")
    world.say("one", Join("p"), grant=ONCE)

    assert world.say("one", Join("p"), grant=ONCE).refused == ""


def test_apps_do_not_share_what_was_used() -> None:
    """Contract 1: a tag that was used in one app is unused in another."""
    world = World()
    world.open("one")
    world.open("two", app="other")
    world.say("one", Publish("s1"), grant=ONCE)

    assert world.say("two", Publish("s1"), grant=ONCE).refused == ""


def test_a_snapshot_holds_what_was_used() -> None:
    """Contract 8: an engine that was restored refuses what the original refuses, and has the same state digest."""
    world = World(Settings())
    world.open("one", "two")
    world.say("one", Publish("s1"), grant=ONCE)
    restored = Engine(state_digest_every=1)
    restored.restore(world.engine.snapshot())

    original = world.say("two", Publish("s2"), grant=ONCE)

    assert restored.apply(original.record).state_digest == original.state_digest
    assert original.refused == UNAUTHORIZED_ACCESS.definition


def test_a_clock_that_is_set_back_makes_nothing_unused() -> None:
    """The gate judges by the wall clock whether a token has expired, so a tag is forgotten by that clock too."""
    world = World()
    world.open("one", "two", "three")
    world.say("one", Join("p"), grant=Grant(allowed=True, once="tag", until=world.now + 10_000 * MS))
    world.report(ClockAdjusted(-3_600_000 * MS))
    world.wait(11_000)

    known = world.engine.is_used(APP, "tag")
    world.say("three", Join("q"), grant=ONCE)  # Whatever has expired would be forgotten here.
    again = world.say("two", Join("p"), grant=Grant(allowed=True, once="tag", until=world.now + 3_599_000 * MS))

    assert (known, again.refused) == (True, UNAUTHORIZED_ACCESS.definition)


def test_a_clock_that_is_set_forward_expires_what_is_used() -> None:
    """A token that nobody can use any more need not be kept."""
    world = World()
    world.open("one")
    world.say("one", Join("p"), grant=Grant(allowed=True, once="tag", until=world.now + 10_000 * MS))

    world.report(ClockAdjusted(3_600_000 * MS))

    assert not world.engine.is_used(APP, "tag")


def test_what_has_expired_is_forgotten() -> None:
    """A tag is kept until its token has expired by itself; one without an expiry is kept."""
    tags = UsedTags()
    short, forever = Used("live", "short", "one", 10), Used("live", "forever", "one", 0)

    assert (tags.mark(short), tags.mark(short), tags.mark(forever)) == (True, False, True)
    assert tags.by_another("live", "short", "two", 9)
    assert not tags.by_another("live", "short", "two", 10)
    assert not tags.by_another("live", "short", "one", 9)
    assert tags.forget_expired(9) == []
    assert tags.forget_expired(10) == [short]
    assert tags.all() == (forever,)
