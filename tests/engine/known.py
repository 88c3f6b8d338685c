"""What a reader of a reel knows: who publishes, plays, sits in a pair or a room, as far as records and messages tell.

It is the memory of `rights`, without an opinion. What nobody is told follows from the records: a stop, a close, an
order of the host.
"""

from collections.abc import Callable

from msgspec import Struct

from signalreel.commands import GetRoomInfo, Play, Stop, TakeConfiguration
from signalreel.events import (
    ClockAdjusted,
    DeadlineReached,
    MediaEvent,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
)
from signalreel.host import (
    BlockSubscriber,
    CloseRoom,
    EndStream,
    HostCommand,
    RegisterRoom,
    RegisterStream,
    UnregisterRoom,
    UnregisterStream,
)
from signalreel.identifiers import Kind, Reference
from signalreel.machines.stream import RETURN_MS
from signalreel.messages import POLICY_VIOLATION, AnyMessage
from signalreel.record import Record
from signalreel.registered import BlockKind, RegisteredStream
from signalreel.settings import Settings

__all__ = ("Known", "Paired", "Place", "Played", "Published", "Violation")


class Violation(AssertionError):
    """Somebody was told what is not theirs to know."""

    def __init__(self, record: Record, why: str, to: str = "", message: object = None) -> None:
        super().__init__(f"record {record.seq} ({record.session}: {record.input}): {why}; to {to!r}: {message}")


class Published(Struct):
    """A stream, from the `start` of its publisher to its end."""

    holder: str  #: empty while it is kept for its publisher
    born: int
    room: str
    identity: str
    is_live: bool = False
    was_live: bool = False  #: now, or before its publisher was lost
    kept_until: int = 0
    timer: int = 0
    lost_by: str = ""  #: whose media was lost while the session went on


class Played(Struct, frozen=True):
    """What a session plays."""

    born: int
    whole_room: bool


class Paired(Struct):
    """A pair: its peers in their order, and how many offers each has not answered."""

    peers: list[str]
    owes: dict[str, int]


Place = tuple[str, str]
"""An app, and an id in it."""


