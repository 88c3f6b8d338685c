"""The engine: a record in, a step out.

    engine = Engine(settings)
    step = engine.apply(record)

The step is everything the record caused, as data; whoever holds the engine sends its messages and hands its transitions
to whom they concern, then applies the next record. The engine reads no clock, draws nothing and performs nothing: two
engines that apply the same records are in the same state and give the same steps, digests included.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, cast

from msgspec import Struct
from msgspec.structs import replace

from signalreel.commands import Command, GetIceServerConfig, JoinRoom, RegisterPushToken, SendPush, ids_wanted
from signalreel.errors import InvalidRecord, OutOfOrder
from signalreel.events import (
    ClockAdjusted,
    DeadlineReached,
    Event,
    LogicRaised,
    MediaEvent,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
)
from signalreel.host import NO_SUCH_SESSION, AnyRegistryCommand, EndStream, HostCommand, KickSession, RegistryCommand
from signalreel.identifiers import Kind, Reference
from signalreel.logic import CATALOGUE, Catalogue
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.blocking import TAKING_HOLD, ended_by, standings_after
from signalreel.machines.broadcasts import Broadcast, broadcast_of
from signalreel.machines.context import Context, Environment, Session, error_of, surroundings_after
from signalreel.machines.indexes import Indexes
from signalreel.machines.names import refusal_of_names
from signalreel.machines.notices import PlanChanged
from signalreel.machines.pair import PAIR
from signalreel.machines.playback import PLAYBACK
from signalreel.machines.push import answer_push
from signalreel.machines.registry import Registry
from signalreel.machines.room import ROOM
from signalreel.machines.routes import ROUTES, closing
from signalreel.machines.standings import Standing, StandingsOf
from signalreel.machines.stream import STREAM
from signalreel.machines.table import Table
from signalreel.machines.used import Used, use_of
from signalreel.messages import POLICY_VIOLATION, CloseSession, IceServerConfig, Notification
from signalreel.record import Record
from signalreel.refusals import USER_BLOCKED
from signalreel.settings import Settings
from signalreel.snapshot import Snapshot
from signalreel.statehash import Observer, StateHash
from signalreel.step import GENESIS, Deadline, Fired, Step, Transition, chain

__all__ = ("STATE_DIGEST_EVERY", "TABLES", "Engine")

STATE_DIGEST_EVERY: Final = 64
"""Records between two digests of the whole state."""

TABLES: Final[dict[Kind, Table[Any]]] = {
    Kind.STREAM: STREAM,
    Kind.PLAYBACK: PLAYBACK,
    Kind.PAIR: PAIR,
    Kind.ROOM: ROOM,
}
"""The table of each kind of machine."""

_OF_MACHINES: Final = (MediaEvent, DeadlineReached)  #: events that name the machine they concern
_CELLS: Final = {kind: table.cells for kind, table in TABLES.items()}
_OTHER_INPUTS: Final = 2  #: of the three kinds of input, those that a record does not carry
_UNKNOWN_SESSION: Final = Fired("route", "", "", 0, "ignore: of a session that is not open")
_OTHER_KIND: Final = Fired("route", "", "", 0, "ignore: not an input of this kind of machine")
_NAMED_WRONGLY: Final = Fired("route", "", "", 0, "refuse: the name is missing or invalid")


class _Rest(Struct, frozen=True):
    """What a state digest covers besides machines and sessions."""

    settings: Settings
    environment: Environment


class Engine:
    """The state of every app, and the one way to change it.

    `settings`, `started_at` (microseconds since 1970) and `logic` (the raised flags; None: all that are known) are
    those of the reel's header; later ones arrive as records. `state_digest_every` says how often a step carries a
    digest of the whole state (1 in tests); `catalogue` holds the known flags, if not this version's own.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        started_at: int = 0,
        logic: tuple[int, ...] | None = None,
        state_digest_every: int = STATE_DIGEST_EVERY,
        catalogue: Catalogue = CATALOGUE,
    ) -> None:
        self._catalogue = catalogue
        self._context = Context(settings if settings is not None else Settings())
        raised = catalogue.numbers if logic is None else tuple(sorted(set(logic)))
        self._context.environment = Environment(clock_offset=started_at, logic=raised)
        self._sessions: dict[str, Session] = {}
        self._seq = 0
        self._time = 0
        self._digest = GENESIS
        self._hash = StateHash()
        self._every = state_digest_every

    # ---- looking

    @property
    def seq(self) -> int:
        """The seq of the last record applied, 0 before the first."""
        return self._seq

    @property
    def time(self) -> int:
        """The time of the last record applied, microseconds since the reel began."""
        return self._time

    @property
    def digest(self) -> bytes:
        """The digest after the last record applied."""
        return self._digest

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._context.settings

    @property
    def environment(self) -> Environment:
        """What the engine knows of the server's surroundings."""
        return self._context.environment

    @property
    def registry(self) -> Registry:
        """What is registered, to look at: only host commands on the reel change it."""
        return self._context.registry

    @property
    def indexes(self) -> Indexes:
        """How machines are found without walking all of them, to look at."""
        return self._context.indexes

    def sessions(self) -> tuple[Session, ...]:
        """The open sessions, in the order in which they opened."""
        return tuple(self._sessions.values())

    def session(self, id: str) -> Session | None:
        """An open session, by its id."""
        return self._sessions.get(id)

    def machines(self, kind: Kind | None = None) -> Iterable[tuple[Key, AnyMachine]]:
        """Every machine that lives, or those of one kind, with its key."""
        found = list(self._context.machines.items())
        return found if kind is None else [(key, machine) for key, machine in found if key[0] is kind]

    def find(self, kind: Kind, id: str, *, app: str) -> AnyMachine | None:
        """A machine that lives, by its id."""
        return self._context.machines.get((kind, app, id))

    def broadcast(self, id: str, *, app: str) -> Broadcast | None:
        """What is told of a stream or room that lives to whoever asks."""
        room = self.find(Kind.ROOM, id, app=app)
        stream = self.find(Kind.STREAM, id, app=app)
        machine = room if room is not None else stream
        return broadcast_of(machine, self._context) if machine is not None else None

    def held(self, session: str) -> tuple[Key, ...]:
        """The keys of the machines that a session holds, in the order in which they hear that it closed."""
        return closing(self._context, session)

    def is_used(self, app: str, tag: str) -> bool:
        """Whether a one-time token or code of this tag has been used and could otherwise be used still."""
        return self._context.used.by_another(app, tag, "", self._time + self.environment.clock_offset)

    def deadline(self) -> Deadline | None:
        """When the engine next wants to be woken, if at all: apply a `DeadlineReached` at that time, not before."""
        return self._context.indexes.deadline(self._context.machines)

    def watch(self, observer: Observer) -> None:
        """Have somebody told of every change of the state from now on, for as long as the engine lives."""
        self._hash.observers = (*self._hash.observers, observer)

    # ---- applying

    def apply(self, record: Record) -> Step:
        """Apply a record and give everything it caused.

        Raises `OutOfOrder` when the record does not follow the last one, `InvalidRecord` when it is not whole; nothing
        has changed then.
        """
        if record.seq != self._seq + 1:
            raise OutOfOrder("seq", self._seq + 1, record.seq)
        if record.time < self._time:
            raise OutOfOrder("time", self._time, record.time)
        command, event, host = record.command, record.event, record.host
        if (command is None) + (event is None) + (host is None) != _OTHER_INPUTS:
            raise InvalidRecord(record.seq, "it does not carry exactly one input")
        if type(command) is JoinRoom and len(record.ids) < ids_wanted(command):
            raise InvalidRecord(record.seq, "it lacks the id that its input needs")
        if type(event) is LogicRaised and event.flag not in self._catalogue.numbers:
            raise InvalidRecord(record.seq, f"this version does not know flag {event.flag} of the logic")
        deadline = self._perform(record)
        context = self._context
        self._digest = chain(self._digest, record.seq, context.transitions, context.messages, deadline)
        return Step(
            record,
            context.transitions,
            context.messages,
            deadline,
            self._digest,
            context.refused,
            context.fired,
            self._state_digest() if record.seq % self._every == 0 else b"",
        )

    def _perform(self, record: Record) -> Deadline | None:
        """Apply a record that is whole and in order: everything but the digests, which a search does without."""
        self._seq, self._time = record.seq, record.time
        context = self._context
        if record.command is not None:
            self._apply_command(record, record.command)
        elif record.event is not None:
            self._apply_event(record, record.event)
        else:
            self._apply_host(record, cast(HostCommand, record.host))
        if context.notices:
            self._drain()
        if context.registry.changes:
            self._note_registered()
        return context.indexes.deadline(context.machines)

    def _apply_command(self, record: Record, command: Command) -> None:
        context = self._context
        session = self._sessions.get(record.session)
        if session is None:
            context.begin(record, "", "")
            context.fired.append(("", _UNKNOWN_SESSION))
            return
        context.begin(record, session.app, session.id, session.identity)
        refusal = refusal_of_names(command)
        if refusal is not None:
            context.fired.append(("", _NAMED_WRONGLY))
            context.refuse(refusal)
        elif type(command) is GetIceServerConfig:
            context.send(session.id, IceServerConfig(context.settings.stun_server))
        elif type(command) is RegisterPushToken or type(command) is SendPush:
            self._run(command)
            answer_push(context, command)
        else:
            self._run(command)
            standings = standings_after(context, command) if type(command) in TAKING_HOLD else None
            if standings is not None:
                self._stand(session.app, session.id, standings)
            if record.grant is not None and record.grant.once and not context.refused:
                self._use(use_of(session.app, session.id, record.grant, context.environment.clock_offset))

    def _apply_event(self, record: Record, event: Event) -> None:
        context = self._context
        if isinstance(event, _OF_MACHINES):
            context.begin(record, event.machine.app, "")
            self._run(event)
        elif isinstance(event, SessionClosed):
            session = self._sessions.get(record.session)
            context.begin(record, session.app if session is not None else "", record.session)
            self._let_go(record.session, event)
            context.messages[:] = [message for message in context.messages if message[0] != record.session]
        elif isinstance(event, SessionOpened):
            context.begin(record, event.app, record.session)
            if record.session not in self._sessions:
                self._open(Session(record.session, event.app, event.identity))
        else:
            context.begin(record, "", "")
            self._hear_of_server(record, event)

    def _hear_of_server(self, record: Record, event: Event) -> None:
        """Take an event that concerns no machine of its own."""
        context = self._context
        match event:
            case ShutdownAnnounced():
                if record.session in self._sessions:
                    context.send(record.session, Notification("server_will_stop"))
            case RunStarted():
                self._end_former_run()
            case SettingsChanged():
                context.settings = event.settings
            case _:
                context.environment = surroundings_after(context.environment, event)
        if type(event) is ClockAdjusted:
            for app, id in context.indexes.all_waiting():
                context.app = app
                self._fire((Kind.PLAYBACK, app, id), PlanChanged())

    def _apply_host(self, record: Record, command: HostCommand) -> None:
        context = self._context
        context.begin(record, command.app, "")
        if isinstance(command, KickSession):
            session = self._sessions.get(command.session)
            if session is not None and command.app in ("", session.app):
                context.send(command.session, CloseSession(POLICY_VIOLATION, "kicked"))
            else:
                context.fired.append(("", _UNKNOWN_SESSION))
                context.refuse(NO_SUCH_SESSION)
        elif isinstance(command, RegistryCommand):
            self._register(cast(AnyRegistryCommand, command))
        else:
            self._run(command)

    def _register(self, command: AnyRegistryCommand) -> None:
        """Change what is registered, and end what was live under something that is gone."""
        context = self._context
        refusal = context.registry.apply(context.app, command, context.wall)
        self._run(command)
        if refusal is not None:
            context.refuse(refusal)
            return
        for session, key, input in ended_by(context, command):
            context.session = session
            if session:
                wait = context.until_ms(getattr(command, "until", 0))
                context.send(session, error_of(USER_BLOCKED, input, retry_after_ms=wait))
            self._fire(key, input)
            self._drain()
        context.session = ""

    def _stand(self, app: str, session: str, standings: tuple[Standing, ...]) -> None:
        self._context.standings.put(app, session, standings)
        self._hash.changed(("standings", session), StandingsOf(standings) if standings else None)

    def _note_registered(self) -> None:
        for place, value in self._context.registry.take_changes():
            self._hash.changed(place, value)

    # ---- sessions and surroundings

    def _open(self, session: Session) -> None:
        self._sessions[session.id] = session
        self._hash.changed(("session", session.id), session)

    def _let_go(self, id: str, event: SessionClosed) -> None:
        context = self._context
        if self._sessions.pop(id, None) is None:
            context.fired.append(("", _UNKNOWN_SESSION))
            return
        self._hash.changed(("session", id), None)
        if context.standings.of(id):
            self._stand(context.app, id, ())
        for key in closing(context, id):
            self._fire(key, event)
        self._drain()

    def _end_former_run(self) -> None:
        """Close every session of the run before: its transports died with it, and no id may stay taken."""
        context = self._context
        event = SessionClosed(reason="the run ended")
        for id in sorted(self._sessions):
            context.app, context.session = self._sessions[id].app, id
            self._let_go(id, event)
        for key, _ in sorted(self.machines(Kind.STREAM), key=lambda found: found[0]):
            context.app, context.session = key[1], ""
            self._fire(key, EndStream(key[2]))
            self._drain()
        context.messages.clear()

    def _use(self, used: Used) -> None:
        tags = self._context.used
        for gone in tags.forget_expired(self._context.wall):
            self._hash.changed(("used", gone.app, gone.tag), None)
        if tags.mark(used):
            self._hash.changed(("used", used.app, used.tag), used)

    # ---- machines

    def _run(self, input: object) -> None:
        route = ROUTES[type(input)]
        keys = route.find(self._context, input)
        if not keys:
            self._context.fired.append(("", route.nowhere))
        for key in keys:
            self._fire(key, input)

    def _drain(self) -> None:
        context = self._context
        notices = context.notices
        while notices:
            kind, id, notice = notices.popleft()
            self._fire((kind, context.app, id), notice)

    def _fire(self, key: Key, input: object) -> None:
        context = self._context
        kind = key[0]
        by_state = _CELLS[kind].get(type(input))
        if by_state is None:
            context.fired.append((key[2], _OTHER_KIND))
            return
        before = context.machines.get(key)
        stored = before is not None
        if before is None:
            table = TABLES[kind]
            before = cast("AnyMachine", table.machine(key[1], key[2], table.initial))
        state = before.state
        for condition, action, next, fired in by_state[state]:  # noqa: B007 -- the row that fires is used below
            if condition is None or condition(before, input, context):
                break
        else:
            raise AssertionError(f"an open cell: {kind} in {state} on {type(input).__name__}")
        context.fired.append((key[2], fired))
        after = before
        if action is not None:
            after = action(before, input, context) or before
        if next is not None:
            after = self._enter(after, state, next)
            reference = Reference(kind, key[1], key[2], after.born)
            context.transitions.append(Transition(reference, state, next, context.detail))
            context.detail = None
        if after is not before:
            self._store(key, before, after, stored)

    def _enter(self, machine: AnyMachine, state: StrEnum, next: StrEnum) -> AnyMachine:
        if machine.born == 0:
            return replace(machine, state=next, born=self._seq, born_at=self._time, since=self._time)
        return machine if next is state else replace(machine, state=next, since=self._time)

    def _store(self, key: Key, before: AnyMachine, after: AnyMachine, was_stored: bool) -> None:
        machines = self._context.machines
        lives = after.state not in TABLES[key[0]].finals
        if lives:
            machines[key] = after
        elif was_stored:
            del machines[key]
            if key[0] is Kind.STREAM:
                self._context.registry.finish(key[1], key[2])
        self._context.indexes.moved(key, before, after, stored=lives, was_stored=was_stored)
        self._hash.changed(key, after if lives else None)

    def _state_digest(self) -> bytes:
        return self._hash.digest(_Rest(self._context.settings, self._context.environment))

    # ---- snapshots

    def snapshot(self) -> Snapshot:
        """Take the whole state."""
        machines: dict[Kind, list[Any]] = {kind: [] for kind in Kind}
        for key, machine in self._context.machines.items():
            machines[key[0]].append(machine)
        return Snapshot(
            self._seq,
            self._time,
            self._digest,
            self._context.settings,
            self._context.environment,
            tuple(self._sessions.values()),
            self._context.used.all(),
            tuple(machines[Kind.STREAM]),
            tuple(machines[Kind.PLAYBACK]),
            tuple(machines[Kind.PAIR]),
            tuple(machines[Kind.ROOM]),
            self._context.registry.all(),
            self._context.standings.all(),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Be in the state of the snapshot, whatever was before. Everything derived is derived again."""
        self._context = Context(snapshot.settings)
        self._context.environment = snapshot.environment
        observers, self._hash = self._hash.observers, StateHash()
        self._seq, self._time, self._digest = snapshot.seq, snapshot.time, snapshot.digest
        self._sessions = {}
        for session in snapshot.sessions:
            self._open(session)
        for used in snapshot.used:
            self._context.used.mark(used)
            self._hash.changed(("used", used.app, used.tag), used)
        for id, standings in snapshot.standings:
            self._stand(self._sessions[id].app, id, standings)
        self._context.registry.restore(snapshot.registered)
        self._note_registered()
        for kind, machines in (
            (Kind.STREAM, snapshot.streams),
            (Kind.PLAYBACK, snapshot.playbacks),
            (Kind.PAIR, snapshot.pairs),
            (Kind.ROOM, snapshot.rooms),
        ):
            for machine in cast(tuple[AnyMachine, ...], machines):
                table = TABLES[kind]
                blank = cast("AnyMachine", table.machine(machine.app, machine.id, table.initial))
                self._store((kind, machine.app, machine.id), blank, machine, was_stored=False)
        self._hash.observers = observers
        for observer in observers:
            observer.restored()
