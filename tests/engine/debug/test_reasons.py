"""Why something was refused, in a clause."""

from collections.abc import Callable

import pytest

from signalreel.commands import Join, JoinRoom, Leave, Play, Publish
from signalreel.debug.history import History
from signalreel.debug.reasons import Refused, reason_of
from signalreel.engine import Engine
from signalreel.events import LicenceChanged, ResourcesMeasured
from signalreel.host import BlockSubscriber, RegisterRoom, RegisterStream
from signalreel.messages import Error
from signalreel.record import Grant
from signalreel.registered import BlockKind, RegisteredRoom, RegisteredStream
from signalreel.settings import Settings
from tests.engine.world import APP, World


def last_reason(world: World) -> tuple[str, str]:
    """The definition with which a world's last record was refused, and why."""
    history = History(Engine(world.initial_settings))
    for step in world.steps[:-1]:
        history.follow(step)
    step = world.steps[-1]
    session, error = next((to, message) for to, message in step.messages if isinstance(message, Error))
    return error.definition, reason_of(Refused(step, error, session, APP, world.engine, history))


def id_in_use(world: World) -> None:
    """Somebody publishes it."""
    world.publish("a", "s1")
    world.say("b", Publish("s1"))


def id_kept(world: World) -> None:
    """It waits for its publisher."""
    world.set(Settings(restore_ms=3_000))
    world.publish("a", "s1", grant=Grant(allowed=True, identity="a's"))
    world.close("a")
    world.say("b", Publish("s1"), grant=Grant(allowed=True, identity="b's"))


def publishing(world: World) -> None:
    """One stream a session."""
    world.publish("a", "s1")
    world.say("a", Publish("s2"))


def playing(world: World) -> None:
    """It plays it."""
    world.publish("a", "s1")
    world.play("b", "s1")
    world.say("b", Play("s1"))


def nothing_yet(world: World) -> None:
    """Nobody publishes it."""
    world.say("b", Play("s1"))


def nothing_any_more(world: World) -> None:
    """Nobody publishes it any more."""
    world.publish("a", "s1")
    world.close("a")
    world.say("b", Play("s1"))


def nothing_live(world: World) -> None:
    """It is not live yet."""
    world.say("a", Publish("s1"))
    world.say("b", Play("s1"))


def overloaded(world: World) -> None:
    """Load and memory."""
    world.report(ResourcesMeasured(90, 3))
    world.say("a", Publish("s1"))


def too_many_streams(world: World) -> None:
    """A limit of the app."""
    world.set(Settings(streams_max=1))
    world.publish("a", "s1")
    world.say("b", Publish("s2"))


def suspended(world: World) -> None:
    """By an operator."""
    world.report(LicenceChanged(suspended=True))
    world.say("a", Publish("s1"))


def used_token(world: World) -> None:
    """By another session."""
    once = Grant(allowed=True, once="tag")
    world.say("a", Publish("s1"), grant=once)
    world.say("b", Publish("s2"), grant=once)


def other_room(world: World) -> None:
    """What was accepted is for another room."""
    world.say("a", Publish("s1", main_track="hall"), grant=Grant(allowed=True, rooms=("lobby",)))


def blocked(world: World) -> None:
    """By an order."""
    world.order(BlockSubscriber(app=APP, stream_id="s1", subscriber_id="carl", kind=BlockKind.PUBLISH, until=9_999))
    world.say("a", Publish("s1", subscriber_id="carl"))


def unregistered(world: World) -> None:
    """By a setting."""
    world.set(Settings(registered_streams_only=True))
    world.say("a", Publish("s1"))


def too_early(world: World) -> None:
    """By a plan."""
    world.order(RegisterStream(app=APP, stream=RegisteredStream("s1", planned_start=5_000)))
    world.say("a", Publish("s1"))


def room_too_early(world: World) -> None:
    """By a plan of the room."""
    world.order(RegisterRoom(app=APP, room=RegisteredRoom("hall", planned_start=5_000)))
    world.say("a", JoinRoom("hall"))


