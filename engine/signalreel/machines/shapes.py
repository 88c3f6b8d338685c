"""What the four machines are: their states, and what each of them keeps.

What they do is in the modules of their tables, which look at one another's machines by these shapes.
"""

from bisect import bisect_left
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.events import Track
from signalreel.machines.base import Machine
from signalreel.step import Source

__all__ = (
    "Call",
    "Member",
    "Pair",
    "PairState",
    "Places",
    "Playback",
    "PlaybackState",
    "Room",
    "RoomState",
    "Stream",
    "StreamState",
    "is_live",
)


class StreamState(StrEnum):
    """Where a stream is."""

    IDLE = "idle"
    PREPARING = "preparing"
    NEGOTIATING = "negotiating"
    CONNECTING = "connecting"
    BROADCASTING = "broadcasting"
    RESTORING = "restoring"
    FINISHED = "finished"


class Stream(Machine[StreamState], frozen=True, gc=False, cache_hash=True, omit_defaults=True):
    """A published stream. `placed_in` names its room from the start, `listed_in` only while it is live there."""

    name: str = ""  #: what the publisher calls it, told to the members of its room
    meta_data: str = ""
    subscriber_id: str = ""
    video: bool = True  #: wanted by the publisher
    audio: bool = True
    identity: str = ""  #: who published it, as the gate recorded; empty when no gate was asked
    role: str = ""
    tracks: tuple[Track, ...] = ()
    restored: bool = False  #: its publisher has come back inside the restore window
    away_since: int = 0  #: seq of the record by which its publisher was last lost


_BROADCASTING: Final = StreamState.BROADCASTING


def is_live(machine: object) -> bool:
    """Whether this is a stream that can be played now."""
    return isinstance(machine, Stream) and machine.state is _BROADCASTING


class PlaybackState(StrEnum):
    """Where a playback is."""

    IDLE = "idle"
    WAITING = "waiting"
    PREPARING = "preparing"
    OFFERED = "offered"
    CONNECTING = "connecting"
    PLAYING = "playing"
    UPDATING = "updating"
    REOFFERED = "reoffered"
    FINISHED = "finished"


class Places(Struct, frozen=True, array_like=True, gc=False):
    """What a player of a whole room has said of its places for pictures."""

    limit: int = -1  #: as many as there are; -1: for all
    offset: int = 0  #: the page of those that are not reserved begins here
    size: int = 0  #: and has so many; 0: all the rest
    reserved: tuple[str, ...] = ()  #: streams that are shown in any case


class Playback(Machine[PlaybackState], frozen=True, gc=False, cache_hash=True, omit_defaults=True):
    """A session playing what `watches` names. Its id is the session's and that name's."""

    whole_room: bool = False  #: `watches` is a room
    room: str = ""  #: the room it is played in; leaving that room ends it
    track_list: tuple[str, ...] = ()  #: as the player asked
    publishes: str = ""  #: a stream that is the player's own, by what it says of itself
    subscriber_id: str = ""  #: the names the player gave
    subscriber_name: str = ""
    switched_off: bool = False  #: it gets no track before it switches that on
    places: Places | None = None  #: None: it gets every picture
    sources: tuple[Source, ...] = ()  #: what the newest offer shows


class PairState(StrEnum):
    """Where a pair is."""

    EMPTY = "empty"
    EXPECTED = "expected"
    WAITING = "waiting"
    PAIRED = "paired"
    OFFERED = "offered"
    CONNECTED = "connected"
    DISSOLVED = "dissolved"


class Call(Struct, frozen=True, array_like=True, gc=False):
    """A peer that was sent to another id, to call a waiting one there."""

    id: str
    session: str


class Pair(Machine[PairState], frozen=True, gc=False, cache_hash=True, omit_defaults=True):
    """One or two peers; `sessions` holds them in the order in which they joined."""

    modes: tuple[str, ...] = ()  #: what each of them joined for
    offerer: str = ""  #: whose offer stands
    owed: int = 0  #: answers the other peer owes; only the last of them counts
    drawn_for: str = ""  #: the pair that was called when the server drew this id for the call
    calls: tuple[Call, ...] = ()  #: that were sent to ids of their own, and to which nobody has come yet


class RoomState(StrEnum):
    """Where a room is."""

    EMPTY = "empty"
    OPEN = "open"
    CLOSED = "closed"


class Member(Struct, frozen=True, array_like=True, gc=False):
    """A session's seat in a room."""

    since: int  #: seq of the record that seated it; members stand in this order
    session: str
    stream_id: str  #: what it publishes in the room, or may
    joined: bool  #: by `joinRoom`; otherwise it only publishes here, and its seat goes with its stream


class Room(Machine[RoomState], frozen=True, gc=False, cache_hash=True, omit_defaults=True):
    """A room. `sessions` stands in step with `members`.

    One seat changes at a time, at a place found by bisection, so that nothing walks a large room for one member.
    """

    members: tuple[Member, ...] = ()
    meta_data: str = ""  #: what somebody who publishes in it said of the room

    def moved_sessions(self, before: Machine[StrEnum]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Say who left since `before`, and who came; all of them when the room closed."""
        if len(self.sessions) == len(before.sessions) + 1:
            return (), self.sessions[-1:]
        if len(self.sessions) == len(before.sessions) - 1 and isinstance(before, Room):
            place = _first_difference(before.members, self.members)
            return (before.sessions[place],), ()
        return before.sessions, self.sessions

    def seat_of(self, session: str) -> Member | None:
        """The seat of a session, if it has one."""
        if session not in self.sessions:
            return None
        return self.members[self.sessions.index(session)]

    def stream_of(self, session: str) -> str:
        """The stream id under which a session sits here, or nothing."""
        seat = self.seat_of(session)
        return seat.stream_id if seat is not None else ""

    def with_seat(self, seat: Member) -> "Room":
        """Seat a session."""
        return replace(self, members=(*self.members, seat), sessions=(*self.sessions, seat.session))

    def with_seat_joined(self, session: str) -> "Room":
        """Note that whoever sat here for its stream alone has joined."""
        place = self.sessions.index(session)
        seat = replace(self.members[place], joined=True)
        return replace(self, members=(*self.members[:place], seat, *self.members[place + 1 :]))

    def without_seat(self, seat: Member) -> "Room":
        """Let a session go."""
        place = bisect_left(self.members, seat.since, key=lambda member: member.since)
        return replace(
            self,
            members=self.members[:place] + self.members[place + 1 :],
            sessions=self.sessions[:place] + self.sessions[place + 1 :],
        )


def _first_difference(longer: tuple[Member, ...], shorter: tuple[Member, ...]) -> int:
    """Find the one seat that `shorter` lacks: before it both agree, from it on `shorter` is one ahead."""
    low, high = 0, len(shorter)
    while low < high:
        middle = (low + high) // 2
        if longer[middle] is shorter[middle]:
            low = middle + 1
        else:
            high = middle
    return low
