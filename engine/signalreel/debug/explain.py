"""Why: what became of a stream, a room or a session, in sentences.

    for sentence in explain(reel, Subject(stream="s1")).sentences:
        print(sentence.told)

    812: publish s1 by session 4ab… was refused with streamIdInUse, because the stream s1 is broadcasting since record
    655, held by session 17c… (no close seen) since record 640; freed at 815, when session 17c… closed with 1006

What began, went live, ended or never started, what was refused and which deadlines were reached is told, with the notes
beside it. What a sentence says of the time after its record is what the rest of the reel shows.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from signalreel.commands import Publish
from signalreel.debug.causes import rules_of
from signalreel.debug.history import History, Life, ended_here, origin_told
from signalreel.debug.reasons import Refused, reason_of
from signalreel.debug.telling import printable, short_id, short_session, told_input, told_names, told_note
from signalreel.events import DeadlineReached, SessionClosed, SessionOpened
from signalreel.identifiers import Kind
from signalreel.messages import Error
from signalreel.notes import MediaFailed, MediaStatistics, Note
from signalreel.record import input_name
from signalreel.reel import Reel
from signalreel.refusals import REFUSALS
from signalreel.replay import Cursor
from signalreel.step import Step, Transition

__all__ = ("SENTENCES_MAX", "Explanation", "Sentence", "Subject", "explain")

SENTENCES_MAX: Final = 10_000
"""Sentences that are told at most; of more, the first ones."""

_STARTED: Final = {"broadcasting": "went live", "playing": "plays", "paired": "has both peers", "open": "opened"}
"""States in which something has come about."""


_TOLD: Final = _STARTED | {"restoring": "waits for its publisher to come back"}
"""States that are told when a machine comes to them."""


class Subject(Struct, frozen=True):
    """What is asked about: one of these, or all refusals."""

    stream: str = ""  #: a stream, peer pair or what is played, by its id
    room: str = ""
    session: str = ""  #: by the beginning of its id
    at: int = 0  #: a record, by its seq
    refusals: bool = False


class Sentence(Struct, frozen=True, omit_defaults=True):
    """One thing that happened, and why."""

    seq: int
    time: int  #: microseconds since the reel began
    told: str
    definition: str = ""  #: when it is a refusal, its entry of the catalogue
    rules: tuple[str, ...] = ()
    advice: str = ""


class Explanation(Struct, frozen=True):
    """The answer."""

    sentences: tuple[Sentence, ...]
    records: int  #: that were read
    left_out: int = 0


def explain(reel: Reel, subject: Subject) -> Explanation:
    """Tell what became of a subject. Replays the reel once; raises `ReelDamaged` where it cannot be read."""
    return _Explainer(reel, subject).explanation()


class _Explainer:
    def __init__(self, reel: Reel, subject: Subject) -> None:
        self._subject = subject
        self._cursor = Cursor(reel)
        self._history = History(self._cursor.engine)
        self._notes = iter(reel.notes())
        self._waiting: Note | None = None
        self._said: list[Sentence] = []
        self._open: list[tuple[int, Life]] = []  #: sentences whose end is told when the life that they name has ended
        self._records = 0
        self._left_out = 0

    def explanation(self) -> Explanation:
        for replayed in self._cursor:
            step = replayed.step
            self._records += 1
            self._tell(step)
            for note in self._notes_up_to(step.record.seq):
                if self._is_noted_about(note):
                    self._say(Sentence(note.seq, note.time, f"{note.seq}: noted: {told_note(note)}{_whom(note)}"))
        for place, life in self._open:
            told = f"; freed at {life.ended}, when {life.why}" if life.ended else "; not freed to the end of the reel"
            said = self._said[place]
            self._said[place] = replace(said, told=said.told + told)
        return Explanation(tuple(self._said), self._records, self._left_out)

    def _notes_up_to(self, seq: int) -> Iterator[Note]:
        """Give the notes up to a record that were not given yet."""
        while True:
            note = self._waiting if self._waiting is not None else next(self._notes, None)
            self._waiting = None
            if note is None:
                return
            if note.seq > seq:
                self._waiting = note
                return
            yield note

    def _say(self, sentence: Sentence) -> bool:
        if len(self._said) >= SENTENCES_MAX:
            self._left_out += 1
            return False
        self._said.append(sentence)
        return True

    # ---- one step

    def _tell(self, step: Step) -> None:
        before = {
            move.machine: self._history.last(move.machine.kind, move.machine.app, move.machine.id)
            for move in step.transitions
        }
        errors = [(to, message) for to, message in step.messages if isinstance(message, Error)]
        for to, error in errors:
            if self._is_about_error(step, to, error):
                self._tell_error(step, to, error)
        if step.refused and not errors and self._is_about_record(step):
            self._plain(step, f"{told_input(step)}: {self._catalogued(step.refused)}", step.refused)
        self._history.follow(step)
        for move in step.transitions:
            if self._is_about_machine(move):
                self._tell_move(step, move, before[move.machine])
        event = step.record.event
        if isinstance(event, SessionOpened | SessionClosed) and self._is_session(step.record.session):
            self._plain(step, origin_told(step.record))
        elif self._subject.at == step.record.seq and not errors and not step.transitions:
            fired = "; ".join(rules_of(step)) or "nothing"
            self._plain(step, f"{told_input(step)} moved no machine, by the rule {fired}")

    def _plain(self, step: Step, told: str, definition: str = "") -> bool:
        record = step.record
        advice = REFUSALS[definition].advice if definition in REFUSALS else ""
        rules = rules_of(step) if definition else ()
        return self._say(Sentence(record.seq, record.time, f"{record.seq}: {told}", definition, rules, advice))

    def _catalogued(self, definition: str) -> str:
        entry = REFUSALS.get(definition)
        return entry.cause if entry is not None else "a refusal that the catalogue does not have"

    def _tell_error(self, step: Step, to: str, error: Error) -> None:
        record = step.record
        app = self._app(step, to)
        refused = Refused(step, error, to, app, self._cursor.engine, self._history)
        asked = " ".join([input_name(record), *told_names(record.input)])
        who = short_session(to)
        if step.refused:
            told = f"{asked} by session {who} was refused with {error.definition}"
        else:
            name = error.stream_id if error.stream_id is not UNSET else ""
            told = f"session {who} was told {error.definition}{f' about {printable(name)}' if name else ''}"
        if self._plain(step, f"{told}, because {reason_of(refused)}", error.definition):
            life = self._in_the_way(refused)
            if life is not None:
                self._open.append((len(self._said) - 1, life))

    def _in_the_way(self, refused: Refused) -> Life | None:
        """Find what holds the id, so that it can be told when that ended."""
        if refused.error.definition != "streamIdInUse":
            return None
        names = dict.fromkeys((refused.stream_id, refused.room if type(refused.input) is Publish else ""))
        for name in filter(None, names):
            for kind in (Kind.STREAM, Kind.ROOM, Kind.PAIR):
                if refused.find(kind, name) is not None:
                    return refused.life(kind, name)
        return None

    def _tell_move(self, step: Step, move: Transition, former: Life | None) -> None:
        reference = move.machine
        name = f"{reference.kind} {short_id(reference.id)}"
        why = origin_told(step.record)
        is_new = former is None or former.reference.born != reference.born
        life = self._history.last(reference.kind, reference.app, reference.id)
        if ended_here(move):
            self._plain(step, f"{name} ended ({move.source} -> {move.target}), because {why}{self._never(life)}")
        elif is_new:
            self._plain(step, f"{name} began ({move.target}): {why}")
        elif move.target in _TOLD and move.source != move.target:
            self._plain(step, f"{name} {_TOLD[str(move.target)]} ({move.source} -> {move.target}): {why}")
        elif self._subject.at or isinstance(step.record.event, DeadlineReached):
            self._plain(step, f"{name} went on ({move.source} -> {move.target}): {why}")

    def _never(self, life: Life | None) -> str:
        """Tell of something that ended without having come about how far it came."""
        if life is None or not life.states or life.reference.kind is Kind.ROOM:
            return ""
        if any(state in _STARTED for state in life.states):
            return ""
        way = life.states[:-1]
        return f"; it never started: after {', '.join(way) or 'nothing'} (since record {life.began}) it was over"

    # ---- what it is about

    def _app(self, step: Step, session: str) -> str:
        record = step.record
        machine = getattr(record.event, "machine", None)
        return getattr(machine, "app", "") or getattr(record.host, "app", "") or self._history.app_of(session)

    def _is_session(self, session: str) -> bool:
        return bool(self._subject.session and session.startswith(self._subject.session))

    def _is_about_record(self, step: Step) -> bool:
        subject, record = self._subject, step.record
        if subject.refusals:
            return bool(step.refused)
        if subject.at:
            return record.seq == subject.at
        if subject.session:
            return self._is_session(record.session)
        names = {getattr(record.input, field, "") for field in ("stream_id", "room", "main_track")}
        return bool({subject.stream, subject.room} - {""} & names)

    def _is_about_error(self, step: Step, to: str, error: Error) -> bool:
        subject = self._subject
        if subject.refusals:
            return True
        named = {error.stream_id, error.room} & ({subject.stream, subject.room} - {""})
        return bool(named) or self._is_session(to) or self._is_about_record(step)

    def _is_about_machine(self, move: Transition) -> bool:
        subject, machine = self._subject, move.machine
        if subject.at:
            return self._cursor.position == subject.at
        session, _, shown = machine.id.partition("/")
        if subject.session:
            engine = self._cursor.engine
            held = engine.find(machine.kind, machine.id, app=machine.app)
            holds = held is not None and any(map(self._is_session, held.sessions))
            return holds or (bool(shown) and self._is_session(session)) or self._was_theirs(move)
        if subject.stream:
            return (shown if machine.kind is Kind.PLAYBACK else machine.id) == subject.stream
        return bool(subject.room) and (shown or machine.id) == subject.room

    def _was_theirs(self, move: Transition) -> bool:
        """Whether a machine that is gone now was moved by the session itself."""
        return ended_here(move) and any(
            said.told.partition(": ")[2].startswith(f"{move.machine.kind} {short_id(move.machine.id)} began")
            for said in self._said
        )

    def _is_noted_about(self, note: Note) -> bool:
        subject = self._subject
        if isinstance(note.body, MediaStatistics):
            return False
        if subject.at:
            return note.seq == subject.at
        machine = note.body.machine if isinstance(note.body, MediaFailed) else None
        if subject.session:
            return self._is_session(note.session)
        name = machine.id.rpartition("/")[2] if machine is not None else ""
        return bool(name) and name in (subject.stream, subject.room)


def _whom(note: Note) -> str:
    return f" (session {short_session(note.session)})" if note.session else ""
