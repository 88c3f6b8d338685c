"""Shrinking: the shortest list of records found that still goes wrong in the same way.

    small = shrink(reel, Holds(compile_predicate('sent("publish_finished") > 1')))
    print(len(small.records), "records")

What comes after the failure is cut off. Then a guess is made by causes: what has to do with the failing record by a
session or a name, and what with that in turn, a ring at a time until it goes wrong; in a long reel that leaves out
nearly everything at once. Then sessions are dropped, machines, records, halves of them first; then what is left is
made plain (`simplify`). Every list that is tried is a reel of its own: numbered anew, applied from the first record.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from signalreel.debug.failing import NEVER, Check
from signalreel.debug.renumber import orphans_of, renumber, without
from signalreel.debug.simplify import names_of, plain_header, plain_names, plain_payloads, plain_times
from signalreel.errors import NotFailing
from signalreel.header import Header
from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import decode_entry

__all__ = ("TRIES_MAX", "Progress", "Shrunk", "shrink", "shrink_records")

TRIES_MAX: Final = 20_000
"""Lists that are tried at most; what has been reached by then is given."""

Progress = Callable[[str, int], None]
"""Hears what is being dropped, and how many records are left."""


class Shrunk(Struct, frozen=True):
    """What is left: records numbered from 1, of which the last one goes wrong."""

    header: Header
    records: tuple[Record, ...]
    check: Check  #: with the names that the records have now
    before: int  #: records there were
    failed_at: int  #: the first record that went wrong, as it was numbered then
    tries: int  #: lists that were tried while it got shorter
    kept: tuple[str, ...] = ()  #: names that had to stay; none, nearly always


def shrink(reel: Reel, check: Check, progress: Progress | None = None) -> Shrunk:
    """Make a reel that goes wrong small. Raises `NotFailing` when it does not, `ReelDamaged` when it cannot be read.

    A reel that goes on where another ended is taken without what was before: what is left starts with nothing.
    """
    return shrink_records(reel.header, [decode_entry(entry) for entry in reel.entries()], check, progress)


def shrink_records(header: Header, records: Sequence[Record], check: Check, progress: Progress | None = None) -> Shrunk:
    """Make records that go wrong few and plain. Raises `NotFailing` when they do not go wrong."""
    failed_at = check.first(header, renumber(records))
    if failed_at == NEVER:
        raise NotFailing(check.text, len(records))
    smaller = _Smaller(header, list(records[:failed_at]), check, progress)
    smaller.guess()
    smaller.drop("sessions", _by_session)
    smaller.drop("machines", _by_name)
    left = smaller.plain()
    header = smaller.header
    smaller.tell("times")
    left = plain_times(header, left, check)
    left, check, kept = plain_names(header, left, check)
    return Shrunk(header, tuple(left), check, len(records), failed_at, smaller.tries, kept)


class _Smaller:
    """Records that go wrong, with fewer of them each time that an attempt succeeds. They keep their old numbers."""

    def __init__(self, header: Header, records: list[Record], check: Check, progress: Progress | None) -> None:
        self.records = records
        self.tries = 0
        self.header = header
        self._check = check
        self._progress = progress

    def tell(self, what: str) -> None:
        """Say what is being dropped now."""
        if self._progress is not None:
            self._progress(what, len(self.records))

    def keep(self, records: list[Record]) -> bool:
        """Go on with these if they still go wrong, up to where they do."""
        if self.tries >= TRIES_MAX:
            return False
        self.tries += 1
        first = self._check.first(self.header, renumber(records))
        if first != NEVER:
            self.records = records[:first]
        return first != NEVER

    def plain(self) -> list[Record]:
        """Drop records and make plain what is left, until neither leaves anything to do for the other."""
        left = len(self.records) + 1
        while len(self.records) < left:
            self.drop("records", _one_by_one)
            left = len(self.records)
            self.tell("payloads")
            plain = renumber(self.records)
            self.header = plain_header(self.header, plain, self._check)
            self.records = plain_payloads(self.header, plain, self._check)
            self.drop("records", _one_by_one)
        return renumber(self.records)

    def guess(self) -> None:
        """Keep only what has to do with the last record, by as few steps as possible."""
        self.tell("everything else")
        known: set[str] = set(names_of(self.records[-1]))
        everything = self.records
        size = 0
        while size < len(everything):
            ring = [record for record in everything if not (names := names_of(record)) or names & known]
            if len(ring) <= size:
                return
            if self.keep(ring):
                return
            size = len(ring)
            known |= {name for record in ring for name in names_of(record)}

    def drop(self, what: str, units_of: Callable[[Sequence[Record]], list[set[int]]]) -> None:
        """Drop as many units as possible, the largest parts of them first, until none can be dropped any more."""
        self.tell(what)
        units = units_of(self.records)
        size = max(1, len(units) // 2)
        while units:
            dropped = False
            place = 0
            while place < len(units):
                if self._without(units[place : place + size]):
                    del units[place : place + size]
                    dropped = True
                    self.tell(what)
                else:
                    place += size
            if size == 1 and not dropped:
                return
            size = max(1, size // 2)
            left = {record.seq for record in self.records}
            units = [unit for unit in units if unit & left]

    def _without(self, units: Iterable[set[int]]) -> bool:
        gone = {seq for unit in units for seq in unit}
        left = without(self.records, gone)
        if len(left) == len(self.records):
            return True
        return self.keep(without(left, orphans_of(left, gone)))


def _by_session(records: Sequence[Record]) -> list[set[int]]:
    return _grouped(records, lambda record: {record.session} - {""})


def _by_name(records: Sequence[Record]) -> list[set[int]]:
    return _grouped(records, lambda record: names_of(record) - {record.session})


def _one_by_one(records: Sequence[Record]) -> list[set[int]]:
    return [{record.seq} for record in records]


def _grouped(records: Sequence[Record], keys_of: Callable[[Record], Iterable[str]]) -> list[set[int]]:
    groups: dict[str, set[int]] = {}
    for record in records:
        for key in sorted(keys_of(record)):
            groups.setdefault(key, set()).add(record.seq)
    return list(groups.values())
