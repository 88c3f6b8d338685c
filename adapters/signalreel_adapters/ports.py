"""The ports of the shell: what the runtime asks of the world, one promise each.

What lives here: Protocols, the few values they exchange, and the one error a transport ends with. What may not:
anything that performs an effect. An adapter names this module and the engine, and nothing else of the shell.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from msgspec import Struct, structs

from signalreel.commands import AnyCommand
from signalreel.errors import SignalreelError
from signalreel.events import AnyEvent
from signalreel.header import Header
from signalreel.identifiers import App, SessionId
from signalreel.notes import AnyNote
from signalreel.record import Grant
from signalreel.reel import Reel
from signalreel.refusals import ACCESS_REFUSALS, UNAUTHORIZED_ACCESS
from signalreel.step import Step

__all__ = (
    "Clock",
    "Delivery",
    "DurableReel",
    "Gate",
    "IceServer",
    "IceServers",
    "Ids",
    "Media",
    "NotingMedia",
    "Peer",
    "Report",
    "Rolled",
    "RollingReel",
    "SessionInfo",
    "Transport",
    "TransportClosed",
    "Verdict",
    "WorkingReel",
)

Report = Callable[[AnyEvent], None]
"""How an adapter tells what happened. Never blocks; call it in the thread of the event loop."""


class Peer(Struct, frozen=True):
    """Who is at the other end of a transport. For gates and limits; never logged, because an address is personal."""

    kind: str  #: `memory`, `websocket` …
    address: str = ""  #: the IP address, where there is one


class SessionInfo(Struct, frozen=True, weakref=True):
    """What is known of a session besides its commands. It lives as long as its session: a gate may key by it weakly."""

    session: SessionId
    app: App
    identity: str = ""  #: who the host says it is; empty when the host did not say
    peer: Peer = Peer("memory")


class TransportClosed(SignalreelError):
    """The transport has ended, whoever ended it; nothing more can be received or sent on it.

    `code` is the WebSocket close code (RFC 6455, section 7.4.1) or its nearest equivalent: 1000 when the other end
    closed in good order, 1006 when it vanished, ours when we closed.
    """

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"the transport ended with {code}")


class Transport(Protocol):
    """Carries whole messages in both directions, in order, without loss until it ends.

    One task receives while another sends; `close` may come from either at any time.
    """

    @property
    def peer(self) -> Peer:
        """Who is at the other end."""
        ...

    async def receive(self) -> bytes | str:
        """Wait for the next message. Raises `TransportClosed` when either end has closed or the link is lost."""
        ...

    async def send(self, data: bytes) -> None:
        """Hand over one message of UTF-8 JSON. Waits while the other end does not read: back-pressure is the promise.

        Raises `TransportClosed` when it can no longer be delivered. Returning says that it was handed over, not that
        it arrived.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """End the transport after what was sent before. Closing twice is harmless; `receive` ends with it."""
        ...


class Delivery(Protocol):
    """The way out of one session: what the runtime calls, in order, and never waits for.

    An adapter that works by callbacks implements it directly; `Runtime.attach` puts its bounded outbox here. Whoever
    implements it bounds what it keeps, and ends the session (`Session.closed`) when the bound is reached.
    """

    def send(self, data: bytes) -> None:
        """Take one message of UTF-8 JSON. Must not block and must not raise."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the transport once everything taken before has been handed over, then call `Session.closed`."""
        ...


class Media(Protocol):
    """Makes descriptions, moves media, and reports what happens to it. A bug in it is logged and stops nothing.

    The runtime calls `report_to` once, enters the adapter, and then calls `react` for every step in the order of the
    reel. What is reported becomes input like any other; a report about a life that has ended is inert.
    """

    def report_to(self, report: Report, failed: Callable[[], None]) -> None:
        """Take the callable to report events with, and the one to count each own exception that it got over."""
        ...

    async def __aenter__(self) -> Self:
        """Take what the adapter needs to run."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Free everything, whatever is still going on."""
        ...

    def react(self, step: Step) -> None:
        """Begin whatever the step's transitions ask for. Must not block; it may report before it returns."""
        ...


@runtime_checkable
class NotingMedia(Protocol):
    """A media adapter that also tells what is worth knowing and moves nothing: `MediaFailed`, `MediaStatistics`.

    It is asked to only where notes are kept. A note names no address, and holds no text of a peer's.
    """

    def note_to(self, note: Callable[[AnyNote], None]) -> None:
        """Take the callable to hand notes to. Never blocks; call it in the thread of the event loop."""
        ...


