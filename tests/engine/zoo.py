"""The zoo: ten mistakes a programmer could make in the machines, each planted for as long as a test wants it.

    with planted("a stale answer is relayed"):
        ...                                 # the engine has the bug

    reel = recorded(bug, calls=3)           # a server without the bug recorded this: today's code is tried against it
    reel = recorded(bug, calls=3, wrong=True)       # a server with the bug recorded this

Each is planted where the mistake would be made: in a row of a compiled table (another condition, another action, a row
that is missing), in a route, or in a function that the rows call by its name. Each has a recipe: a few sessions that
come to where the bug shows, among other calls that it has nothing to do with.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from signalreel.commands import (
    GetRoomInfo,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    PeerMessage,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.engine import TABLES
from signalreel.events import DeadlineReached, DescriptionCreated, MediaConnected, MediaLost, SessionClosed
from signalreel.identifiers import Kind
from signalreel.machines import pair, room, routes, stream
from signalreel.machines.base import Key
from signalreel.machines.context import Context
from signalreel.machines.notices import LeftRoom
from signalreel.machines.shapes import Pair, PairState, Room, Stream, StreamState, is_live
from signalreel.machines.used import UsedTags
from signalreel.messages import Notification, RoomStream
from signalreel.record import Grant
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from tests.engine.world import World

__all__ = ("ZOO", "Bug", "Recorded", "mended", "planted", "recorded", "zoo_names")

SETTINGS: Final = Settings(restore_ms=3_000)
"""Of every recording: with a restore window, so that streams can wait for their publishers."""

ANN: Final = Grant(allowed=True, identity="tag-of-ann")
EVE: Final = Grant(allowed=True, identity="tag-of-eve")
ONCE: Final = Grant(allowed=True, identity="tag-of-ann", once="tag-of-a-token", until=3_600_000_000)

Planting = Callable[[ExitStack], None]
Recipe = Callable[[World], Iterator[bool]]
"""Goes on step by step, and gives True once, just after the record by which the bug shows."""


class Bug(Struct, frozen=True):
    """One mistake: how it is planted, and what makes it show."""

    name: str
    plant: Planting
    recipe: Recipe
    rule: str  #: the rule that does it
    wrong: str = ""  #: a condition that holds when the bug shows, and never without it; empty: that needs the past


class Recorded(Struct, frozen=True):
    """A recording, and by which record the bug shows in it."""

    reel: MemoryReel
    seq: int


# ---------------------------------------------------------------- planting

Row = tuple[Any, Any, Any, Any]
K = TypeVar("K")
V = TypeVar("V")


def _put(stack: ExitStack, mapping: dict[K, V], key: K, value: V) -> None:
    """Put another value into a mapping for a while."""
    before = mapping[key]
    mapping[key] = value
    stack.callback(mapping.__setitem__, key, before)


def _patch(stack: ExitStack, owner: object, name: str, value: object) -> None:
    """Give a module or class another function for a while."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    stack.callback(setattr, owner, name, before)


def _in_cell(
    kind: Kind, input: type, states: tuple[StrEnum, ...], what: str, change: Callable[[Row], Row | None]
) -> Planting:
    """Change the rows of some cells that do this, or leave them out."""

    def plant(stack: ExitStack) -> None:
        for state in states:
            by_state = TABLES[kind].cells[input]
            rows = [change(row) if row[3].what == what else row for row in by_state[state]]
            assert tuple(rows) != by_state[state], f"nothing in {kind} {state} on {input.__name__} does {what}"
            _put(stack, by_state, state, tuple(row for row in rows if row is not None))

    return plant


def _with(
    *, condition: Callable[..., bool] | None = None, action: Callable[..., Any] | None = None
) -> Callable[[Row], Row]:
    """Give a row another condition or another action; it goes by the same name in every explanation."""

    def change(row: Row) -> Row:
        return (condition or row[0], action or row[1], row[2], row[3])

    return change


def _always(machine: object, input: object, context: object) -> bool:
    return True


def _missing(row: Row) -> None:
    """Leave a row out."""


