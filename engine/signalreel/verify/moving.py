"""What must hold of every step: whom it speaks to, what it refuses, and what it may follow on.

Some of it depends on what was said before: whether a publisher was told that it is live, which offers were relayed,
which one-time tokens were used. `Memory` keeps that, by what the steps showed and not by what the machines keep.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from signalreel.commands import (
    GetRoomInfo,
    LeaveFromRoom,
    RegisterPushToken,
    SendPush,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.engine import Engine
from signalreel.events import DeadlineReached, MediaEvent
from signalreel.grants import GATED
from signalreel.host import CloseRoom, KickSession
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.notices import IdWanted, LeftRoom
from signalreel.machines.shapes import Pair, Playback, PlaybackState, Room, Stream, StreamState
from signalreel.messages import (
    AnyMessage,
    Candidate,
    Description,
    Notification,
    RelayedMessage,
    RoomInformation,
    StopPeer,
)
from signalreel.record import Record, input_name
from signalreel.step import Fired, Step
from signalreel.verify.looking import Looking

__all__ = ("Memory",)

_STARTED: Final = frozenset(("publish_started", "session_restored"))
_RELAYED: Final = (Description, Candidate, RelayedMessage, StopPeer)
_ASKING: Final = frozenset(GATED) - {RegisterPushToken, SendPush}
"""The commands for which the gate's verdict is heeded by a machine."""


_HELD: Final = frozenset((*Kind, "session", "standings", "used"))
"""Kinds of places of the state that a refusal leaves alone; what has expired by itself is forgotten with any order."""

_LEAVING: Final = frozenset(input.__name__ for input in (LeaveFromRoom, Stop, CloseRoom, IdWanted))
_NOT_NEGOTIATED: Final = frozenset((StreamState.RESTORING, PlaybackState.WAITING))
_NO_LONGER_LIVE: Final = frozenset((StreamState.FINISHED, StreamState.RESTORING))


class _Offers(Struct):
    """The offers relayed in a pair that its other peer has not answered, as far as they count."""

    offerer: str
    unanswered: int


