"""The engine under any sequence of anything, before a second opinion: nobody is told what is not theirs to know.

`rights` holds the rules; here are the histories they are put to: runs in which every command of the protocol is said by
anybody about anything, with marks in every text that a client writes, and the tour of every row of the tables.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Annotated, Any, Final, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from signalreel.commands import (
    COMMANDS,
    AnyCommand,
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
from signalreel.decoding import without_secrets
from signalreel.events import LicenceChanged, ResourcesMeasured, SettingsChanged
from signalreel.host import (
    BlockSubscriber,
    RegisterRoom,
    RegisterStream,
    UnregisterRoom,
    UnregisterStream,
)
from signalreel.identifiers import Kind
from signalreel.record import Grant
from signalreel.registered import RegisteredRoom, RegisteredStream
from signalreel.settings import Settings
from tests.engine.rights import GATED, Rights, Violation, mark
from tests.engine.scenes import SETTINGS
from tests.engine.test_engine_random import (
    GRANTS,
    INITIAL,
    SESSIONS,
    Chance,
    begin_anew,
    come_and_go,
    go_on,
    let_time_pass,
    order,
    report,
    surround,
)
from tests.engine.tour import tour
from tests.engine.world import World, told

HAPPENINGS_IN_A_RUN: Final = 1_000
RUNS: Final = 20

SEEDS_DEEP: Final = 3
STRANGER: Final = "stranger"

RELAYED_MIN: Final = 500
"""Messages that one client causes for another in these runs together: what there is to judge."""

NAMES: Final = {"stream_id", "track_id", "video_track_id", "user_publish_id"}
ROOM_NAMES: Final = {"room", "main_track"}
CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "type": ("offer", "offer", "answer", "answer", "neither"),
    "mode": ("both", "both", "play", "legacy"),
    "label": (0, 1),
    "stream_height": (0, 360),
    "offset": (0, 0, 1, 65_535),
    "size": (0, 1, 50, 65_535),
    "max_track_count": (-1, 0, 1),
    "track_list": ((), (), ("s1",), ("!s1",), ("!s1", "!s2")),
    "sort_by": ("", "name", "date", "status", "neither"),
    "order_by": ("", "desc"),
    "search": ("", "S", "~"),
    "status": ("", "broadcasting", "preparing"),
    "pns_type": ("fcm", "apn", ""),
    "subscriber_ids_to_notify": ((), ("alice", "bob")),
}
"""Fields that are neither names nor free text, and what stands in them."""

ONCE: Final = tuple(Grant(allowed=True, identity=who, once=once) for who in ("alice", "bob") for once in ("t1", "t2"))
HIDING: Final = replace(INITIAL, hide_streams=True, room_events=True)


def value_of(name: str, hint: object, session: str, chance: Chance) -> object:
    """Something that may stand in a field of a command; a free text says who wrote it."""
    if name in CHOICES:
        return chance.choice(CHOICES[name])
    if name in NAMES:
        return chance.name()
    if name in ROOM_NAMES:
        return chance.room()
    plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if plain is bool:
        return chance.flag()
    if plain is Any:
        return {"said": [mark(session, name)]}
    assert plain is str, f"a field of a new sort: {name}: {hint}"
    return mark(session, name) if chance.random() < 0.9 else ""


def command_of(kind: type[AnyCommand], session: str, chance: Chance) -> AnyCommand:
    """A command with something in every field, as it stands on a record."""
    fields = {
        name: value_of(name, hint, session, chance)
        for name, hint in get_type_hints(kind, include_extras=True).items()
        if name in kind.__struct_fields__
    }
    return without_secrets(kind(**cast(Any, fields)))


SAID: Final = (
    *COMMANDS.values(),
    *(COMMANDS[name] for name in ("publish", "play", "takeConfiguration") * 4),
    Join,
    Join,
)


def say(world: World, chance: Chance) -> None:
    """Some session sends some command; half of the time it is one that has to do with what it is about."""
    session = chance.choice(list(SESSIONS))
    kind = cast(type[AnyCommand], chance.choice(SAID))
    alive = [machine for _, machine in world.engine.machines()]
    if alive and chance.random() < 0.8:
        machine = chance.choice(alive)
        chance.focus = machine.watches or machine.id
        if machine.sessions and chance.random() < 0.7:
            session = chance.choice(machine.sessions)
    if kind in {Join, Leave} and chance.random() < 0.7:
        chance.focus = "p1"
    command = command_of(kind, session, chance)
    grant = chance.choice((*GRANTS, *ONCE)) if isinstance(command, GATED) else None
    world.say(session, command, grant=grant)
    chance.focus = ""


def meet(world: World, chance: Chance) -> None:
    """Sessions do what sessions do: publish in a room, play it or a stream of it, join it, or call each other."""
    session = chance.choice(("a", "b", "c"))
    id = {"a": "s1", "b": "s2", "c": "s3"}[session]
    said = (
        Publish(id, main_track="r1", stream_name=mark(session, "stream_name"), meta_data=mark(session, "meta_data")),
        Play("r1", room="r1", subscriber_name=mark(session, "subscriber_name")),
        Play(chance.choice(("s1", "s2", "s3")), subscriber_id=mark(session, "subscriber_id")),
        JoinRoom("r1", chance.choice(("", id)), stream_name=mark(session, "stream_name")),
        Join("p1"),
        Join("p1"),
    )
    command = chance.choice(said)
    world.say(session, command, grant=chance.choice((None, Grant(allowed=True, identity="alice"))))


def negotiate(world: World, chance: Chance) -> None:
    """A peer says something to the other one."""
    pairs = [machine for _, machine in world.engine.machines(Kind.PAIR) if len(machine.sessions) > 1]
    if not pairs:
        return
    pair = chance.choice(pairs)
    session = chance.choice(pair.sessions)
    chance.focus = pair.id
    kinds: tuple[type[AnyCommand], ...] = (TakeConfiguration, TakeConfiguration, TakeCandidate, PeerMessage)
    world.say(session, command_of(chance.choice(kinds), session, chance))
    chance.focus = ""


def hide(world: World, chance: Chance) -> None:
    """Streams are hidden from now on, until the surroundings change."""
    world.report(SettingsChanged(HIDING))


def register(world: World, chance: Chance) -> None:
    """The host writes what is registered."""
    id, room = chance.choice(("s1", "s2")), chance.choice(("r1", "r2"))
    kept = RegisteredStream(id, main_track=chance.choice(("", "r1")), waits=chance.flag(), meta_data="of the operator")
    who = chance.choice(("alice", "bob"))
    orders = (
        RegisterStream(app="live", stream=kept),
        UnregisterStream(app="live", stream_id=id),
        RegisterRoom(app="live", room=RegisteredRoom(room)),
        UnregisterRoom(app="live", room=room),
        BlockSubscriber(app="live", subscriber_id=who, identity=who, until=chance.choice((0, 2**40))),
        BlockSubscriber(app="live", subscriber_id=who, identity=who, until=0),
    )
    world.order(chance.choice(orders))


HAPPENINGS: Final[tuple[Callable[[World, Chance], None], ...]] = (
    *(say,) * 30,
    *(meet,) * 12,
    *(negotiate,) * 6,
    *(go_on,) * 20,
    *(report,) * 3,
    *(come_and_go,) * 3,
    let_time_pass,
    order,
    register,
    hide,
    *(surround,) * 2,
    begin_anew,
)


def judged(world: World, initial: Settings) -> Rights:
    """Put a whole history before the rules."""
    rights = Rights(initial)
    for past in world.past:
        rights.follow(past.record, past.step)
    return rights


@cache
def run(seed: int, happenings: int = HAPPENINGS_IN_A_RUN) -> World:
    """Let everything of a run happen."""
    chance = Chance(seed)
    world = World(INITIAL, state_digest_every=64)
    for session, app in SESSIONS.items():
        world.open(session, app=app)
    for _ in range(happenings):
        chance.choice(HAPPENINGS)(world, chance)
    return world


@settings(max_examples=RUNS)
@given(st.integers(0, 2**32 - 1))
def test_nobody_is_told_what_is_not_theirs(seed: int) -> None:
    """Every command of the protocol from five sessions in two apps: each message is one that its receiver may get."""
    judged(run(seed), INITIAL)


def test_the_runs_have_something_to_judge() -> None:
    """Together they say every command, and cause enough messages from one client to another."""
    worlds = [run(seed) for seed in range(RUNS)]
    said = {type(record.command) for world in worlds for record in world.records if record.command is not None}

    assert said == set(COMMANDS.values())
    assert sum(judged(world, INITIAL).relayed for world in worlds) >= RELAYED_MIN


def test_the_tour_tells_nobody_what_is_not_theirs() -> None:
    """Neither does any row of the tables, in the scenes that fire each of them."""
    judged(tour(), SETTINGS)


@pytest.mark.parametrize("seed", range(SEEDS_DEEP))
def test_a_message_to_a_stranger_is_objected_to(seed: int) -> None:
    """The rules can fail: each message of a run, told to a session that only listens instead, is one too many."""
    rights = Rights(INITIAL)
    for record, step in ((past.record, past.step) for past in run(seed).past):
        for number, (_, message) in enumerate(step.messages):
            misled = [*step.messages[:number], (STRANGER, message), *step.messages[number + 1 :]]
            listening = deepcopy(rights)
            listening.sessions[STRANGER] = "live"
            with pytest.raises(Violation):
                listening.follow(record, replace(step, messages=misled))
        rights.follow(record, step)


@pytest.mark.parametrize("seed", range(SEEDS_DEEP))
def test_no_id_is_stuck_when_everyone_has_gone(seed: int) -> None:
    """Contract 14: when all sessions have closed, anyone can publish, join and enter under every id there was."""
    world = run(seed, HAPPENINGS_IN_A_RUN - 1)
    for event in (ResourcesMeasured(0, 1_000), LicenceChanged(suspended=False), SettingsChanged(INITIAL)):
        world.report(event)
    for session in world.engine.sessions():
        world.close(session.id)
    while world.engine.deadline() is not None:
        world.wake()
    # What is registered outlives the calls, and may close an id or put its stream into a room.
    for found in world.engine.registry.registrations("live"):
        world.order(UnregisterStream(app="live", stream_id=found.stream.stream_id))
    for room in world.engine.registry.rooms("live"):
        world.order(UnregisterRoom(app="live", room=room.room))
    for id in ("s1", "s2", "s3", "r1", "r2", "p1"):
        world.open(f"late-{id}")
        answers = [
            [type(message).__name__ for message in told(world.say(f"late-{id}", command), f"late-{id}")]
            for command in (Publish(id), Stop(id), Join(id), Leave(id), JoinRoom(id), LeaveFromRoom(id))
        ]
        assert answers == [["Start"], [], *[["Notification"]] * 4], id