def viewers(world: World) -> None:
    """By the limit of a registration."""
    world.order(RegisterStream(app=APP, stream=RegisteredStream("s1", viewers_max=0)))
    world.publish("a", "s1")
    world.say("b", Play("s1"))


def full(world: World) -> None:
    """By the limit of a room."""
    world.set(Settings(room_streams_max=1))
    world.publish("a", "s1", room="hall")
    world.say("b", Publish("s2", main_track="hall"))


def third_peer(world: World) -> None:
    """Two peers are there."""
    world.open("c")
    for session in ("a", "b", "c"):
        world.say(session, Join("p"))


def no_pair(world: World) -> None:
    """There is none any more."""
    world.say("a", Join("p"))
    world.close("a")
    world.say("b", Leave("p"))


def no_codec(world: World) -> None:
    """By a setting."""
    world.set(Settings(codecs=()))
    world.say("a", Publish("s1"))


def too_late(world: World) -> None:
    """No media came."""
    world.say("a", Publish("s1"))
    world.wake()


@pytest.mark.parametrize(
    ("play", "definition", "why"),
    [
        (
            id_in_use,
            "streamIdInUse",
            "the stream s1 is broadcasting since record 6, held by session a (no close seen) since record 3",
        ),
        (id_kept, "streamIdInUse", "the stream s1 is restoring since record 8, there since record 4, kept for its"),
        (publishing, "already_publishing", "the stream s1 is broadcasting since record 6, held by session a"),
        (playing, "already_playing", "the playback s1 is playing since record 10, held by session b"),
        (nothing_yet, "no_stream_exist", "nobody has published s1 so far"),
        (nothing_any_more, "no_stream_exist", "the stream s1 of record 3 ended at 7, when session a closed with 1000"),
        (nothing_live, "no_stream_exist", "the stream s1 is preparing since record 3, held by session a (no close"),
        (overloaded, "highResourceUsage", "the CPU load is 90 % since record 3, the limit 85 %; 3 MB are free since"),
        (too_many_streams, "highResourceUsage", "the app has 1 streams, the limit (streamsMax) is 1"),
        (suspended, "license_suspended_please_renew_license", "the licence is suspended since record 3"),
        (used_token, "unauthorized_access", "its one-time token was used at record 3"),
        (other_room, "unauthorized_access", "what the gate accepted is good for the room lobby alone"),
        (blocked, "user_blocked", "whoever asks is blocked for a time (ordered at 3)"),
        (
            unregistered,
            "not_allowed_unregistered_streams",
            "s1, or its room, is not registered, and registeredStreamsOnly demands that since record 3",
        ),
        (too_early, "stream_not_active_or_expired", "the stream s1 is planned from 5000 to ever (ordered at 3), and"),
        (room_too_early, "room_not_active_or_expired", "the room hall is planned from 5000 to ever (ordered at 3)"),
        (viewers, "viewerLimitReached", "the stream s1 has 0 viewers, the limit (of its registration) is 0"),
        (
            full,
            "main_track_has_max_subtrack_count__not_allowed_to_add_more_subtracks",
            "the room hall has 1 streams, live or about to be, which is its limit",
        ),
        (third_peer, "NoSpaceForNewPeer", "the pair p is paired since record 5, held by session a (no close seen) and"),
        (no_pair, "no_peer_associated_before", "the pair p of record 3 was dissolved at 4, when session a closed"),
        (no_codec, "no_codec_enabled_in_the_server", "the settings enable no codec since record 3"),
        (too_late, "publishTimeoutError", "no media flowed in time after record 3: the deadline was reached that"),
    ],
)
def test_the_holder_the_limit_or_the_order_is_named(play: Callable[[World], None], definition: str, why: str) -> None:
    """Whoever reads it knows which record to look at next."""
    world = World()
    world.open("a", "b")
    play(world)
    given, reason = last_reason(world)

    assert given == definition
    assert reason.startswith(why)


def test_what_the_input_alone_is_at_fault_for_is_told_by_the_catalogue() -> None:
    """The state says nothing about a name that is none."""
    world = World()
    world.open("a")
    world.say("a", Publish("no name!"))

    assert last_reason(world)[1].startswith("the name holds a character outside")
