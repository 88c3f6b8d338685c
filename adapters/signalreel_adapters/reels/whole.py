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
from signalreel_adapters.reels.names import closed_segments
from signalreel_adapters.reels.reading import Ends, read_ends, read_entries, read_notes

__all__ = ("WholeReel",)

_MARK_EVERY: Final = 512
"""Records between two places whose chain is remembered, so that reading from the middle need not begin at the first."""

_LOOKS_MAX: Final = 100
"""How often the files are looked for anew because one was closed or removed meanwhile."""


class WholeReel:
    """A reel to read, from the first of its segments that is there. It may be one that a server is writing.

    Raises what `SqliteReel.read` raises. What was written and closed since is found whenever it is read again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(path))
        self._segments: list[tuple[Path, Ends]] = []
        self._closed: list[tuple[int, Path]] = []
        self._find()
        self._marks = {self.first_seq - 1: chain_before(self.header, self.seam)}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing reel."""
        return cls(path)

    def _find(self) -> None:
        """Look which files there are; once more, when one was closed or removed meanwhile."""
        for _ in range(_LOOKS_MAX):
            closed = closed_segments(self.path)
            try:
                found = self._put_together([path for _, path in closed])
            except ReelUnavailable:
                if closed_segments(self.path) == closed:
                    raise
                continue
            if closed_segments(self.path) == closed:
                # A reel that was opened goes on from where it began, though retention may have taken its first since.
                known = [one for one in self._segments if one[1].last_seq < found[0][1].first_seq]
                self._segments, self._closed = [*known, *found], closed
                return
        raise ReelUnavailable(f"{self.path} is rolled faster than it can be read")

    def _put_together(self, closed: list[Path]) -> list[tuple[Path, Ends]]:
        """Give those segments that go on where another one ends. A closed one is as it was."""
        known = dict(self._segments)
        known.pop(self.path, None)
        found = [(self.path, read_ends(self.path))]
        for path in reversed(closed):
            ends = known.get(path) or read_ends(path)
            parent = found[0][1].header.parent
            if parent is None or (parent.id, parent.seq) != (ends.header.id, ends.last_seq):
                break
            found.insert(0, (path, ends))
        return found

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
        for path, ends in self._segments_from(start):
            for entry in read_entries(path, max(start, ends.first_seq), ends.header):
                yield entry.seq, entry.record, entry.outcome

    def _segments_from(self, start: int) -> Iterator[tuple[Path, Ends]]:
        """Give the segments with records from `start` on, those too that are begun while one is read."""
        given = 0
        while True:
            segments, closed = self._segments, self._closed
            for path, ends in segments:
                number = ends.seam.segment if ends.seam is not None else 1
                # The last one may have grown since.
                if number > given and (start <= ends.last_seq or path == self.path):
                    given = number
                    yield path, ends
            if closed_segments(self.path) == closed:
                return
            self._find()

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the committed notes of the records from `start` on, in the order of their seqs."""
        self._find()
        for path, ends in self._segments_from(start):
            yield from read_notes(path, start, ends.header)

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
