"""The small worlds that a search goes through: a few sessions, what they may say, and what may happen around them.

A world is small enough that everything in it can be tried, and large enough that everything that can go wrong between
so few has room to. What a session may say it may say at any time, whether a client would or not; only the peers of
`calls` do as clients do, because what an answer answers depends on what was read before it.
"""

from typing import Final

from msgspec import Struct

from signalreel.commands import (
    AnyCommand,
    EnableTrack,
    GetRoomInfo,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    PeerMessage,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleVideo,
)
from signalreel.events import (
    AnyEvent,
    BitrateMeasured,
    CandidateFound,
    DescriptionCreated,
    DescriptionFailed,
    MediaConnected,
    MediaEvent,
    MediaLost,
    RunStarted,
    ShutdownAnnounced,
    TracksFound,
)
from signalreel.host import AnyHostCommand, CloseRoom, EndStream
from signalreel.record import Grant
from signalreel.settings import Settings

__all__ = ("APP", "DEPTH_MAX", "STATES_MAX", "WORLDS", "Said", "World", "worlds_of")

APP: Final = "live"
"""The app of every session of every world: nothing crosses apps, so one is enough."""

DEPTH_MAX: Final = 1_000
"""Moves from the beginning, of a world that sets no bound of its own."""

STATES_MAX: Final = 1_000_000
"""States, likewise; a state takes some four kilobytes while it waits to be gone on from."""


class Said(Struct, frozen=True):
    """Something that any session may say, and the gate's verdict on it."""

    command: AnyCommand
    grant: Grant | None = None


class World(Struct, frozen=True):
    """What a search goes through, and how far."""

    name: str
    machine: str  #: the kind of machine that it is about
    told: str  #: what is in it, in a sentence
    says: tuple[Said, ...] = ()
    sessions: int = 3  #: open at once; any may close, and others open
    settings: Settings = Settings()
    calls: tuple[str, ...] = ()  #: pairs whose peers do as clients do
    unread_max: int = 3  #: messages on their way to one of those peers; what would be more does not happen
    media: tuple[type[MediaEvent], ...] = ()  #: what media may report, at any time, of whatever it has heard of
    server: tuple[AnyEvent | AnyHostCommand, ...] = ()  #: what the server or its host may do at any time
    wait_ms: int = 0  #: time may pass by so much, up to the next timer; 0: it passes only from timer to timer
    is_late: bool = False  #: a wake-up or a report of media that was overtaken may still come
    states: int = STATES_MAX  #: where the search ends, at the latest
    depth: int = DEPTH_MAX


def _said(*commands: AnyCommand, grant: Grant | None = None) -> tuple[Said, ...]:
    return tuple(Said(command, grant) for command in commands)


def _pair(id: str) -> tuple[Said, ...]:
    """Everything that can be said to a pair."""
    return _said(
        Join(id),
        Join(id, mode="play"),
        Join(id, multi_peer=True),
        TakeConfiguration(id, "offer", "an offer"),
        TakeConfiguration(id, "answer", "an answer"),
        TakeCandidate(id, 0, "0", "a candidate"),
        PeerMessage(id, "word", 1),
        Leave(id),
    )


_OFFER: Final = "an offer"
_ANSWER: Final = "an answer"
_CANDIDATE: Final = "a candidate"

_ANN: Final = Grant(allowed=True, identity="tag-of-ann")
_EVE: Final = Grant(allowed=True, identity="tag-of-eve")
_DENIED: Final = Grant(allowed=False)
_ONCE: Final = Grant(allowed=True, identity="tag-of-ann", once="tag-of-a-token", until=20_000_000)

_STOPPING: Final = (ShutdownAnnounced(), RunStarted())
_NEGOTIATING: Final = (DescriptionCreated, MediaConnected, MediaLost)


def _published(id: str, *, room: str = "", grant: Grant | None = None) -> tuple[Said, ...]:
    """What leads a stream to where media flows."""
    return (*_said(Publish(id, main_track=room), grant=grant), *_said(TakeConfiguration(id, "offer", _OFFER)))


def _played(id: str, *, room: str = "") -> tuple[Said, ...]:
    return _said(Play(id, room=room), TakeConfiguration(id, "answer", _ANSWER))


