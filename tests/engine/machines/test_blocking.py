"""A block keeps out, and puts out."""

from collections.abc import Callable

import pytest

from signalreel.commands import Join, JoinRoom, Play, Publish, Stop
from signalreel.events import MediaConnected
from signalreel.host import BlockSubscriber, RegisterStream, RegisterSubscriber
from signalreel.identifiers import Kind
from signalreel.messages import Error, Notification, StopPeer
from signalreel.record import Grant
from signalreel.refusals import UNAUTHORIZED_ACCESS, USER_BLOCKED
from signalreel.registered import BlockKind, RegisteredStream, Subscriber
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.step import Roster, Source, Step
from tests.engine.world import APP, MS, World, refusal, told

ANN = Grant(allowed=True, identity="tag-of-ann")
BEN = Grant(allowed=True, identity="tag-of-ben")


def block(stream_id: str = "", kind: str = "publish_play", *, until: int = 1_000, app: str = APP) -> BlockSubscriber:
    """Block ann."""
    return BlockSubscriber(
        app=app, stream_id=stream_id, subscriber_id="ann", identity="tag-of-ann", kind=BlockKind(kind), until=until
    )


def put_out(step: Step, stream_id: str) -> Error:
    """What ann is told by the block above: it lasts until 1 000 s after 1970, which is when the reel began."""
    return refusal(USER_BLOCKED, stream_id=stream_id, retry_after_ms=1_000 * MS - step.record.time // MS)


@pytest.mark.parametrize("grant", [ANN, None], ids=["proved", "claimed"])
def test_whoever_is_blocked_is_put_out_in_the_same_step(grant: Grant | None) -> None:
    """Of what it publishes and plays: it is told why, then what it would have been told had it stopped."""
    world = World()
    world.open("a", "b")
    world.publish("b", "s2")
    world.say("a", Publish("s1", subscriber_id="ann"), grant=grant)
    world.say("a", Play("s2", subscriber_id="ann"), grant=grant)

    step = world.order(block())

    assert told(step, "a") == [
        put_out(step, "s1"),
        put_out(step, "s2"),
        Notification("play_finished", stream_id="s2", subscriber_id=""),
    ]
    assert told(step, "b") == []
    assert [life for life in world.lives() if life[1] != "s2"] == []
    assert step.refused == ""


@pytest.mark.parametrize(
    ("stream_id", "kind", "left"),
    [
        ("", "publish", ["a/s2"]),
        ("", "play", ["s1"]),
        ("s1", "publish_play", ["a/s2"]),
        ("s2", "publish_play", ["s1"]),
        ("s3", "publish_play", ["a/s2", "s1"]),
    ],
)
def test_a_block_ends_what_it_is_about(stream_id: str, kind: str, left: list[str]) -> None:
    """Its purposes, its stream: everything else goes on."""
    world = World()
    world.open("a", "b")
    world.publish("b", "s2")
    world.say("a", Publish("s1"), grant=ANN)
    world.say("a", Play("s2"), grant=ANN)

    world.order(block(stream_id, kind))

    assert [id for _, id, _ in world.lives() if id != "s2"] == left


def test_a_pair_and_a_room_are_left() -> None:
    """The other peer is told, and what was published in the room ends with the seat."""
    world = World()
    world.open("a", "b")
    world.say("b", Join("p"))
    world.say("a", Join("p"), grant=ANN)
    world.say("a", JoinRoom("r", "s1"), grant=ANN)
    world.say("a", Publish("s1"), grant=ANN)

    step = world.order(block())

    assert told(step, "b") == [StopPeer("p")]
    assert world.lives() == [("pair", "p", "waiting")]


def test_a_block_of_a_room_ends_what_is_published_in_it() -> None:
    """Whichever id it is published under."""
    world = World()
    world.open("a")
    world.publish("a", "s1", room="r", grant=ANN)

    world.order(block("r", "publish"))

    assert world.lives() == []


def test_a_stream_kept_for_the_blocked_is_kept_no_longer() -> None:
    """Nobody else can take it up, so its viewers are let go at once."""
    world = World(Settings(restore_ms=60_000))
    world.open("a")
    world.publish("a", "s1", grant=ANN)
    world.close("a")
    kept = world.state(Kind.STREAM, "s1")

    world.order(block("s1", "publish"))

    assert (kept, world.lives()) == ("restoring", [])


def test_others_and_other_apps_are_left_alone() -> None:
    """Contract 1: the same name in another app is somebody else."""
    world = World()
    world.open("a")
    world.open("b", app="other")
    world.say("a", Publish("s1"), grant=BEN)
    world.say("b", Publish("s1", subscriber_id="ann"), grant=ANN)

    step = world.order(block())

    assert (step.messages, step.transitions) == ([], [])


@pytest.mark.parametrize(
    ("command", "grant", "blocked"),
    [
        (Publish("s1"), ANN, True),
        (Publish("s1", subscriber_id="ann"), BEN, True),
        (Publish("s1", subscriber_id="ann"), None, True),
        (Publish("s1", subscriber_id="ben"), BEN, False),
        (Play("s1", subscriber_id="ann"), None, True),
        (Join("p"), ANN, True),
        (JoinRoom("r"), ANN, True),
        (JoinRoom("r"), None, False),
    ],
)
def test_whoever_is_blocked_does_not_come_in(
    command: Publish | Play | Join | JoinRoom, grant: Grant | None, blocked: bool
) -> None:
    """Neither by leaving out the name nor by claiming another, until the block has run out."""
    world = World()
    world.open("a", "b")
    world.order(block(until=1_000))

    refused = world.say("a", command, grant=grant).refused == USER_BLOCKED.definition
    world.now = 1_000_000_000
    later = world.say("b", command, grant=grant).refused == USER_BLOCKED.definition

    assert (refused, later) == (blocked, False)


def test_whoever_is_blocked_is_told_for_how_long() -> None:
    """The longest of the blocks that keep it away counts; how long one of the gate's lasts is not known."""
    world = World()
    world.open("a", "b")
    world.order(block(until=10))
    world.order(block("s1", until=20))
    of_gate = Grant(allowed=False, refusal=USER_BLOCKED.definition)

    first = world.say("a", Publish("s1", subscriber_id="ann"))
    wait = 20 * MS - world.now // MS
    second = world.say("b", Publish("s1"), grant=of_gate)

    assert [getattr(message, "retry_after_ms", 0) for message in told(first, "a")] == [wait]
    assert told(second, "b") == [refusal(USER_BLOCKED, stream_id="s1")]


def test_whom_the_host_vouches_for_is_blocked_by_that_name() -> None:
    """A session that the host opened in somebody's name acts in it, whatever its commands claim."""
    world = World()
    world.open("a", identity="ann")
    world.say("a", Publish("s1", subscriber_id="ben"))

    world.order(block())

    assert world.lives() == []
    assert world.say("a", Join("p")).refused == USER_BLOCKED.definition


def test_access_comes_before_blocks() -> None:
    """Whoever may not come in at all is not told that somebody is blocked."""
    world = World()
    world.open("a")
    world.order(block())

    step = world.say("a", Publish("s1", subscriber_id="ann"), grant=Grant(allowed=False))

    assert step.refused == UNAUTHORIZED_ACCESS.definition


def test_the_decisions_are_the_same_after_a_restart() -> None:
    """Security policy 9: what was registered decides as before once the reel was replayed."""
    world = World()
    world.open("a")
    world.order(block())
    world.say("a", Publish("s1"), grant=ANN)
    cursor = Cursor(world.reel())
    cursor.seek(2)

    replayed = cursor.step()

    assert replayed is not None
    assert (replayed.step.refused, replayed.divergence) == (USER_BLOCKED.definition, None)


# ---------------------------------------------------------------- connections


def test_a_subscriber_has_so_many_connections() -> None:
    """Sessions that hold the stream in its name at once; the next one is refused like one without access."""
    world = World()
    world.open("pub", "a", "b", "c")
    world.publish("pub", "s1")
    world.publish("b", "s2")
    world.order(RegisterSubscriber(app=APP, subscriber=Subscriber("s1", "ann", connections_max=1)))
    play = Play("s1", subscriber_id="ann")

    assert world.say("a", play, grant=ANN).refused == ""
    assert world.say("b", play, grant=ANN).refused == UNAUTHORIZED_ACCESS.definition
    assert world.say("b", Play("s1", subscriber_id="ann"), grant=BEN).refused == ""
    assert world.say("c", Play("s2", subscriber_id="ann"), grant=ANN).refused == ""
    world.close("a")
    world.close("b")
    assert world.say("c", play, grant=ANN).refused == ""


def joined(world: World) -> None:
    """The room knows the stream, because ann has joined it to publish that."""
    world.say("a", JoinRoom("r", "x"), grant=ANN)


def registered(world: World) -> None:
    """The room is the one that the stream is registered for."""
    world.order(RegisterStream(app=APP, stream=RegisteredStream("x", main_track="r")))


@pytest.mark.parametrize("door", [joined, registered])
def test_a_block_of_a_room_holds_however_a_stream_comes_into_it(door: Callable[[World], None]) -> None:
    """Not only where the command names the room."""
    world = World()
    world.open("a")
    door(world)
    world.order(block("r", "publish"))

    assert world.say("a", Publish("x"), grant=ANN).refused == USER_BLOCKED.definition


@pytest.mark.parametrize("door", [joined, registered])
def test_connections_are_counted_however_a_stream_comes_into_its_room(door: Callable[[World], None]) -> None:
    """A subscriber of a room may hold it in so many sessions, whatever its commands say of the room."""
    world = World()
    world.open("a", "b")
    world.order(RegisterSubscriber(app=APP, subscriber=Subscriber("r", "ann", connections_max=1)))
    door(world)
    world.say("a", Publish("x", subscriber_id="ann"), grant=ANN)

    again = world.say("b", Publish("y", subscriber_id="ann", main_track="r"), grant=ANN)

    assert told(again, "b") == [refusal(UNAUTHORIZED_ACCESS, stream_id="y", subscriber_id="ann")]


def test_a_block_of_a_room_ends_what_is_played_out_of_it() -> None:
    """A stream of the room that was asked for by its own name."""
    world = World()
    world.open("a", "b")
    world.publish("b", "x", room="r")
    world.say("a", Play("x"), grant=ANN)

    step = world.order(block("r", "play"))

    assert told(step, "a")[0] == put_out(step, "x")
    assert world.state(Kind.PLAYBACK, "a/x") == ""


def test_a_block_of_a_stream_ends_the_room_that_shows_it_and_it_is_shown_no_more() -> None:
    """Played again, the room is shown without it, whoever comes and goes, and however it is proved who plays."""
    world = World()
    world.open("a", "b", "c", "d")
    stream = world.publish("b", "x", room="r")
    world.say("a", Play("r", room="r", subscriber_id="ann"))

    step = world.order(block("x", "play"))
    world.say("a", Play("r", room="r"), grant=ANN)
    begun = world.past[-1].step.transitions[-1].detail
    world.offer_and_answer("a", "r")
    world.report(MediaConnected(world.playback("a", "r")))
    world.play("d", "r", room="r")
    other = world.publish("c", "y", room="r")
    shown, to_others = [move.detail for move in world.past[-1].step.transitions[-2:]]

    assert told(step, "a")[0] == put_out(step, "r")
    assert begun == Roster(())
    assert shown == Roster((Source("y", other.born),))
    assert to_others == Roster((Source("x", stream.born), Source("y", other.born)))


def test_a_block_of_a_stream_leaves_a_room_that_does_not_show_it() -> None:
    """And nobody else is shown less; once the block is over, the stream is shown with the next change."""
    world = World()
    world.open("a", "b", "c", "d")
    stream = world.publish("b", "x", room="r")
    world.say("a", Play("r", room="r", track_list=("!x",)), grant=ANN)
    world.say("d", Play("s", room="s"), grant=BEN)

    step = world.order(block("x", "play", until=1))
    world.say("c", Play("r", room="r"), grant=BEN)
    others = world.past[-1].step.transitions[-1].detail
    world.say("a", Stop("r"))
    world.wait(2_000)
    world.say("a", Play("r", room="r"), grant=ANN)

    assert told(step, "a") == []
    assert others == world.past[-1].step.transitions[-1].detail == Roster((Source("x", stream.born),))


def test_what_is_held_in_nobody_s_name_is_not_ended_in_a_former_one() -> None:
    """The same stream, played again without a name: nothing says any more that it is hers."""
    world = World()
    world.open("a", "b")
    world.publish("b", "s")
    world.say("a", Play("s"), grant=ANN)
    world.say("a", Stop("s"))
    world.say("a", Play("s"))

    step = world.order(block("s"))

    assert told(step, "a") == []
    assert world.engine.snapshot().standings == ()