class Verdict:
    """What a gate decided. It has no truth value, so that `if gate.decide(...)` lets nobody in, awaited or not."""

    __slots__ = ("grant",)

    def __init__(self, grant: Grant) -> None:
        self.grant = grant

    @classmethod
    def allow(
        cls,
        identity: str = "",
        *,
        once: str = "",
        until: int = 0,
        sealed: str = "",
        rooms: tuple[str, ...] | None = None,
    ) -> Self:
        """Let the command pass, for the subscriber of this keyed tag.

        `once` is the keyed tag of a token or code that is good for one use, which the engine remembers until the wall
        clock (microseconds since 1970) says `until`; 0 is for ever. The runtime records it in the reel's own time.
        `sealed` is what whoever performs the command will need of it, as only they can read it.

        `rooms` are those that the verdict is good for, "" for no room at all; None, for any. The engine refuses the
        command when it leads to another one: the room in which a stream is put may be the one that its session has
        joined or that it is registered for, and what the gate saw may have changed by then.
        """
        return cls(Grant(allowed=True, identity=identity, once=once, until=until, sealed=sealed, rooms=rooms))

    def within(self, rooms: tuple[str, ...] | None) -> "Verdict":
        """Give the verdict as it is good for these rooms only, of those that it was good for; a refusal stays one."""
        grant = self.grant
        if rooms is None or not grant.allowed:
            return self
        both = rooms if grant.rooms is None else tuple(room for room in grant.rooms if room in rooms)
        return Verdict(structs.replace(grant, rooms=both)) if both else Verdict.refuse()

    @classmethod
    def refuse(cls, definition: str = UNAUTHORIZED_ACCESS.definition) -> Self:
        """Refuse the command with one of the definitions that a gate may use (`refusals.ACCESS_REFUSALS`)."""
        if definition not in {refusal.definition for refusal in ACCESS_REFUSALS}:
            raise ValueError(f"{definition!r} is not a definition that a gate refuses with")
        return cls(Grant(allowed=False, refusal=definition))

    def __bool__(self) -> bool:
        raise TypeError("a verdict has no truth value; hand it to the runtime, or read `verdict.grant.allowed`")


class Gate(Protocol):
    """Access control. It only verifies; what a one-time token was used for is the engine's to remember.

    It is the only part that sees tokens and codes: the runtime empties them before the command is recorded. An
    exception refuses the command. No gate at all (`None`) is the open door.
    """

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide about one command. Commands of one session are decided in their order, sessions side by side."""
        ...


class IceServer(Struct, frozen=True):
    """An ICE server as a client is told of it. Its credential is for that client alone: it is never shown or logged."""

    uri: str  #: `stun:host:port` or `turn:host:port`
    username: str = ""
    credential: str = ""

    def __repr__(self) -> str:
        return f"IceServer(uri={self.uri!r})"


class IceServers(Protocol):
    """Knows the ICE server for each client, with a credential where one is needed.

    The runtime asks when the answer to `getIceServerConfig` leaves for the client, after it was recorded: neither reel
    nor step ever holds a credential.
    """

    def for_session(self, session: SessionInfo) -> IceServer:
        """Give the server for a session. Must not block."""
        ...


class Clock(Protocol):
    """Tells the time and wakes. All times are integer microseconds."""

    def now(self) -> int:
        """Monotonic time; its zero means nothing."""
        ...

    def wall(self) -> int:
        """Time since 1970, for the header of a reel and for what has passed between two runs."""
        ...

    async def sleep_until(self, at: int) -> None:
        """Return once `now()` is at least `at`; at once when it is already. Never returns early."""
        ...


class Ids(Protocol):
    """Draws ids that nobody can guess: at least 96 random bits each, in characters that a stream name may have."""

    def draw(self) -> str:
        """Give a fresh id."""
        ...


@runtime_checkable
class DurableReel(Reel, Protocol):
    """A reel whose appended records are safe only once they are committed.

    All or nothing: when `commit` raises, every record appended since the last one is forgotten and `last_seq` is what
    it was. Outcomes are never forgotten by that; they go along with the next commit that succeeds.
    """

    async def commit(self) -> None:
        """Make everything appended and concluded so far as safe as this reel is set to wait for.

        Raises `ReelUnavailable` when it cannot.
        """
        ...


@runtime_checkable
class WorkingReel(Reel, Protocol):
    """A reel that writes on after `commit` has returned, and so may fail behind everybody's back."""

    @property
    def works(self) -> bool:
        """Whether its last attempt to write succeeded."""
        ...


class Rolled(Struct, frozen=True):
    """What became of a segment: its name now, and those of older ones that are no longer kept."""

    closed: str
    removed: tuple[str, ...] = ()
    not_removed: str = ""  #: why others could not be, that are no longer kept either


@runtime_checkable
class RollingReel(DurableReel, Protocol):
    """A durable reel that closes what it has written, and goes on from a snapshot."""

    async def flush(self) -> None:
        """Commit, and wait until everything is safe. Raises `ReelUnavailable` when it cannot be made so."""
        ...

    def wants_to_roll(self, age_us: int, nothing_lives: Callable[[], bool]) -> bool:
        """Whether a new segment is to be begun; `age_us` is how old the first record of this one is."""
        ...

    async def roll(self, snapshot: bytes, successor: Header, digest: bytes) -> Rolled:
        """Close this segment and begin the next. Raises `ReelUnavailable` when that cannot be done now."""
        ...
