"""A world around one engine: it draws what a runtime would draw, and keeps what everyone was told.

    world = World()
    world.open("alice", "bob")
    step = world.say("alice", Publish("s1"))
    assert step.messages == [("alice", Start("s1"))]

Everything is counted, nothing is random: seqs by one, time by a millisecond a record, fresh ids by the record's seq. So
every test gives the same records in every run, and `world.reel()` is a reel that can be replayed.
"""

from typing import Final

from msgspec import UNSET, Struct

from signalreel.commands import AnyCommand, Command, Play, Publish, TakeConfiguration
from signalreel.engine import Engine
from signalreel.events import (
    AnyEvent,
    DeadlineReached,
    DescriptionCreated,
    Event,
    MediaConnected,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
)
from signalreel.header import Header
from signalreel.host import AnyHostCommand, HostCommand
from signalreel.identifiers import Kind, Reference, playback_id
from signalreel.messages import AnyMessage, Error
from signalreel.record import Grant, Record, encode_record
from signalreel.reel import MemoryReel
from signalreel.refusals import NO_STREAM_NAME_SPECIFIED, Refusal
from signalreel.settings import Settings
from signalreel.step import Step, outcome_of

__all__ = ("APP", "MS", "Move", "World", "moves", "record_of", "refusal", "told")

APP: Final = "live"
"""The app that sessions open in unless a test says otherwise."""

MS: Final = 1_000
"""Microseconds in a millisecond: reel time is in the former, settings are in the latter."""

Input = AnyCommand | AnyEvent | AnyHostCommand
Move = tuple[str, str, str, str]
"""A transition as tests compare it: kind, id, source, target."""


def record_of(
    seq: int, time: int, session: str, input: Input, grant: Grant | None = None, ids: tuple[str, ...] = ()
) -> Record:
    """Put an input on a record, in the field for its sort."""
    if isinstance(input, Command):
        return Record(seq, time, session, command=input, grant=grant, ids=ids)
    if isinstance(input, Event):
        return Record(seq, time, session, event=input, grant=grant, ids=ids)
    assert isinstance(input, HostCommand)
    return Record(seq, time, session, host=input, grant=grant, ids=ids)


def told(step: Step, session: str) -> list[AnyMessage]:
    """What one session is told by a step."""
    return [message for to, message in step.messages if to == session]


def moves(step: Step) -> list[Move]:
    """The transitions of a step without their details."""
    return [(str(m.machine.kind), m.machine.id, str(m.source), str(m.target)) for m in step.transitions]


def refusal(
    entry: Refusal, *, stream_id: str = "", room: str = "", subscriber_id: str = "", retry_after_ms: int = 0
) -> Error:
    """The message in which a client gets an entry of the catalogue."""
    named = stream_id if entry is not NO_STREAM_NAME_SPECIFIED else ""
    return Error(
        entry.definition,
        stream_id=named or UNSET,
        subscriber_id=subscriber_id or UNSET,
        room=room or UNSET,
        error_code=entry.error_code or UNSET,
        information=entry.information,
        retry_after_ms=retry_after_ms or entry.retry_after_ms or UNSET,
    )


class Past(Struct, frozen=True):
    """One applied record and what it caused."""

    record: Record
    step: Step


