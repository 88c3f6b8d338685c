"""What machines tell one another inside a step, each notice written once."""

from signalreel.machines.base import Notice

__all__ = ("LeftRoom", "PlayerCame", "PlayerWent", "RosterChanged", "StreamEnded", "StreamPlaced", "StreamWentLive")


class StreamPlaced(Notice, frozen=True, gc=False):
    """To a room: a stream is about to be published in it by this session."""

    stream_id: str
    session: str


class StreamWentLive(Notice, frozen=True, gc=False):
    """To a room: one of its streams can be played now."""

    stream_id: str


class StreamEnded(Notice, frozen=True, gc=False):
    """To a stream's playbacks, and to its room: it is over."""

    stream_id: str
    session: str = ""  #: who published it


class PlayerCame(Notice, frozen=True, gc=False):
    """To a room: a playback of the whole room began."""


class PlayerWent(Notice, frozen=True, gc=False):
    """To a room: a playback of the whole room ended."""


class RosterChanged(Notice, frozen=True, gc=False):
    """To the playbacks of a room: what is live in it is no longer what it was."""


class LeftRoom(Notice, frozen=True, gc=False):
    """To what a session publishes and plays in a room: the session is no longer in it."""

    room: str