def _doing_nothing(row: Row) -> Row:
    return (row[0], None, None, row[3])


# ---------------------------------------------------------------- 1: pairs


def _answers_any(machine: Pair, answer: TakeConfiguration, context: Context) -> bool:
    """The mistake: whether it answers the newest offer is not asked."""
    return answer.type == "answer" and context.session != machine.offerer


_stale = _in_cell(Kind.PAIR, TakeConfiguration, (PairState.OFFERED,), "relay_answer", _with(condition=_answers_any))


def _call(world: World, first: str, second: str, id: str) -> None:
    world.open(first, second)
    world.say(first, Join(id))
    world.say(second, Join(id))
    world.say(first, TakeConfiguration(id, "offer", f"v=0\r\no={first} 1\r\n"))


def _stale_recipe(world: World) -> Iterator[bool]:
    _call(world, "caller", "callee", "desk")
    yield False
    world.say("caller", TakeCandidate("desk", 0, "0", "candidate:1 1 udp 1 192.0.2.1 4000 typ host"))
    world.say("caller", TakeConfiguration("desk", "offer", "v=0\r\no=caller 2\r\n"))
    yield False
    world.say("callee", TakeConfiguration("desk", "answer", "v=0\r\no=callee 1\r\n"))
    yield True
    world.say("callee", TakeConfiguration("desk", "answer", "v=0\r\no=callee 2\r\n"))
    world.say("caller", PeerMessage("desk", "zoom", 2))
    yield False
    world.close("callee")


def _room_for_three(stack: ExitStack) -> None:
    """The mistake: a pair that is full lets everyone in, and relays to whoever came last."""

    def come_in(machine: Pair, join: Join, context: Context) -> Pair:
        context.send(context.session, Notification("joined", stream_id=machine.id))
        return replace(machine, sessions=(*machine.sessions, context.session), modes=(*machine.modes, "both"))

    def last_other(machine: Pair, context: Context) -> str:
        return next(session for session in reversed(machine.sessions) if session != context.session)

    full = (PairState.PAIRED, PairState.OFFERED, PairState.CONNECTED)
    _in_cell(Kind.PAIR, Join, full, "refuse NoSpaceForNewPeer", _with(action=come_in))(stack)
    _patch(stack, pair, "other_peer", last_other)


def _third_recipe(world: World) -> Iterator[bool]:
    _call(world, "first", "second", "two-only")
    yield False
    world.say("second", TakeConfiguration("two-only", "answer", "v=0\r\no=second 1\r\n"))
    world.open("third")
    yield False
    world.say("third", Join("two-only"))
    yield True
    world.say("first", TakeCandidate("two-only", 0, "0", "candidate:1 1 udp 1 192.0.2.7 4000 typ host"))
    yield False
    world.close("second")


# ---------------------------------------------------------------- 2: timers


def _by_id_alone(context: Context, event: DeadlineReached) -> tuple[Key, ...]:
    """The mistake: whichever machine has the id is meant, whatever life of it and whatever timer."""
    reference = event.machine
    key: Key = (reference.kind, reference.app, reference.id)
    return (key,) if key in context.machines else ()


def _retired(stack: ExitStack) -> None:
    _put(stack, routes.ROUTES, DeadlineReached, replace(routes.ROUTES[DeadlineReached], find=_by_id_alone))


def _retired_recipe(world: World) -> Iterator[bool]:
    world.open("hasty")
    world.say("hasty", Publish("show"))
    yield False
    deadline = DeadlineReached(world.stream("show"), world.engine.seq)
    world.say("hasty", Stop("show"))
    world.say("hasty", Publish("show"))
    world.say("hasty", TakeConfiguration("show", "offer", "v=0\r\no=hasty 1\r\n"))
    yield False
    world.report(deadline)
    yield True
    if world.state(Kind.STREAM, "show"):
        world.report(DescriptionCreated(world.stream("show"), "answer", "v=0\r\no=media 1\r\n"))
        world.report(MediaConnected(world.stream("show")))
    yield False
    world.close("hasty")


