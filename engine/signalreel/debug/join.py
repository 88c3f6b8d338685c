"""A reel and a browser's own account of the same call, side by side, and where they first disagree.

    for joined in join(reel, read_dump(data)):
        print(joined.disagreement)

A connection of the dump belongs to the session that sent a description with the same ufrag or the same session in its
`o=` line, or was sent one. Descriptions and candidates are compared here and never told. How far the clocks of the two
are apart follows from what travelled between them: nothing arrives before it was sent, in either direction.

What is held against each other: descriptions that one side sent and the other never took, and the states in which the
two believe to be.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from signalreel.commands import TakeCandidate, TakeConfiguration
from signalreel.debug.dumps import Connection, DumpEvent, marks_of
from signalreel.debug.telling import printable, short_session, told_input, told_message, told_transition
from signalreel.events import DeadlineReached, MediaEvent
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import Key
from signalreel.messages import Candidate, Description
from signalreel.reel import Reel
from signalreel.replay import Cursor
from signalreel.step import Step

__all__ = ("GRACE_US", "LINES_MAX", "Clocks", "Disagreement", "Joined", "Line", "join")

GRACE_US: Final = 1_000_000
"""Microseconds for which the two may differ without disagreeing: what one side did takes a while to reach the other."""

LINES_MAX: Final = 2_000
"""Lines of a time line that are given; the first ones."""

_LIVE: Final = {Kind.STREAM: "broadcasting", Kind.PLAYBACK: "playing"}
"""The state in which the server believes that media flows. A pair's it does not know."""

_US_PER_S: Final = 1_000_000


class Line(Struct, frozen=True):
    """One line of the common time line."""

    time: int  #: microseconds since the reel began
    side: str  #: `server` or `browser`
    told: str
    seq: int = 0  #: the record; 0 for the browser's


class Clocks(Struct, frozen=True):
    """How far the browser's clock is ahead of the server's, in microseconds, and how sure that is."""

    offset: int
    sure_within: int
    compared: int  #: messages that both sides hold


class Disagreement(Struct, frozen=True):
    """Where the two first differ."""

    time: int  #: microseconds since the reel began
    told: str
    seq: int = 0  #: the record it is about; 0 when there is none


class Joined(Struct, frozen=True):
    """One connection of the dump, and what the reel holds of it."""

    connection: str
    session: str = ""  #: empty when no record is about this connection
    app: str = ""
    stream_id: str = ""
    clocks: Clocks | None = None
    lines: tuple[Line, ...] = ()
    disagreement: Disagreement | None = None  #: None: as far as both go, they agree


class _Passed(Struct, frozen=True):
    """A description or candidate that passed between a session and the server."""

    seq: int
    time: int
    wall: int  #: microseconds since 1970, by the server's clock
    session: str
    app: str
    stream_id: str
    word: str  #: `offer`, `answer` or `candidate`
    marks: frozenset[str]
    by_server: bool


class _State(Struct, frozen=True):
    """A state that the server took about a stream, playback or pair."""

    seq: int
    time: int
    kind: Kind
    state: str


def join(reel: Reel, connections: Iterable[Connection]) -> tuple[Joined, ...]:
    """Hold each connection against the reel. Raises `ReelDamaged` when the reel cannot be read to its end."""
    passed = tuple(_passed(reel))
    return tuple(_joined(reel, connection, passed) for connection in connections)


def _passed(reel: Reel) -> Iterator[_Passed]:
    cursor = Cursor(reel)
    for replayed in cursor:
        step, engine = replayed.step, cursor.engine
        record = step.record
        wall = record.time + engine.environment.clock_offset
        command = record.command
        said = [(record.session, command, False)] if isinstance(command, TakeConfiguration | TakeCandidate) else []
        told = [(to, one, True) for to, one in step.messages if isinstance(one, Description | Candidate)]
        for session, one, by_server in [*said, *told]:
            found = engine.session(session)
            if isinstance(one, TakeConfiguration | Description):
                word, text = one.type, one.sdp
            else:
                word, text = "candidate", one.candidate
            if found is not None and word in {"offer", "answer", "candidate"} and text:
                yield _Passed(
                    record.seq, record.time, wall, session, found.app, one.stream_id, word, marks_of(text), by_server
                )


# ---------------------------------------------------------------- whose connection it is


