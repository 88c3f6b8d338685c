"""The playback of a whole room: one connection, and a new offer whenever what is live has changed."""

from typing import Final

import pytest

from signalreel.commands import (
    GetRoomInfo,
    JoinRoom,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeConfiguration,
)
from signalreel.events import (
    DeadlineReached,
    DescriptionCreated,
    MediaConnected,
    MediaLost,
    ResolutionChanged,
)
from signalreel.identifiers import Kind
from signalreel.messages import Description, Notification
from signalreel.record import Grant
from signalreel.settings import Settings
from signalreel.step import Roster, Step
from tests.engine.world import World, moves, told

MAPPING: Final = {"0": "ARDAMSva1"}


def started(id: str) -> Notification:
    """What a player is told when it is connected."""
    return Notification("play_started", stream_id=id, subscriber_id="")


def finished(id: str) -> Notification:
    """What a player is told when it is over."""
    return Notification("play_finished", stream_id=id, subscriber_id="")


def roster(step: Step) -> tuple[str, ...]:
    """The streams that a step wants a playback to show."""
    (detail,) = [m.detail for m in step.transitions if isinstance(m.detail, Roster)]
    return tuple(source.stream_id for source in detail.sources)


def room_world() -> World:
    """A room in which `a1` of alice and `c1` of carol are live, and that bob plays whole."""
    world = World()
    world.open("alice", "bob", "carol", "dave")
    world.publish("alice", "a1", room="r")
    world.publish("carol", "c1", room="r")
    world.play("bob", "r", room="r")
    return world


def test_a_room_is_played_before_anything_is_in_it() -> None:
    """Newer pages publish and play at once: the offer is empty, and the first stream makes another one."""
    world = World()
    world.open("alice", "bob")

    empty = world.say("bob", Play("r", room="r"))
    world.offer_and_answer("bob", "r")
    connected = world.report(MediaConnected(world.playback("bob", "r")))
    world.publish("alice", "a1", room="r")

    assert roster(empty) == ()
    assert moves(empty) == [("playback", "bob/r", "idle", "preparing"), ("room", "r", "empty", "open")]
    assert connected.messages == [("bob", started("r"))]
    assert roster(world.steps[-1]) == ("a1",)
    assert world.state(Kind.PLAYBACK, "bob/r") == "updating"


def test_a_player_of_a_room_gets_a_new_offer_when_it_changes() -> None:
    """One connection for the room: a whole new offer each time, whose answer leads back to playing."""
    world = room_world()

    world.publish("dave", "d1", room="r")
    came = world.steps[-1]
    playback = world.playback("bob", "r")
    offered = world.report(DescriptionCreated(playback, "offer", "three", MAPPING))
    answered = world.say("bob", TakeConfiguration("r", "answer", "yes"))
    went = world.say("carol", Stop("c1"))

    assert roster(came) == ("a1", "c1", "d1")
    assert moves(came)[-1] == ("playback", "bob/r", "playing", "updating")
    assert told(came, "bob") == [Notification("subtrackAdded", stream_id="r", track_id="d1")]
    assert offered.messages == [("bob", Description("r", "offer", "three", id_mapping=MAPPING))]
    assert moves(offered) == [("playback", "bob/r", "updating", "reoffered")]
    assert (answered.messages, moves(answered)) == ([], [("playback", "bob/r", "reoffered", "playing")])
    assert roster(went) == ("a1", "d1")


def test_changes_during_a_negotiation_wait_for_its_end() -> None:
    """While one offer is out, no other is made; when it is answered, the room is looked at once more."""
    world = room_world()
    world.say("carol", Stop("c1"))
    world.report(DescriptionCreated(world.playback("bob", "r"), "offer", "one", MAPPING))

    world.publish("dave", "d1", room="r")
    waiting = world.steps[-1]
    answered = world.say("bob", TakeConfiguration("r", "answer", "yes"))

    assert moves(waiting) == [("stream", "d1", "connecting", "broadcasting")]
    assert moves(answered) == [("playback", "bob/r", "reoffered", "updating")]
    assert roster(answered) == ("a1", "d1")


