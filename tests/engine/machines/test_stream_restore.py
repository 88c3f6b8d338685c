"""The restore window of a stream: whose it is while its publisher is away, and for how long."""

from typing import Final

import pytest

from signalreel.commands import (
    EnableTrack,
    GetStreamInfo,
    GetTrackList,
    Join,
    JoinRoom,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.events import MediaConnected, MediaLost, RunStarted, SessionClosed, TracksFound
from signalreel.host import BlockSubscriber, CloseRoom, EndStream
from signalreel.identifiers import Kind
from signalreel.messages import POLICY_VIOLATION, Description, Notification, Start
from signalreel.record import Grant
from signalreel.refusals import MAIN_TRACK_IS_FULL, NO_PACKET_RECEIVED, PUBLISH_TIMEOUT_ERROR, STREAM_ID_IN_USE
from signalreel.registered import BlockKind
from signalreel.settings import Settings
from signalreel.step import PublishTerms, Roster
from tests.engine.world import MS, World, moves, refusal, told

PUBLISHER: Final = Grant(allowed=True, identity="tag-of-alice")
SOMEONE_ELSE: Final = Grant(allowed=True, identity="tag-of-mallory")


def world_of(settings: Settings) -> World:
    """A world in which three sessions are open."""
    world = World(settings)
    world.open("alice", "bob", "carol")
    return world


KEPT: Final = Settings(restore_ms=3_000)


def kept_world() -> World:
    """A live stream with a viewer whose publisher's session has just closed, inside the restore window."""
    world = world_of(KEPT)
    world.publish("alice", "s1", room="r", grant=PUBLISHER)
    world.play("bob", "s1")
    world.close("alice")
    world.open("alice-again")
    return world


def test_its_publisher_comes_back_and_viewers_stay() -> None:
    """Contract 14: the same recorded identity restores; `session_restored` instead of `publish_started`."""
    world = kept_world()
    born = world.stream("s1").born
    kept = world.state(Kind.STREAM, "s1")

    world.publish("alice-again", "s1", grant=PUBLISHER)

    restored = Notification("session_restored", stream_id="s1", subscriber_id="", room_name="r", room="r")
    assert kept == "restoring"
    assert world.heard["alice-again"] == [
        Start("s1"),
        Description("s1", "answer", "media's answer"),
        restored,
    ]
    assert world.lives() == [
        ("playback", "bob/s1", "playing"),
        ("room", "r", "open"),
        ("stream", "s1", "broadcasting"),
    ]
    assert world.stream("s1").born == born
    assert Notification("play_finished", stream_id="s1", subscriber_id="") not in world.heard["bob"]


@pytest.mark.parametrize("grant", [SOMEONE_ELSE, None, Grant(allowed=True)])
def test_anyone_else_is_told_that_the_id_is_in_use_until_the_window_ends(grant: Grant | None) -> None:
    """Contract 14: another identity, or none, gets streamIdInUse; afterwards the id is anyone's."""
    world = kept_world()

    refused = world.say("carol", Publish("s1"), grant=grant)
    ended = world.wake()
    accepted = world.say("carol", Publish("s1"), grant=grant)

    assert refused.messages == [("carol", refusal(STREAM_ID_IN_USE, stream_id="s1", retry_after_ms=2_998))]
    assert moves(ended) == [("stream", "s1", "restoring", "finished"), ("playback", "bob/s1", "playing", "finished")]
    assert ended.messages == [("bob", Notification("play_finished", stream_id="s1", subscriber_id=""))]
    assert accepted.messages == [("carol", Start("s1"))]


def test_the_window_is_as_long_as_the_setting_says() -> None:
    """Contract 14: `restore_ms` from the record in which the session closed."""
    world = world_of(KEPT)
    world.publish("alice", "s1", grant=PUBLISHER)

    closed = world.close("alice")

    assert closed.deadline is not None
    assert closed.deadline.at - closed.record.time == 3_000 * MS
    assert moves(closed) == [("stream", "s1", "broadcasting", "restoring")]


@pytest.mark.parametrize(
    ("settings", "grant", "live", "code"),
    [
        (Settings(), PUBLISHER, True, 1006),
        (KEPT, None, True, 1006),
        (KEPT, Grant(allowed=True), True, 1006),
        (KEPT, PUBLISHER, False, 1006),
        (KEPT, PUBLISHER, True, POLICY_VIOLATION),
    ],
)
def test_nothing_is_kept_otherwise(settings: Settings, grant: Grant | None, live: bool, code: int) -> None:
    """Contract 14: not without a window, without an identity, before media flowed, or for one the host sent away."""
    world = world_of(settings)
    if live:
        world.publish("alice", "s1", grant=grant)
    else:
        world.say("alice", Publish("s1"), grant=grant)

    world.apply(SessionClosed(code=code), session="alice")

    assert world.lives() == []
    assert world.say("carol", Publish("s1")).refused == ""


def test_a_kept_stream_that_is_not_restored_in_time_frees_its_id() -> None:
    """Contract 14: no id is ever stuck; whoever comes back and then does not send is under the publish timer."""
    world = kept_world()
    world.say("alice-again", Publish("s1"), grant=PUBLISHER)

    late = world.wake()

    assert told(late, "alice-again") == [refusal(PUBLISH_TIMEOUT_ERROR, stream_id="s1")]
    assert told(late, "bob") == [Notification("play_finished", stream_id="s1", subscriber_id="")]
    assert world.lives() == []


def test_a_session_that_closes_again_before_it_restored_ends_the_stream() -> None:
    """Contract 14: the window is for a live stream that was lost, not for one that is still coming back."""
    world = kept_world()
    world.say("alice-again", Publish("s1"), grant=PUBLISHER)

    world.close("alice-again")

    assert world.lives() == []


def test_a_kept_stream_cannot_be_played_anew_or_asked_about() -> None:
    """While its publisher is away there is nothing to see; media's late reports about it change nothing."""
    world = kept_world()
    stream = world.stream("s1")

    refused = [
        world.say("carol", Play("s1")),
        world.say("carol", GetStreamInfo("s1")),
        world.say("carol", GetTrackList("s1")),
    ]
    ignored = [world.report(event) for event in (MediaLost(stream), MediaConnected(stream), TracksFound(stream, ()))]

    assert [step.refused for step in refused] == ["no_stream_exist"] * 3
    assert [(step.messages, step.transitions) for step in ignored] == [([], [])] * 3


def test_the_room_of_a_kept_stream_may_have_become_something_else() -> None:
    """An id is one thing. The publisher cannot come back into a room that is a pair by now."""
    world = kept_world()
    world.say("carol", Join("r"))

    step = world.say("alice-again", Publish("s1"), grant=PUBLISHER)

    assert step.messages == [("alice-again", refusal(STREAM_ID_IN_USE, stream_id="s1"))]


def test_whoever_publishes_already_restores_nothing() -> None:
    """One stream a session, also when the other one waits for it."""
    world = kept_world()
    world.say("alice-again", Publish("s2"), grant=PUBLISHER)

    assert world.say("alice-again", Publish("s1"), grant=PUBLISHER).refused == "already_publishing"


@pytest.mark.parametrize("order", ["end the stream", "close the room", "begin a new run"])
def test_a_kept_stream_ends_by_order(order: str) -> None:
    """The host ends it, or closes its room; and a new run keeps nothing of the run before."""
    world = kept_world()
    world.say("carol", JoinRoom("r"))

    if order == "end the stream":
        world.order(EndStream(app="live", stream_id="s1"))
    elif order == "close the room":
        world.order(CloseRoom(app="live", room="r"))
    else:
        world.report(RunStarted())

    assert world.state(Kind.STREAM, "s1") == ""
    assert world.state(Kind.PLAYBACK, "bob/s1") == ""


def paused_world(*, room: str = "r", silent: bool = False) -> World:
    """A live stream with a viewer, whose media has just been lost while its publisher is there."""
    world = world_of(KEPT)
    world.publish("alice", "s1", room=room, grant=PUBLISHER)
    world.play("bob", "s1")
    world.report(MediaLost(world.stream("s1"), silent=silent))
    return world


def test_a_stream_whose_media_is_lost_waits_for_its_publisher() -> None:
    """It is told that publishing is over; viewers are kept, and it can publish again from the same session."""
    world = paused_world(room="")
    lost = world.steps[-1]
    world.publish("alice", "s1", grant=PUBLISHER)

    assert lost.messages == [("alice", Notification("publish_finished", stream_id="s1", subscriber_id=""))]
    assert moves(lost) == [("stream", "s1", "broadcasting", "restoring")]
    assert world.heard["alice"][-1] == Notification("session_restored", stream_id="s1", subscriber_id="")
    assert ("playback", "bob/s1", "playing") in world.lives()


def test_silence_is_told_before_the_end() -> None:
    """Whether the stream then waits for its publisher or not."""
    silence = refusal(NO_PACKET_RECEIVED, stream_id="s1")
    kept = told(paused_world(room="", silent=True).steps[-1], "alice")
    world = world_of(Settings())
    ended = told(world.report(MediaLost(world.publish("alice", "s1"), silent=True)), "alice")

    over = Notification("publish_finished", stream_id="s1", subscriber_id="")
    assert kept == ended == [silence, over]


def test_how_long_silence_may_last_travels_to_media() -> None:
    """With every offer, as the settings are then."""
    world = world_of(Settings(silence_timeout_ms=4_000))
    world.say("alice", Publish("s1"))
    step = world.say("alice", TakeConfiguration("s1", "offer", "sdp"))

    assert step.transitions[0].detail == PublishTerms(
        video=True, audio=True, codecs=Settings().codecs, silence_ms=4_000
    )


def test_a_seat_without_a_stream_is_not_kept() -> None:
    """Whoever only publishes in a room has no seat while its stream waits for it, and gets it back with the stream."""
    world = paused_world()
    between = world.lives()
    world.publish("alice", "s1", grant=PUBLISHER)

    assert ("room", "r", "closed") not in between
    assert [life for life in between if life[0] == "room"] == []
    assert ("room", "r", "open") in world.lives()


def test_nobody_is_left_when_the_publisher_does_not_come_back() -> None:
    """Contract 14: the id is free, and no seat stays taken, though the session goes on."""
    world = paused_world()
    world.wake()

    assert world.lives() == []
    assert world.say("carol", Publish("s1")).refused == ""


def test_whoever_stops_after_its_media_was_lost_frees_the_id() -> None:
    """It may mean the end, or be the JS SDK, which says so before it publishes again: it has a second for that."""
    world = paused_world(room="")
    stopped = world.say("alice", Stop("s1"))
    refused = world.say("carol", Publish("s1"), grant=SOMEONE_ELSE)
    again = world.say("alice", Stop("s1"))
    ended = world.wake()

    assert stopped.deadline is not None
    assert stopped.deadline.at - stopped.record.time == 1_000 * MS
    assert refused.messages == [("carol", refusal(STREAM_ID_IN_USE, stream_id="s1", retry_after_ms=999))]
    assert again.deadline == stopped.deadline
    assert ended.messages == [("bob", Notification("play_finished", stream_id="s1", subscriber_id=""))]
    assert world.lives() == []


def test_the_sdk_stops_and_publishes_again_and_its_viewers_stay() -> None:
    """Its viewers are kept, as if it had not said `stop`."""
    world = paused_world(room="")
    world.say("alice", Stop("s1"))
    world.wait(500)
    world.publish("alice", "s1", grant=PUBLISHER)

    assert world.heard["alice"][-1] == Notification("session_restored", stream_id="s1", subscriber_id="")
    assert ("playback", "bob/s1", "playing") in world.lives()


def test_a_short_window_is_not_prolonged_by_a_stop() -> None:
    """Nor is what is left of a longer one."""
    world = world_of(Settings(restore_ms=300))
    lost = world.report(MediaLost(world.publish("alice", "s1", grant=PUBLISHER)))

    assert world.say("alice", Stop("s1")).deadline == lost.deadline


@pytest.mark.parametrize("joined", [True, False])
def test_whoever_leaves_the_room_after_its_media_was_lost_ends_its_stream(*, joined: bool) -> None:
    """The stream is in the room no longer, nor anywhere else."""
    world = world_of(KEPT)
    world.say("carol", JoinRoom("r"))
    if joined:
        world.say("alice", JoinRoom("r", "s1"))
    world.publish("alice", "s1", room="r", grant=PUBLISHER)
    world.play("bob", "r")
    world.report(MediaLost(world.stream("s1")))
    left = world.say("alice", LeaveFromRoom("r"))

    assert ("stream", "s1", "restoring", "finished") in moves(left)
    assert Notification("subtrackRemoved", stream_id="r", track_id="s1") in told(left, "bob")
    assert world.state(Kind.STREAM, "s1") == ""


def test_what_is_said_to_a_lost_connection_changes_nothing() -> None:
    """Offers, candidates and switches that were on their way when media was lost; the other room is another one."""
    world = paused_world()
    world.say("alice", JoinRoom("another"))
    steps = [
        world.say("alice", TakeConfiguration("s1", "offer", "sdp")),
        world.say("alice", TakeCandidate("s1", 0, "0", "candidate")),
        world.say("alice", EnableTrack("s1", "s1", enabled=False)),
        world.say("alice", LeaveFromRoom("another")),
    ]

    assert [step.messages for step in steps[:3]] == [[], [], []]
    assert ("stream", "s1", "restoring") in world.lives()


def test_its_publisher_is_not_offered_its_own_waiting_stream() -> None:
    """Whoever plays its own room whole does not get its own stream, whether that has media or not."""
    world = world_of(KEPT)
    world.publish("alice", "s1", room="r", grant=PUBLISHER)
    world.publish("carol", "s2", room="r")
    world.play("alice", "r")
    lost = world.report(MediaLost(world.stream("s1")))
    world.say("carol", Stop("s2"))

    details = [made.detail for made in world.steps[-1].transitions if made.machine.id == "alice/r"]
    assert told(lost, "alice") == [
        Notification("publish_finished", stream_id="s1", subscriber_id="", room_name="r", room="r")
    ]
    assert details == [Roster(())]


@pytest.mark.parametrize(("code", "state"), [(1006, "restoring"), (POLICY_VIOLATION, "")])
def test_its_publisher_may_come_back_in_another_session(code: int, state: str) -> None:
    """Within what is left of the window, unless the host sent it away."""
    world = paused_world(room="")
    lost = world.steps[-1]
    closed = world.apply(SessionClosed(code=code), session="alice")
    after = world.state(Kind.STREAM, "s1")

    assert after == state
    assert closed.deadline == (lost.deadline if state else None)
    if state:
        world.open("alice-again")
        world.publish("alice-again", "s1", grant=PUBLISHER)
        assert world.heard["alice-again"][-1] == Notification("session_restored", stream_id="s1", subscriber_id="")


def test_another_stream_can_be_published_meanwhile() -> None:
    """A stream without media is published by nobody, so it does not count as the one of its session."""
    world = paused_world(room="")

    assert world.say("alice", Publish("s2"), grant=PUBLISHER).refused == ""


def test_a_block_ends_a_waiting_stream_at_once() -> None:
    """Its publisher is not to come back, so the second that a client's stop leaves it is not given."""
    world = world_of(KEPT)
    world.say("alice", Publish("s1", subscriber_id="ann"), grant=PUBLISHER)
    world.go_live("alice", "s1")
    world.report(MediaLost(world.stream("s1")))
    order = BlockSubscriber(app="live", stream_id="s1", subscriber_id="ann", kind=BlockKind.PUBLISH, until=10**9)
    world.order(order)

    assert world.lives() == []


def test_what_the_new_publish_says_counts() -> None:
    """Name, meta data, role and subscriber are those of the publish that restored it, as with every publish."""
    world = kept_world()
    again = Publish("s1", stream_name="Ann", meta_data="new", subscriber_id="two", role="speaker", video=False)
    world.say("alice-again", again, grant=PUBLISHER)
    world.go_live("alice-again", "s1")
    told_of = world.engine.broadcast("s1", app="live")

    restored = Notification("session_restored", stream_id="s1", subscriber_id="two", room_name="r", room="r")
    assert world.heard["alice-again"][-1] == restored
    assert told_of is not None
    assert (told_of.name, told_of.meta_data, told_of.role) == ("Ann", "new", "speaker")


def test_a_publisher_that_names_another_room_moves_there() -> None:
    """Its own viewers stay; those of the old room lose it, and those of the new one get it."""
    world = world_of(KEPT)
    world.open("dora")
    world.publish("alice", "s1", room="r", grant=PUBLISHER)
    world.play("bob", "s1")
    world.play("carol", "r")
    world.play("dora", "q", room="q")
    world.close("alice")
    world.open("alice-again")
    moved = world.say("alice-again", Publish("s1", main_track="q"), grant=PUBLISHER)
    world.go_live("alice-again", "s1")

    assert Notification("subtrackRemoved", stream_id="r", track_id="s1") in told(moved, "carol")
    assert Notification("subtrackAdded", stream_id="q", track_id="s1") in world.heard["dora"]
    restored = Notification("session_restored", stream_id="s1", subscriber_id="", room_name="q", room="q")
    assert world.heard["alice-again"][-1] == restored
    assert ("playback", "bob/s1", "playing") in world.lives()


@pytest.mark.parametrize("room", ["taken", "full"])
def test_a_publisher_cannot_move_where_nobody_may_publish(room: str) -> None:
    """The room that it names is checked like that of any publish; the stream goes on waiting."""
    world = kept_world()
    world.say("carol", Join("taken"))
    world.open("dora")
    world.publish("dora", "s2", room="full")
    world.set(Settings(restore_ms=3_000, room_streams_max=1))

    refused = world.say("alice-again", Publish("s1", main_track=room), grant=PUBLISHER).refused
    kept = world.state(Kind.STREAM, "s1")

    assert refused == {"taken": STREAM_ID_IN_USE, "full": MAIN_TRACK_IS_FULL}[room].definition
    assert kept == "restoring"
    assert world.say("alice-again", Publish("s1"), grant=PUBLISHER).refused == ""


def test_who_came_while_a_stream_was_away_hears_of_it_when_it_is_back() -> None:
    """Members and players of the room who were there before are told of nothing: to them it was there all the while."""
    world = world_of(Settings(restore_ms=3_000, room_events=True))
    world.open("dave", "erin")
    world.say("bob", JoinRoom("r", "b1"))
    world.play("carol", "r", room="r")
    world.publish("alice", "s1", room="r", grant=PUBLISHER)
    world.report(MediaLost(world.stream("s1")))
    world.say("dave", JoinRoom("r", "d1"))
    world.play("erin", "r", room="r")
    world.heard.clear()

    world.publish("alice", "s1", room="r", grant=PUBLISHER)

    joined = Notification("streamJoined", stream_id="s1", room_name="r", room="r")
    added = Notification("subtrackAdded", stream_id="r", track_id="s1")
    assert world.heard["dave"] == [joined]
    assert added in world.heard["erin"]
    assert [joined in world.heard.get("bob", []), added in world.heard.get("carol", [])] == [False, False]
