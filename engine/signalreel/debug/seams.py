"""What stands at the seam of a reel, when the reel is redacted, or a part is taken out of it or away from it.

What a snapshot consists of goes by its places, which are those of `statehash`: a session's, a machine's key, and those
of registrations, of used tags and of what a session stands for.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, cast

from msgspec.structs import replace

from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.registry import AnyRegistered, Place, Registered
from signalreel.machines.shapes import Playback, Room
from signalreel.registered import Block, PushRegistration
from signalreel.snapshot import Snapshot, decode_snapshot, encode_snapshot

__all__ = ("names_by_place", "pruned_seam", "redacted_seam", "renamed_snapshot", "texts_of_seam", "without_places")

_Part = tuple[tuple[Place, AnyRegistered], ...]

_KINDS_OF_PLACES: Final = dict(
    zip(
        Registered.__struct_fields__,
        ("registered stream", "registered room", "issued token", "subscriber", "block", "push registration"),
        strict=True,
    )
)
"""How the place of each kind of registration begins: a word, not a name."""


def texts_of_seam(seam: bytes, walk: Callable[[Any], Any]) -> None:
    """Have everything walked that a seam is made of. Raises `ReelDamaged` when it cannot be read."""
    walk(decode_snapshot(seam))


def redacted_seam(
    seam: bytes, value: Callable[[Any], Any], name: Callable[[str], str], digest: Callable[[bytes], bytes]
) -> bytes:
    """Redact a seam: `value` gives anything redacted, `name` the pseudonym of a text, `digest` what stands for one."""
    snapshot = decode_snapshot(seam)
    return encode_snapshot(replace(renamed_snapshot(snapshot, value, name), digest=digest(snapshot.digest)))


def renamed_snapshot(snapshot: Snapshot, value: Callable[[Any], Any], name: Callable[[str], str]) -> Snapshot:
    """Have other names in a snapshot: `value` gives anything with them, `name` what a text has become."""
    renamed: Snapshot = value(snapshot)
    parts: dict[str, Any] = {
        part: _part(kind, getattr(snapshot.registered, part), value, name) for part, kind in _KINDS_OF_PLACES.items()
    }
    return replace(renamed, registered=Registered(**parts))


def _part(kind: str, part: _Part, value: Callable[[Any], Any], name: Callable[[str], str]) -> _Part:
    """Redact one kind of registration. A place is made of the kind, names, and now and then a word of the value's."""
    made: list[tuple[Place, AnyRegistered]] = []
    for place, original in part:
        redacted = cast(AnyRegistered, value(original))
        names = [name(text) for text in place[1:]]
        match redacted:
            case Block(purpose=purpose):
                names[-1:] = [str(purpose)]
            case PushRegistration(pns_type=service):
                names[-1:] = [service]
            case _:
                pass
        made.append(((kind, *names), redacted))
    return tuple(made)


# ---------------------------------------------------------------- parts of it


_MACHINES: Final = {Kind.STREAM: "streams", Kind.PLAYBACK: "playbacks", Kind.PAIR: "pairs", Kind.ROOM: "rooms"}


def pruned_seam(seam: bytes, sessions: set[str], lives: set[tuple[str, str, str]]) -> bytes:
    """Keep of a seam some sessions and machines (kind, app, id) alone, and what is about none."""
    snapshot = decode_snapshot(seam)
    gone = {
        place
        for place in names_by_place(snapshot)
        if (place[0] in {"session", "standings"} and place[1] not in sessions)
        or (place[0] in _MACHINES and place not in lives)
    }
    return encode_snapshot(_left(snapshot, gone))


def names_by_place(snapshot: Snapshot) -> dict[Place, frozenset[str]]:
    """Give every place of a snapshot at which something stands, and the names that it is about."""
    found: dict[Place, frozenset[str]] = {}
    for session in snapshot.sessions:
        found["session", session.id] = frozenset((session.id,))
    for used in snapshot.used:
        found["used", used.app, used.tag] = frozenset((used.tag, used.session))
    for session_id, standings in snapshot.standings:
        names = {name for standing in standings for name in standing.ids}
        found["standings", session_id] = frozenset((session_id, *names))
    for kind, machine in _machines(snapshot):
        tied = (id for _, id in _tied_to(machine))
        found[kind, machine.app, machine.id] = frozenset((*machine.id.split("/"), *machine.sessions, *tied))
    for part in Registered.__struct_fields__:
        found |= {place: frozenset(place[2:]) for place, _ in getattr(snapshot.registered, part)}
    return found


def without_places(snapshot: Snapshot, gone: Collection[Place]) -> Snapshot:
    """Take places out of a snapshot, with all that cannot be without them.

    A session takes along what it holds, and its seats; a machine takes along what is tied to it by its id.
    """
    out: set[Place] = set(gone)
    size = -1
    while len(out) > size:
        size = len(out)
        for kind, machine in _machines(snapshot):
            holders = () if isinstance(machine, Room) else machine.sessions
            if any(("session", session) in out for session in holders) or any(
                (one, machine.app, id) in out for one, id in _tied_to(machine)
            ):
                out.add((kind, machine.app, machine.id))
    out |= {("standings", session) for session, _ in snapshot.standings if ("session", session) in out}
    left = _left(snapshot, out)
    return replace(left, rooms=tuple(_with_seats(room, out) for room in left.rooms))


def _machines(snapshot: Snapshot) -> Iterator[tuple[Kind, AnyMachine]]:
    for kind, field in _MACHINES.items():
        for machine in getattr(snapshot, field):
            yield kind, machine


def _tied_to(machine: AnyMachine) -> Iterator[tuple[Kind, str]]:
    """Give the machines that one is about."""
    if machine.placed_in:
        yield Kind.ROOM, machine.placed_in
    if machine.watches:
        yield Kind.ROOM if isinstance(machine, Playback) and machine.whole_room else Kind.STREAM, machine.watches


def _with_seats(room: Room, out: Collection[Place]) -> Room:
    """Leave out the seats of sessions that are gone, and those that were there for a stream alone that is."""
    gone = [
        seat
        for seat in room.members
        if ("session", seat.session) in out or (not seat.joined and (Kind.STREAM, room.app, seat.stream_id) in out)
    ]
    for seat in gone:
        room = room.without_seat(seat)
    return room


def _left(snapshot: Snapshot, out: Collection[Place]) -> Snapshot:
    """Give what stands at the other places, as it is."""
    registered: dict[str, Any] = {
        part: tuple(each for each in getattr(snapshot.registered, part) if each[0] not in out)
        for part in Registered.__struct_fields__
    }
    machines: dict[str, Any] = {
        field: tuple(one for one in getattr(snapshot, field) if (kind, one.app, one.id) not in out)
        for kind, field in _MACHINES.items()
    }
    return replace(
        snapshot,
        sessions=tuple(session for session in snapshot.sessions if ("session", session.id) not in out),
        used=tuple(used for used in snapshot.used if ("used", used.app, used.tag) not in out),
        standings=tuple(each for each in snapshot.standings if ("standings", each[0]) not in out),
        registered=Registered(**registered),
        **machines,
    )
