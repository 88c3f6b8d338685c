"""`signalreel.debug.state`."""

from typing import Any

import msgspec
from msgspec import UNSET

from signalreel.commands import JoinRoom, PeerMessage, Publish, TakeCandidate, TakeConfiguration
from signalreel.debug.state import TEXT_SHOWN_MAX, Change, Watch, difference, places_of, plain, state_of
from signalreel.engine import Engine
from signalreel.replay import Cursor
from signalreel.settings import Settings
from tests.engine.scenes import SETTINGS
from tests.engine.tour import tour
from tests.engine.world import World


def patched(tree: dict[str, Any], changes: tuple[Change, ...]) -> None:
    """Carry changes out on a tree."""
    for change in changes:
        *above, last = change.path
        branch = tree
        for name in above:
            branch = branch.setdefault(name, {})
        if change.after is UNSET:
            del branch[last]
        else:
            branch[last] = change.after


def pruned(tree: dict[str, Any]) -> dict[str, Any]:
    """A tree without the branches that are empty because all that was in them has gone."""
    return {name: branch for name, branch in tree.items() if branch != {}}


def test_a_state_is_a_tree_by_kind_and_name() -> None:
    """A machine is found by its kind, app and id, a member of a room by its session."""
    world = World()
    world.open("alice")
    world.say("alice", JoinRoom("r", "s1"))
    state = state_of(world.engine)

    assert state["room"]["live/r"]["state"] == "open"
    assert state["room"]["live/r"]["members"] == {
        "alice": {"since": 2, "session": "alice", "stream_id": "s1", "joined": True}
    }
    assert state["session"]["alice"]["app"] == "live"
    assert state["settings"]["restore_ms"] == 0
    assert msgspec.json.decode(msgspec.json.encode(state)) == state


def test_what_changed_leads_from_each_state_to_the_next() -> None:
    """Contract 8, in the tour, which fires every row: a tree that is only told of changes is the state at every step.

    The places that observers are told of are those of the whole state, so nothing changes unseen.
    """
    engine = Engine(SETTINGS)
    watch, places = Watch(engine), Watch(engine)
    tree, known = state_of(engine), places_of(engine)
    for record in tour().records:
        engine.apply(record)
        patched(tree, watch.changes())
        for place, before, after in places.places():
            assert known.get(place) == before
            if after is None:
                del known[place]
            else:
                known[place] = after
        if record.seq % 8 == 0:
            assert known == places_of(engine)
            assert pruned(tree) == state_of(engine)


def test_going_back_is_a_change_like_any_other() -> None:
    """A cursor that went back is told as what differs between the two positions."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1"))
    cursor = Cursor(world.reel())
    cursor.seek(3)
    watch = Watch(cursor.engine)
    cursor.seek(1)
    back = {change.path: change for change in watch.changes()}

    assert set(back) == {("session", "bob"), ("stream", "live/s1"), ("deadline",)}
    assert back["stream", "live/s1"].after is UNSET
    cursor.seek(2)
    assert [change.path for change in watch.changes()] == [("session", "bob")]


def test_what_comes_and_goes_in_one_step_has_not_changed() -> None:
    """A step that refuses changes nothing, and is told as that."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1"))
    watch = Watch(world.engine)
    world.say("bob", Publish("s1"))

    assert watch.changes() == ()


def test_one_member_is_one_change() -> None:
    """Who leaves a room of many is one path, whoever stands behind."""
    world = World()
    world.open("a", "b", "c")
    for session in "abc":
        world.say(session, JoinRoom("r", f"s-{session}"))
    watch = Watch(world.engine)
    world.close("b")

    assert {change.path for change in watch.changes()} == {
        ("session", "b"),
        ("room", "live/r", "members", "b"),
    }


def test_surroundings_are_part_of_it() -> None:
    """Settings that change are told by name."""
    world = World()
    watch = Watch(world.engine)
    world.set(Settings(restore_ms=7))

    assert watch.changes() == (Change(("settings", "restore_ms"), 0, 7),)


def test_descriptions_and_candidates_are_measured_and_not_shown() -> None:
    """What holds addresses and secrets is told by its length; two descriptions can still be told apart."""
    address = "192.0.2.1"
    one = plain(TakeConfiguration("s1", "offer", f"v=0 {address} one"))
    two = plain(TakeConfiguration("s1", "offer", f"v=0 {address} two"))
    shown = str((one, two, plain(TakeCandidate("s1", 0, "0", address)), plain(PeerMessage("p", "sdp", {"a": address}))))

    assert address not in shown
    assert one["sdp"] != two["sdp"]
    assert one["sdp"].startswith("(description of 17 bytes, ")
    assert plain(TakeCandidate("s1", 0, "0", address))["candidate"] == "(candidate of 9 bytes)"
    assert plain(TakeCandidate("s1"))["candidate"] == ""


def test_long_texts_are_cut() -> None:
    """A text of any size is shown in a line, and is still another than one that differs at its end."""
    long = "x" * 70_000

    assert len(plain(long)) < TEXT_SHOWN_MAX
    assert plain(long + "a") != plain(long + "b")
    assert plain("short") == "short"


def test_trees_differ_by_path() -> None:
    """What is gone has no value after, what came none before, and what is the same is not told."""
    before = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    after = {"a": {"x": 1, "y": [1, 3]}, "c": {}}

    assert difference(before, after) == (
        Change(("a", "y"), [1, 2], [1, 3]),
        Change(("b",), 1, UNSET),
        Change(("c",), UNSET, {}),
    )
    assert difference(before, before) == ()