class World:
    """An engine, and everyone around it."""

    def __init__(self, settings: Settings | None = None, *, state_digest_every: int = 1) -> None:
        self.initial_settings: Final = settings if settings is not None else Settings()
        self.engine = Engine(self.initial_settings, state_digest_every=state_digest_every)
        self.past: list[Past] = []
        self.heard: dict[str, list[AnyMessage]] = {}
        self.now = 0  #: microseconds of reel time

    @property
    def records(self) -> list[Record]:
        """Every record applied so far."""
        return [past.record for past in self.past]

    @property
    def steps(self) -> list[Step]:
        """Every step so far."""
        return [past.step for past in self.past]

    # ---- inputs

    def apply(self, input: Input, *, session: str = "", grant: Grant | None = None) -> Step:
        """Stamp an input and apply it, a millisecond after the one before."""
        seq = self.engine.seq + 1
        self.now += MS
        record = record_of(seq, self.now, session, input, grant, (f"fresh-{seq}",))
        step = self.engine.apply(record)
        self.past.append(Past(record, step))
        for to, message in step.messages:
            self.heard.setdefault(to, []).append(message)
        return step

    def open(self, *sessions: str, app: str = APP, identity: str = "") -> None:
        """Have sessions attach to an app."""
        for session in sessions:
            self.apply(SessionOpened(app, identity), session=session)

    def close(self, session: str) -> Step:
        """Have a session's transport end."""
        return self.apply(SessionClosed(), session=session)

    def say(self, session: str, command: AnyCommand, *, grant: Grant | None = None) -> Step:
        """Have a client send a command."""
        return self.apply(command, session=session, grant=grant)

    def report(self, event: AnyEvent) -> Step:
        """Have the world report an event that is no session's."""
        return self.apply(event)

    def order(self, command: AnyHostCommand) -> Step:
        """Have the host order something."""
        return self.apply(command)

    def set(self, settings: Settings) -> Step:
        """Change the settings."""
        return self.apply(SettingsChanged(settings))

    def wait(self, milliseconds: int) -> None:
        """Let time pass until just before so much of it has passed at the next record."""
        self.now += (milliseconds - 1) * MS

    def wake(self) -> Step:
        """Let time pass until the engine's deadline, and report that it has come."""
        deadline = self.engine.deadline()
        assert deadline is not None, "no timer is set"
        self.now = max(self.now, deadline.at - MS)
        return self.apply(DeadlineReached(deadline.machine, deadline.timer))

    # ---- looking

    def reference(self, kind: Kind, id: str, *, app: str = APP) -> Reference:
        """The reference to the present life of a machine."""
        machine = self.engine.find(kind, id, app=app)
        assert machine is not None, f"no {kind} {app}/{id} lives"
        return Reference(kind, app, id, machine.born)

    def stream(self, id: str, *, app: str = APP) -> Reference:
        """The reference to a stream."""
        return self.reference(Kind.STREAM, id, app=app)

    def playback(self, session: str, id: str, *, app: str = APP) -> Reference:
        """The reference to a session's playback."""
        return self.reference(Kind.PLAYBACK, playback_id(session, id), app=app)

    def state(self, kind: Kind, id: str, *, app: str = APP) -> str:
        """The state of a machine; empty when none lives under the id."""
        machine = self.engine.find(kind, id, app=app)
        return str(machine.state) if machine is not None else ""

    def lives(self) -> list[tuple[str, str, str]]:
        """Every machine that lives: (kind, id, state), in order."""
        return sorted((str(key[0]), key[2], str(machine.state)) for key, machine in self.engine.machines())

    def reel(self) -> MemoryReel:
        """A reel of everything that happened, as a runtime would have kept it."""
        reel = MemoryReel(Header(self.initial_settings))
        for past in self.past:
            reel.append(past.record.seq, encode_record(past.record))
            reel.conclude(past.record.seq, outcome_of(past.step))
        return reel

    # ---- whole flows

    def publish(self, session: str, id: str, *, room: str = "", grant: Grant | None = None) -> Reference:
        """Have a session publish, up to where media flows."""
        self.say(session, Publish(id, main_track=room), grant=grant)
        self.go_live(session, id)
        return self.stream(id, app=self._app_of(session))

    def play(self, session: str, id: str, *, room: str = "", tracks: tuple[str, ...] = ()) -> Reference:
        """Have a session play a stream or room, up to where it is connected."""
        self.say(session, Play(id, room=room, track_list=tracks))
        self.offer_and_answer(session, id)
        app = self._app_of(session)
        self.report(MediaConnected(self.playback(session, id, app=app)))
        return self.playback(session, id, app=app)

    def go_live(self, session: str, id: str) -> None:
        """Have a session that was told to start go on to where media flows."""
        self.say(session, TakeConfiguration(id, "offer", "the publisher's offer"))
        app = self._app_of(session)
        self.report(DescriptionCreated(self.stream(id, app=app), "answer", "media's answer"))
        self.report(MediaConnected(self.stream(id, app=app)))

    def offer_and_answer(self, session: str, id: str) -> None:
        """Have media offer to a player, and the player answer."""
        playback = self.playback(session, id, app=self._app_of(session))
        self.report(DescriptionCreated(playback, "offer", "media's offer", {"0": f"ARDAMSv{id}"}))
        self.say(session, TakeConfiguration(id, "answer", "the player's answer"))

    def _app_of(self, session: str) -> str:
        found = self.engine.session(session)
        assert found is not None, f"{session} is not open"
        return found.app