def _joined(reel: Reel, connection: Connection, passed: Sequence[_Passed]) -> Joined:
    local = _known_by(connection, "set local")
    remote = _known_by(connection, "set remote")
    votes: dict[tuple[str, str, str], int] = {}
    for one in passed:
        if one.word != "candidate" and one.marks & (remote if one.by_server else local):
            place = (one.session, one.app, one.stream_id)
            votes[place] = votes.get(place, 0) + 1
    if not votes:
        return Joined(connection.name)
    session, app, stream_id = max(votes, key=lambda place: votes[place])
    own = [one for one in passed if (one.session, one.app, one.stream_id) == (session, app, stream_id)]
    clocks = _clocks(connection, own)
    started = _wall_at_zero(own)
    ahead = started + (clocks.offset if clocks is not None else 0)
    seen = [(event.time - ahead if event.time else own[0].time, event) for event in connection.events]
    ended = connection.ended - ahead if connection.ended else 0
    server, states, end = _server_side(reel, session, app, stream_id)
    lines = sorted([*server, *(_line_of(time, event) for time, event in seen)], key=lambda line: line.time)
    view = _View(own, states, seen, ended, end)
    return Joined(connection.name, session, app, stream_id, clocks, tuple(lines[:LINES_MAX]), view.first())


def _known_by(connection: Connection, what: str) -> frozenset[str]:
    """What a connection's own descriptions, or those it was given, are known by; a certificate can serve several."""
    marks = (mark for event in connection.events if event.what == what for mark in event.marks)
    return frozenset(mark for mark in marks if not mark.startswith("print "))


def _wall_at_zero(own: Sequence[_Passed]) -> int:
    return own[0].wall - own[0].time


