"""What a machine's functions see, and what they leave behind, while one record is applied.

The context looks things up (other machines, who holds what, the server's surroundings) and collects what the step will
contain. Nothing in it performs anything.
"""

from collections import deque
from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from signalreel.events import ClockAdjusted, Event, LicenceChanged, LogicRaised, ResourcesMeasured
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import AnyMachine, Key, Notice
from signalreel.machines.indexes import Indexes
from signalreel.machines.registry import Registry
from signalreel.machines.standings import Standings
from signalreel.machines.used import UsedTags
from signalreel.messages import AnyMessage, Error
from signalreel.record import Record
from signalreel.refusals import NO_STREAM_NAME_SPECIFIED, Refusal
from signalreel.settings import Settings
from signalreel.step import Detail, Fired, Transition

__all__ = ("US_PER_MS", "US_PER_S", "Context", "Environment", "Session", "error_of", "surroundings_after")


US_PER_MS: Final = 1_000
"""Microseconds in a millisecond: settings are in the one, the reel's time is in the other."""

US_PER_S: Final = 1_000_000
"""Microseconds in a second, the unit of what an operator plans."""


class Environment(Struct, frozen=True, gc=False, omit_defaults=True):
    """What the engine knows of the server's surroundings, all of it from events."""

    cpu_percent: int = 0
    free_memory_mb: int = -1  #: -1: never measured, which counts as enough
    licence_suspended: bool = False
    clock_offset: int = 0  #: microseconds: time since 1970 = record time + offset
    logic: tuple[int, ...] = ()  #: the flags of the logic that are raised, in their order


def surroundings_after(environment: Environment, event: Event) -> Environment:
    """Give the surroundings after an event that tells of them."""
    match event:
        case ResourcesMeasured():
            return replace(environment, cpu_percent=event.cpu_percent, free_memory_mb=event.free_memory_mb)
        case LicenceChanged():
            return replace(environment, licence_suspended=event.suspended)
        case ClockAdjusted():
            return replace(environment, clock_offset=event.offset)
        case LogicRaised():
            return replace(environment, logic=tuple(sorted({*environment.logic, event.flag})))
        case _:
            raise AssertionError(f"an event that nobody hears: {type(event).__name__}")


class Session(Struct, frozen=True, gc=False, omit_defaults=True):
    """A client's attachment: the app it is in for good, and who the host says it is."""

    id: str
    app: str
    identity: str = ""


class Context:
    """One record's surroundings and its gathering step. The engine keeps one and resets it for each record."""

    __slots__ = (
        "app",
        "detail",
        "environment",
        "fired",
        "indexes",
        "input",
        "machines",
        "messages",
        "notices",
        "record",
        "refused",
        "registry",
        "session",
        "settings",
        "standings",
        "transitions",
        "used",
        "vouched",
    )

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.environment = Environment()
        self.machines: dict[Key, AnyMachine] = {}
        self.indexes = Indexes()
        self.used = UsedTags()
        self.registry = Registry()
        self.standings = Standings()
        self.vouched = ""
        self.notices: deque[tuple[Kind, str, Notice]] = deque()
        self.begin(Record(0, 0, ""), "", "")

    def branch(self) -> "Context":
        """A copy between two records that goes its own way: dicts are copied, what they hold is shared."""
        other = Context.__new__(Context)
        other.settings = self.settings
        other.environment = self.environment
        other.machines = self.machines.copy()
        other.indexes = self.indexes.branch(self.machines)
        other.used = self.used.branch()
        other.registry = self.registry.branch()
        other.standings = self.standings.branch()
        other.notices = deque()
        return other

    def begin(self, record: Record, app: str, session: str, vouched: str = "") -> None:
        """Start on a record; `vouched` is who the host says the session is."""
        self.vouched = vouched
        self.record = record
        self.app = app
        self.session = session
        self.messages: list[tuple[str, AnyMessage]] = []
        self.transitions: list[Transition] = []
        self.fired: list[tuple[str, Fired]] = []
        self.refused = ""
        self.detail: Detail | None = None

    @property
    def time(self) -> int:
        """The record's time in microseconds since the reel began."""
        return self.record.time

    def has_raised(self, flag: int) -> bool:
        """Whether the machines go by a flag of the logic."""
        return flag in self.environment.logic

    @property
    def wall(self) -> int:
        """The wall clock's time in microseconds since 1970: what planned dates are held against."""
        return self.record.time + self.environment.clock_offset

    def until_ms(self, moment: int) -> int:
        """How many milliseconds it is until a moment in seconds since 1970, rounded up; 0 when that has passed."""
        return max(0, -((self.wall - moment * US_PER_S) // US_PER_MS))

    # ---- what the step will contain

    def send(self, session: str, message: AnyMessage) -> None:
        """Say something to a session."""
        self.messages.append((session, message))

    def refuse(self, refusal: Refusal, retry_after_ms: int = 0) -> None:
        """Refuse the record's command, with the stream id or room it named, and when to try again if that is known."""
        self.refused = refusal.definition
        if self.session:
            error = error_of(refusal, self.record.input, retry_after_ms=retry_after_ms)
            self.messages.append((self.session, error))

    def notify(self, kind: Kind, id: str, notice: Notice) -> None:
        """Tell another machine of this app, after all machines that the record concerns have run."""
        self.notices.append((kind, id, notice))

    def timer(self, milliseconds: int) -> dict[str, int]:
        """The fields of a machine whose timer is set now, to go off after so long."""
        return {"wake_at": self.record.time + milliseconds * US_PER_MS, "timer": self.record.seq}

    def fresh_id(self) -> str:
        """The id that the runtime drew for this record."""
        return self.record.ids[0]

    # ---- looking things up

    def find(self, kind: Kind, id: str) -> AnyMachine | None:
        """The machine of this app by this id, if it lives."""
        return self.machines.get((kind, self.app, id))

    def holds(self, kind: Kind) -> bool:
        """Whether the record's session holds a machine of this kind."""
        return any(key[0] is kind for key in self.indexes.held(self.session))

    def takes_part_in(self, id: str) -> bool:
        """Whether the record's session publishes, plays or has joined what goes by this id."""
        held = self.indexes.held(self.session)
        if (Kind.PLAYBACK, self.app, playback_id(self.session, id)) in held:
            return True
        return any((kind, self.app, id) in held for kind in (Kind.STREAM, Kind.PAIR, Kind.ROOM))

    def held(self, session: str, kind: Kind) -> list[str]:
        """The ids of the machines of a kind that a session holds, in a fixed order."""
        found = [key[2] for key in self.indexes.held(session) if key[0] is kind]
        return sorted(found) if len(found) > 1 else found


def error_of(
    refusal: Refusal, input: object, *, stream_id: str = "", subscriber_id: str = "", retry_after_ms: int = 0
) -> Error:
    """Make the message for a refusal of this input.

    It names the stream, room and subscriber that the input named, because clients route errors by them; only
    `noStreamNameSpecified` has no stream by definition.
    """
    named = stream_id or getattr(input, "stream_id", "")
    room = getattr(input, "room", "")
    return Error(
        refusal.definition,
        subscriber_id=subscriber_id or getattr(input, "subscriber_id", "") or UNSET,
        stream_id=named if named and refusal is not NO_STREAM_NAME_SPECIFIED else UNSET,
        room=room or UNSET,
        error_code=refusal.error_code or UNSET,
        information=refusal.information,
        retry_after_ms=retry_after_ms or refusal.retry_after_ms or UNSET,
    )
