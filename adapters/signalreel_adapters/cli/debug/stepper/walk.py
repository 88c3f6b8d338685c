"""Walking along a reel: where one is, what is there, and where to go next. What it looks like is not decided here.

    walk = Walk(reel)
    while walk.explore(seconds=0.02):       # once through, a piece at a time: snapshots, times, refusals
        ...
    seen = walk.go(812)

A reel is explored once from beginning to end, and after that every place is near, by the snapshots of its cursor.
Whoever waits for something that takes long is given pieces: a search yields a place at a time, and may be dropped.
"""

import time
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from math import isqrt
from typing import Final

from msgspec import Struct

from signalreel.debug.predicates import Predicate
from signalreel.debug.state import Change, Watch, path_of, places_of
from signalreel.debug.telling import printable, short_id, short_session, told_names
from signalreel.engine import Engine
from signalreel.errors import Divergence, ReelDamaged
from signalreel.notes import Note
from signalreel.record import input_name
from signalreel.reel import Entry, Reel
from signalreel.replay import Cursor, decode_entry
from signalreel.step import Step

__all__ = ("NOTES_SHOWN_MAX", "PAGE_LINES", "Line", "Seen", "Walk", "seconds")

PAGE_LINES: Final = 128
"""Records that are read at a time for the list."""

NOTES_SHOWN_MAX: Final = 200
"""Notes of one record that are shown."""

_PAGES_KEPT: Final = 64
_MOVES_SHOWN_MAX: Final = 20
_LOOK_AT_CLOCK_EVERY: Final = 64


_MICROSECONDS: Final = 1_000_000


def seconds(microseconds: int) -> str:
    """Spell a time of the reel."""
    return f"{microseconds / _MICROSECONDS:.6f}"


class Line(Struct, frozen=True):
    """A record as it stands in the list."""

    seq: int
    time: int
    session: str
    what: str
    moves: str  #: the transitions that were recorded for it

    @property
    def text(self) -> str:
        """All of it, to search in."""
        return f"{self.seq} {self.session} {self.what} {self.moves}"


class Seen(Struct, frozen=True):
    """A record that was gone to: what it did, and what it changed."""

    step: Step
    divergence: Divergence | None
    changes: tuple[Change, ...]
    notes: tuple[Note, ...]