# ---------------------------------------------------------------- 3: rooms


def _everyone(machine: Room, asked_as: str, context: Context) -> tuple[RoomStream, ...]:
    """The mistake: of one's own streams only the one that was named is left out."""
    found: list[RoomStream] = []
    for id, _ in context.indexes.roster(machine.app, machine.id):
        one = context.find(Kind.STREAM, id)
        if id != asked_as and isinstance(one, Stream) and is_live(one):
            found.append(RoomStream(id, one.name, one.meta_data))
    return tuple(found)


def _own_stream(stack: ExitStack) -> None:
    _patch(stack, room, "visible_streams", _everyone)


def _own_recipe(world: World) -> Iterator[bool]:
    world.open("host", "guest")
    world.publish("host", "host-cam", room="hall")
    yield False
    world.publish("guest", "guest-cam", room="hall")
    world.say("guest", GetRoomInfo("hall", "guest-cam"))
    yield False
    world.say("host", GetRoomInfo("hall"))
    yield True
    world.close("guest")
    yield False
    world.close("host")


def _wrong_room(stack: ExitStack) -> None:
    """The mistake: whoever leaves a room loses what it publishes in any."""
    _in_cell(Kind.STREAM, LeftRoom, (StreamState.BROADCASTING,), "finish", _with(condition=_always))(stack)


def _wrong_room_recipe(world: World) -> Iterator[bool]:
    world.open("speaker", "listener")
    world.publish("speaker", "speech", room="stage")
    world.say("speaker", JoinRoom("lobby", "hello"))
    yield False
    world.play("listener", "speech")
    world.say("listener", JoinRoom("lobby", "listener-cam"))
    yield False
    world.say("speaker", LeaveFromRoom("lobby"))
    yield True
    world.say("listener", GetRoomInfo("lobby"))
    world.close("listener")
    yield False
    world.close("speaker")


# ---------------------------------------------------------------- 4: streams


def _candidate_recipe(world: World) -> Iterator[bool]:
    world.open("early")
    world.say("early", Publish("trickle"))
    yield False
    world.say("early", TakeCandidate("trickle", 0, "0", "candidate:1 1 udp 1 192.0.2.3 4000 typ host"))
    yield True
    world.go_live("early", "trickle")
    yield False
    world.close("early")


def _told_again(machine: Stream, input: object, context: Context) -> Stream:
    """The mistake: a stream that waits for its publisher has told it already that publishing is over."""
    if machine.sessions:
        context.send(machine.sessions[0], stream.stream_notification(machine, "publish_finished"))
    return stream.end(machine, input, context)


def _two_finished_recipe(world: World) -> Iterator[bool]:
    world.open("mobile", "watcher")
    world.publish("mobile", "walk", grant=ANN)
    yield False
    world.play("watcher", "walk")
    yield False
    lost = world.report(MediaLost(world.stream("walk")))
    yield False
    world.now = lost.record.time + SETTINGS.restore_ms * 1_000
    world.report(DeadlineReached(lost.transitions[0].machine, lost.record.seq))
    yield True
    world.close("mobile")
    yield False
    world.close("watcher")


def _stuck_recipe(world: World) -> Iterator[bool]:
    world.open("gone", "next")
    world.publish("gone", "channel")
    yield False
    world.close("gone")
    yield True
    world.say("next", Publish("channel"))
    yield False
    world.close("next")


def _restore_recipe(world: World) -> Iterator[bool]:
    world.open("ann", "eve", "fan")
    world.publish("ann", "news", grant=ANN)
    world.play("fan", "news")
    yield False
    world.close("ann")
    yield False
    world.say("eve", Publish("news"), grant=EVE)
    yield True
    world.close("eve")
    yield False
    world.close("fan")


# ---------------------------------------------------------------- 5: grants


def _used_by_another(tags: UsedTags, app: str, tag: str, session: str, wall: int) -> bool:
    """The mistake: a token that ends by itself is taken for one that has ended."""
    used = [one for one in tags.all() if (one.app, one.tag) == (app, tag)]
    return any(one.session != session and not one.until for one in used)


