"""What a client is after: to publish, to play, to call a peer, to be in a room. One object for each.

A call knows how far it has come by what the client was told, and goes on by itself as the JS SDK does (protocol
reference, section 4.2): it offers when told to start, answers offers, and is begun anew when it does not come about.
"""

from enum import StrEnum
from typing import Final, Protocol

from signalreel.commands import (
    AnyCommand,
    GetRoomInfo,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.messages import Description, Notification, RoomInformation
from signalreel.simulation.agenda import MS, SECOND
from signalreel.simulation.texts import CANDIDATE, answer_to, number_in, offer_of

__all__ = (
    "AGAIN_AFTER",
    "CHECKING_MAX",
    "FLOOD",
    "ICE_LOST",
    "LATE",
    "POLL_EVERY",
    "START_MAX",
    "Call",
    "CallState",
    "Conference",
    "PeerCall",
    "Playing",
    "Publishing",
    "Speaker",
)

AGAIN_AFTER: Final = 500 * MS
"""Between the `stop` of a call that did not come about and the next attempt."""

CHECKING_MAX: Final = 15 * SECOND
"""How long a client takes a connection for one that may still come about."""

START_MAX: Final = 3 * SECOND
"""How long a client waits for an answer to what it has asked."""

ICE_LOST: Final = 5 * SECOND
"""How long a browser takes to notice that the other end of its media is gone."""

LATE: Final = 2 * SECOND
"""By how much an answer is late, if it is."""

FLOOD: Final = 60
"""Candidates of a flood."""

POLL_EVERY: Final = 5 * SECOND
"""How often a page of a room asks who is there."""


class CallState(StrEnum):
    """How far a call has come, as its client sees it."""

    IDLE = "idle"  #: nothing was asked, or it was refused, or it is over
    ASKED = "asked"  #: the server was asked and has not answered
    CHECKING = "checking"  #: descriptions were exchanged
    STANDS = "stands"


_IDLE, _ASKED, _CHECKING, _STANDS = CallState
_PATIENCE: Final = {_ASKED: START_MAX, _CHECKING: CHECKING_MAX}


class Speaker(Protocol):
    """The client whose call it is."""

    def say(self, command: AnyCommand) -> None:
        """Send a command."""
        ...

    def later(self, delay: int, call: "Call") -> None:
        """Have a call begun anew after a while, if it is still wanted by then."""
        ...

    def next_number(self) -> int:
        """Number an offer."""
        ...

    def wants(self, call: "Call") -> bool:
        """Whether the call is still wanted."""
        ...

    def reaches(self, call: "Call") -> bool:
        """Whether media still flows, as far as the client can tell by itself."""
        ...

    def meets(self, fault: str) -> bool:
        """Whether a fault strikes now."""
        ...

    def soon(self, delay: int, command: AnyCommand) -> None:
        """Send a command a while later, over the connection there is."""
        ...

    @property
    def now(self) -> int:
        """The virtual time."""
        ...

    @property
    def candidates(self) -> int:
        """How many candidates it finds for a negotiation."""
        ...


class Call:
    """One thing a client is after."""

    __slots__ = ("client", "id", "since", "state")

    def __init__(self, client: Speaker, id: str) -> None:
        self.client: Final = client
        self.id: Final = id
        self.state = _IDLE
        self.since = 0  #: when its state changed

    def become(self, state: CallState) -> None:
        """Note how far it has come."""
        self.state = state
        self.since = self.client.now

    def begin(self) -> None:
        """Ask the server for it."""
        self.become(_ASKED)
        self.ask()

    def ask(self) -> None:
        """Send what asks for it."""

    def end(self) -> None:
        """Tell the server that it is no longer wanted."""
        self.client.say(Stop(self.id))
        if self.client.meets("duplicate stop"):
            self.client.say(Stop(self.id))

    def answer(self, offer: str) -> None:
        """Answer an offer, rightly and once unless something goes wrong."""
        client, number = self.client, number_in(offer)
        if client.meets("wrong answer"):
            number = -number
        answer = TakeConfiguration(self.id, "answer", answer_to(number))
        if client.meets("late answer"):
            client.soon(LATE, answer)
        else:
            client.say(answer)
        if client.meets("duplicate answer"):
            client.say(answer)
        self.trickle()

    def check(self) -> None:
        """Look every few seconds whether it stands or may still; else stop it and begin anew a little later."""
        lasted = self.client.now - self.since
        if self.state is _STANDS and (lasted < ICE_LOST or self.client.reaches(self)):
            return
        if lasted < _PATIENCE.get(self.state, 0):
            return
        self.client.say(Stop(self.id))
        self.become(_IDLE)
        self.client.later(AGAIN_AFTER, self)

    def trickle(self) -> None:
        """Send the candidates that were found."""
        count = FLOOD if self.client.meets("candidate flood") else self.client.candidates
        for _ in range(count):
            self.client.say(TakeCandidate(self.id, 0, "0", CANDIDATE))


class Publishing(Call):
    """A stream that the client publishes."""

    __slots__ = ("meta_data", "room")

    def __init__(self, client: Speaker, id: str, room: str = "", meta_data: str = "") -> None:
        super().__init__(client, id)
        self.room = room
        self.meta_data = meta_data

    def ask(self) -> None:
        """Send `publish`."""
        self.client.say(Publish(self.id, main_track=self.room, meta_data=self.meta_data))

    def start(self) -> None:
        """The server says to go ahead: offer."""
        self.client.say(TakeConfiguration(self.id, "offer", offer_of(self.client.next_number())))
        self.trickle()

    def take(self, description: Description) -> None:
        """The server has answered."""
        if self.state is _ASKED:
            self.become(_CHECKING)


class Playing(Call):
    """A stream, or a whole room, that the client plays."""

    __slots__ = ("room", "tracks")

    def __init__(self, client: Speaker, id: str, room: str = "", tracks: tuple[str, ...] = ()) -> None:
        super().__init__(client, id)
        self.room = room
        self.tracks = tracks

    def ask(self) -> None:
        """Send `play`."""
        self.client.say(Play(self.id, room=self.room, track_list=self.tracks))

    def take(self, offer: Description) -> None:
        """The server offers: answer."""
        self.answer(offer.sdp)
        if self.state is not _STANDS:
            self.become(_CHECKING)


class PeerCall(Call):
    """A peer pair that the client takes part in. `offered` numbers its newest offer.

    `exchange` is the offer that its connection rests on: the other end has the same one.
    """

    __slots__ = ("exchange", "is_joined", "mode", "multi_peer", "offered", "peer_since")

    def __init__(self, client: Speaker, id: str, mode: str = "both", *, multi_peer: bool = False) -> None:
        super().__init__(client, id)
        self.mode = mode
        self.multi_peer = multi_peer
        self.offered = -1
        self.exchange = -1
        self.is_joined = False

    def ask(self) -> None:
        """Send `join`."""
        self.is_joined = False
        self.client.say(Join(self.id, self.multi_peer, self.mode))

    def end(self) -> None:
        """Send `leave`."""
        self.client.say(Leave(self.id))

    def start(self) -> None:
        """The other peer is there: offer."""
        self.exchange = self.offered = self.client.next_number()
        self.become(_CHECKING)
        self.client.say(TakeConfiguration(self.id, "offer", offer_of(self.offered)))
        self.trickle()

    def take(self, description: Description) -> None:
        """Take the other peer's description. An answer to anything but the newest offer is for nobody."""
        if description.type == "offer":
            self.exchange = number_in(description.sdp)
            self.become(_STANDS)
            self.answer(description.sdp)
        elif number_in(description.sdp) == self.offered:
            self.become(_STANDS)

    def check(self) -> None:
        """Join anew when the server did not let it in, or descriptions do not come to anything."""
        lasted = self.client.now - self.since
        is_lost = self.state is _STANDS and lasted >= ICE_LOST and not self.client.reaches(self)
        if is_lost or (self.state is _CHECKING and lasted >= CHECKING_MAX):
            self.client.say(Leave(self.id))
            self.become(_IDLE)
            self.client.later(AGAIN_AFTER, self)
        elif self.state is _IDLE or (self.state is _ASKED and not self.is_joined and lasted >= START_MAX):
            self.become(_IDLE)
            self.client.later(AGAIN_AFTER, self)


class Conference(Call):
    """A room that the client is in. A page of it publishes one stream there and plays the others.

    In the mode `legacy` it plays each of them by itself and asks every few seconds who is there; in `multitrack` it
    plays the whole room.
    """

    __slots__ = ("asked_at", "mode", "streams", "wanted_id")

    def __init__(self, client: Speaker, id: str, stream_id: str = "", mode: str = "legacy") -> None:
        super().__init__(client, id)
        self.mode = mode
        self.wanted_id = stream_id  #: under which it publishes; the server draws one when there is none
        self.streams: tuple[str, ...] = ()  #: of the others, as last told
        self.asked_at = 0

    def ask(self) -> None:
        """Send `joinRoom`."""
        self.client.say(JoinRoom(self.id, self.wanted_id, self.mode))

    def end(self) -> None:
        """Send `leaveFromRoom`."""
        self.client.say(LeaveFromRoom(self.id, self.wanted_id))

    def joined(self, notification: Notification) -> None:
        """The server has let it in."""
        self.become(_STANDS)
        if isinstance(notification.stream_id, str):
            self.wanted_id = notification.stream_id
        self.streams = notification.streams or ()

    def told(self, information: RoomInformation) -> None:
        """The server says who is there."""
        self.streams = information.streams

    def check(self) -> None:
        """Ask who is there; join anew when the server did not let it in."""
        lasted = self.client.now - self.since
        if self.state is _IDLE or (self.state is _ASKED and lasted >= START_MAX):
            self.become(_IDLE)
            self.client.later(AGAIN_AFTER, self)
        elif self.state is _STANDS and self.client.now - self.asked_at >= POLL_EVERY:
            self.asked_at = self.client.now
            self.client.say(GetRoomInfo(self.id, self.wanted_id))