def _clocks(connection: Connection, own: Sequence[_Passed]) -> Clocks | None:
    """Say how far the browser's clock is ahead: at least what it sent seems to arrive early, at most what it got."""
    at_least: list[int] = []
    at_most: list[int] = []
    for one in own:
        event = _counterpart(one, connection.events)
        if event is not None and event.time:
            (at_most if one.by_server else at_least).append(event.time - one.wall)
    if not at_least and not at_most:
        return None
    low = max(at_least or at_most)
    high = min(at_most or at_least)
    return Clocks((low + high) // 2, abs(high - low) // 2, len(at_least) + len(at_most))


def _counterpart(one: _Passed, events: Iterable[DumpEvent]) -> DumpEvent | None:
    """Find what the browser says of a description or candidate that passed."""
    is_candidate = one.word == "candidate"
    found, taken = ("candidate found", "candidate added") if is_candidate else ("set local", "set remote")
    for event in events:
        if event.what == (taken if one.by_server else found) and _is_same(one, event):
            return event
    return None


def _is_same(one: _Passed, event: DumpEvent) -> bool:
    if one.word == "candidate":
        return bool(one.marks & event.marks)
    return event.word in {one.word, ""} and bool(_told_apart(one.marks) & _told_apart(event.marks))


def _told_apart(marks: frozenset[str]) -> frozenset[str]:
    return frozenset(mark for mark in marks if not mark.startswith(("print ", "candidate ")))


# ---------------------------------------------------------------- the server's side


def _server_side(reel: Reel, session: str, app: str, stream_id: str) -> tuple[list[Line], list[_State], int]:
    """Give the server's lines about a session's stream, playback or pair, the states of it, and when the reel ends."""
    keys: set[Key] = {(kind, app, stream_id) for kind in (Kind.STREAM, Kind.PAIR)}
    keys.add((Kind.PLAYBACK, app, playback_id(session, stream_id)))
    lines: list[Line] = []
    states: list[_State] = []
    held: set[Key] = set()
    end = 0
    cursor = Cursor(reel)
    for replayed in cursor:
        step = replayed.step
        record = step.record
        end = record.time
        before = held
        held = set(cursor.engine.held(session)) & keys
        mine = before | held
        for transition in step.transitions:
            about = transition.machine
            if (about.kind, about.app, about.id) in mine:
                states.append(_State(record.seq, record.time, about.kind, str(transition.target)))
        lines += [Line(record.time, "server", told, record.seq) for told in _told(step, session, stream_id, mine)]
    return lines, states, end


def _told(step: Step, session: str, stream_id: str, mine: set[Key]) -> Iterator[str]:
    record, event = step.record, step.record.event
    if isinstance(event, MediaEvent | DeadlineReached):
        about = event.machine
        is_mine = (about.kind, about.app, about.id) in mine
    else:
        is_mine = record.session == session and getattr(record.input, "stream_id", stream_id) == stream_id
    if is_mine:
        yield told_input(step)
    for transition in step.transitions:
        about = transition.machine
        if (about.kind, about.app, about.id) in mine:
            yield told_transition(transition)
    for to, message in step.messages:
        if to == session and getattr(message, "stream_id", stream_id) == stream_id:
            yield f"to {short_session(session)} {told_message(message)}"


def _line_of(time: int, event: DumpEvent) -> Line:
    return Line(time, "browser", printable(f"{event.what} {event.word}".rstrip()))


# ---------------------------------------------------------------- where they disagree


class _View(Struct, frozen=True):
    """Both sides of one connection, in the reel's time."""

    passed: Sequence[_Passed]
    states: Sequence[_State]
    seen: Sequence[tuple[int, DumpEvent]]
    seen_until: int
    recorded_until: int

    def first(self) -> Disagreement | None:
        """Give the earliest disagreement."""
        found = [*self._never_arrived(), *self._never_recorded(), *self._believed_live(), *self._never_live()]
        return min(found, key=lambda one: (one.time, one.seq), default=None)

    def _never_arrived(self) -> Iterator[Disagreement]:
        events = [event for _, event in self.seen]
        for one in self.passed:
            if one.word == "candidate" or not one.by_server or self.seen_until < one.time + GRACE_US:
                continue
            taken = _counterpart(one, events)
            what = f"the {one.word} at record {one.seq}"
            if taken is None:
                yield self._at(one.time, one.seq, f"{what} never arrived")
            elif any(
                event.what == "set remote" and event.word == "failed" for event in events[events.index(taken) :][:4]
            ):
                yield self._at(one.time, one.seq, f"{what} arrived, and the browser could not take it")

    def _never_recorded(self) -> Iterator[Disagreement]:
        for time, event in self.seen:
            if event.what != "set local" or not event.marks or self.recorded_until < time + GRACE_US:
                continue
            if not any(not one.by_server and one.word != "candidate" and _is_same(one, event) for one in self.passed):
                word = event.word or "description"
                yield self._at(time, 0, f"the {word} that the browser set at {_seconds(time)} is on no record")

    def _believed_live(self) -> Iterator[Disagreement]:
        """The server believes that media flows, and the browser has never been connected, or is no longer."""
        connected = [time for time, event in self.seen if _is_connected(event)]
        for place, state in enumerate(self.states):
            until = self.states[place + 1].time if place + 1 < len(self.states) else self.recorded_until
            until = min(until, self.seen_until)
            if state.state != _LIVE.get(state.kind) or until < state.time + GRACE_US:
                continue
            if not any(time <= until for time in connected):
                yield self._at(state.time, state.seq, "the browser was never connected")
            for time, event in self.seen:
                if (
                    event.what in {"ice", "connection"}
                    and event.word == "failed"
                    and state.time <= time < until - GRACE_US
                ):
                    yield self._at(time, state.seq, f"its connection failed at {_seconds(time)}, unnoticed")
                    break

    def _never_live(self) -> Iterator[Disagreement]:
        """The browser is connected, and the server goes on waiting."""
        connected = next((time for time, event in self.seen if _is_connected(event)), None)
        kinds = {state.kind for state in self.states}
        if connected is None or not kinds & set(_LIVE) or self.recorded_until < connected + GRACE_US:
            return
        if not any(state.state == _LIVE.get(state.kind) for state in self.states):
            yield self._at(connected, 0, f"the browser is connected since {_seconds(connected)}, the server never was")

    def _at(self, time: int, seq: int, why: str) -> Disagreement:
        """Say in which states the two are at a time, and why they differ."""
        state = next((one for one in reversed(self.states) if one.time <= time), None)
        server = (
            f"the server says {state.state} since {_seconds(state.time)}" if state is not None else "the server waits"
        )
        signaling = [event.word for at, event in self.seen if event.what == "signaling" and at <= time + GRACE_US]
        browser = signaling[-1] if signaling else "stable"
        return Disagreement(time, f"{server}; the browser is in {browser}: {why}", seq)


def _is_connected(event: DumpEvent) -> bool:
    return event.what in {"ice", "connection"} and event.word in {"connected", "completed"}


def _seconds(time: int) -> str:
    return f"{time / _US_PER_S:.3f} s"
