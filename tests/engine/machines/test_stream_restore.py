"""The restore window of a stream: whose it is while its publisher is away, and for how long."""

from typing import Final

import pytest

from signalreel.commands import GetStreamInfo, GetTrackList, Join, JoinRoom, Play, Publish, TakeConfiguration
from signalreel.events import MediaConnected, MediaLost, RunStarted, SessionClosed, TracksFound
from signalreel.host import CloseRoom, EndStream
from signalreel.identifiers import Kind
from signalreel.messages import POLICY_VIOLATION, Description, Notification, Start
from signalreel.record import Grant
from signalreel.refusals import NO_PACKET_RECEIVED, PUBLISH_TIMEOUT_ERROR, STREAM_ID_IN_USE
from signalreel.settings import Settings
from signalreel.step import PublishTerms
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