def _used_twice(stack: ExitStack) -> None:
    _patch(stack, UsedTags, "by_another", _used_by_another)


def _used_twice_recipe(world: World) -> Iterator[bool]:
    world.open("buyer", "friend")
    world.publish("buyer", "concert", grant=ONCE)
    yield False
    world.say("buyer", Stop("concert"))
    yield False
    world.say("friend", Publish("concert-too"), grant=ONCE)
    yield True
    world.close("friend")
    yield False
    world.close("buyer")


# ---------------------------------------------------------------- other calls


def _watched(world: World, number: int) -> Iterator[bool]:
    """A stream with a viewer, and someone who comes too late for its name."""
    host, fan, late = f"host-{number}", f"fan-{number}", f"late-{number}"
    world.open(host, fan)
    world.publish(host, f"live-{number}", grant=Grant(allowed=True, identity=f"tag-{number}"))
    yield False
    world.play(fan, f"live-{number}")
    world.open(late)
    yield False
    world.say(late, Publish(f"live-{number}"))
    world.say(fan, Stop(f"live-{number}"))
    yield False
    world.close(host)
    yield False
    world.close(late)
    world.close(fan)


def _called(world: World, number: int) -> Iterator[bool]:
    """Two peers who call each other, and part."""
    one, two = f"one-{number}", f"two-{number}"
    _call(world, one, two, f"call-{number}")
    yield False
    world.say(two, TakeConfiguration(f"call-{number}", "answer", "v=0\r\no=two 1\r\n"))
    world.say(two, TakeCandidate(f"call-{number}", 0, "0", "candidate:1 1 udp 1 192.0.2.9 5000 typ host"))
    yield False
    world.say(one, Leave(f"call-{number}"))
    world.close(one)
    yield False
    world.close(two)


def _met(world: World, number: int) -> Iterator[bool]:
    """A room with two who publish, ask and leave, and one who never gets as far."""
    left, right, slow = f"left-{number}", f"right-{number}", f"slow-{number}"
    world.open(left, right, slow)
    world.say(slow, Publish(f"slow-cam-{number}"))
    world.publish(left, f"left-cam-{number}", room=f"room-{number}")
    yield False
    world.say(right, JoinRoom(f"room-{number}", f"right-cam-{number}"))
    world.say(right, GetRoomInfo(f"room-{number}", f"right-cam-{number}"))
    yield False
    world.say(right, Play(f"left-cam-{number}", room=f"room-{number}"))
    world.say(right, LeaveFromRoom(f"room-{number}"))
    yield False
    world.close(left)
    world.close(right)
    yield False
    world.close(slow)


_OTHERS: Final = (_watched, _called, _met)
_AT_ONCE: Final = 8
"""Calls that go on beside one another."""

_PAUSE_MS: Final = 250
"""Between what happens in the calls."""


def _pass(world: World) -> None:
    """Let some time pass, and every deadline be reached that comes due meanwhile."""
    world.wait(_PAUSE_MS)
    while (deadline := world.engine.deadline()) is not None and deadline.at <= world.now:
        world.report(DeadlineReached(deadline.machine, deadline.timer))


