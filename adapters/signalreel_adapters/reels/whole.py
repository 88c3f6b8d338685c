"""Reading a reel across its segments, as the one reel that it is.

The chain of each segment begins at its own seam, so it is made anew here, from the first segment that is there. Each
segment's own chain is checked while it is read, and what it says of the one before it when they are put together.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn, Self

from signalreel.errors import ReelUnavailable
from signalreel.header import Header
from signalreel.notes import Note
from signalreel.reel import Entry, chain_before, chain_record
from signalreel.step import Outcome
from signalreel_adapters.reels.reading import Ends, read_ends, read_entries, read_notes
from signalreel_adapters.reels.segments import closed_segments

__all__ = ("WholeReel",)

_MARK_EVERY: Final = 512
"""Records between two places whose chain is remembered, so that reading from the middle need not begin at the first."""


class WholeReel:
    """A reel to read, from the first of its segments that is there. It may be one that a server is writing.

    Raises what `SqliteReel.read` raises. What was written and closed since is found whenever it is read again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        self._segments: list[tuple[Path, Ends]] = []
        self._find()
        self._marks = {self.first_seq - 1: chain_before(self.header, self.seam)}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing reel."""
        return cls(path)

    def _find(self) -> None:
        """Put together those segments that go on where another one ends."""
        newest = read_ends(self.path)
        closed = [path for _, path in closed_segments(self.path)]
        found = [(self.path, newest)]
        for path in reversed(closed):
            ends = read_ends(path)
            parent = found[0][1].header.parent
            if parent is None or (parent.id, parent.seq) != (ends.header.id, ends.last_seq):
                break
            found.insert(0, (path, ends))
        # A reel that was opened goes on from where it began, though retention may have taken its first segments since.
        known = [one for one in self._segments if one[1].last_seq < found[0][1].first_seq]
        self._segments = [*known, *found]

    @property
    def segments(self) -> list[Path]:
        """The files, the oldest first."""
        return [path for path, _ in self._segments]

    @property
    def header(self) -> Header:
        """What the first segment was made with."""
        return self._segments[0][1].header

    @property
    def seam(self) -> bytes | None:
        """The state before the first record of the first segment."""
        seam = self._segments[0][1].seam
        return seam.snapshot if seam is not None else None

    @property
    def first_seq(self) -> int:
        """The seq of the first record that is there."""
        return self._segments[0][1].first_seq

    @property
    def last_seq(self) -> int:
        """The seq of the last record when it was last looked."""
        return self._segments[-1][1].last_seq

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the committed records from `start` on, in order. Raises `ReelDamaged` as `SqliteReel.entries` does."""
        self._find()
        start = max(start, self.first_seq)
        if start > self.last_seq + 1:
            return
        mark = max(seq for seq in self._marks if seq < start)
        chain = self._marks[mark]
        for seq, record, outcome in self._read(mark + 1):
            chain = chain_record(chain, record)
            if seq % _MARK_EVERY == 0:
                self._marks[seq] = chain
            if seq >= start:
                yield Entry(seq, record, chain, outcome)

    def _read(self, start: int) -> Iterator[tuple[int, bytes, Outcome | None]]:
        for path, ends in self._segments:
            # The last one may have grown since.
            if start <= ends.last_seq or path == self.path:
                for entry in read_entries(path, max(start, ends.first_seq)):
                    yield entry.seq, entry.record, entry.outcome

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the committed notes of the records from `start` on, in the order of their seqs."""
        self._find()
        for path, ends in self._segments:
            if start <= ends.last_seq or path == self.path:
                yield from read_notes(path, start)

    def append(self, seq: int, record: bytes) -> NoReturn:
        """Refuse: it is only read."""
        raise ReelUnavailable(f"{self.path} is not open for writing")

    def conclude(self, seq: int, outcome: Outcome) -> NoReturn:
        """Refuse: it is only read."""
        raise ReelUnavailable(f"{self.path} is not open for writing")

    def note(self, note: Note) -> None:
        """Keep nothing: it is only read."""

    def close(self) -> None:
        """Nothing to release: a file is only open while it is read."""
