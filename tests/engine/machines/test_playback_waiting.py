"""A player waits for a registered stream, and plays it once it is live."""

import pytest

from signalreel.commands import Join, JoinRoom, LeaveFromRoom, Play, Publish, Stop, TakeConfiguration
from signalreel.engine import Engine
from signalreel.events import ClockAdjusted
from signalreel.host import AnyRegistryCommand, RegisterStream, UnregisterStream
from signalreel.identifiers import Kind
from signalreel.messages import Notification, Start
from signalreel.refusals import (
    ALREADY_PLAYING,
    NO_STREAM_EXIST,
    PUBLISH_TIMEOUT_ERROR,
    STREAM_ID_IN_USE,
    STREAM_NOT_ACTIVE_OR_EXPIRED,
    VIEWER_LIMIT_REACHED,
)
from signalreel.registered import RegisteredStream
from signalreel.step import Roster, Source
from tests.engine.world import APP, World, moves, refusal, told

SOON = Notification("streaming_starts_soon", stream_id="s1")
STARTED = Notification("streaming_started", stream_id="s1")
OVER = Notification("play_finished", stream_id="s1", subscriber_id="")


def world_with(stream: RegisteredStream) -> World:
    """A world with a registered stream, in the reel's own time."""
    world = World()
    world.open("pub", "ann", "ben")
    world.order(RegisterStream(app=APP, stream=stream))
    return world


def test_whoever_plays_too_early_is_told_twice_and_then_plays() -> None:
    """`streaming_starts_soon`, then `streaming_started` in the step in which it is live, and the offer follows."""
    world = world_with(RegisteredStream("s1", waits=True))

    early = world.say("ann", Play("s1"))
    stream = world.publish("pub", "s1")
    live = world.past[-1].step
    world.offer_and_answer("ann", "s1")

    assert (told(early, "ann"), moves(early)) == ([SOON], [("playback", "ann/s1", "idle", "waiting")])
    assert told(live, "ann") == [STARTED]
    assert moves(live) == [
        ("stream", "s1", "connecting", "broadcasting"),
        ("playback", "ann/s1", "waiting", "preparing"),
    ]
    assert live.transitions[-1].detail == Roster((Source("s1", stream.born),))
    assert world.state(Kind.PLAYBACK, "ann/s1") == "connecting"


def test_waiting_has_no_timer_and_playing_has() -> None:
    """A stream may begin much later; once it has, the player has its usual time."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))
    waiting = world.engine.deadline()
    world.publish("pub", "s1")
    deadline = world.engine.deadline()
    assert deadline is not None
    ended = world.wake()

    assert waiting is None
    assert (deadline.machine.id, deadline.at) == ("ann/s1", world.past[-2].record.time + 10_000_000)
    assert told(ended, "ann") == [OVER]


@pytest.mark.parametrize(
    "stream",
    [
        RegisteredStream("s1", waits=True, planned_end=5),
        RegisteredStream("s1", waits=True, created_at=1_000, expire_ms=4_000, planned_end=60),
    ],
    ids=["its planned end", "its expiry"],
)
def test_waiting_ends_with_the_plan(stream: RegisteredStream) -> None:
    """Nobody waits for what cannot be published any more."""
    world = world_with(stream)
    world.say("ann", Play("s1"))

    ended = world.wake()

    assert ended.record.time == 5_000_000
    assert told(ended, "ann") == [refusal(STREAM_NOT_ACTIVE_OR_EXPIRED, stream_id="s1"), OVER]
    assert world.lives() == []


def test_one_may_wait_before_the_plan_begins_and_not_after_it_has_ended() -> None:
    """That is what waiting is for."""
    world = world_with(RegisteredStream("s1", waits=True, planned_start=5, planned_end=9))
    early = world.say("ann", Play("s1"))
    world.now = 9_000_000
    late = world.say("ben", Play("s1"))

    assert told(early, "ann") == [SOON]
    assert told(late, "ben") == [refusal(STREAM_NOT_ACTIVE_OR_EXPIRED, stream_id="s1")]


@pytest.mark.parametrize("command", [Stop("s1"), LeaveFromRoom("r")], ids=["stop", "leave"])
def test_whoever_waits_may_stop(command: Stop | LeaveFromRoom) -> None:
    """It is told that it is over, and does not hear of the stream any more."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", JoinRoom("r"))
    world.say("ann", Play("s1", room="r"))

    step = world.say("ann", command)

    assert OVER in told(step, "ann")
    assert world.state(Kind.PLAYBACK, "ann/s1") == ""
    world.publish("pub", "s1")
    assert STARTED not in world.heard["ann"]


def test_whoever_waits_counts_as_a_viewer() -> None:
    """A place that is promised is taken; it is free when the player goes."""
    world = world_with(RegisteredStream("s1", waits=True, viewers_max=1))
    world.say("ann", Play("s1"))
    second = world.say("ben", Play("s1"))
    again = world.say("ann", Play("s1"))
    world.close("ann")

    assert (second.refused, again.refused) == (VIEWER_LIMIT_REACHED.definition, ALREADY_PLAYING.definition)
    assert told(world.say("ben", Play("s1")), "ben") == [SOON]