_ALL: Final = (
    World(
        "pair",
        "pair",
        "Three clients and a pair, with what is on its way to each of them; the server stops, and starts anew.",
        calls=("p",),
        server=_STOPPING,
    ),
    World(
        "pair-anyone",
        "pair",
        "Three sessions, a pair and those that the server draws for many; anybody says anything at any time.",
        (*_pair("p"), *_said(Join("drawn-1"), TakeCandidate("drawn-1", 0, "0", _CANDIDATE), Leave("drawn-1"))),
        server=_STOPPING,
        depth=9,
    ),
    World(
        "pair-calls",
        "pair",
        "Three clients and two pairs, with what is on its way to each of them. It is the one that is measured.",
        calls=("p", "q"),
        states=10_000,
    ),
    World(
        "stream",
        "stream",
        "A publisher, another one who wants its id, the window in which a stream waits, and media that says anything.",
        (
            *_published("s", grant=_ANN),
            *_said(
                Publish("s"), Stop("s"), TakeCandidate("s", 0, "0", _CANDIDATE), EnableTrack("s", "s", enabled=False)
            ),
            *_said(Publish("s"), grant=_EVE),
            *_said(Publish("s"), grant=_DENIED),
        ),
        sessions=2,
        settings=Settings(restore_ms=3_000),
        media=(*_NEGOTIATING, DescriptionFailed, CandidateFound, TracksFound),
        server=(EndStream(app=APP, stream_id="s"), RunStarted()),
        is_late=True,
        wait_ms=2_000,
        states=5_000,
    ),
    World(
        "playback",
        "playback",
        "A publisher and two who play it, while media of each of them comes and goes.",
        (
            *_published("s"),
            *_played("s"),
            *_said(Stop("s"), TakeCandidate("s", 0, "0", _CANDIDATE), ToggleVideo("s", "s", enabled=False)),
        ),
        sessions=3,
        media=(*_NEGOTIATING, DescriptionFailed, BitrateMeasured),
        server=(EndStream(app=APP, stream_id="s"),),
        is_late=True,
        states=5_000,
    ),
    World(
        "room",
        "room",
        "Two who join a room, publish in it, play each other and leave, or are sent out.",
        (
            *_said(JoinRoom("r", "a"), JoinRoom("r"), GetRoomInfo("r"), GetRoomInfo("r", "b"), LeaveFromRoom("r")),
            *_published("a", room="r"),
            *_published("b", room="r"),
            *_played("a", room="r"),
            *_said(Stop("a"), Stop("b")),
        ),
        sessions=2,
        media=_NEGOTIATING,
        server=(CloseRoom(app=APP, room="r"),),
        states=5_000,
    ),
    World(
        "room-two",
        "room",
        "Two rooms, with one who publishes in the one and is in the other.",
        (
            *_published("a", room="r"),
            *_said(JoinRoom("r", "b"), JoinRoom("q", "b"), LeaveFromRoom("r"), LeaveFromRoom("q")),
        ),
        sessions=2,
        media=_NEGOTIATING,
        states=5_000,
    ),
    World(
        "room-whole",
        "room",
        "Two who publish in a room and play it whole, so that the server offers again whenever it changes.",
        (
            *_published("a", room="r"),
            *_published("b", room="r"),
            *_played("r", room="r"),
            *_said(Stop("a"), Stop("r"), LeaveFromRoom("r")),
        ),
        sessions=2,
        settings=Settings(restore_ms=3_000),
        media=_NEGOTIATING,
        states=5_000,
    ),
    World(
        "grant",
        "stream",
        "Two sessions with one token that is good once, for as long as it lasts.",
        (
            *_said(Publish("s"), Publish("t"), Join("p"), JoinRoom("r", "b"), grant=_ONCE),
            *_said(Stop("s"), Stop("t"), Leave("p"), LeaveFromRoom("r")),
        ),
        sessions=2,
        wait_ms=5_000,
        states=5_000,
    ),
)

WORLDS: Final[dict[str, World]] = {world.name: world for world in _ALL}
"""Every world by its name. Together they are the default proof set."""


def worlds_of(machine: str) -> tuple[World, ...]:
    """Give the worlds that are about a kind of machine."""
    return tuple(world for world in _ALL if world.machine == machine)
