"""What machines tell one another inside a step, each notice written once."""

from signalreel.machines.base import Notice

__all__ = (
    "CallSettled",
    "IdWanted",
    "LeftRoom",
    "PeersExpected",
    "PeersNotExpected",
    "PlanChanged",
    "PlayerCame",
    "PlayerWent",
    "RosterChanged",
    "StreamEnded",
    "StreamPaused",
    "StreamPlaced",
    "StreamWentLive",
)


class StreamPlaced(Notice, frozen=True, gc=False):
    """To a room: a stream is about to be published in it by this session."""

    stream_id: str
    session: str


class StreamWentLive(Notice, frozen=True, gc=False):
    """To a room: one of its streams can be played now."""

    stream_id: str
    session: str = ""  #: who publishes it
    away_since: int = 0  #: the room has listed it all the while: seq of the record by which its publisher was lost


class StreamEnded(Notice, frozen=True, gc=False):
    """To a stream's playbacks, and to its room: it is over."""

    stream_id: str
    session: str = ""  #: who published it
    was_listed: bool = False  #: the room had it as live


class StreamPaused(Notice, frozen=True, gc=False):
    """To a room: a stream's media is lost, and the stream waits for its publisher to publish it again."""

    stream_id: str
    session: str


class PeersExpected(Notice, frozen=True, gc=False):
    """To a pair that nobody is in: two peers were sent here."""

    called: str  #: the pair where the one waits and the other called


class PeersNotExpected(Notice, frozen=True, gc=False):
    """To a pair that nobody is in: whoever was called has gone."""


class CallSettled(Notice, frozen=True, gc=False):
    """To a pair that was called: somebody has come to the id of that call, or nobody in time."""

    id: str


class IdWanted(Notice, frozen=True, gc=False):
    """To a room that nobody is in and some play: a stream is published under its id."""


class PlayerCame(Notice, frozen=True, gc=False):
    """To a room: a playback of the whole room began."""


class PlayerWent(Notice, frozen=True, gc=False):
    """To a room: a playback of the whole room ended."""


class PlanChanged(Notice, frozen=True, gc=False):
    """To a playback that waits for a stream: what is registered of the stream has changed, or the wall clock has."""


class RosterChanged(Notice, frozen=True, gc=False):
    """To the playbacks of a room: what is live in it is no longer what it was."""

    added: str = ""  #: the stream that came
    removed: str = ""  #: the stream that went
    session: str = ""  #: who publishes it, or did


class LeftRoom(Notice, frozen=True, gc=False):
    """To what a session publishes and plays in a room: the session is no longer in it."""

    room: str