def _among(world: World, recipe: Iterator[bool], calls: int) -> int:
    """Have the calls go on in turn, the recipe's in the middle of them; say by which record the bug shows."""
    waiting = [_OTHERS[number % len(_OTHERS)](world, number) for number in range(calls)]
    waiting.insert(calls // 2, recipe)
    going: list[Iterator[bool]] = []
    shown = 0
    while waiting or going:
        while waiting and len(going) < _AT_ONCE:
            going.append(waiting.pop(0))
        one = going.pop(0)
        shows = next(one, None)
        if shows is not None:
            going.append(one)
        if shows:
            shown = world.engine.seq
        _pass(world)
    return shown


@cache
def recorded(bug: Bug, *, calls: int = 6, wrong: bool = False) -> Recorded:
    """Record the bug's recipe among other calls, by a server that does not have the bug, or by one that does.

    Whatever is planted while this is called does not matter.
    """
    world = World(SETTINGS)
    with ExitStack() as stack:
        for name in tuple(_PLANTED):
            stack.enter_context(mended(name))
        if wrong:
            bug.plant(stack)
        seq = _among(world, bug.recipe(world), calls)
        return Recorded(world.reel(), seq)


# ---------------------------------------------------------------- the zoo

ZOO: Final[tuple[Bug, ...]] = (
    Bug(
        "a stale answer is relayed",
        _stale,
        _stale_recipe,
        "pair offered x takeConfiguration row 5: relay_answer",
    ),
    Bug(
        "a retired timer ends its successor",
        _retired,
        _retired_recipe,
        "stream negotiating x DeadlineReached row 0: give_up",
    ),
    Bug(
        "a third peer is told",
        _room_for_three,
        _third_recipe,
        "pair connected x join row 3: refuse NoSpaceForNewPeer",
        'len(pair("two-only").sessions) > 2',
    ),
    Bug(
        "one's own stream in the room list",
        _own_stream,
        _own_recipe,
        "room open x getRoomInfo row 2: tell_room",
        'sent("roomInformation", to="host", streams=("guest-cam", "host-cam"))',
    ),
    Bug(
        "a lost candidate queue",
        _in_cell(Kind.STREAM, TakeCandidate, (StreamState.PREPARING,), "", _doing_nothing),
        _candidate_recipe,
        "stream preparing x takeCandidate row 0: no action",
        'input("takeCandidate", stream_id="trickle") and session == "early" and stream("trickle") '
        'and not moved("stream")',
    ),
    Bug(
        "two publish_finished",
        _in_cell(Kind.STREAM, DeadlineReached, (StreamState.RESTORING,), "end", _with(action=_told_again)),
        _two_finished_recipe,
        "stream restoring x DeadlineReached row 0: end",
        'input == "DeadlineReached" and sent("publish_finished")',
    ),
    Bug(
        "an id stuck after close",
        _in_cell(Kind.STREAM, SessionClosed, (StreamState.BROADCASTING,), "end", _doing_nothing),
        _stuck_recipe,
        "stream broadcasting x SessionClosed row 1: end",
        'input == "SessionClosed" and session == "gone" and "gone" in stream("channel").sessions',
    ),
    Bug(
        "restore without re-authentication",
        _in_cell(Kind.STREAM, Publish, (StreamState.RESTORING,), "refuse streamIdInUse", _missing),
        _restore_recipe,
        "stream restoring x publish row 13: restore_stream",
        'stream("news").restored and stream("news").identity == "tag-of-eve"',
    ),
    Bug(
        "wrong room cleanup",
        _wrong_room,
        _wrong_room_recipe,
        "stream broadcasting x LeftRoom row 0: finish",
        'input("leaveFromRoom", room="lobby") and sent("publish_finished")',
    ),
    Bug(
        "a grant used twice",
        _used_twice,
        _used_twice_recipe,
        "stream idle x publish row 14: open_stream",
    ),
)

_BY_NAME: Final = {bug.name: bug for bug in ZOO}


_PLANTED: Final[dict[str, ExitStack]] = {}
"""How the bugs that are in now are taken out again."""


@contextmanager
def planted(name: str) -> Generator[Bug]:
    """Have the engine make this mistake for a while."""
    bug = _BY_NAME[name]
    assert name not in _PLANTED, f"{name} is planted already"
    _PLANTED[name] = ExitStack()
    bug.plant(_PLANTED[name])
    try:
        yield bug
    finally:
        _PLANTED.pop(name).close()


@contextmanager
def mended(name: str) -> Generator[Bug]:
    """Have the engine not make the mistake that is planted, for a while."""
    bug = _BY_NAME[name]
    _PLANTED[name].close()
    try:
        yield bug
    finally:
        bug.plant(_PLANTED[name])


def zoo_names(bug: Bug) -> str:
    """Show a parametrised bug by its name."""
    return bug.name