class Known:
    """Everything known after the records so far."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sessions: dict[str, str] = {}  #: the app of every open session
        self.streams: dict[Place, Published] = {}
        self.plays: dict[tuple[str, str], Played] = {}  #: by session and what it plays
        self.pairs: dict[Place, Paired] = {}
        self.members: dict[Place, dict[str, str]] = {}  #: of each room: who joined, under which stream id
        self.used: dict[Place, tuple[str, int]] = {}  #: whose each one-time credential is, and until when
        self.clock_offset = 0  #: of the wall clock, by which credentials expire
        self.registered: dict[Place, RegisteredStream] = {}
        self.rooms: set[Place] = set()  #: those registered
        self.authors: set[str] = set()  #: every session that there ever was
        self.known_as: dict[str, set[str]] = {}  #: every name and tag that a session has gone by
        self.calls: dict[tuple[str, str], str] = {}  #: where a session that called an id was sent last
        self.relayed: int = 0  #: messages that one client caused for another
        self._record = Record(0, 0, "")
        self._app = ""
        self._ended: dict[Place, Published] = {}  #: streams that ended in this step
        self._stopped: set[tuple[str, str]] = set()  #: playbacks that ended in it
        self._put_out: list[tuple[str, str]] = []  #: whom a block put out of what in it
        self._room_was_open = False  #: the one that an order is about
        self._now: tuple[str, AnyMessage] | None = None

    def _require(self, holds: bool, why: str) -> None:
        if not holds:
            to, message = self._now if self._now is not None else ("", None)
            raise Violation(self._record, why, to, message)

    def _prepare(self, record: Record) -> None:
        match record.event:
            case SessionOpened() as opened:
                self.sessions.setdefault(record.session, opened.app)
                self.authors.add(record.session)
                self.known_as.setdefault(record.session, {opened.identity})
            case SettingsChanged() as changed:
                self.settings = changed.settings
            case ClockAdjusted() as adjusted:
                self.clock_offset = adjusted.offset
            case _:
                pass
        self._app = self.sessions.get(record.session, "")
        if isinstance(record.event, MediaEvent | DeadlineReached):
            self._app = record.event.machine.app
        elif record.host is not None:
            self._app = record.host.app
            self._room_was_open = self._room_exists(str(getattr(record.host, "room", "")))

    # ---- what is known

    def _place(self, id: str) -> Place:
        return (self._app, id)

    def _holds(self, session: str, id: str) -> bool:
        stream = self.streams.get(self._place(id)) or self._ended.get(self._place(id))
        return stream is not None and session != "" and session in (stream.holder, stream.lost_by)

    def _is_of(self, session: str, machine: Reference) -> bool:
        """Whether this life of a stream or playback is the session's."""
        if machine.kind is Kind.PLAYBACK:
            owner, _, id = machine.id.partition("/")
            played = self.plays.get((session, id))
            return owner == session and played is not None and played.born == machine.born
        stream = self.streams.get((machine.app, machine.id))
        return stream is not None and stream.holder == session and stream.born == machine.born

    def _live_in(self, room: str) -> dict[str, Published]:
        """The streams that can be played in a room."""
        return {
            id: stream
            for (app, id), stream in self.streams.items()
            if app == self._app and stream.room == room and room and stream.is_live
        }

    def _sits_in(self, session: str, room: str) -> bool:
        publishes = (s for (app, _), s in self.streams.items() if app == self._app and s.room == room)
        return session in self.members.get(self._place(room), {}) or any(s.holder == session for s in publishes)

    def _room_exists(self, room: str) -> bool:
        return (
            bool(self.members.get(self._place(room)))
            or any(app == self._app and s.room == room and s.holder for (app, _), s in self.streams.items())
            or any(id == room and p.whole_room and self.sessions[s] == self._app for (s, id), p in self.plays.items())
        )

    def _stands(self) -> bool:
        """Whether the record's session takes part in what its question is about."""
        who, asked = self._record.session, self._record.command
        id = asked.room if isinstance(asked, GetRoomInfo) else getattr(asked, "stream_id", "")
        stream = self.streams.get(self._place(id))
        return any(
            (who, name) in self.plays
            or self._holds(who, name)
            or self._sits_in(who, name)
            or (self._place(name) in self.pairs and who in self.pairs[self._place(name)].peers)
            for name in (id, stream.room if stream is not None else "")
            if name
        )

    def _visible(self, to: str, room: str, *also: str) -> set[str]:
        """The streams of a room that a session is told: the live ones but its own."""
        own = {*also, self.members.get(self._place(room), {}).get(to, "")}
        return {id for id, stream in self._live_in(room).items() if stream.holder != to and id not in own}

    def _is_live(self, id: str) -> bool:
        stream = self.streams.get(self._place(id))
        return stream is not None and stream.is_live

    # ---- what follows

    def _end(self, id: str) -> None:
        ended = self.streams.pop(self._place(id), None)
        if ended is not None:
            self._ended[self._place(id)] = ended

    def _part(self, session: str, id: str) -> None:
        pair = self.pairs.get(self._place(id))
        if pair is not None and session in pair.peers:
            pair.peers.remove(session)
            pair.owes = {}
            if not pair.peers:
                del self.pairs[self._place(id)]

    def _conclude(self, record: Record, *, refused: bool) -> None:
        """Learn what is said by silence: what was stopped, closed, kept, and what is played from now on."""
        who = record.session
        if record.command is not None and who in self.sessions and not refused:
            claimed = getattr(record.command, "subscriber_id", "")
            self.known_as[who] |= {claimed, record.grant.identity if record.grant is not None else ""}
        match record.input:
            case Play() as play if who in self.sessions and not refused:
                self._begin_playing(play)
            case Stop(stream_id=id) if (who, id) not in self._stopped and self._holds(who, id):
                self._stop(who, id)
            case TakeConfiguration(type="answer") as answer:
                pair = self.pairs.get(self._place(answer.stream_id))
                if pair is not None and pair.owes.get(who, 0) > 1:
                    pair.owes[who] -= 1
            case SessionClosed() as closed:
                self._close(who, closed)
            case RunStarted():
                self._forget_everyone()
            case DeadlineReached() as reached:
                place, now = (reached.machine.id, reached.timer), record.time
                self._forget_kept(lambda id, kept: (id, kept.timer) == place and now >= kept.kept_until)
            case HostCommand() as order:
                self._conclude_order(order)
            case _:
                pass

    def _stop(self, who: str, id: str) -> None:
        """Learn that a stream is over, or that one whose media was lost will be soon: it may be published again."""
        stream, now = self.streams.get(self._place(id)), self._record.time
        if stream is None or stream.lost_by != who:
            self._end(id)
        elif now + RETURN_MS * 1_000 < stream.kept_until:
            stream.kept_until, stream.timer = now + RETURN_MS * 1_000, self._record.seq

    def _conclude_order(self, order: HostCommand) -> None:
        """Learn what the host wrote, and what is no longer kept because of it."""
        match order:
            case EndStream(stream_id=id):
                self._forget_kept(lambda kept_id, _: kept_id == id)
            case UnregisterStream(stream_id=id) if self.registered.pop(self._place(id), None) is not None:
                self._forget_kept(lambda kept_id, _: kept_id == id)
            case CloseRoom(room=room) if self._room_was_open:
                self._forget_kept(lambda _, kept: kept.room == room)
            case UnregisterRoom(room=room) if self._place(room) in self.rooms:
                self.rooms.remove(self._place(room))
                if self._room_was_open:
                    self._forget_kept(lambda _, kept: kept.room == room)
            case RegisterStream(stream=registered):
                self.registered[self._place(registered.stream_id)] = registered
            case RegisterRoom(room=plan):
                self.rooms.add(self._place(plan.room))
            case BlockSubscriber(identity=identity, kind=kind, until=until):
                if until and kind is not BlockKind.PLAY:
                    self._forget_kept(lambda _, kept: kept.identity == identity)
                for session, id in set(self._put_out):
                    times = self._put_out.count((session, id)) - ((session, id) in self._stopped)
                    if times and self._holds(session, id):
                        self._end(id)
            case _:
                pass

    def _forget_everyone(self) -> None:
        self.sessions.clear()
        self.known_as.clear()
        self.streams.clear()
        self.plays.clear()
        self.pairs.clear()
        self.members.clear()

    def _begin_playing(self, play: Play) -> None:
        is_live = self._is_live(play.stream_id)
        registered = self.registered.get(self._place(play.stream_id))
        waits = registered is not None and registered.waits
        means_room = play.room == play.stream_id
        whole_room = not is_live and (means_room or self._room_exists(play.stream_id))
        self._require(is_live or whole_room or waits, "there is something to play")
        self.plays[self._record.session, play.stream_id] = Played(self._record.seq, whole_room)

    def _close(self, who: str, closed: SessionClosed) -> None:
        for (app, id), stream in list(self.streams.items()):
            if not self._holds(who, id) or app != self._app:
                continue
            if stream.lost_by and closed.code != POLICY_VIOLATION:
                stream.lost_by = ""
            elif stream.is_live and closed.code != POLICY_VIOLATION and self._is_kept(stream):
                self._keep(stream)
            else:
                self._end(id)
        for session, id in list(self.plays):
            if session == who:
                del self.plays[session, id]
        for _, id in list(self.pairs):
            self._part(who, id)
        for seats in self.members.values():
            seats.pop(who, None)
        self.sessions.pop(who, None)
        self.known_as.pop(who, None)

    def _is_kept(self, stream: Published) -> bool:
        """Whether the id of a live stream that is lost waits for its own publisher."""
        return stream.identity != "" and self.settings.restore_ms > 0

    def _keep(self, stream: Published, lost_by: str = "") -> None:
        stream.lost_by = lost_by
        stream.holder, stream.is_live, stream.timer = "", False, self._record.seq
        stream.kept_until = self._record.time + self.settings.restore_ms * 1_000

    def _forget_kept(self, is_meant: Callable[[str, Published], bool]) -> None:
        """Whatever was kept for its publisher and is meant is free."""
        for (app, id), stream in list(self.streams.items()):
            if app == self._app and not stream.holder and is_meant(id, stream):
                self._end(id)