class Memory:
    """What checks of steps must remember of those before."""

    def __init__(self, engine: Engine) -> None:
        self._live: dict[tuple[str, str], str] = {}
        self._rooms: dict[tuple[str, str], dict[str, str]] = {}
        self._offers: dict[tuple[str, str], _Offers] = {}
        snapshot = engine.snapshot()
        self._used = {(used.app, used.tag): (used.session, used.until) for used in snapshot.used}
        for key, machine in engine.machines():
            self.follow(key, None, machine)
            if isinstance(machine, Stream) and machine.state is StreamState.BROADCASTING:
                self._live[key[1], key[2]] = machine.sessions[0]
            if isinstance(machine, Pair) and machine.owed:
                self._offers[key[1], key[2]] = _Offers(machine.offerer, machine.owed)

    def branch(self) -> "Memory":
        """A copy that goes its own way."""
        other = Memory.__new__(Memory)
        vars(other).update(
            _live=self._live.copy(),
            _rooms={room: listed.copy() for room, listed in self._rooms.items()},
            _offers={pair: _Offers(offers.offerer, offers.unanswered) for pair, offers in self._offers.items()},
            _used=self._used.copy(),
        )
        return other

    def publisher(self, app: str, stream_id: str) -> str:
        """The session that was told that this stream is live, and has not been told since that it is not."""
        return self._live.get((app, stream_id), "")

    def unanswered(self, app: str, pair_id: str) -> tuple[str, int]:
        """Whose offers in a pair are not answered yet, and how many."""
        offers = self._offers.get((app, pair_id))
        return (offers.offerer, offers.unanswered) if offers is not None else ("", 0)

    def used(self) -> Mapping[tuple[str, str], tuple[str, int]]:
        """By app and tag, the session that used a one-time token, and until when that counts."""
        return self._used

    def follow(self, key: Key, was: AnyMachine | None, now: AnyMachine | None) -> None:
        """Keep which streams are live in which room, at the cost of the stream that changed."""
        if key[0] is Kind.STREAM:
            for room, _ in _listing(was):
                listed = self._rooms.get((key[1], room), {})
                listed.pop(key[2], None)
            for room, publisher in _listing(now):
                self._rooms.setdefault((key[1], room), {})[key[2]] = publisher
        elif key[0] is Kind.PAIR and (now is None or not now.sessions[1:]):
            self._offers.pop((key[1], key[2]), None)

    # ---- one step

    def check(self, look: Looking, step: Step) -> None:
        """Check a step that was just applied."""
        record = step.record
        if step.refused:
            self._check_refusal(look, step)
        if step.messages:
            self._check_messages(look, step)
        command, event = record.command, record.event
        if command is not None:
            if type(command) in _ASKING and record.grant is not None:
                self._check_grant(look, step)
            if type(command) is TakeConfiguration:
                self._check_answer(look, step, command)
            elif type(command) is TakeCandidate:
                self._check_candidate(look, step)
        elif isinstance(event, MediaEvent | DeadlineReached):
            self._check_retired(look, step, event)
        for id, fired in step.fired:
            if fired.input == LeftRoom.__name__ and not fired.what.startswith("ignore"):
                self._check_left(look, step, id, fired)
            if fired.is_unreachable:
                look.wrong("nothing-unreachable", f"{fired.kind} {id[-8:]}", f"{fired.input} in {fired.state}")
        if step.transitions:
            self._check_moves(look, step)

    def _check_refusal(self, look: Looking, step: Step) -> None:
        asker = step.record.session
        if step.transitions:
            look.wrong("refusal-changes-nothing", step.refused, f"{len(step.transitions)} machines moved")
        if any(place[0] in _HELD for place in look.before):
            look.wrong("refusal-changes-nothing", step.refused, "what sessions hold has changed")
        if any(to != asker for to, _ in step.messages):
            look.wrong("refusal-changes-nothing", step.refused, "somebody else was told")

    def _check_grant(self, look: Looking, step: Step) -> None:
        record, grant = step.record, step.record.grant
        if grant is None or step.refused:
            return
        session = look.engine.session(record.session)
        if session is None:
            return
        if not grant.allowed:
            look.wrong("denied-is-refused", _told(record), "it was accepted")
        if grant.once:
            offset = look.engine.environment.clock_offset
            until = grant.until + offset if grant.until else 0
            by, expires = self._used.setdefault((session.app, grant.once), (session.id, until))
            if by != session.id and not 0 < expires <= record.time + offset:
                look.wrong("grant-once", _told(record), "the token was used by another session")
            elif by != session.id:
                self._used[session.app, grant.once] = (session.id, until)

    def _check_retired(self, look: Looking, step: Step, event: MediaEvent | DeadlineReached) -> None:
        reference = event.machine
        key = (reference.kind, reference.app, reference.id)
        was = look.was(key)
        lives = was is not None and was.born == reference.born
        if lives and isinstance(event, DeadlineReached):
            lives = was is not None and was.timer == event.timer and 0 < was.wake_at <= step.record.time
        if not lives and (step.transitions or step.messages or look.before):
            look.wrong("retired-is-inert", key, "it was moved by what is over")

    def _check_candidate(self, look: Looking, step: Step) -> None:
        session = look.engine.session(step.record.session)
        moved = {(made.machine.kind, made.machine.id) for made in step.transitions}
        for id, fired in step.fired:
            is_of_media = fired.kind in {Kind.STREAM, Kind.PLAYBACK} and fired.state not in _NOT_NEGOTIATED
            if is_of_media and session is not None and (fired.kind, id) not in moved:
                look.wrong("candidate-handed-on", (Kind(fired.kind), session.app, id), "it did not reach media")

    def _check_left(self, look: Looking, step: Step, id: str, fired: Fired) -> None:
        """What ends because a session left a room was in one of the rooms that the step is about."""
        rooms = {name for name, one in step.fired if one.kind == Kind.ROOM and one.input in _LEAVING}
        for transition in step.transitions:
            machine = transition.machine
            key = (machine.kind, machine.app, machine.id)
            if (machine.kind, machine.id) != (fired.kind, id):
                continue
            was = look.was(key)
            place = was.placed_in if isinstance(was, Stream) else was.room if isinstance(was, Playback) else ""
            if place not in rooms:
                look.wrong("leaving-ends-its-own", key, "it ended, though its session has left another room")

    # ---- what machines do

    def _check_moves(self, look: Looking, step: Step) -> None:
        for transition in step.transitions:
            machine = transition.machine
            key = (machine.kind, machine.app, machine.id)
            if machine.kind is Kind.STREAM:
                if transition.target in _NO_LONGER_LIVE:
                    self._check_not_live(look, key)
                elif transition.source == StreamState.RESTORING and transition.target == StreamState.PREPARING:
                    was, grant = look.was(key), step.record.grant
                    identity = grant.identity if grant is not None else ""
                    if not identity or not isinstance(was, Stream) or was.identity != identity:
                        look.wrong("restored-by-its-publisher", key, "somebody else publishes it")
            elif machine.kind is Kind.PLAYBACK and transition.target == PlaybackState.FINISHED:
                was = look.was(key)
                player = machine.id.partition("/")[0]
                if isinstance(was, Playback) and look.engine.session(player) is not None:
                    shown = was.watches or was.waits_for
                    if not any(
                        to == player
                        and type(message) is Notification
                        and (message.definition, message.stream_id) == ("play_finished", shown)
                        for to, message in step.messages
                    ):
                        look.wrong("play-ends", key, "its player was not told `play_finished`")

    def _check_not_live(self, look: Looking, key: Key) -> None:
        publisher = self._live.pop((key[1], key[2]), "")
        if publisher and look.engine.session(publisher) is not None:
            look.wrong("publish-finished-once", key, "its publisher was not told `publish_finished`")

    # ---- what is said

    def _check_messages(self, look: Looking, step: Step) -> None:
        asker = step.record.session
        host = step.record.host
        for to, message in step.messages:
            session = look.engine.session(to)
            if session is None:
                look.wrong("told-only-concerned", _told(step.record), "a session that is not open was told something")
                continue
            is_asked = to == asker or (isinstance(host, KickSession) and host.session == to)
            if not is_asked and not look.concerns(step, session.app, to):
                tag = type(message).__struct_config__.tag
                look.wrong("told-only-concerned", _told(step.record), f"a session that it does not concern: {tag}")
            self._check_message(look, step, session.app, to, message)

    def _check_message(self, look: Looking, step: Step, app: str, to: str, message: AnyMessage) -> None:
        if type(message) is Notification:
            key = (app, str(message.stream_id))
            if message.definition in _STARTED:
                if self._live.get(key) == to:
                    look.wrong(
                        "publish-finished-once", (Kind.STREAM, *key), "its publisher was told twice that it is live"
                    )
                self._live[key] = to
            elif message.definition == "publish_finished":
                if self._live.pop(key, "") != to:
                    look.wrong("publish-finished-once", (Kind.STREAM, *key), "`publish_finished` without a beginning")
            elif message.definition == "joinedTheRoom" and message.streams:
                room = (app, str(message.room))
                self._check_list(look, to, room, str(message.stream_id), message.streams)
        elif type(message) is RoomInformation:
            command = step.record.command
            asked_as = command.stream_id if isinstance(command, GetRoomInfo) else ""
            self._check_list(look, to, (app, message.room), asked_as, message.streams)
        elif isinstance(message, _RELAYED):
            self._check_relayed(look, step, app, to, message)

    def _check_list(
        self, look: Looking, to: str, place: tuple[str, str], asked_as: str, listed: tuple[str, ...]
    ) -> None:
        app, id = place
        room = look.engine.find(Kind.ROOM, id, app=app)
        seat = room.stream_of(to) if isinstance(room, Room) else ""
        live = self._rooms.get(place, {})
        expected = tuple(sorted(one for one, by in live.items() if by != to and one not in (asked_as, seat)))
        if listed != expected:
            own = [one for one in listed if one in live and one not in expected]
            what = "the asker's own stream is in it" if own else f"{len(listed)} instead of {len(expected)} streams"
            look.wrong("room-list", (Kind.ROOM, app, id), what)

    def _check_relayed(self, look: Looking, step: Step, app: str, to: str, message: AnyMessage) -> None:
        """What a pair relays: descriptions also come from media, and those are no peer's."""
        key = (Kind.PAIR, app, str(getattr(message, "stream_id", "")))
        if not any(fired.kind == Kind.PAIR and id == key[2] for id, fired in step.fired):
            return
        was, now = look.was(key), look.engine.find(Kind.PAIR, key[2], app=app)
        peers = {*(was.sessions if was is not None else ()), *(now.sessions if now is not None else ())}
        if to not in peers or to == step.record.session:
            look.wrong("pair-of-two", key, "it was relayed to somebody who is not the other peer")
        if type(message) is Description and message.type == "offer":
            relayed = self._offers.get((app, key[2]))
            if relayed is not None and relayed.offerer == step.record.session:
                relayed.unanswered += 1
            else:
                self._offers[app, key[2]] = _Offers(step.record.session, 1)

    def _check_answer(self, look: Looking, step: Step, command: TakeConfiguration) -> None:
        """Match an answer of a peer with the offers that were relayed to it, first in, first out."""
        session = look.engine.session(step.record.session)
        if session is None or command.type != "answer" or step.refused:
            return
        place = (session.app, command.stream_id)
        if not any(fired.kind == Kind.PAIR and id == command.stream_id for id, fired in step.fired):
            return
        is_relayed = any(type(message) is Description for _, message in step.messages)
        offers = self._offers.get(place)
        is_awaited = offers is not None and offers.offerer != session.id
        unanswered = offers.unanswered if offers is not None and is_awaited else 0
        if is_relayed and unanswered != 1:
            look.wrong("newest-answer", (Kind.PAIR, *place), f"an answer was relayed while {unanswered} are awaited")
        if offers is not None and is_awaited:
            offers.unanswered -= 1
            if offers.unanswered <= 0:
                del self._offers[place]


def _listing(machine: AnyMachine | None) -> tuple[tuple[str, str], ...]:
    """In which room a stream is live, and whose it is; nothing for one that is not."""
    if not isinstance(machine, Stream) or machine.state is not StreamState.BROADCASTING or not machine.placed_in:
        return ()
    return ((machine.placed_in, machine.sessions[0] if machine.sessions else ""),)


def _told(record: Record) -> str:
    return input_name(record)
