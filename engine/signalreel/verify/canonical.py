"""When two states of a search are the same: nothing that can follow from the one cannot follow from the other.

The key of a state is a digest of its canonical form. In that form

- seqs that are compared with one another (births of streams and playbacks, seats, absences) are replaced by their rank;
  the generation of a timer is left out, because it is only ever compared with that of a wake-up, which is of this very
  timer or else retired;
- times are the time that remains; when something began, which is told to people and decides nothing, is left out;
- sessions have no names. Everything that ties a session to the state is a place in a machine or in what is on its way
  to that session, so a state is what stands at its places, and for each session the places it has: no two sessions are
  compared, and no permutation is tried.
"""

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.context import Context, Session
from signalreel.machines.shapes import Pair, Playback, Room, Stream
from signalreel.verify.moving import Memory

__all__ = ("KEY_SIZE", "Form", "form_of", "key_of")

KEY_SIZE: Final = 16
"""Bytes of a key: of a thousand million states no two are likely to share one."""

_encode: Final = msgspec.msgpack.Encoder().encode


class Form(Struct, gc=False):
    """The canonical form of an engine's state, but for what is around the sessions."""

    parts: bytes
    roles: dict[str, bytes]  #: of each session


def form_of(context: Context, sessions: Mapping[str, Session], memory: Memory, now: int, *, with_server: bool) -> Form:
    """Bring a state into its canonical form; with what is known of the server, where that may change."""
    machines = context.machines
    writing = _Writing(sessions, _ranks_of(machines.values()), memory, now)
    for place in sorted(machines) if len(machines) > 1 else machines:
        writing.machine(place, machines[place])
    wall = now + context.environment.clock_offset
    for used in context.used.all():
        writing.role(used.session, ("used", used.app, used.tag, _left(used.until, wall)))
    for (app, tag), (session, until) in memory.used().items():
        writing.role(session, ("remembered", app, tag, _left(until, wall)))
    if len(context.registry):
        writing.parts.append(context.registry.all())
    for session, standings in context.standings.all():
        held = context.indexes.held(session)
        for standing in standings:
            if (standing.kind, sessions[session].app, standing.id) in held:
                stands_as = replace(standing, id=standing.id.removeprefix(f"{session}/"))
                writing.role(session, ("standing", stands_as))
    if with_server:
        writing.parts.append((context.environment, context.settings))
    written = {id: _written(sessions.get(id), roles) for id, roles in writing.roles.items()}
    return Form(_encode(writing.parts), written)


def _written(session: Session | None, held: list[object]) -> bytes:
    """Write down everything there is about a session but its name; one that has closed may still be remembered."""
    if len(held) > 1:
        held.sort(key=_encode)
    return _encode((session.app, session.identity, held) if session is not None else held)


def key_of(form: Form, around: Mapping[str, object], rest: object) -> bytes:
    """Give the key of a state. `around` has what else is known of each session, `rest` what concerns none."""
    if around:
        signatures = [
            roles + _encode(around[session]) if session in around else roles for session, roles in form.roles.items()
        ]
    else:
        signatures = list(form.roles.values())
    signatures.sort()
    return blake2b(_encode((form.parts, signatures, rest)), digest_size=KEY_SIZE).digest()


def _left(until: int, now: int) -> int:
    """Say how long until then; 0 for never, -1 when it is over, however long ago."""
    return (until - now if until > now else -1) if until else 0


def _ranks_of(machines: Iterable[AnyMachine]) -> dict[int, int]:
    """Number the seqs that machines hold and compare, in their order; 0 stays 0."""
    seqs = {0}
    for machine in machines:
        if type(machine) is Stream:
            seqs.add(machine.born)
            seqs.add(machine.away_since)
        elif type(machine) is Playback:
            seqs.add(machine.born)
            seqs.update([source.born for source in machine.sources])
        elif type(machine) is Room:
            seqs.update([member.since for member in machine.members])
    return {seq: rank for rank, seq in enumerate(sorted(seqs))}


