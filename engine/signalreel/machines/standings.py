"""Who acts in whose name: what each session holds, and under which names and tags it was let in.

A block that is made later ends what its subscriber holds, and a subscriber may hold a stream in so many sessions at
once: both need to know who holds what as whom. A standing is noted when a command is accepted, and means nothing any
more once the session holds its machine no longer.
"""

from collections.abc import Collection, Iterator

from msgspec import Struct

from signalreel.commands import Command, GetTrackList, Join, JoinRoom, Play, Publish
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import Key
from signalreel.registered import LABEL_LENGTH_MAX, Purpose

__all__ = ("Standing", "Standings", "StandingsOf", "Wish", "names_in", "wish_of")


class Wish(Struct, frozen=True, gc=False):
    """What a command that needs access asks for."""

    kind: Kind  #: of the machine that it is about
    id: str  #: of that machine
    purpose: Purpose
    ids: tuple[str, ...]  #: the stream or room that it names, and the room it says that is in


class Standing(Struct, frozen=True, array_like=True, gc=False):
    """One machine that a session holds, and as whom."""

    kind: Kind
    id: str
    purpose: Purpose
    ids: tuple[str, ...]  #: the streams and rooms that it is about, what the command named first
    names: tuple[str, ...]  #: claimed by the command, or vouched for by the host
    identity: str  #: the tag under which the gate let it in


class StandingsOf(Struct, frozen=True, array_like=True, gc=False):
    """All that one session stands for, as the digest of the state covers it."""

    standings: tuple[Standing, ...]


def wish_of(command: Command, session: str) -> Wish | None:
    """Read what a command asks access for; None when it is none that needs any."""
    match command:
        case Publish(stream_id=id, main_track=room):
            return Wish(Kind.STREAM, id, Purpose.PUBLISH, (id, room) if room else (id,))
        case Play(stream_id=id, room=room):
            return Wish(Kind.PLAYBACK, playback_id(session, id), Purpose.PLAY, (id, room) if room else (id,))
        case Join(stream_id=id, mode=mode):
            return Wish(Kind.PAIR, id, Purpose.PLAY if mode == "play" else Purpose.PUBLISH, (id,))
        case JoinRoom(room=id):
            return Wish(Kind.ROOM, id, Purpose.PLAY, (id,))
        case GetTrackList(stream_id=id):
            return Wish(Kind.STREAM, id, Purpose.PLAY, (id,))
        case _:
            return None


def names_in(command: Command, vouched: str) -> tuple[str, ...]:
    """The names under which a command comes: what it claims, and whom the host vouches for."""
    claimed = command.subscriber_id if isinstance(command, Publish | Play) else ""
    if len(claimed) > LABEL_LENGTH_MAX:
        claimed = ""  # Nobody of so long a name is registered or blocked: keeping it would only fill memory.
    if not claimed:
        return (vouched,) if vouched else ()
    return (claimed,) if vouched in {"", claimed} else (claimed, vouched)


class Standings:
    """The standings of every session, found by session and by name or tag."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[Standing, ...]] = {}
        self._by: dict[tuple[str, str], dict[str, None]] = {}

    def branch(self) -> "Standings":
        """A copy that goes its own way."""
        other = Standings.__new__(Standings)
        vars(other).update(
            _of=self._of.copy(),
            _by={one: sessions.copy() for one, sessions in self._by.items()},
        )
        return other

    def __len__(self) -> int:
        return len(self._of)

    def of(self, session: str) -> tuple[Standing, ...]:
        """What was noted of a session."""
        return self._of.get(session, ())

    def sessions(self, app: str, *whom: str) -> list[str]:
        """The sessions that act under any of these names and tags, sorted."""
        found = {session for one in whom if one for session in self._by.get((app, one), ())}
        return sorted(found)

    def all(self) -> tuple[tuple[str, tuple[Standing, ...]], ...]:
        """Everything noted, by session."""
        return tuple(self._of.items())

    def put(self, app: str, session: str, standings: tuple[Standing, ...]) -> None:
        """Note all that a session stands for, in place of what was noted before; nothing forgets it."""
        for one in _whom(self._of.pop(session, ())):
            of_name = self._by[app, one]
            del of_name[session]
            if not of_name:
                del self._by[app, one]
        if standings:
            self._of[session] = standings
            for one in _whom(standings):
                self._by.setdefault((app, one), {})[session] = None

    def others(self, app: str, session: str, machine: tuple[Kind, str], held: Collection[Key]) -> tuple[Standing, ...]:
        """What was noted of a session besides one machine, of what it still holds."""
        return tuple(
            one for one in self.of(session) if (one.kind, one.id) != machine and (one.kind, app, one.id) in held
        )


def _whom(standings: tuple[Standing, ...]) -> Iterator[str]:
    yield from dict.fromkeys(one for standing in standings for one in (*standing.names, standing.identity) if one)
