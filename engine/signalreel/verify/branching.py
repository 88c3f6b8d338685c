"""The engine as a search drives it: one step from a state, taken back, then the next step from the same state.

    engine = Branching(settings)
    start = engine.save()
    for record in records:
        engine.resume(start)
        step = engine.attempt(record)
        state = engine.save()           # to go on from there later
        engine.undo()

Machines are immutable, so a step is taken back at the cost of what it changed, and a state is saved as a few dicts of
references. Neither the chained digest nor the digest of the state is kept up: a search compares states in its own way.
"""

from collections.abc import Mapping
from typing import Final, cast

from msgspec import Struct

from signalreel.commands import Command, RegisterPushToken, SendPush
from signalreel.engine import TABLES, Engine
from signalreel.events import RunStarted, SessionClosed, SessionOpened
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.context import Context, Environment, Session
from signalreel.record import Record
from signalreel.settings import Settings
from signalreel.statehash import Place, StateHash
from signalreel.step import Step

__all__ = ("Branching", "Saved")

_KINDS: Final = frozenset(Kind)
_TAKEN_BACK: Final = frozenset((*Kind, "session"))
_OF_SESSIONS: Final = frozenset((SessionOpened, SessionClosed, RunStarted))
_NO_DIGEST: Final = b""


class Saved(Struct, gc=False):
    """A state to go on from. It is as it was whenever no attempt is under way."""

    context: Context
    sessions: dict[str, Session]
    seq: int
    time: int
    settings: Settings
    environment: Environment


class _Places(StateHash):
    """Hears which places change, as the digest does."""

    def __init__(self) -> None:
        super().__init__()
        self.before: dict[Place, Struct | None] = {}
        self.is_aside = False

    def changed(self, place: Place, value: Struct | None) -> None:
        """Note that a place has changed."""
        if not self.is_aside and place[0] not in _TAKEN_BACK:
            raise AssertionError(f"a step changes {place[0]}, which is not taken back: it must be tried aside")
        self.before.setdefault(place, None)


class Branching(Engine):
    """An engine that takes steps back. Without digests: its steps have none, and `digest` stays as it was."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._places = _Places()
        self._hash = self._places
        self._at = self._saved(self._context, self._sessions)

    @property
    def context(self) -> Context:
        """The state itself, to look at."""
        return self._context

    @property
    def open(self) -> Mapping[str, Session]:
        """The open sessions, by their ids."""
        return self._sessions

    @property
    def before(self) -> dict[Place, Struct | None]:
        """What stood, before the last attempt, at each place that it changed."""
        return self._places.before

    @property
    def has_changed(self) -> bool:
        """Whether the last attempt left anything but the seq and the time otherwise than it was."""
        context, at = self._context, self._at
        return (
            bool(self._places.before)
            or context.environment is not at.environment
            or context.settings is not at.settings
        )

    def resume(self, saved: Saved) -> None:
        """Be in a state that was saved."""
        self._at = saved
        self._context = saved.context
        self._sessions = saved.sessions
        self._seq, self._time = saved.seq, saved.time

    def save(self) -> Saved:
        """Save the state as it is now, sharing what the attempt has not changed."""
        if self._places.is_aside or not self.has_changed:
            return self._saved(self._context, self._sessions)
        return self._saved(self._context.branch(), self._sessions.copy())

    def _saved(self, context: Context, sessions: dict[str, Session]) -> Saved:
        return Saved(context, sessions, self._seq, self._time, context.settings, context.environment)

    def attempt(self, record: Record) -> Step:
        """Apply a record that is whole and in order, as `apply` does, but without any digest. Undo it afterwards."""
        places, at = self._places, self._at
        places.before = {}
        places.is_aside = self._goes_beyond(record)
        if places.is_aside:
            self._context = at.context.branch()
        if type(record.event) in _OF_SESSIONS:
            self._sessions = at.sessions.copy()
        deadline = self._perform(record)
        context = self._context
        return Step(record, context.transitions, context.messages, deadline, _NO_DIGEST, context.refused, context.fired)

    def undo(self) -> None:
        """Be again as before the attempt."""
        places, at = self._places, self._at
        self._seq, self._time = at.seq, at.time
        self._sessions = at.sessions
        if places.is_aside:
            self._context = at.context
            return
        context = self._context
        context.environment, context.settings = at.environment, at.settings
        for place, was in places.before.items():
            if place[0] in _KINDS:
                self._put_back(cast(Key, place), cast("AnyMachine | None", was))

    def _put_back(self, key: Key, was: AnyMachine | None) -> None:
        """Have a machine be what it was. A room by way of nothing: its seats are followed only as they come and go."""
        machines, moved = self._context.machines, self._context.indexes.moved
        now = machines.pop(key, None)
        if now is not None and was is not None and key[0] is not Kind.ROOM:
            machines[key] = was
            moved(key, now, was, stored=True, was_stored=True)
            return
        blank = _blank(key)
        if now is not None:
            moved(key, now, blank, stored=False, was_stored=True)
        if was is not None:
            machines[key] = was
            moved(key, blank, was, stored=True, was_stored=False)

    def keep(self) -> None:
        """Go on from what the attempt has led to, and leave the state it was made in as it was."""
        saved = self.save()
        self.undo()
        self.resume(saved)

    def _store(self, key: Key, before: AnyMachine, after: AnyMachine, was_stored: bool) -> None:
        self._places.before.setdefault(key, before if was_stored else None)
        super()._store(key, before, after, was_stored)

    def _goes_beyond(self, record: Record) -> bool:
        """Whether a record may change more than machines and sessions. That is not taken back, but done on a copy."""
        context, command = self._context, record.command
        return (
            record.grant is not None
            or record.host is not None
            or len(context.registry) > 0
            or len(context.standings) > 0
            or type(command) is RegisterPushToken
            or type(command) is SendPush
            or (command is not None and self._is_named(command, record.session))
        )

    def _is_named(self, command: Command, session: str) -> bool:
        """Whether somebody is named who then stands for what the command takes hold of."""
        holder = self._sessions.get(session)
        return bool(getattr(command, "subscriber_id", "")) or (holder is not None and holder.identity != "")


def _blank(key: Key) -> AnyMachine:
    """Give what stands at a place where nothing is stored."""
    table = TABLES[key[0]]
    return cast("AnyMachine", table.machine(key[1], key[2], table.initial))