class _Writing:
    """Writes a state down: what stands at its places, and the places that each session has.

    Every field of the machines is written, but for those of which the docstring of this module says why not.
    """

    def __init__(self, sessions: Iterable[str], ranks: dict[int, int], memory: Memory, now: int) -> None:
        self.parts: list[object] = []
        self.roles: dict[str, list[object]] = {id: [] for id in sessions}
        self._ranks = ranks
        self._memory = memory
        self._now = now

    def role(self, session: str, role: object) -> None:
        """Write a place of a session down."""
        found = self.roles.get(session)
        if found is None:
            self.roles[session] = [role]
        else:
            found.append(role)

    def machine(self, place: Key, machine: AnyMachine) -> None:
        """Write a machine down."""
        _WRITERS[place[0]](self, machine)

    def stream(self, stream: Stream) -> None:
        """Write a stream down."""
        ranks, now = self._ranks, self._now
        app, id = stream.app, stream.id
        for place, session in enumerate(stream.sessions):
            self.role(session, ("stream", app, id, place))
        told = self._memory.publisher(app, id)
        if told:
            self.role(told, ("told", app, id))
        self.parts.append(
            (
                "stream",
                app,
                id,
                stream.state,
                len(stream.sessions),
                ranks[stream.born],
                _left(stream.wake_at, now),
                (stream.watches, stream.waits_for, stream.placed_in, stream.listed_in),
                (stream.name, stream.meta_data, stream.subscriber_id, stream.identity, stream.role),
                (stream.video, stream.audio, stream.tracks),
                stream.restored,
                ranks[stream.away_since],
            )
        )

    def playback(self, playback: Playback) -> None:
        """Write a playback down."""
        ranks, now = self._ranks, self._now
        session = playback.sessions[0] if playback.sessions else playback.id.partition("/")[0]
        role = (
            "playback",
            playback.app,
            playback.id.removeprefix(f"{session}/"),
            playback.state,
            len(playback.sessions),
            ranks[playback.born],
            _left(playback.wake_at, now),
            (playback.watches, playback.waits_for, playback.placed_in, playback.listed_in),
            playback.whole_room,
            (playback.room, playback.track_list, playback.publishes, playback.subscriber_id, playback.subscriber_name),
            playback.switched_off,
            playback.places,
            [(source.stream_id, ranks[source.born]) for source in playback.sources],
        )
        self.role(session, role)

    def pair(self, pair: Pair) -> None:
        """Write a pair down."""
        now = self._now
        app, id = pair.app, pair.id
        offerer, unanswered = self._memory.unanswered(app, id)
        for place, session in enumerate(pair.sessions):
            self.role(session, ("pair", app, id, place))
        if pair.offerer:
            self.role(pair.offerer, ("offers", app, id))
        if offerer:
            self.role(offerer, ("is awaited", app, id))
        for call in pair.calls:
            self.role(call.session, ("call", app, id, call.id))
        self.parts.append(
            (
                "pair",
                app,
                id,
                pair.state,
                _left(pair.wake_at, now),
                (pair.watches, pair.waits_for, pair.placed_in, pair.listed_in),
                pair.modes,
                pair.owed,
                unanswered,
                pair.drawn_for,
                [call.id for call in pair.calls],
            )
        )

    def room(self, room: Room) -> None:
        """Write a room down."""
        ranks, now = self._ranks, self._now
        app, id = room.app, room.id
        for place, member in enumerate(room.members):
            self.role(member.session, ("seat", app, id, place, ranks[member.since], member.stream_id, member.joined))
        for place, session in enumerate(room.sessions):
            self.role(session, ("room", app, id, place))
        self.parts.append(
            (
                "room",
                app,
                id,
                room.state,
                _left(room.wake_at, now),
                (room.watches, room.waits_for, room.placed_in, room.listed_in),
                room.meta_data,
            )
        )


_WRITERS: Final[dict[Kind, Callable[[_Writing, Any], None]]] = {
    Kind.STREAM: _Writing.stream,
    Kind.PLAYBACK: _Writing.playback,
    Kind.PAIR: _Writing.pair,
    Kind.ROOM: _Writing.room,
}