def test_a_change_while_it_connects_is_offered_right_after() -> None:
    """The room changed between the first offer and the connection: play_started, and another offer at once."""
    world = World()
    world.open("alice", "bob")
    world.say("bob", Play("r", room="r"))
    world.offer_and_answer("bob", "r")
    world.publish("alice", "a1", room="r")

    connected = world.report(MediaConnected(world.playback("bob", "r")))

    assert connected.messages == [("bob", started("r"))]
    assert moves(connected) == [("playback", "bob/r", "connecting", "updating")]
    assert roster(connected) == ("a1",)
    world.offer_and_answer("bob", "r")
    assert world.engine.deadline() is None


@pytest.mark.parametrize("is_offered", [False, True])
def test_a_change_that_comes_to_nothing_ends_the_playback(is_offered: bool) -> None:
    """Neither media nor the player may leave a negotiation open: nothing that comes later would ever be shown.

    The player is told, and can play again.
    """
    world = World()
    world.open("alice", "bob")
    world.play("bob", "r", room="r")
    world.publish("alice", "a1", room="r")
    if is_offered:
        world.report(DescriptionCreated(world.playback("bob", "r"), "offer", "another offer", MAPPING))
    changed = world.now
    step = world.wake()

    assert told(step, "bob") == [finished("r")]
    assert moves(step) == [("playback", "bob/r", "reoffered" if is_offered else "updating", "finished")]
    assert world.now - changed <= Settings().play_timeout_ms * 1_000
    assert world.say("bob", Play("r", room="r")).refused == ""


def test_each_change_gives_the_player_its_time_anew() -> None:
    """A timer of an earlier negotiation ends nothing."""
    world = World()
    world.open("alice", "bob", "carol")
    world.play("bob", "r", room="r")
    world.publish("alice", "a1", room="r")
    first = world.engine.deadline()
    assert first is not None
    world.offer_and_answer("bob", "r")
    world.publish("carol", "c1", room="r")
    second = world.engine.deadline()

    assert second is not None
    assert second.at > first.at
    late = world.apply(DeadlineReached(first.machine, first.timer))
    assert (late.transitions, late.messages) == ([], [])


@pytest.mark.parametrize(
    ("tracks", "shown"),
    [
        ((), ("a1", "c1")),
        (("a1",), ("a1",)),
        (("!a1",), ("c1",)),
        (("!a1", "!c1"), ()),
        (("a1", "!a1"), ("c1",)),
        (("a1", "!none"), ("a1", "c1")),
        (("a1", "none"), ("a1",)),
        (("none",), ()),
        (("!none",), ("a1", "c1")),
    ],
)
def test_a_track_list_says_what_of_a_room_is_played(tracks: tuple[str, ...], shown: tuple[str, ...]) -> None:
    """Named streams only; or, when an entry begins with `!`, all but such, whether they are named or not."""
    world = room_world()

    assert roster(world.say("dave", Play("r", track_list=tracks))) == shown


def test_a_change_that_a_player_does_not_see_makes_no_offer() -> None:
    """A stream that its track list leaves out comes and goes without a renegotiation."""
    world = room_world()
    world.play("dave", "r", tracks=("!c1",))

    step = world.say("carol", Stop("c1"))

    assert ("playback", "dave/r", "playing", "updating") not in moves(step)
    assert ("playback", "bob/r", "playing", "updating") in moves(step)


def test_nobody_is_sent_its_own_stream() -> None:
    """Newer pages name it nowhere, so what counts is which session publishes it."""
    world = room_world()

    assert roster(world.say("alice", Play("r"))) == ("c1",)


def test_leaving_a_room_ends_playing_it_and_nothing_else() -> None:
    """A player without a seat leaves too: the room's playback ends, one of another room goes on."""
    world = room_world()
    world.publish("dave", "d1", room="r2")
    world.play("bob", "r2", room="r2")

    step = world.say("bob", LeaveFromRoom("r"))

    assert told(step, "bob") == [Notification("leavedFromRoom", room_name="r", room="r"), finished("r")]
    assert world.state(Kind.PLAYBACK, "bob/r") == ""
    assert world.state(Kind.PLAYBACK, "bob/r2") == "playing"


