"""Engines and steps that break an invariant, one way each: what a check must not let pass.

A state is broken by restoring a snapshot that no engine would make; a step by showing the monitor another one than the
engine gave.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.commands import (
    GetRoomInfo,
    Join,
    JoinRoom,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.events import DeadlineReached, DescriptionCreated, MediaConnected, MediaLost
from signalreel.identifiers import Kind, Reference
from signalreel.machines.shapes import Call, Pair, PairState, Stream
from signalreel.messages import Description, Notification, Start
from signalreel.record import Grant
from signalreel.settings import Settings
from signalreel.step import Deadline, Fired, Step
from signalreel.verify import Monitor, Violation, violations_of
from tests.engine.world import APP, World

__all__ = ("BROKEN_STATES", "BROKEN_STEPS", "live", "observed", "paired", "shown", "states_of")

OWNER: Final = Grant(allowed=True, identity="tag-of-alice")


def live(settings: Settings | None = None) -> World:
    """Alice publishes s1 in a room, live; bob is in the room and plays s1; carl is there and does nothing."""
    world = World(settings)
    world.open("alice", "bob", "carl")
    world.say("bob", JoinRoom("r", "b"))
    world.say("alice", Publish("s1", main_track="r"), grant=OWNER)
    world.say("alice", TakeConfiguration("s1", "offer", "sdp"))
    world.report(DescriptionCreated(world.stream("s1"), "answer", "sdp"))
    world.report(MediaConnected(world.stream("s1")))
    world.say("bob", Play("s1"))
    return world


def paired() -> World:
    """Alice and bob are a pair, and alice has offered; carl is there and does nothing."""
    world = World()
    world.open("alice", "bob", "carl")
    world.say("alice", Join("p"))
    world.say("bob", Join("p"))
    world.say("alice", TakeConfiguration("p", "offer", "sdp"))
    return world


def states_of(world: World, part: str, **changes: Any) -> list[Violation]:
    """Check the state with the first machine of a part changed, or another put beside it."""
    snapshot = world.engine.snapshot()
    machines: tuple[Struct, ...] = getattr(snapshot, part)
    added: tuple[Struct, ...] = changes.pop("added", ())
    changed = (replace(machines[0], **changes), *machines[1:]) if changes else machines
    world.engine.restore(replace(snapshot, **{part: (*changed, *added)}))
    return violations_of(world.engine)


def observed(world: World, do: Callable[[World], Step], shown: Callable[[Step], Step]) -> list[Violation]:
    """Let something happen, and show the monitor another step than the one that the engine gave."""
    monitor = Monitor(world.engine)
    return monitor.observe(world.engine, shown(do(world)))


def shown(**changes: Any) -> Callable[[Step], Step]:
    """Show a step with something else in it."""
    return lambda step: replace(step, **changes)


def _told_also(*messages: tuple[str, Any]) -> Callable[[Step], Step]:
    return lambda step: replace(step, messages=[*step.messages, *messages])


def _granted(grant: Grant) -> Callable[[Step], Step]:
    return lambda step: replace(step, record=replace(step.record, grant=grant))


def _closed_stream(world: World) -> list[Violation]:
    """A playback goes on though the stream it shows is gone."""
    world.engine.restore(replace(world.engine.snapshot(), streams=()))
    return violations_of(world.engine)


def _used_twice() -> list[Violation]:
    world = live()
    once = Grant(allowed=True, once="tag-of-a-token")
    monitor = Monitor(world.engine)
    first = monitor.observe(world.engine, _granted(once)(world.say("bob", Publish("s2"))))
    return first or monitor.observe(world.engine, _granted(once)(world.say("carl", Publish("s3"))))


def _stale_answer() -> list[Violation]:
    world = paired()
    world.say("alice", TakeConfiguration("p", "offer", "newer"))
    return observed(
        world,
        lambda world: world.say("bob", TakeConfiguration("p", "answer", "to the first")),
        _told_also(("alice", Description("p", "answer", "to the first"))),
    )


def _answered_twice() -> list[Violation]:
    world = paired()
    world.say("bob", TakeConfiguration("p", "answer", "sdp"))
    return observed(
        world,
        lambda world: world.say("bob", TakeConfiguration("p", "answer", "sdp")),
        _told_also(("alice", Description("p", "answer", "sdp"))),
    )


def _restored_by(grant: Grant) -> list[Violation]:
    world = live(Settings(restore_ms=3_000))
    world.close("alice")
    return observed(world, lambda world: world.say("carl", Publish("s1"), grant=OWNER), _granted(grant))


def _retired(world: World, *, early: bool) -> list[Violation]:
    deadline = world.engine.deadline()
    assert deadline is not None

    def late(step: Step) -> Step:
        event = step.record.event
        assert isinstance(event, DeadlineReached)
        other = step.record if early else replace(step.record, event=replace(event, timer=event.timer - 1))
        return replace(step, record=replace(other, time=deadline.at - 1 if early else other.time))

    return observed(world, World.wake, late)


def _former_life() -> list[Violation]:
    world = live()
    former = replace(world.stream("s1"), born=1)
    return observed(
        world,
        lambda world: world.report(MediaLost(world.stream("s1"))),
        lambda step: replace(step, record=replace(step.record, event=MediaLost(former))),
    )


BROKEN_STATES: Final[tuple[tuple[str, Callable[[], list[Violation]]], ...]] = (
    ("one-owner", lambda: states_of(live(), "streams", sessions=("alice", "bob"))),
    ("one-owner", lambda: states_of(live(), "streams", sessions=())),
    ("one-owner", lambda: states_of(live(), "streams", added=(replace(_stream(), id="s2"),))),
    ("one-thing-per-id", lambda: states_of(live(), "pairs", added=(_pair("s1"),))),
    ("publish-ends", lambda: states_of(live(), "streams", wake_at=9)),
    ("publish-ends", lambda: states_of(_preparing(), "streams", wake_at=0)),
    ("play-ends", lambda: states_of(live(), "playbacks", wake_at=0)),
    ("pair-of-two", lambda: states_of(paired(), "pairs", sessions=("alice", "bob", "carl"))),
    ("pair-of-two", lambda: states_of(paired(), "pairs", sessions=("alice", "alice"))),
    ("newest-answer", lambda: states_of(paired(), "pairs", owed=0)),
    ("newest-answer", lambda: states_of(paired(), "pairs", offerer="carl")),
    ("room-lives", lambda: states_of(live(), "rooms", members=(), sessions=())),
    ("room-lives", lambda: states_of(live(), "streams", placed_in="", listed_in="")),
    ("nothing-outlives-its-owner", lambda: states_of(live(), "streams", sessions=("dora",))),
    ("nothing-outlives-its-owner", lambda: _closed_stream(live())),
    ("nothing-outlives-its-owner", lambda: states_of(paired(), "pairs", calls=(Call("q", "carl"),))),
    ("nothing-outlives-its-owner", lambda: states_of(paired(), "pairs", wake_at=9, timer=1)),
)
"""Which invariant does not hold of a state."""


def _stream() -> Stream:
    [stream] = live().engine.snapshot().streams
    return stream


def _pair(id: str) -> Pair:
    return Pair(APP, id, PairState.WAITING, born=1, sessions=("carl",), modes=("both",))


def _preparing() -> World:
    world = World()
    world.open("alice")
    world.say("alice", Publish("s1"))
    return world


def _stop(world: World) -> Step:
    return world.say("alice", Stop("s1"))


def _ask(world: World) -> Step:
    return world.say("bob", GetRoomInfo("r", "b"))


def _leave(world: World) -> Step:
    return world.close("carl")


FINISHED: Final = Notification("publish_finished", stream_id="s1")
STARTED: Final = Notification("publish_started", stream_id="s1")
NOT_ITS_OWN: Final = Deadline(9, Reference(Kind.STREAM, APP, "s1", 1), 1)
UNREACHABLE: Final = Fired("stream", "idle", "Stop", 0, "unreachable: of course", is_unreachable=True)

BROKEN_STEPS: Final[tuple[tuple[str, Callable[[], list[Violation]]], ...]] = (
    ("publish-finished-once", lambda: observed(live(), _stop, _told_also(("alice", FINISHED)))),
    ("publish-finished-once", lambda: observed(live(), _stop, shown(messages=[]))),
    ("publish-finished-once", lambda: observed(live(), _ask, _told_also(("alice", STARTED)))),
    ("publish-finished-once", lambda: observed(_preparing(), _stop, _told_also(("alice", FINISHED)))),
    ("play-ends", lambda: observed(live(), lambda world: world.say("bob", Stop("s1")), shown(messages=[]))),
    ("told-only-concerned", lambda: observed(live(), _stop, _told_also(("carl", Start("s1"))))),
    ("told-only-concerned", lambda: observed(live(), _leave, _told_also(("carl", Start("s1"))))),
    ("pair-of-two", lambda: observed(paired(), _offer, _told_also(("carl", Description("p", "offer", "sdp"))))),
    ("pair-of-two", lambda: observed(paired(), _offer, _told_also(("alice", Description("p", "offer", "sdp"))))),
    ("newest-answer", _stale_answer),
    ("newest-answer", _answered_twice),
    ("room-list", lambda: observed(live(), _ask, lambda step: _listing(step, ()))),
    ("room-list", lambda: observed(live(), _ask, lambda step: _listing(step, ("b", "s1")))),
    ("room-list", lambda: observed(live(), lambda world: world.say("alice", GetRoomInfo("r")), _with_own)),
    ("room-list", lambda: observed(live(), lambda world: world.say("carl", JoinRoom("r", "c")), _joined_to_nothing)),
    ("leaving-ends-its-own", lambda: observed(live(), _leave_room, _of_another_room)),
    ("candidate-handed-on", lambda: observed(live(), _find_candidate, shown(transitions=[]))),
    ("nothing-outlives-its-owner", lambda: observed(live(), _ask, shown(deadline=NOT_ITS_OWN))),
    ("refusal-changes-nothing", lambda: observed(live(), _stop, shown(refused="no_stream_exist"))),
    ("refusal-changes-nothing", lambda: observed(live(), _leave, shown(refused="no_stream_exist"))),
    ("refusal-changes-nothing", lambda: observed(live(), _refused, _told_also(("bob", Start("s1"))))),
    ("denied-is-refused", lambda: observed(live(), _publish_more, _granted(Grant(allowed=False)))),
    ("grant-once", _used_twice),
    ("restored-by-its-publisher", lambda: _restored_by(Grant(allowed=True, identity="tag-of-carl"))),
    ("restored-by-its-publisher", lambda: _restored_by(Grant(allowed=True))),
    ("retired-is-inert", lambda: _retired(_preparing(), early=False)),
    ("retired-is-inert", lambda: _retired(_preparing(), early=True)),
    ("retired-is-inert", _former_life),
    ("nothing-unreachable", lambda: observed(live(), _ask, shown(fired=[("s1", UNREACHABLE)]))),
)
"""Which invariant does not hold of a step."""


def _offer(world: World) -> Step:
    return world.say("alice", TakeConfiguration("p", "offer", "newer"))


def _leave_room(world: World) -> Step:
    return world.say("alice", LeaveFromRoom("r"))


def _of_another_room(step: Step) -> Step:
    return replace(step, fired=[(f"not-{id}" if row.kind == "room" else id, row) for id, row in step.fired])


def _find_candidate(world: World) -> Step:
    return world.say("alice", TakeCandidate("s1", 0, "0", "candidate"))


def _refused(world: World) -> Step:
    return world.say("carl", Publish("s1"))


def _publish_more(world: World) -> Step:
    return world.say("carl", Publish("s2"))


def _listing(step: Step, streams: tuple[str, ...]) -> Step:
    [(to, message)] = step.messages
    return replace(step, messages=[(to, replace(message, streams=streams))])


def _with_own(step: Step) -> Step:
    return _listing(step, ("s1",))


def _joined_to_nothing(step: Step) -> Step:
    return _listing(step, ("s1", "s1"))
