"""The reel: the ordered, append-only log of records, with the outcome of each beside it. And the one kept in memory.

A reel that lives on a disk or in a network implements `Reel` in the shell. Writing is two calls: `append` the record
before it is applied, `conclude` it with its outcome afterwards. A record without an outcome is whole: the run ended
between the two, and replaying it gives the outcome.

Records are chained over their bytes, so that an altered or missing record is noticed without any engine; outcomes are
chained by their digests, so that altered logic is noticed as well.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, Protocol

from msgspec import Struct

from signalreel.errors import OutOfOrder
from signalreel.record import FORMAT
from signalreel.settings import Settings
from signalreel.step import DIGEST_SIZE, GENESIS, Outcome

__all__ = ("ENGINE_VERSION", "Entry", "Header", "MemoryReel", "Reel", "chain_record")

ENGINE_VERSION: Final = "0.1.0"
"""The version of the engine, as it stands in the header of the reels it writes."""


class Header(Struct, frozen=True, omit_defaults=True):
    """What a reel says of itself, once, before its first record."""

    settings: Settings
    format: int = FORMAT
    engine_version: str = ENGINE_VERSION
    started_at: int = 0  #: microseconds since 1970 at record time 0, by the clock of the host that wrote it


class Entry(Struct, frozen=True):
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
    def last_seq(self) -> int:
        """The seq of the last record, 0 when there is none."""
        ...

    def append(self, seq: int, record: bytes) -> None:
        """Add an encoded record. Raises `OutOfOrder` unless `seq` is the next, `ReelUnavailable` when it cannot."""
        ...

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Put the outcome beside an appended record."""
        ...

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the records from `start` on, in order."""
        ...

    def close(self) -> None:
        """Stop writing. Closing twice is harmless."""
        ...


def chain_record(before: bytes, record: bytes) -> bytes:
    """Give the chain value after a record, from the one before it and the record's bytes."""
    return hashlib.blake2b(record, digest_size=DIGEST_SIZE, key=before).digest()


class MemoryReel:
    """A reel in memory: for tests, for simulation, and for embedding where nothing needs to outlive the process."""

    def __init__(self, header: Header | None = None) -> None:
        self._header = header if header is not None else Header(Settings())
        self._records: list[bytes] = []
        self._outcomes: dict[int, Outcome] = {}

    @property
    def header(self) -> Header:
        """What the reel was made with."""
        return self._header

    @property
    def last_seq(self) -> int:
        """The seq of the last record, 0 when there is none."""
        return len(self._records)

    def append(self, seq: int, record: bytes) -> None:
        """Add an encoded record; see `Reel.append`."""
        expected = len(self._records) + 1
        if seq != expected:
            raise OutOfOrder("seq", expected, seq)
        self._records.append(record)

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Put the outcome beside an appended record."""
        self._outcomes[seq] = outcome

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the records from `start` on. The chain is computed from the first one each time."""
        chain = GENESIS
        for seq, record in enumerate(self._records, 1):
            chain = chain_record(chain, record)
            if seq >= start:
                yield Entry(seq, record, chain, self._outcomes.get(seq))

    def close(self) -> None:
        """Nothing to release."""