def test_an_answer_while_waiting_is_let_pass() -> None:
    """Nothing was offered yet."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))

    step = world.say("ann", TakeConfiguration("s1", "answer", "sdp"))

    assert (step.messages, step.transitions, step.refused) == ([], [], "")


def test_a_stream_that_nobody_may_wait_for_is_only_not_there() -> None:
    """Registered as such, and not live."""
    world = world_with(RegisteredStream("s1"))

    assert world.say("ann", Play("s1")).refused == NO_STREAM_EXIST.definition


def test_when_the_stream_ends_the_player_does_not_wait_again() -> None:
    """It is told that it is over, as of every stream, and may ask again."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))
    world.publish("pub", "s1")
    step = world.close("pub")

    assert told(step, "ann") == [OVER]
    assert told(world.say("ann", Play("s1")), "ann") == [SOON]


def test_an_engine_that_is_restored_knows_who_waits() -> None:
    """Contract 8: the index of those who wait is derived again."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))
    restored = Engine(state_digest_every=1)
    restored.restore(world.engine.snapshot())
    world.publish("pub", "s1")

    for past in world.past[-4:]:
        assert restored.apply(past.record) == past.step
    assert STARTED in world.heard["ann"]


@pytest.mark.parametrize(
    "order",
    [
        UnregisterStream(app=APP, stream_id="s1"),
        RegisterStream(app=APP, stream=RegisteredStream("s1", waits=False)),
    ],
    ids=["unregistered", "waited for no longer"],
)
def test_nobody_waits_longer_than_somebody_may(order: AnyRegistryCommand) -> None:
    """Another stream of that name must not be shown to whoever waited for this one."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))

    step = world.order(order)
    world.publish("pub", "s1")

    assert told(step, "ann") == [OVER]
    assert world.heard["ann"] == [SOON, OVER]


def test_what_is_about_to_be_live_ends_before_those_who_wait_for_it() -> None:
    """Its publisher is told as by any end, then whoever waits."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))
    world.say("pub", Publish("s1"))

    step = world.order(UnregisterStream(app=APP, stream_id="s1"))

    assert step.messages == [("pub", refusal(PUBLISH_TIMEOUT_ERROR, stream_id="s1")), ("ann", OVER)]
    assert world.lives() == []


@pytest.mark.parametrize("end", [3, 50, 0])
def test_waiting_ends_with_the_plan_that_there_is_now(end: int) -> None:
    """Whether it was moved to an earlier time, to a later one, or taken away."""
    world = world_with(RegisteredStream("s1", waits=True, planned_end=5))
    world.say("ann", Play("s1"))

    world.order(RegisterStream(app=APP, stream=RegisteredStream("s1", waits=True, planned_end=end)))
    deadline = world.engine.deadline()

    assert (deadline.at if deadline is not None else 0) == end * 1_000_000
    assert world.lives() == [("playback", "ann/s1", "waiting")]


def test_waiting_ends_at_once_when_the_plan_is_over_already() -> None:
    """An end that is past is an end."""
    world = world_with(RegisteredStream("s1", waits=True, planned_end=5))
    world.say("ann", Play("s1"))
    world.wait(4_000)

    world.order(RegisterStream(app=APP, stream=RegisteredStream("s1", waits=True, planned_end=1)))

    assert told(world.wake(), "ann") == [refusal(STREAM_NOT_ACTIVE_OR_EXPIRED, stream_id="s1"), OVER]


def test_waiting_goes_by_the_wall_clock_as_it_is_set() -> None:
    """In every app, and only where there is an end: the clock was 2 s slow."""
    world = world_with(RegisteredStream("s1", waits=True, planned_end=9))
    world.open("cid", app="other")
    world.order(RegisterStream(app="other", stream=RegisteredStream("s1", waits=True, planned_end=8)))
    world.order(RegisterStream(app=APP, stream=RegisteredStream("s2", waits=True)))
    world.say("ann", Play("s1"))
    world.say("ben", Play("s2"))
    world.say("cid", Play("s1"))

    world.report(ClockAdjusted(2_000_000))
    ends = [(world.wake().record.time, world.past[-1].step.messages[0][0]) for _ in range(2)]

    assert ends == [(6_000_000, "cid"), (7_000_000, "ann")]
    assert world.lives() == [("playback", "ben/s2", "waiting")]


def test_what_may_be_waited_for_is_no_room_and_no_pair() -> None:
    """Else whoever joined one of that name would keep the stream from ever being published."""
    world = world_with(RegisteredStream("s1", waits=True))
    world.say("ann", Play("s1"))
    room, pair, placed = (
        world.say("ben", JoinRoom("s1")),
        world.say("ben", Join("s1")),
        world.say("ben", Publish("s2", main_track="s1")),
    )
    played = world.say("ben", Play("s1", room="s1"))
    stream = world.say("pub", Publish("s1"))

    assert [step.refused for step in (room, pair, placed, played)] == [
        STREAM_ID_IN_USE.definition,
        STREAM_ID_IN_USE.definition,
        STREAM_ID_IN_USE.definition,
        NO_STREAM_EXIST.definition,
    ]
    assert told(stream, "pub") == [Start("s1")]
