"""A client: one connection at a time, a ping every three seconds, and calls that are begun anew until they stand.

    ann = world.client("ann")
    ann.publish("s1")
    world.run_for(SECOND)
    assert ann.publishes("s1")

What it does by itself is what the JS SDK 2.16 does: it offers and answers, drops a connection on which pings are not
answered, connects again a second after a connection has ended and begins what it was after without a `stop`.
"""

from collections.abc import Callable
from typing import Any, Final

from signalreel.commands import AnyCommand, Ping, Stop
from signalreel.messages import (
    AnyMessage,
    ConnectWithNewId,
    Description,
    Error,
    Notification,
    Pong,
    RoomInformation,
    Start,
    StartNewConnection,
    StopPeer,
)
from signalreel.simulation.agenda import SECOND, Agenda
from signalreel.simulation.calls import Call, CallState, Conference, PeerCall, Playing, Publishing
from signalreel.simulation.links import GOING_AWAY, NORMAL, VANISHED, Link
from signalreel.simulation.luck import Luck
from signalreel.simulation.paths import Path

__all__ = ("CONNECT_AGAIN", "PING_EVERY", "UNANSWERED_MAX", "Client")

PING_EVERY: Final = 3 * SECOND
"""Between two pings, and between two looks at what it is after."""

UNANSWERED_MAX: Final = 2
"""Pings without an answer after which the connection is given up."""

CONNECT_AGAIN: Final = 1 * SECOND
"""After a connection has ended, until the next."""

_IDLE, _ASKED, _CHECKING, _STANDS = CallState
_PING: Final = Ping()


