"""Shrinking: the shortest list of records found that still goes wrong in the same way.

    small = shrink(reel, Holds(compile_predicate('sent("publish_finished") > 1')))
    print(len(small.records), "records")

What comes after the failure is cut off. Then a guess is made by causes: what has to do with the failing record by a
session or a name, and what with that in turn, a ring at a time until it goes wrong; in a long reel that leaves out
nearly everything at once. Then sessions are dropped, machines, records, halves of them first; then what is left is
made plain (`simplify`). Every list that is tried is a reel of its own: numbered anew, applied from the first record.

A reel that goes on where another one ended begins with what stands at its seam. Where the failure needs nothing of
that, what is left begins with nothing; otherwise the seam is kept, with as little in it as possible.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.failing import CRASHES, NEVER, Check, Start, engine_of, start_of
from signalreel.debug.renumber import orphans_of, renumber, without
from signalreel.debug.seams import names_by_place, without_places
from signalreel.debug.simplify import names_of, plain_names, plain_payloads, plain_start, plain_times
from signalreel.errors import NotFailing
from signalreel.header import Header
from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import decode_entry
from signalreel.snapshot import Snapshot
from signalreel.statehash import Place
from signalreel.step import DIGEST_SIZE
from signalreel.verify import violations_of

__all__ = ("TRIES_MAX", "Progress", "Shrunk", "shrink", "shrink_records")

TRIES_MAX: Final = 20_000
"""Lists that are tried at most; what has been reached by then is given."""

Progress = Callable[[str, int], None]
"""Hears what is being dropped, and how many records are left."""


class Shrunk(Struct, frozen=True):
    """What is left: records numbered from the start, of which the last one goes wrong."""

    start: Start
    records: tuple[Record, ...]
    check: Check  #: with the names that the records have now
    before: int  #: records there were
    failed_at: int  #: the first record that went wrong, as it was numbered then
    tries: int  #: lists that were tried while it got shorter
    kept: tuple[str, ...] = ()  #: names that had to stay; none, nearly always

    @property
    def header(self) -> Header:
        """The header of what is left. Behind a seam, the settings that hold are those of the seam."""
        return self.start.header


def shrink(reel: Reel, check: Check, progress: Progress | None = None) -> Shrunk:
    """Make a reel that goes wrong small. Raises `NotFailing` when it does not, `ReelDamaged` when it cannot be read."""
    records = [decode_entry(entry) for entry in reel.entries(reel.first_seq)]
    return shrink_records(start_of(reel), records, check, progress)


def shrink_records(start: Start, records: Sequence[Record], check: Check, progress: Progress | None = None) -> Shrunk:
    """Make records that go wrong few and plain. Raises `NotFailing` when they do not go wrong."""
    failed_at = check.first(start, renumber(records, start.first_seq))
    if failed_at == NEVER:
        raise NotFailing(check.text, len(records))
    if start.seam is not None:  # Its digest is of names that do not stay, and says nothing to any check.
        start = replace(start, seam=replace(start.seam, digest=bytes(DIGEST_SIZE)))
    smaller = _Smaller(start, list(records[: failed_at - start.first_seq + 1]), check, progress)
    smaller.guess()
    smaller.drop("sessions", _by_session)
    smaller.drop("machines", _by_name)
    left = smaller.plain()
    smaller.tell("times")
    left = plain_times(smaller.start, left, check)
    done = plain_names(smaller.start, left, check)
    return Shrunk(done.start, tuple(done.records), done.check, len(records), failed_at, smaller.tries, done.kept)


_Unit = TypeVar("_Unit", bound=Hashable)


class _Smaller:
    """Records that go wrong, with fewer of them each time that an attempt succeeds. They keep their old numbers."""

    def __init__(self, start: Start, records: list[Record], check: Check, progress: Progress | None) -> None:
        self.records = records
        self.tries = 0
        self.start = start
        self._check = check
        self._progress = progress
        self._broken = _broken_in(start)

    def tell(self, what: str) -> None:
        """Say what is being dropped now."""
        if self._progress is not None:
            self._progress(what, len(self.records))

    def keep(self, records: list[Record], start: Start | None = None) -> bool:
        """Go on with these if they still go wrong, up to where they do."""
        if self.tries >= TRIES_MAX:
            return False
        self.tries += 1
        start = start if start is not None else self.start
        first = self._check.first(start, renumber(records, start.first_seq))
        if first != NEVER:
            self.records, self.start = records[: first - start.first_seq + 1], start
        return first != NEVER

    def plain(self) -> list[Record]:
        """Drop records and make plain what is left, until neither leaves anything to do for the other."""
        left = len(self.records) + 1
        while len(self.records) < left:
            self.drop("records", _one_by_one)
            left = len(self.records)
            self.drop_of_seam()
            self.tell("payloads")
            plain = renumber(self.records, self.start.first_seq)
            self.start = plain_start(self.start, plain, self._check)
            self.records = plain_payloads(self.start, plain, self._check)
            self.drop("records", _one_by_one)
        return renumber(self.records, self.start.first_seq)

    def guess(self) -> None:
        """Keep only what has to do with the last record, by as few steps as possible."""
        self.tell("everything else")
        known: set[str] = set(names_of(self.records[-1]))
        everything, start = self.records, self.start
        standing = names_by_place(start.seam) if start.seam is not None else {}
        size = 0
        while True:
            ring = [record for record in everything if not (names := names_of(record)) or names & known]
            places = {place for place, names in standing.items() if names & known}
            if len(ring) + len(places) <= size:
                return
            if self._keep_ring(ring, start, standing.keys() - places):
                return
            size = len(ring) + len(places)
            known |= {name for record in ring for name in names_of(record)}
            known |= {name for place in places for name in standing[place]}

    def _keep_ring(self, ring: list[Record], start: Start, gone: set[Place]) -> bool:
        """Keep some records: with nothing before them, else with a part of the seam, else with all of it."""
        if start.seam is None:
            return len(ring) < len(self.records) and self.keep(ring)
        if self.keep(ring, _without_seam(start, start.seam)):
            return True
        return self._without_places(ring, start, start.seam, gone)

    def drop_of_seam(self) -> None:
        """Drop what stands at the seam, or all of it."""
        seam = self.start.seam
        if seam is None:
            return
        self.tell("the state before")
        if self.keep(self.records, _without_seam(self.start, seam)):
            return

        def places() -> list[set[Place]]:
            left = self.start.seam
            return [{place} for place in names_by_place(left)] if left is not None else []

        def drop(gone: set[Place]) -> bool:
            left = self.start.seam
            return left is not None and self._without_places(self.records, self.start, left, gone)

        self._drop("the state before", places, drop)

    def drop(self, what: str, units_of: Callable[[Sequence[Record]], list[set[int]]]) -> None:
        """Drop records, as many units of them as possible."""
        self._drop(what, lambda: units_of(self.records), self._without_records)

    def _drop(
        self, what: str, units_of: Callable[[], list[set[_Unit]]], is_dropped: Callable[[set[_Unit]], bool]
    ) -> None:
        """Drop as many units as possible, the largest parts of them first, until none can be dropped any more."""
        self.tell(what)
        units = units_of()
        size = max(1, len(units) // 2)
        while units:
            dropped = False
            place = 0
            while place < len(units):
                if is_dropped({each for unit in units[place : place + size] for each in unit}):
                    del units[place : place + size]
                    dropped = True
                    self.tell(what)
                else:
                    place += size
            if size == 1 and not dropped:
                return
            size = max(1, size // 2)
            left = {each for unit in units_of() for each in unit}
            units = [unit for unit in units if unit & left]

    def _without_records(self, gone: set[int]) -> bool:
        left = without(self.records, gone)
        if len(left) == len(self.records):
            return True
        return self.keep(without(left, orphans_of(left, gone)))

    def _without_places(self, records: list[Record], start: Start, seam: Snapshot, gone: set[Place]) -> bool:
        """Try with less at the seam, as long as that is a state in which an engine could be."""
        tried = replace(start, seam=without_places(seam, gone))
        try:
            is_sound = _broken_in(tried) <= self._broken
        except CRASHES:
            is_sound = False
        return is_sound and self.keep(records, tried)


def _without_seam(start: Start, seam: Snapshot) -> Start:
    """Begin with nothing, under the settings and by the clock that held at the seam."""
    header = replace(
        start.header, settings=seam.settings, logic=seam.environment.logic, started_at=seam.environment.clock_offset
    )
    return Start(header)


def _broken_in(start: Start) -> set[str]:
    """Name the invariants that a start breaks by itself."""
    return {violation.invariant for violation in violations_of(engine_of(start))}


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
