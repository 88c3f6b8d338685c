"""`signalreel.verify.canonical`: states of one key go on alike, and what decides anything is in the key."""

from typing import Any, Final, cast

import pytest
from msgspec.structs import replace

from signalreel.events import Track
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.shapes import (
    Call,
    Member,
    Pair,
    PairState,
    Places,
    Playback,
    PlaybackState,
    Room,
    RoomState,
    Stream,
    StreamState,
)
from signalreel.settings import Settings
from signalreel.step import Source
from signalreel.verify.branching import Branching, Saved
from signalreel.verify.canonical import KEY_SIZE, form_of, key_of
from signalreel.verify.moves import NEVER_LATE, moves_of
from signalreel.verify.moving import Memory
from signalreel.verify.worlds import WORLDS, World

LEFT_OUT: Final = {"timer", "born_at", "since"}
"""Fields that decide nothing: the generation of a timer is compared with its own wake-up alone, the others are told."""

COMPARED_WITH_NOTHING: Final = {(Kind.PAIR, "born"), (Kind.ROOM, "born")}
"""The births of pairs and rooms: only a reference to the same life holds them."""

MACHINES: Final[dict[Kind, AnyMachine]] = {
    Kind.STREAM: Stream("live", "s", StreamState.PREPARING, born=2, sessions=("a",), wake_at=9),
    Kind.PLAYBACK: Playback("live", "a/s", PlaybackState.PREPARING, born=3, sessions=("a",), wake_at=9),
    Kind.PAIR: Pair("live", "p", PairState.WAITING, born=4, sessions=("a",), modes=("both",)),
    Kind.ROOM: Room("live", "r", RoomState.OPEN, born=5, sessions=("a",), members=(Member(5, "a", "s", joined=True),)),
}

State = tuple[Saved, Memory, int]
"""What a search goes on from: the engine's state, the monitor's memory, the time."""

OTHERWISE: Final[dict[str, Any]] = {
    "tracks": (Track("v", "video"),),
    "sources": (Source("x", 2),),
    "places": Places(3),
    "calls": (Call("drawn-1", "b"),),
    "members": (Member(5, "a", "s", joined=False),),
    "sessions": ("a", "b"),
    "state": "another",
}
"""Other values, for fields for which they cannot be made up."""


def key(machine: AnyMachine, kind: Kind) -> bytes:
    """The key of a state that holds this machine and no other, and two open sessions."""
    engine = Branching(Settings())
    engine.context.machines[kind, machine.app, machine.id] = machine
    engine.context.machines[Kind.STREAM, "live", "beside"] = Stream("live", "beside", StreamState.BROADCASTING, born=6)
    form = form_of(engine.context, {}, Memory(Branching(Settings())), 1, with_server=False)
    return key_of(form, {}, None)


def other(name: str, value: object) -> object:
    """Another value for a field."""
    if name in OTHERWISE:
        return OTHERWISE[name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 5
    return (*cast(tuple[object, ...], value), "x") if isinstance(value, tuple) else f"{value}x"


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, machine in MACHINES.items() for name in machine.__struct_fields__]
)
def test_every_field_that_decides_something_counts(kind: Kind, name: str) -> None:
    """With another value the state is another one; a field that is added later must find its place here."""
    machine = MACHINES[kind]
    changed = replace(machine, **{name: other(name, getattr(machine, name))})
    counts = name not in LEFT_OUT and (kind, name) not in COMPARED_WITH_NOTHING

    assert (key(changed, kind) != key(machine, kind)) is counts


def followed(world: World, states: int) -> tuple[list[State], list[tuple[State, State]]]:
    """Go through a world; give its states, and pairs of different ones that have one key."""
    engine = Branching(world.settings)
    start = (engine.save(), Memory(engine), 0)
    seen: dict[bytes, State] = {}
    todo: list[State] = [start]
    twins: list[tuple[State, State]] = []
    while todo and len(seen) < states:
        saved, memory, now = todo.pop(0)
        for found in successors(world, saved, memory, now):
            state, its_key = found
            if its_key not in seen:
                seen[its_key] = state
                todo.append(state)
            elif state[0].seq != seen[its_key][0].seq or list(state[0].sessions) != list(seen[its_key][0].sessions):
                twins.append((state, seen[its_key]))
    return list(seen.values()), twins


def successors(world: World, saved: Saved, memory: Memory, now: int) -> list[tuple[State, bytes]]:
    """Everything that a state leads to, with its key."""
    engine = Branching(world.settings)
    found: list[tuple[State, bytes]] = []
    for move in moves_of(world, saved, now, {}, NEVER_LATE):
        engine.resume(saved)
        if move.record is None:
            found.append(((saved, memory, move.now), keyed(engine, memory, move.now)))
            continue
        engine.attempt(move.record)
        engine.keep()
        remembered = Memory(engine)
        found.append(((engine.save(), remembered, move.record.time), keyed(engine, remembered, move.record.time)))
    return found


def keyed(engine: Branching, memory: Memory, now: int) -> bytes:
    """The key of the state that an engine is in."""
    return key_of(form_of(engine.context, engine.open, memory, now, with_server=True), {}, None)


@pytest.mark.parametrize("name", ["pair-anyone", "stream", "room-whole", "grant"])
def test_states_of_one_key_go_on_alike(name: str) -> None:
    """Whatever their sessions are called and whenever they came about: each leads to the same states as the other."""
    world = replace(WORLDS[name], is_late=False)
    _, twins = followed(world, 300)

    assert len(twins) > 50
    for one, another in twins[:: len(twins) // 50]:
        assert sorted(found[1] for found in successors(world, *one)) == sorted(
            found[1] for found in successors(world, *another)
        )


def test_a_key_has_its_size() -> None:
    """However much there is in the state."""
    assert len(key(MACHINES[Kind.ROOM], Kind.ROOM)) == KEY_SIZE