class Client:
    """One client. `heard` keeps what it was told, if it is to; `connect` gives it a connection to the server.

    Its offers are numbered from `first_offer` on, apart from those of all others.
    """

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        connect: Callable[["Client"], Link],
        path: Path,
        luck: Luck,
        *,
        app: str = "live",
        identity: str = "",
        tag: str = "",
        candidates: int = 0,
        first_offer: int = 1,
        keeps: bool = False,
    ) -> None:
        self.name: Final = name
        self.app = app
        self.identity = identity
        self.tag = tag
        self.is_thief = False
        self.path: Final = path
        self.candidates: Final = candidates
        self.reach: Callable[[Client, Call], bool] | None = None  #: how it finds out whether media still flows
        self.heard: list[AnyMessage] = []
        self.publishing: dict[str, Publishing] = {}
        self.playing: dict[str, Playing] = {}
        self.calling: dict[str, PeerCall] = {}
        self.conferences: dict[str, Conference] = {}
        self.link: Link | None = None
        self._agenda: Final = agenda
        self._connect: Final = connect
        self._luck: Final = luck
        self._keeps = keeps
        self._offers = first_offer - 1
        self._unanswered = 0
        self._life = 0  #: of the connection; what was meant for a former one is dropped
        self._handlers: Final[dict[type, Callable[[Any], None]]] = {
            Start: self._on_start,
            Description: self._on_description,
            StopPeer: self._on_stop,
            Notification: self._on_notification,
            Error: self._on_error,
            RoomInformation: self._on_room,
            Pong: self._on_pong,
            ConnectWithNewId: self._on_new_id,
            StartNewConnection: self._on_new_id,
        }
        self._notified: Final[dict[str, Callable[[Notification], None]]] = {
            "publish_started": self._on_live,
            "session_restored": self._on_live,
            "publish_finished": self._on_publish_over,
            "play_started": self._on_playing,
            "play_finished": self._on_play_over,
            "joined": self._on_joined,
            "joinedTheRoom": self._on_room_joined,
            "server_will_stop": self._on_stopping,
        }

    # ---- looking

    @property
    def now(self) -> int:
        """The virtual time."""
        return self._agenda.now

    @property
    def session(self) -> str:
        """The session that the server drew for its connection; empty without one."""
        return self.link.session if self.link is not None else ""

    def publishes(self, id: str) -> bool:
        """Whether it was told that its stream is live."""
        return id in self.publishing and self.publishing[id].state is _STANDS

    def plays(self, id: str) -> bool:
        """Whether it was told that it plays this stream or room."""
        return id in self.playing and self.playing[id].state is _STANDS

    def is_paired(self, id: str) -> bool:
        """Whether it has exchanged descriptions with the other peer."""
        return id in self.calling and self.calling[id].state is _STANDS

    def talks(self, id: str, exchange: int) -> bool:
        """Whether it holds the media of a peer call that rests on this offer, connected or about to be."""
        call = self.calling.get(id)
        return call is not None and call.exchange == exchange and call.state in {_CHECKING, _STANDS}

    def is_in(self, room: str) -> bool:
        """Whether it was told that it is in the room."""
        return room in self.conferences and self.conferences[room].state is _STANDS

    def told(self, definition: str) -> int:
        """How often it was told this notification or error, by what it kept."""
        return sum(isinstance(one, Notification | Error) and one.definition == definition for one in self.heard)

    def wants(self, call: Call) -> bool:
        """Whether it is still after this."""
        return any(call is one for one in self._calls())

    def reaches(self, call: Call) -> bool:
        """Whether media still flows, as its browser would notice."""
        return self.reach is None or self.reach(self, call)

    def meets(self, fault: str) -> bool:
        """Whether a fault strikes now."""
        return self._luck.meets(fault)

    def next_number(self) -> int:
        """Number an offer."""
        self._offers += 1
        return self._offers

    # ---- what its user does

    def publish(self, id: str, *, room: str = "", meta_data: str = "") -> None:
        """Publish a stream, until told otherwise."""
        self._pursue(self.publishing, Publishing(self, id, room, meta_data))

    def play(self, id: str, *, room: str = "", tracks: tuple[str, ...] = ()) -> None:
        """Play a stream, or a room when `room` names it too, until told otherwise."""
        self._pursue(self.playing, Playing(self, id, room, tracks))

    def join(self, id: str, *, mode: str = "both", multi_peer: bool = False) -> None:
        """Join a peer pair."""
        self._pursue(self.calling, PeerCall(self, id, mode, multi_peer=multi_peer))

    def join_room(self, room: str, stream_id: str = "", *, mode: str = "legacy") -> None:
        """Enter a room, publish in it and play what is there."""
        self._pursue(self.conferences, Conference(self, room, stream_id, mode))

    def stop(self, id: str) -> None:
        """End publishing or playing a stream."""
        call = self.publishing.pop(id, None) or self.playing.pop(id, None)
        if call is not None:
            call.end()
        else:
            self.say(Stop(id))

    def leave(self, id: str) -> None:
        """Leave a peer pair."""
        call = self.calling.pop(id, None)
        if call is not None:
            call.end()

    def leave_room(self, room: str) -> None:
        """Leave a room, with what is published and played there."""
        conference = self.conferences.pop(room, None)
        if conference is None:
            return
        conference.end()
        self.publishing.pop(conference.wanted_id, None)
        for id in [id for id, playing in self.playing.items() if playing.room == room]:
            del self.playing[id]
            self.say(Stop(id))

    def say(self, command: AnyCommand) -> None:
        """Send a command, over a new connection when there is none."""
        if self.link is None:
            self.connect()
        if self.link is not None:
            self.link.say(command)

    def soon(self, delay: int, command: AnyCommand) -> None:
        """Send a command a while later, if the connection is still the same."""
        self._agenda.after(delay, self._say_later, command, self._life)

    def vanish(self) -> None:
        """Be gone without a word, and come back over another connection a little later."""
        link, self.link = self.link, None
        if link is not None:
            link.vanish()
            self._fall_back()

    def connect(self) -> None:
        """Attach to the server, if it is not attached."""
        if self.link is None:
            self._life += 1
            self._unanswered = 0
            self.link = self._connect(self)
            self._agenda.after(PING_EVERY, self._tick, self._life)

    def close(self, code: int = NORMAL) -> None:
        """Go away: be after nothing any more, and close the connection."""
        for calls in (self.publishing, self.playing, self.calling, self.conferences):
            calls.clear()
        link, self.link = self.link, None
        if link is not None:
            link.leave(code)

    # ---- what comes of it

    def hear(self, message: AnyMessage) -> None:
        """Take a message."""
        if self._keeps:
            self.heard.append(message)
        handler = self._handlers.get(type(message))
        if handler is not None:
            handler(message)

    def lost(self, link: Link, code: int) -> None:
        """The connection has ended, and not by this end: connect again, and begin everything anew."""
        if link is self.link:
            self.link = None
            self._fall_back()

    def later(self, delay: int, call: Call) -> None:
        """Begin a call anew after a while, if it is still wanted by then."""
        self._agenda.after(delay, self._begin, call, self._life)

    def media_lost(self, id: str) -> None:
        """Its browser has lost the media of a stream that it publishes or plays."""
        for call in (self.publishing.get(id), self.playing.get(id)):
            if call is not None:
                call.become(_IDLE)

    def _say_later(self, command: AnyCommand, life: int) -> None:
        if life == self._life and self.link is not None:
            self.link.say(command)

    def _pursue(self, calls: dict[str, Any], call: Call) -> None:
        calls[call.id] = call
        call.begin()

    def _begin(self, call: Call, life: int) -> None:
        if life == self._life and call.state is _IDLE and self.wants(call):
            call.begin()

    def _calls(self) -> list[Call]:
        return [
            *self.conferences.values(),
            *self.publishing.values(),
            *self.playing.values(),
            *self.calling.values(),
        ]

    def _fall_back(self) -> None:
        for call in self._calls():
            call.become(_IDLE)
        self._agenda.after(CONNECT_AGAIN, self._come_back, self._life)

    def _come_back(self, life: int) -> None:
        """Attach again, if there is something it is after and it has not done so yet."""
        calls = self._calls()
        if life != self._life or self.link is not None or not calls:
            return
        self.connect()
        for call in calls:
            if call.state is _IDLE:
                call.begin()

    def _tick(self, life: int) -> None:
        """Ping, and look at what it is after."""
        link = self.link
        if life != self._life or link is None:
            return
        if self._unanswered >= UNANSWERED_MAX:
            self.link = None
            link.leave(VANISHED)
            self._fall_back()
            return
        self._unanswered += 1
        link.say(_PING)
        for call in self._calls():
            call.check()
        self._agenda.after(PING_EVERY, self._tick, life)

    # ---- messages, by their type

    def _on_start(self, message: Start) -> None:
        publishing = self.publishing.get(message.stream_id)
        calling = self.calling.get(message.stream_id)
        if publishing is not None:
            publishing.start()
        elif calling is not None:
            calling.start()

    def _on_description(self, message: Description) -> None:
        calling = self.calling.get(message.stream_id)
        if calling is not None:
            calling.take(message)
            return
        calls = self.playing if message.type == "offer" else self.publishing
        call = calls.get(message.stream_id)
        if call is not None:
            call.take(message)

    def _on_stop(self, message: StopPeer) -> None:
        calling = self.calling.get(message.stream_id)
        if calling is not None and calling.state is not _IDLE:
            calling.become(_ASKED)
            calling.is_joined = True

    def _on_notification(self, message: Notification) -> None:
        handler = self._notified.get(message.definition)
        if handler is not None:
            handler(message)

    def _on_error(self, message: Error) -> None:
        id = message.stream_id
        if isinstance(id, str):
            for calls in (self.publishing, self.playing, self.calling):
                call = calls.get(id)
                if call is not None and (call.state is _ASKED or message.definition == "publishTimeoutError"):
                    call.become(_IDLE)

    def _on_room(self, message: RoomInformation) -> None:
        conference = self.conferences.get(message.room)
        if conference is not None:
            conference.told(message)
            self._play_room(conference)

    def _on_pong(self, message: Pong) -> None:
        self._unanswered = 0

    def _on_new_id(self, message: ConnectWithNewId | StartNewConnection) -> None:
        self.join(message.stream_id)

    # ---- notifications, by their definition

    def _on_live(self, message: Notification) -> None:
        self._become(self.publishing, message, _STANDS)

    def _on_publish_over(self, message: Notification) -> None:
        self._become(self.publishing, message, _IDLE)

    def _on_playing(self, message: Notification) -> None:
        self._become(self.playing, message, _STANDS)

    def _on_play_over(self, message: Notification) -> None:
        self._become(self.playing, message, _IDLE)

    def _on_joined(self, message: Notification) -> None:
        calling = self.calling.get(str(message.stream_id))
        if calling is not None:
            calling.is_joined = True

    def _on_room_joined(self, message: Notification) -> None:
        conference = self.conferences.get(str(message.room))
        if conference is None:
            return
        conference.joined(message)
        if conference.wanted_id not in self.publishing:
            self.publish(conference.wanted_id, room=conference.id)
        self._play_room(conference)

    def _on_stopping(self, message: Notification) -> None:
        link, self.link = self.link, None
        if link is not None:
            link.leave(GOING_AWAY)
            self._fall_back()

    def _become(self, calls: dict[str, Any], message: Notification, state: CallState) -> None:
        call = calls.get(str(message.stream_id))
        if call is not None:
            call.become(state)

    def _play_room(self, conference: Conference) -> None:
        """Play what is in a room, as its page does: the whole, or one stream after the other."""
        room = conference.id
        if conference.mode != "legacy":
            if room not in self.playing:
                self.play(room, room=room)
            return
        for id in [id for id, one in self.playing.items() if one.room == room and id not in conference.streams]:
            self.stop(id)
        for id in conference.streams:
            if id not in self.playing:
                self.play(id, room=room)
