"""The reel: the ordered, append-only log of records, with the outcome of each beside it. And the one kept in memory.

A reel that lives on a disk or in a network implements `Reel` in the shell. Writing is two calls: `append` the record
before it is applied, `conclude` it with its outcome afterwards. A record without an outcome is whole: the run ended
between the two, and replaying it gives the outcome.

Records are chained over their bytes, so that an altered or missing record is noticed without any engine; outcomes are
chained by their digests, so that altered logic is noticed as well.

A reel that goes on where another one ends has a seam: the encoded snapshot of the state before its first record, whose
seq follows that of the other's last. The chain then begins with the parent's and covers the seam. Notes stand beside
the records and are part of neither chain.
"""

import hashlib
from collections.abc import Iterator
from operator import attrgetter
from typing import Protocol

from msgspec import Struct

from signalreel.errors import OutOfOrder
from signalreel.header import Header
from signalreel.notes import Note
from signalreel.settings import Settings
from signalreel.step import DIGEST_SIZE, GENESIS, Outcome

__all__ = ("Entry", "MemoryReel", "Reel", "chain_before", "chain_record")


class Entry(Struct, frozen=True, gc=False):
    """One record as a reel keeps it."""

    seq: int
    record: bytes
    chain: bytes  #: over the bytes of this record and all before it
    outcome: Outcome | None = None


class Reel(Protocol):
    """An ordered, append-only log with one writer. Order is promised; durability only by the kinds that say so."""

    @property
    def header(self) -> Header:
        """What the reel was opened with."""
        ...

    @property
    def seam(self) -> bytes | None:
        """The state before the first record, as `decode_snapshot` reads it; None: the reel starts with nothing."""
        ...

    @property
    def first_seq(self) -> int:
        """The seq of the first record, whether it is there yet or not: 1, or the one after the seam."""
        ...

    @property
    def last_seq(self) -> int:
        """The seq of the last record; `first_seq - 1` when there is none."""
        ...

    def append(self, seq: int, record: bytes) -> None:
        """Add an encoded record. Raises `OutOfOrder` unless `seq` is the next, `ReelUnavailable` when it cannot."""
        ...

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Put the outcome beside an appended record."""
        ...

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the records from `start` on, in order.

        Raises `ReelDamaged` where a record is missing, or is not chained to the one before it: whoever keeps records
        where they can be altered checks that here, once.
        """
        ...

    def note(self, note: Note) -> None:
        """Put a note beside the records. It never fails and never waits: a note that cannot be kept is lost."""
        ...

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the notes of the records from `start` on, in the order of their seqs."""
        ...

    def close(self) -> None:
        """Stop writing. Closing twice is harmless."""
        ...


def chain_record(before: bytes, record: bytes) -> bytes:
    """Give the chain value after a record, from the one before it and the record's bytes."""
    return hashlib.blake2b(record, digest_size=DIGEST_SIZE, key=before).digest()


def chain_before(header: Header, seam: bytes | None) -> bytes:
    """Give the chain value before a reel's first record."""
    if seam is None:
        return GENESIS
    parent = header.parent
    return chain_record(parent.chain if parent is not None and parent.chain else GENESIS, seam)


class MemoryReel:
    """A reel in memory: for tests, for simulation, and for embedding where nothing needs to outlive the process.

    One that goes on where another ended gets that one's `seam`, and the seq after it.
    """

    def __init__(self, header: Header | None = None, *, seam: bytes | None = None, first_seq: int = 1) -> None:
        self._header = header if header is not None else Header(Settings())
        self._seam = seam
        self._first_seq = first_seq
        self._records: list[bytes] = []
        self._chains = [chain_before(self._header, seam)]
        self._outcomes: dict[int, Outcome] = {}
        self._notes: list[Note] = []

    @property
    def header(self) -> Header:
        """What the reel was made with."""
        return self._header

    @property
    def seam(self) -> bytes | None:
        """The state before the first record, encoded."""
        return self._seam

    @property
    def first_seq(self) -> int:
        """The seq of the first record."""
        return self._first_seq

    @property
    def last_seq(self) -> int:
        """The seq of the last record."""
        return self._first_seq + len(self._records) - 1

    def append(self, seq: int, record: bytes) -> None:
        """Add an encoded record; see `Reel.append`."""
        expected = self._first_seq + len(self._records)
        if seq != expected:
            raise OutOfOrder("seq", expected, seq)
        self._records.append(record)
        self._chains.append(chain_record(self._chains[-1], record))

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Put the outcome beside an appended record."""
        self._outcomes[seq] = outcome

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the records from `start` on, those included that are appended meanwhile."""
        place = max(0, start - self._first_seq)
        while place < len(self._records):
            seq = self._first_seq + place
            yield Entry(seq, self._records[place], self._chains[place + 1], self._outcomes.get(seq))
            place += 1

    def note(self, note: Note) -> None:
        """Keep a note."""
        self._notes.append(note)

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the notes of the records from `start` on; those of one record in the order in which they were made."""
        return iter(sorted((note for note in self._notes if note.seq >= start), key=attrgetter("seq")))

    def close(self) -> None:
        """Nothing to release."""
