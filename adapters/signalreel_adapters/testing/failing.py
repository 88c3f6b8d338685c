"""A reel whose disk can be taken away and given back."""

from collections.abc import Iterator

from signalreel.errors import OutOfOrder, ReelUnavailable
from signalreel.header import Header
from signalreel.notes import Note
from signalreel.reel import Entry, MemoryReel
from signalreel.step import Outcome

__all__ = ("FailingReel",)


class FailingReel:
    """A durable reel in memory, which fails to commit while `fails` is set. `commits` counts the ones that worked."""

    def __init__(self, header: Header | None = None) -> None:
        self.fails = False
        self.commits = 0
        self.is_closed = False
        self._kept = MemoryReel(header)
        self._records: list[bytes] = []
        self._outcomes: dict[int, Outcome] = {}

    @property
    def header(self) -> Header:
        """What the reel was made with."""
        return self._kept.header

    @property
    def seam(self) -> bytes | None:
        """The state before the first record, encoded."""
        return self._kept.seam

    @property
    def first_seq(self) -> int:
        """The seq of the first record."""
        return self._kept.first_seq

    @property
    def last_seq(self) -> int:
        """The seq of the last record, committed or not."""
        return self._kept.last_seq + len(self._records)

    def append(self, seq: int, record: bytes) -> None:
        """Add a record to the next commit."""
        if seq != self.last_seq + 1:
            raise OutOfOrder("seq", self.last_seq + 1, seq)
        self._records.append(record)

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Keep an outcome for the next commit."""
        self._outcomes[seq] = outcome

    async def commit(self) -> None:
        """Keep what was appended, or fail and forget it."""
        records, self._records = self._records, []
        if self.fails:
            raise ReelUnavailable("the test has taken the disk away")
        for record in records:
            self._kept.append(self._kept.last_seq + 1, record)
        for seq, outcome in self._outcomes.items():
            self._kept.conclude(seq, outcome)
        self._outcomes.clear()
        self.commits += 1

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give what was committed."""
        return self._kept.entries(start)

    def note(self, note: Note) -> None:
        """Keep a note at once: notes are no part of what is promised."""
        self._kept.note(note)

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the notes."""
        return self._kept.notes(start)

    def close(self) -> None:
        """Take note of it."""
        self.is_closed = True
