"""A block keeps out, and puts out."""

import pytest

from signalreel.commands import Join, JoinRoom, Play, Publish
from signalreel.host import BlockSubscriber, RegisterSubscriber
from signalreel.identifiers import Kind
from signalreel.messages import Notification, StopPeer
from signalreel.record import Grant
from signalreel.refusals import UNAUTHORIZED_ACCESS, USER_BLOCKED
from signalreel.registered import BlockKind, Subscriber
from signalreel.replay import Cursor
from signalreel.settings import Settings
from tests.engine.world import APP, World, refusal, told

ANN = Grant(allowed=True, identity="tag-of-ann")
BEN = Grant(allowed=True, identity="tag-of-ben")


def block(stream_id: str = "", kind: str = "publish_play", *, until: int = 1_000, app: str = APP) -> BlockSubscriber:
    """Block ann."""
    return BlockSubscriber(
        app=app, stream_id=stream_id, subscriber_id="ann", identity="tag-of-ann", kind=BlockKind(kind), until=until
    )


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
        refusal(USER_BLOCKED, stream_id="s1"),
        refusal(USER_BLOCKED, stream_id="s2"),
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
