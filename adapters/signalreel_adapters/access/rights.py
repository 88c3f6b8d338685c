"""What a command asks for, what a credential grants, and whether the one covers the other.

Every kind of credential ends in a `Right`, and one function decides for all of them, so that a hash, a web token and a
one-time token for the same stream open exactly the same doors.
"""

from typing import Protocol

from msgspec import Struct

from signalreel.commands import AnyCommand, GetTrackList, Join, JoinRoom, Play, Publish
from signalreel.registered import Purpose
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.ports import SessionInfo, Verdict

__all__ = (
    "Check",
    "NoRooms",
    "Right",
    "Rooms",
    "Wish",
    "covers",
    "decide_by",
    "identity_of",
    "room_in",
    "rooms_of",
    "scopes_of",
    "wish_of",
)


class Wish(Struct, frozen=True):
    """What a command asks for, and what it shows to get it, which its text leaves out."""

    purpose: Purpose
    stream_id: str  #: what it is about; the room itself for `joinRoom`
    room: str = ""  #: the room that it says it is in
    places: bool = False  #: whether it puts a stream somewhere, if only into no room at all
    meets: bool = False  #: whether it is about a peer pair, which is in no room
    enters: bool = False  #: whether it enters the room, which is a room and nothing else
    token: str = ""
    subscriber_id: str = ""  #: claimed, not verified
    subscriber_code: str = ""
    stream_name: str = ""
    meta_data: str = ""

    def __repr__(self) -> str:
        return f"Wish({self.purpose.value!r}, {self.stream_id!r}, {self.room!r})"


class Right(Struct, frozen=True):
    """What a verified credential grants."""

    stream_id: str  #: a stream, a peer pair or a room
    purpose: Purpose
    room: str = ""  #: a room in which the stream may be published


class Rooms(Protocol):
    """What a gate must know of rooms, because a client's word for it is worth nothing."""

    def room_of(self, session: SessionInfo, stream_id: str) -> str:
        """Give the room of a stream, whether it is live or not; empty for none.

        It is the one that the stream is published in, else the one that this session has joined to publish it, else
        the one that the stream is registered for.
        """
        ...

    def is_stream(self, session: SessionInfo, id: str) -> bool:
        """Whether the id may be that of a single stream now, so that a right to a room must not be read into it."""
        ...


class NoRooms:
    """Knows of no room: then a right to a room lets its holder enter it and publish in it, and not play."""

    def room_of(self, session: SessionInfo, stream_id: str) -> str:
        """No stream is in any room."""
        return ""

    def is_stream(self, session: SessionInfo, id: str) -> bool:
        """Every id may be a stream."""
        return True


class Check(Protocol):
    """A gate that can tell whether a credential is of its kind."""

    async def examine(self, wish: Wish, session: SessionInfo) -> Verdict | None:
        """Decide; None when the wish shows no credential of this kind, which is not a refusal yet."""
        ...


def wish_of(command: AnyCommand) -> Wish | None:
    """Read what a command asks for; None when it is none that a gate is asked about.

    A peer that sends (`join` with any mode but `play`) publishes. The list of tracks is for those who may play.
    """
    match command:
        case Publish():
            return Wish(
                Purpose.PUBLISH,
                command.stream_id,
                command.main_track,
                places=True,
                token=command.token,
                subscriber_id=command.subscriber_id,
                subscriber_code=command.subscriber_code,
                stream_name=command.stream_name,
                meta_data=command.meta_data,
            )
        case Play():
            return Wish(
                Purpose.PLAY,
                command.stream_id,
                command.room,
                token=command.token,
                subscriber_id=command.subscriber_id,
                subscriber_code=command.subscriber_code,
            )
        case Join():
            purpose = Purpose.PLAY if command.mode == "play" else Purpose.PUBLISH
            return Wish(purpose, command.stream_id, meets=True, token=command.token)
        case JoinRoom():
            return Wish(
                Purpose.PLAY,
                command.room,
                command.room,
                enters=True,
                token=command.token,
                stream_name=command.stream_name,
                meta_data=command.metadata,
            )
        case GetTrackList():
            return Wish(Purpose.PLAY, command.stream_id, token=command.token)
        case _:
            return None


def covers(right: Right, wish: Wish, session: SessionInfo, rooms: Rooms) -> bool:
    """Whether the right is enough for the wish.

    A right to a stream is for that stream and that purpose, and for publishing it in a room only when the right names
    the room, however it comes there. A right to a room (conference token) lets its holder enter the room and play in
    it, and with the purpose `publish` publish in it too, under any id. Which room a stream is in is asked of `rooms`,
    never of the command. What they say may have changed when the command has its turn: `rooms_of` holds it to that.
    """
    room = room_in(wish, session, rooms)
    if wish.stream_id == right.stream_id and wish.purpose is right.purpose:
        return not wish.places or room in {"", right.room}
    if wish.enters:
        return wish.room == right.stream_id
    if wish.meets:
        return False
    if room and room == right.stream_id:
        return wish.purpose is Purpose.PLAY or right.purpose is Purpose.PUBLISH
    # The whole room. A stream of that name must not be opened by it: `publish` does not include playing one's stream.
    means_room = wish.purpose is Purpose.PLAY and wish.stream_id == right.stream_id
    return means_room and not rooms.is_stream(session, wish.stream_id)


def rooms_of(right: Right, wish: Wish) -> tuple[str, ...] | None:
    """Give the rooms that a verdict which rests on a right is good for, whatever the wish turns out to lead to.

    A right to a stream covers publishing it alone and in the room it names, and playing it wherever it is.
    """
    if wish.enters or wish.meets:
        return None
    if wish.stream_id == right.stream_id and wish.purpose is right.purpose:
        return tuple(dict.fromkeys(("", right.room))) if wish.places else None
    return (right.stream_id,)


def room_in(wish: Wish, session: SessionInfo, rooms: Rooms) -> str:
    """Give the room that a wish leads to, as far as is known: the one a publish names, else the one looked up."""
    if wish.enters or (wish.places and wish.room):
        return wish.room
    return "" if wish.meets else rooms.room_of(session, wish.stream_id)


def scopes_of(wish: Wish, session: SessionInfo, rooms: Rooms) -> tuple[str, ...]:
    """Give the ids for which a credential might cover the wish, for credentials that do not say what they are for."""
    room = room_in(wish, session, rooms)
    return (wish.stream_id, room) if room and room != wish.stream_id else (wish.stream_id,)


def identity_of(tags: Tags, subscriber_id: str, session: SessionInfo, wish: Wish, scope: str) -> str:
    """Give the identity to record: of the verified subscriber, else of whom the host vouches for.

    When nobody is named, it is that of whoever may publish the stream. A credential for a room that names nobody gives
    none, because with it every member could take over the stream that another one is about to restore.
    """
    known = subscriber_id or session.identity
    if known:
        return tags.subscriber(known)
    return tags.holder(scope) if scope == wish.stream_id else ""


async def decide_by(check: Check, command: AnyCommand, session: SessionInfo) -> Verdict:
    """Decide about a command by a check alone: what shows no credential of its kind is refused."""
    wish = wish_of(command)
    verdict = None if wish is None else await check.examine(wish, session)
    return Verdict.refuse() if verdict is None else verdict
