"""`signalreel.debug.causes`."""

from signalreel.commands import GetStreamInfo, Join, Leave, Publish, TakeConfiguration
from signalreel.debug.causes import (
    CHAIN_MAX,
    cause_chain,
    concerned,
    does_something,
    moves_by_rule,
    rule_name,
    rules_of,
)
from signalreel.events import DescriptionCreated, MediaConnected
from signalreel.identifiers import Kind
from signalreel.step import Outcome
from tests.engine.segments import segment_of
from tests.engine.tour import tour
from tests.engine.world import APP, World


def publishing() -> World:
    """Alice publishes s1, which is live; bob asked for the same id in vain."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1"))
    world.say("alice", TakeConfiguration("s1", "offer", "v=0 secret"))
    world.report(DescriptionCreated(world.stream("s1"), "answer", "v=0 secret"))
    world.report(MediaConnected(world.stream("s1")))
    world.say("bob", Publish("s1"))
    return world


def test_a_rule_is_named_by_its_place_in_the_table() -> None:
    """Kind, state, input as it is tagged, number of the row, and what it does."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Join("p"))
    world.say("bob", Join("p"))
    step = world.say("alice", TakeConfiguration("p", "offer", "sdp"))

    assert rules_of(step) == ("pair paired x takeConfiguration row 1: relay_offer",)
    assert rules_of(world.say("bob", Join("p"))) == ("pair offered x join row 2: greet_again",)
    assert rules_of(world.say("carl", Join("p"))) == ("route: ignore: of a session that is not open",)


def test_every_transition_of_the_tour_has_the_rule_that_made_it() -> None:
    """Transitions stand in the order of the rows that publish them, so each is named by its own machine's row."""
    for step in tour().steps:
        moved = moves_by_rule(step)
        assert len(moved) == len(step.transitions)
        for transition, rule in moved:
            assert rule.startswith(f"{transition.machine.kind} {transition.source} x ")


def test_rows_that_change_nothing_are_told_apart() -> None:
    """What is ignored or refused is no cause of anything."""
    fired = {rule_name(one): does_something(one) for step in tour().steps for _, one in step.fired}

    assert not any(moves for rule, moves in fired.items() if ": ignore: " in rule or ": refuse " in rule)
    assert all(moves for rule, moves in fired.items() if ": ignore: " not in rule and ": refuse" not in rule)


def test_a_chain_tells_how_a_machine_came_to_its_state() -> None:
    """From the session that opened, record by record; what others asked of it in vain is no part of it."""
    world = publishing()
    chain = cause_chain(world.reel(), (Kind.STREAM, APP, "s1"), 7)

    assert [cause.seq for cause in chain] == [1, 3, 4, 5, 6]
    assert chain[0].told == "1: session alice opened"
    assert chain[1].told.startswith("3: session alice: publish  s1; stream idle x publish row ")
    assert chain[1].told.endswith("idle -> preparing")
    assert "connecting -> broadcasting" in chain[-1].told
    assert "secret" not in str(chain)


def test_a_chain_names_what_set_the_timer_and_what_came_by_way_of_others() -> None:
    """A deadline names the record that set it; what a session's end did to a machine is told as that."""
    world = World()
    world.open("alice")
    world.say("alice", Publish("s1"))
    world.wake()
    [*_, last] = cause_chain(world.reel(), (Kind.STREAM, APP, "s1"), 3)
    assert last.told.startswith("3: (timer set by 2) DeadlineReached")

    world = publishing()
    world.close("alice")
    [*_, last] = cause_chain(world.reel(), (Kind.STREAM, "", "s1"), 8)
    assert last.told.startswith("8: session alice closed (1000): SessionClosed")
    assert last.told.endswith("broadcasting -> finished")


def test_only_one_life_is_told() -> None:
    """An id that was used before begins with the record that created this life of it."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Join("p"))
    world.say("alice", Leave("p"))
    world.say("bob", Join("p"))
    chain = cause_chain(world.reel(), (Kind.PAIR, APP, "p"), 5)

    assert [cause.seq for cause in chain] == [2, 5]
    assert cause_chain(world.reel(), (Kind.PAIR, APP, "q"), 5) == ()


def test_another_apps_machine_of_the_same_id_is_another_machine() -> None:
    """Two apps have a pair of one id; a chain tells the one that was asked for."""
    world = World()
    world.open("alice")
    world.open("bob", app="other")
    world.say("alice", Join("p"))
    world.say("bob", Join("p"))
    reel = world.reel()

    assert [cause.seq for cause in cause_chain(reel, (Kind.PAIR, "other", "p"), 4)] == [2, 4]
    assert [cause.seq for cause in cause_chain(reel, (Kind.PAIR, APP, "p"), 4)] == [1, 3]


def test_a_long_chain_is_told_from_its_ends() -> None:
    """The beginning and the end are told, and how many records are not."""
    pairs = World()
    pairs.open("alice", "bob")
    pairs.say("alice", Join("p"))
    pairs.say("bob", Join("p"))
    for _ in range(CHAIN_MAX):
        pairs.say("alice", TakeConfiguration("p", "offer", "sdp"))
        pairs.say("bob", TakeConfiguration("p", "answer", "sdp"))
    chain = cause_chain(pairs.reel(), (Kind.PAIR, APP, "p"), pairs.engine.seq)

    assert len(chain) == CHAIN_MAX + 1
    assert sum(cause.left_out for cause in chain) == 2 + 2 * CHAIN_MAX - CHAIN_MAX
    assert chain[-1].seq == pairs.engine.seq


def test_a_step_concerns_what_moved_and_what_was_asked() -> None:
    """Also what moved as it was recorded, though it does not today."""
    world = publishing()
    step = world.steps[-1]
    asked = world.say("bob", GetStreamInfo("s1"))

    assert concerned(step) == ((Kind.STREAM, "", "s1"),)
    assert concerned(asked) == ((Kind.STREAM, "", "s1"),)
    assert concerned(world.steps[5]) == ((Kind.STREAM, APP, "s1"),)
    recorded = Outcome(b"", [("room", APP, "r", "empty", "open")])
    assert concerned(step, recorded) == ((Kind.ROOM, APP, "r"), (Kind.STREAM, APP, "s1"))


def test_what_began_before_a_segment_is_told_as_it_stood_at_the_seam() -> None:
    """The chain begins with the record of its birth, which is on the reel before, and with the state at the seam."""
    world = publishing()
    world.close("alice")
    chain = cause_chain(segment_of(world.reel(), 6), (Kind.STREAM, APP, "s1"), world.engine.seq)

    assert [cause.seq for cause in chain] == [3, 8]
    assert chain[0].told == "3: it began before this reel, at whose first record (7) it was broadcasting"