class Walk:
    """A reel, and a place on it: 0, or the record before the first one, stands before everything."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel
        self._cursor = Cursor(reel)
        self._times = array("q")
        self._watch: Watch | None = None
        self._pages: dict[int, list[Line]] = {}
        self.first: Final = reel.first_seq
        self.last = reel.last_seq
        self.explored = self.first - 1  #: the seq up to which the reel is known
        self.refused: dict[int, str] = {}  #: the definition of each refusal, by seq
        self.diverged: list[int] = []  #: seqs of records whose outcome is not the recorded one
        self.damage = ""  #: what was found where the reel cannot be read further

    @property
    def position(self) -> int:
        """The seq of the record that was gone to last."""
        return self._cursor.position

    @property
    def engine(self) -> Engine:
        """The engine as it is after that record. Only to look at."""
        return self._cursor.engine

    @property
    def is_explored(self) -> bool:
        """Whether every place is near."""
        return self.explored >= self.last

    def explore(self, seconds: float) -> bool:
        """Go on for about so long; give whether there is more. Do not `go` anywhere before there is not."""
        until = time.monotonic() + seconds
        while not self.is_explored:
            for _ in range(_LOOK_AT_CLOCK_EVERY):
                if not self._explore_one():
                    return False
            if time.monotonic() >= until:
                break
        return not self.is_explored

    def _explore_one(self) -> bool:
        try:
            replayed = self._cursor.step()
        except ReelDamaged as error:
            self.damage, replayed = str(error), None
        if replayed is None:
            self.last = self.explored
            return False
        step = replayed.step
        self.explored = step.record.seq
        self._times.append(step.record.time)
        if step.refused:
            self.refused[step.record.seq] = step.refused
        if replayed.divergence is not None:
            self.diverged.append(step.record.seq)
        return self.explored < self.last

    # ---- places

    def go(self, seq: int) -> Seen | None:
        """Go to a record, or the nearest there is, and see what it did. None before the first one."""
        seq = self.clamped(seq)
        if self._watch is None:
            self._watch = Watch(self._cursor.engine)
        if self.position != seq - 1:
            self._cursor.seek(max(seq - 1, self.first - 1))
        if seq < self.first:
            self._rewind()
            return None
        self._watch.places()  # What lies between is no change of this record.
        replayed = self._cursor.step()
        if replayed is None:
            return None
        return Seen(replayed.step, replayed.divergence, self._watch.changes(), self._notes(seq))

    def _rewind(self) -> None:
        """Stand before the first record. Seeking a record before it does so, and gives none."""
        self._cursor.seek(self.first - 1)

    def clamped(self, seq: int) -> int:
        """Give the nearest place that there is."""
        return max(self.first - 1, min(seq, self.last))

    def at_time(self, microseconds: int) -> int:
        """Give the first record at or after a time of the reel, or the last one."""
        return self.clamped(self.first + bisect_left(self._times, microseconds))

    def time_of(self, seq: int) -> int:
        """Give the time of a record that is known."""
        place = seq - self.first
        return self._times[place] if 0 <= place < len(self._times) else 0

    def _notes(self, seq: int) -> tuple[Note, ...]:
        found: list[Note] = []
        for note in self._reel.notes(seq):
            if note.seq != seq or len(found) >= NOTES_SHOWN_MAX:
                break
            found.append(note)
        return tuple(found)

    # ---- the list

    def line(self, seq: int) -> Line | None:
        """Give a record as it stands in the list; None when there is none, or it cannot be read."""
        if not self.first <= seq <= self.last:
            return None
        number, offset = divmod(seq - self.first, PAGE_LINES)
        page = self._pages.pop(number, None)
        if page is None:
            start = self.first + number * PAGE_LINES
            page = list(self._read(start, min(start + PAGE_LINES - 1, self.last)))
        self._pages[number] = page  # The last one is the one that was used last.
        if len(self._pages) > _PAGES_KEPT:
            del self._pages[next(iter(self._pages))]
        return page[offset] if offset < len(page) else None

    def _read(self, start: int, end: int) -> Iterator[Line]:
        try:
            for entry in self._reel.entries(start):
                yield _line_of(entry)
                if entry.seq >= end:
                    return
        except ReelDamaged:
            return  # Exploring says what is damaged, and where.

    # ---- looking for something

    def searching(self, text: str, start: int, *, forward: bool = True) -> Iterator[tuple[int, bool]]:
        """Look at the records after a place (or before it) one by one, and say of each whether it has the text."""
        wanted = text.casefold()
        seqs = range(start + 1, self.last + 1) if forward else range(start - 1, self.first - 1, -1)
        for seq in seqs:
            line = self.line(seq)
            text = f"{line.text} {self.refused.get(seq, '')}" if line is not None else ""
            yield seq, wanted in text.casefold()

    def running(self, predicate: Predicate, start: int, *, forward: bool = True) -> Iterator[tuple[int, bool]]:
        """Look for the next record after a place (or the last before it) at which a condition holds.

        Each record looked at is given, and whether it is the one. It moves the cursor: `go` somewhere afterwards.
        """
        if forward:
            yield from self._held(predicate, start + 1, self.last)
            return
        block = max(1, isqrt(self.last - self.first + 1))
        end = start - 1
        while end >= self.first:
            begin = max(self.first, end - block + 1)
            found = 0
            for seq, holds in self._held(predicate, begin, end):
                found = seq if holds else found
                yield seq, False
            if found:
                yield found, True
                return
            end = begin - 1

    def _held(self, predicate: Predicate, begin: int, end: int) -> Iterator[tuple[int, bool]]:
        if begin > end:
            return
        if self.position != begin - 1:
            self._cursor.seek(begin - 1)
        while self.position < end:
            replayed = self._cursor.step()
            if replayed is None:
                return
            yield self.position, predicate.holds(self._cursor.engine, replayed.step, replayed.divergence)

    # ---- the state

    def state(self) -> dict[str, dict[str, Struct]]:
        """Give what there is here: by what it is (`stream`, `session`), by name, and as it is."""
        found: dict[str, dict[str, Struct]] = {}
        for place, value in places_of(self.engine).items():
            kind, *name = path_of(place)
            found.setdefault(kind, {})["".join(name)] = value
        return found


def _line_of(entry: Entry) -> Line:
    record = decode_entry(entry)
    what = "  ".join([input_name(record), *told_names(record.input)])
    moves = entry.outcome.transitions if entry.outcome is not None else []
    told = ", ".join(
        f"{printable(kind)} {short_id(id)} {printable(source)} → {printable(target)}"
        for kind, _, id, source, target in moves[:_MOVES_SHOWN_MAX]
    )
    return Line(record.seq, record.time, short_session(record.session), what, told)
