"""Reels as the loop wants them: something to commit, even where nothing is kept.

A reel without `commit` is as safe after `append` as it will ever be, so committing it does nothing. And when no reel
was given, nothing is kept at all: a server that recorded into memory would grow until it is killed.
"""

from collections.abc import Iterator

from signalreel.errors import OutOfOrder
from signalreel.header import Header
from signalreel.notes import Note
from signalreel.reel import Entry, Reel
from signalreel.settings import Settings
from signalreel.step import Outcome
from signalreel_adapters.ports import DurableReel

__all__ = ("Unrecorded", "as_durable")


class Unrecorded:
    """A reel that keeps nothing but the count. Nothing can be replayed from it."""

    def __init__(self, header: Header | None = None) -> None:
        self._header = header if header is not None else Header(Settings())
        self._last_seq = 0

    @property
    def header(self) -> Header:
        """What it was made with."""
        return self._header

    @property
    def seam(self) -> bytes | None:
        """Nothing went before."""
        return None

    @property
    def first_seq(self) -> int:
        """The seq of the first record."""
        return 1

    @property
    def last_seq(self) -> int:
        """The seq of the last record."""
        return self._last_seq

    def append(self, seq: int, record: bytes) -> None:
        """Count a record."""
        if seq != self._last_seq + 1:
            raise OutOfOrder("seq", self._last_seq + 1, seq)
        self._last_seq = seq

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Keep nothing."""

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give nothing."""
        return iter(())

    def note(self, note: Note) -> None:
        """Keep nothing."""

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give nothing."""
        return iter(())

    def close(self) -> None:
        """Nothing to release."""


class _Committed:
    """A reel without `commit`, with one that has nothing left to do."""

    def __init__(self, reel: Reel) -> None:
        self._reel = reel

    @property
    def header(self) -> Header:
        return self._reel.header

    @property
    def seam(self) -> bytes | None:
        return self._reel.seam

    @property
    def first_seq(self) -> int:
        return self._reel.first_seq

    @property
    def last_seq(self) -> int:
        return self._reel.last_seq

    def append(self, seq: int, record: bytes) -> None:
        self._reel.append(seq, record)

    def conclude(self, seq: int, outcome: Outcome) -> None:
        self._reel.conclude(seq, outcome)

    def entries(self, start: int = 1) -> Iterator[Entry]:
        return self._reel.entries(start)

    def note(self, note: Note) -> None:
        self._reel.note(note)

    def notes(self, start: int = 1) -> Iterator[Note]:
        return self._reel.notes(start)

    def close(self) -> None:
        self._reel.close()

    async def commit(self) -> None:
        """Do nothing: what was appended is as safe as this reel makes it."""


def as_durable(reel: Reel) -> DurableReel:
    """Give the reel with a `commit`: its own, or one that does nothing."""
    return reel if isinstance(reel, DurableReel) else _Committed(reel)
