"""Reading a reel for a viewer: every record in a few numbers, and any stretch of it told in full.

    scan = Scan(reel)
    while (part := scan.advance(2_000)) is not None:
        show(part)                      # columns: enough to draw, filter and search
    scan.window(812, 100)               # what records 812 to 911 say, whole

A reel of a hundred thousand records takes a second or more to replay, and no viewer waits for that: parts come as they
are read, and a window is told from the nearest snapshot. Nothing is performed.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from msgspec import Struct

from signalreel.debug.rows import ROWS, number_of
from signalreel.debug.state import Watch
from signalreel.debug.story import LISTED_MAX, ToldNote, ToldRecord, origin_of, told_changes, told_name, told_record
from signalreel.debug.telling import told_note
from signalreel.engine import TABLES, Engine
from signalreel.errors import ReelDamaged
from signalreel.identifiers import Kind
from signalreel.notes import Note
from signalreel.record import Record, input_name
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed, apply_entry, compare
from signalreel.step import Fired, Step

__all__ = ("DIVERGED", "LINES_MAX", "NOTED", "UNCONCLUDED", "WINDOW_MAX", "Life", "Part", "Scan")

WINDOW_MAX: Final = 1_000
"""Most records of one window."""

LINES_MAX: Final = 12
"""Most lines that a record takes in a list: a room that closes would take one for each member."""

DIVERGED: Final = 1
NOTED: Final = 2
UNCONCLUDED: Final = 4
"""Flags of a record: its outcome is not the recorded one; there are notes beside it; it has no outcome to compare."""


class Life(Struct, frozen=True, array_like=True):
    """One life of one machine."""

    kind: str
    app: str
    id: str
    born: int  #: seq of the record that created it
    state: str  #: when the reel begins in the middle of it, the state it was in then


class Part(Struct, rename="camel"):
    """Some records in a row, one entry a record in each column; and what is named in them for the first time.

    `names` and `lives` go on those of the parts before: a number in a column is a place in the whole list. The first
    name is empty.
    """

    first: int  #: seq of the first record
    times: list[int] = []  #: microseconds of reel time
    sessions: list[int] = []  #: a name; 0 for the server's own
    inputs: list[int] = []  #: a name: `client publish`
    refused: list[int] = []  #: a name; 0 for none
    lines: list[int] = []  #: how many lines it takes in a list
    flags: list[int] = []
    rows: list[list[int]] = []  #: the rows that fired, by their numbers; -1 for one of no table
    touched: list[list[int]] = []  #: the lives it concerned
    moves: list[int] = []  #: flat, three a transition: seq, life, row
    names: list[str] = []
    lives: list[Life] = []


class Scan:
    """A reel that is read once from the front, and looked into anywhere."""

    def __init__(self, reel: Reel) -> None:
        self.reel: Final = reel
        self._cursor = Cursor(reel)
        self._scanned = self._cursor.position
        self._names: dict[str, int] = {"": 0}
        self._lives: dict[tuple[str, str, str], int] = {}
        self._lives_count = 0
        self._apps: dict[str, str] = {}
        self._part = Part(self._scanned + 1, names=[""])
        self._notes = _Notes(reel, self._scanned + 1)
        self._damage: ReelDamaged | None = None
        self._begin()

    @property
    def scanned(self) -> int:
        """The seq of the last record read."""
        return self._scanned

    @property
    def engine(self) -> Engine:
        """The engine, wherever the cursor is."""
        return self._cursor.engine

    def advance(self, count: int) -> Part | None:
        """Read the next records, and give what there is to know of them; None at the end of the reel.

        Raises `ReelDamaged` where the reel cannot be read on, once everything before that has been given.
        """
        if self._damage is not None:
            raise self._damage
        part = self._part
        try:
            self._read_on(part, count)
        except ReelDamaged as damage:
            self._damage = damage
            if not part.times:
                raise
        if not part.times and not part.lives:
            return None
        self._part = Part(self._scanned + 1)
        return part

    def _read_on(self, part: Part, count: int) -> None:
        cursor = self._cursor
        if cursor.position != self._scanned:
            cursor.seek(self._scanned)
        for _ in range(count):
            replayed = cursor.step()
            if replayed is None:
                return
            self._read(part, replayed)
            self._scanned = cursor.position

    def parts(self, count: int = WINDOW_MAX) -> Iterator[Part]:
        """Read to the end of the reel."""
        while (part := self.advance(count)) is not None:
            yield part

    def window(self, first: int, count: int) -> list[ToldRecord]:
        """Tell the records from `first` on, so many of them at most as `WINDOW_MAX`, with what each changed."""
        return list(islice(self.told_from(first), min(count, WINDOW_MAX)))

    def told_from(self, first: int) -> Iterator[ToldRecord]:
        """Tell the records from `first` on, to the end of the reel, with what each changed."""
        engine = self._cursor.at(max(0, first - 1))
        watch = Watch(engine)
        notes = _Notes(self.reel, engine.seq + 1)
        for entry in self.reel.entries(engine.seq + 1):
            step = apply_entry(engine, entry)
            changes, states = told_changes(watch, engine)
            told = [
                ToldNote(told_name(told_note(note)), told_name(note.session), note.time)
                for note in notes.up_to(entry.seq)
            ]
            yield told_record(step, compare(entry.outcome, step), notes=told, changes=changes, states=states)

    # ---- one record

    def _begin(self) -> None:
        """Note what lives where the reel begins."""
        for (kind, app, id), machine in self._cursor.engine.machines():
            self._live((str(kind), app, id), machine.born, str(machine.state))
        for session in self._cursor.engine.sessions():
            self._apps[session.id] = session.app

    def _read(self, part: Part, replayed: Replayed) -> None:
        step = replayed.step
        record = step.record
        part.times.append(record.time)
        part.sessions.append(self._name(record.session))
        part.inputs.append(self._name(f"{origin_of(record)} {input_name(record)}"))
        part.refused.append(self._name(step.refused))
        part.lines.append(min(LINES_MAX, 1 + len(step.transitions) + len(step.messages)))
        part.flags.append(
            (DIVERGED if replayed.divergence is not None else 0)
            | (NOTED if self._notes.up_to(record.seq) else 0)
            | (UNCONCLUDED if replayed.recorded is None else 0)
        )
        numbers = [number_of(fired) for _, fired in step.fired]
        part.rows.append(numbers)
        part.touched.append(self._touched(part, step, numbers))

    def _touched(self, part: Part, step: Step, numbers: list[int]) -> list[int]:
        record = step.record
        app = self._app_of(record)
        touched: dict[int, None] = {}
        moving = [number for number in numbers if number >= 0 and ROWS[number].next]
        for made, row in zip(step.transitions, moving, strict=False):
            machine = made.machine
            key = (str(machine.kind), machine.app, machine.id)
            life = self._lives.get(key)
            if life is None or machine.born == record.seq:
                life = self._live(key, machine.born, "")
            part.moves += (record.seq, life, row)
            touched[life] = None
            if str(made.target) in _FINALS[key[0]]:
                del self._lives[key]
        for id, fired in step.fired:
            life = self._life_of(fired, app, id)
            if life is not None:
                touched[life] = None
        return list(touched)

    def _life_of(self, fired: Fired, app: str, id: str) -> int | None:
        return self._lives.get((fired.kind, app, id)) if id else None

    def _app_of(self, record: Record) -> str:
        """Say in which app a record is, and remember it for its session."""
        if record.host is not None:
            return record.host.app
        machine = getattr(record.event, "machine", None)
        if machine is not None:
            return str(machine.app)
        app = getattr(record.event, "app", "")
        if app:
            return self._apps.setdefault(record.session, str(app))
        return self._apps.get(record.session, "")

    def _live(self, key: tuple[str, str, str], born: int, state: str) -> int:
        kind, app, id = key
        self._part.lives.append(Life(kind, told_name(app), told_name(id), born, state))
        number = self._lives[key] = self._lives_count
        self._lives_count += 1
        return number

    def _name(self, name: str) -> int:
        number = self._names.get(name)
        if number is None:
            number = self._names[name] = len(self._names)
            self._part.names.append(told_name(name))
        return number


class _Notes:
    """The notes of a reel, given as their records come."""

    def __init__(self, reel: Reel, first: int) -> None:
        self._coming = reel.notes(first)
        self._next = next(self._coming, None)

    def up_to(self, seq: int) -> list[Note]:
        """Give the notes up to a record that were not given before, and not more than are told of one."""
        found: list[Note] = []
        while self._next is not None and self._next.seq <= seq:
            if len(found) < LISTED_MAX:
                found.append(self._next)
            self._next = next(self._coming, None)
        return found


_FINALS: Final = {str(kind): frozenset(map(str, TABLES[kind].finals)) for kind in Kind}
