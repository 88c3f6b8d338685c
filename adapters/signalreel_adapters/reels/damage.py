"""What of a damaged reel can be read, and what cannot: by the numbers of the records.

    damage = damage_of("calls.reel")
    damage.ranges            # (first, last, why) of what is missing, unreadable, or not as written
    damage.torn_bytes        # what a crash has torn off the end; SQLite has cut it already

A record is as written when its chain value follows from that of the one before it. After a gap the first value is
taken as it stands. Nothing here changes a file.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from signalreel.errors import ReelDamaged
from signalreel.notes import Note
from signalreel.reel import Entry, MemoryReel, chain_record
from signalreel.snapshot import SEQ_MAX
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.reels.reading import fetch_outcomes, fetch_rows, open_for_reading, read_ends, read_notes
from signalreel_adapters.reels.walfile import torn_bytes

__all__ = ("TO_THE_END", "Damage", "DamagedRange", "damage_of", "mend_reel")

TO_THE_END: Final = -1
"""Stands for the last record of a range that goes to the end of the reel, wherever that was."""


class DamagedRange(Struct, frozen=True):
    """Records that cannot be had as they were written."""

    first: int
    last: int  #: -1: to the end of the reel, wherever that was
    why: str

    def __str__(self) -> str:
        if self.last == self.first:
            return f"record {self.first}: {self.why}"
        return f"records {self.first} to {'the end' if self.last == TO_THE_END else self.last}: {self.why}"


class Damage(Struct, frozen=True):
    """What is wrong with a reel's file. Nothing, when it has no ranges; a torn tail alone is mended already."""

    records: int  #: that can be read and are as written
    ranges: tuple[DamagedRange, ...] = ()
    outcomes_lost: int = 0  #: records among those whose outcomes cannot be read
    torn_bytes: int = 0  #: at the end of the write-ahead file, of no whole commit

    @property
    def is_whole(self) -> bool:
        """Whether every record and every outcome can be read."""
        return not self.ranges and not self.outcomes_lost


def damage_of(path: str | os.PathLike[str]) -> Damage:
    """Read all that can be read of a reel's file. Raises `ReelDamaged` when that is nothing: no reel, or no header."""
    file = Path(os.path.realpath(path))
    torn = torn_bytes(file)
    records = lost = 0
    ranges: list[DamagedRange] = []
    for found in _look(file):
        if isinstance(found, DamagedRange):
            before = ranges[-1] if ranges else None
            if before is not None and before.last + 1 == found.first and before.why == found.why:
                ranges[-1] = DamagedRange(before.first, found.last, found.why)
            else:
                ranges.append(found)
        else:
            records += 1
            lost += found[1]
    return Damage(records, tuple(ranges), lost, torn)


def mend_reel(path: str | os.PathLike[str], to: str | os.PathLike[str]) -> Damage:
    """Write what comes before the first damage to a new reel, and give what is wrong with the old one.

    What comes after it is left out, because nobody can say in which state it began. Raises as `write_reel` and
    `damage_of` do.
    """
    damage = damage_of(path)
    write_reel(to, _Sound(Path(os.path.realpath(path))))
    return damage


class _Sound(MemoryReel):
    """What comes before the first damage of a file, to be read once more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        ends = read_ends(path, needs_end=False)
        seam = ends.seam
        super().__init__(ends.header, seam=seam.snapshot if seam is not None else None, first_seq=ends.first_seq)
        self._end = ends.first_seq - 1

    def entries(self, start: int = 1) -> Iterator[Entry]:
        for found in _look(self._path):
            if isinstance(found, DamagedRange):
                return
            self._end = found[0].seq
            yield found[0]

    def notes(self, start: int = 1) -> Iterator[Note]:
        try:
            for note in read_notes(self._path, start):
                if note.seq <= self._end:
                    yield note
        except ReelDamaged:
            return


def _look(path: Path) -> Iterator[tuple[Entry, bool] | DamagedRange]:
    """Give each record as it was written, and whether its outcome is lost; and the ranges in between."""
    ends = read_ends(path, needs_end=False)
    expected = ends.first_seq
    known: set[bytes] = {ends.genesis}
    while True:
        with closing(open_for_reading(path, though_truncated=True)) as connection:
            rows, error = fetch_rows(connection, expected)
            outcomes = {}
            outcomes_lost = False
            if rows:
                try:
                    outcomes = fetch_outcomes(connection, path, rows[0][0], rows[-1][0])
                except ReelDamaged:
                    outcomes_lost = True
            for seq, record, stored in rows:
                if seq > expected:
                    yield DamagedRange(expected, seq - 1, "missing")
                    known = set[bytes]()
                follows = {chain_record(before, record) for before in known}
                if known and stored not in follows:
                    yield DamagedRange(seq, seq, "not as written")
                    # Either the record was altered or its chain value: whichever it was, the next one follows from one.
                    known = follows | {stored}
                else:
                    yield Entry(seq, record, stored, outcomes.get(seq)), outcomes_lost
                    known = {stored}
                expected = seq + 1
            if error:
                next = _next_readable(connection, expected)
                yield DamagedRange(expected, TO_THE_END if next is None else next - 1, "cannot be read")
                if next is None:
                    return
                expected, known = next, set[bytes]()
            elif not rows:
                return


def _next_readable(connection: sqlite3.Connection, bad: int) -> int | None:
    """Find the first record behind one that cannot be read: look further and further on, then back in between."""
    low, step = bad, 1
    while (found := _readable(connection, low + step)) is False:
        low, step = low + step, step * 2
        if low + step > SEQ_MAX:
            return None
    if found is None:
        return None
    high = low + step
    while low + 1 < high:
        middle = (low + high) // 2
        if _readable(connection, middle) is False:
            low = middle
        else:
            high = middle
    return _readable(connection, high) or None


def _readable(connection: sqlite3.Connection, start: int) -> int | bool | None:
    """Give the first seq from here on; False when it cannot be read, None when there is none."""
    try:
        row = connection.execute(
            "SELECT seq, record, chain FROM records WHERE seq >= ? ORDER BY seq LIMIT 1", (start,)
        ).fetchone()
    except sqlite3.Error:
        return False
    return row[0] if row is not None else None