def test_leaving_a_room_ends_what_was_played_in_it() -> None:
    """A legacy member names the room with each play; those playbacks go with its seat, others stay."""
    world = room_world()
    world.say("dave", JoinRoom("r", "d1"))
    world.play("dave", "a1", room="r")
    world.play("dave", "c1")

    step = world.say("dave", LeaveFromRoom("r"))

    assert told(step, "dave")[1:] == [finished("a1")]
    assert world.state(Kind.PLAYBACK, "dave/c1") == "playing"


def test_a_room_that_is_only_watched_lives_as_long_as_it_is() -> None:
    """The last player takes the room with it, whatever way it goes; until then it is there and has no members."""
    for end in ("stop", "close", "media"):
        world = World()
        world.open("bob", "dave")
        world.play("bob", "r", room="r")
        world.play("dave", "r")
        world.say("dave", Stop("r"))
        watched = world.say("dave", GetRoomInfo("r", "x")).refused

        if end == "stop":
            world.say("bob", Stop("r"))
        elif end == "close":
            world.close("bob")
        else:
            world.report(MediaLost(world.playback("bob", "r")))

        assert watched == "no_active_streams_in_room"
        assert world.lives() == []


def test_players_of_a_room_are_told_who_comes_and_goes() -> None:
    """But not of their own stream, nor of one that comes back inside its restore window."""
    world = World(Settings(restore_ms=3_000))
    world.open("alice", "bob", "carol")
    world.play("alice", "r", room="r")
    world.play("bob", "r", room="r")
    came = [message for step in _steps_of(world, "alice", "a1") for message in step.messages]
    world.report(MediaLost(world.stream("a1")))
    restored = [message for step in _steps_of(world, "alice", "a1") for message in step.messages]
    went = world.say("alice", Stop("a1"))

    added = Notification("subtrackAdded", stream_id="r", track_id="a1")
    assert [message for message in came if message[1] == added] == [("bob", added)]
    assert [message for message in restored if message[1] == added] == []
    assert told(went, "bob") == [Notification("subtrackRemoved", stream_id="r", track_id="a1")]


def _steps_of(world: World, session: str, id: str) -> list[Step]:
    known = len(world.steps)
    world.publish(session, id, room="r", grant=Grant(allowed=True, identity="alice"))
    return world.steps[known:]


def test_a_stream_that_never_was_live_is_missed_by_nobody() -> None:
    """Its publisher gave up before media came."""
    world = room_world()
    world.say("dave", Publish("d1", main_track="r"))

    assert told(world.say("dave", Stop("d1")), "bob") == []


def test_a_player_is_told_when_its_picture_has_another_height() -> None:
    """Once it plays."""
    world = room_world()
    playback = world.playback("bob", "r")
    changed = world.report(ResolutionChanged(playback, 360))
    world.say("dave", Play("r"))
    early = world.report(ResolutionChanged(world.playback("dave", "r"), 360))

    assert changed.messages == [("bob", Notification("resolutionChangeInfo", stream_id="r", stream_height=360))]
    assert early.messages == []


@pytest.mark.parametrize("wished", [True, False])
def test_members_are_told_who_comes_and_goes_where_that_is_wished(wished: bool) -> None:
    """With `room_events`, everyone in the room but the publisher."""
    world = World(Settings(room_events=wished))
    world.open("alice", "bob", "carol")
    world.say("alice", JoinRoom("r", "a1"))
    world.say("bob", JoinRoom("r", "b1"))
    known = len(world.steps)
    world.publish("alice", "a1")
    world.say("alice", Stop("a1"))

    heard = [message for step in world.steps[known:] for message in told(step, "bob")]
    expected = [
        Notification("streamJoined", stream_id="a1", room_name="r", room="r"),
        Notification("streamLeaved", stream_id="a1", room_name="r", room="r"),
    ]
    assert heard == (expected if wished else [])
    assert not [m for step in world.steps[known:] for m in told(step, "alice") if m in expected]


def test_a_player_that_publishes_over_another_connection_is_not_shown_itself() -> None:
    """The newer page says what it publishes when it plays; all others are shown."""
    world = World()
    world.open("out", "in", "bob")
    world.publish("out", "own", room="r")
    world.publish("bob", "other", room="r")
    step = world.say("in", Play("r", room="r", user_publish_id="own"))

    assert roster(step) == ("other",)
