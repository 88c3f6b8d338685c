"""A reel in SQLite files: the default of the server.

A file in write-ahead mode, `synchronous=FULL`, one writer. Records are appended in memory and written by `commit`, all
in one transaction and in a thread of their own; whatever was appended while one commit ran goes with the next. No
window is waited out, because a window only adds its length to every answer.

`durability` says what a commit waits for. `synced`: until the records are on the disk. `buffered`: until at most
`BUFFERED_RECORDS_MAX` records, these among them, are on their way there; a crash can lose those, from the end. What a
buffered reel could not write it keeps, and tries again; until that is done it takes nothing more.

The file can be read while it is written, with this class or with the `sqlite3` shell. `rolling` says when it is closed
and another one takes its place, see `segments`.

One file has one name: the lock and SQLite's companions are beside that name, so a second one would be a second writer.
Symbolic links are followed first; a file with a hard link is refused.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Literal, Self, TypeVar

import anyio
import anyio.to_thread

from signalreel.errors import OutOfOrder, ReelError, ReelUnavailable
from signalreel.header import Header
from signalreel.notes import Note, encode_note
from signalreel.reel import Entry
from signalreel.settings import Settings
from signalreel.step import Outcome
from signalreel_adapters.ports import Rolled
from signalreel_adapters.reels.buffering import Buffer
from signalreel_adapters.reels.disk import DISK, Disk
from signalreel_adapters.reels.layout import reason_of
from signalreel_adapters.reels.reading import Ends, read_ends, read_entries, read_notes
from signalreel_adapters.reels.segments import Rolling
from signalreel_adapters.reels.writer import Writer
from signalreel_adapters.reels.writing import Batch, encode_outcomes

__all__ = ("NOTES_MAX", "Durability", "SqliteReel")

Durability = Literal["synced", "buffered"]
"""What a commit waits for."""

NOTES_MAX: Final = 4_096
"""Notes that wait for the next commit; more are dropped, and counted."""

_ROLL_RETRY_RECORDS: Final = 256
"""Records until the next attempt to begin a segment, when a reader or the disk stood against the last."""

_MICROSECONDS: Final = 1_000_000

_Result = TypeVar("_Result")


class SqliteReel:
    """A durable reel in a file, made when it does not exist. `settings` are those of a new reel's header.

    Raises `ReelBusy` when another process writes it, `ReelDamaged` when the file is no reel or of a newer layout,
    `ReelUnavailable` when it cannot be opened. `SqliteReel.read(path)` opens it for reading only, also while it is
    written elsewhere. Without `rolling` it stays one file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        settings: Settings | None = None,
        read_only: bool = False,
        durability: Durability = "synced",
        rolling: Rolling | None = None,
        disk: Disk = DISK,
    ) -> None:
        self.path = Path(os.path.realpath(path))
        self.durability: Final = durability
        self.notes_dropped = 0  #: because too many waited, or one was too long
        self._rolling = rolling
        self._records: list[tuple[int, bytes]] = []
        self._outcomes: dict[int, Outcome] = {}
        self._notes: list[tuple[int, bytes]] = []
        self._limiter: anyio.CapacityLimiter | None = None
        self._writer: Writer | None = None
        self._buffer: Buffer | None = None
        if read_only:
            self._begin(read_ends(self.path))
            return
        self._writer = Writer(self.path, settings if settings is not None else Settings(), disk)
        self._begin(self._writer.ends)
        if rolling is not None:
            self._writer.retain(rolling)
        if durability == "buffered":
            self._buffer = Buffer(self._writer.write)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing reel for reading. Appending to it raises `ReelUnavailable`."""
        return cls(path, read_only=True)

    def _begin(self, ends: Ends) -> None:
        """Be where a file begins and ends."""
        self._ends = ends
        self._last_seq = self._handed_over = ends.last_seq
        self._bytes = self.path.stat().st_size
        self._roll_from_seq = ends.first_seq

    # ---- looking

    @property
    def _now(self) -> Ends:
        """How the file in use begins: after a roll that failed half-way the writer knows it first."""
        return self._writer.ends if self._writer is not None else self._ends

    @property
    def header(self) -> Header:
        """What the reel was made with."""
        return self._now.header

    @property
    def seam(self) -> bytes | None:
        """The state before the first record, encoded."""
        seam = self._now.seam
        return seam.snapshot if seam is not None else None

    @property
    def first_seq(self) -> int:
        """The seq of the first record."""
        return self._now.first_seq

    @property
    def last_seq(self) -> int:
        """The seq of the last record, committed or not."""
        return self._last_seq

    @property
    def works(self) -> bool:
        """Whether what was taken could be written so far: what is `buffered` is written later than it is taken."""
        return self._buffer is None or self._buffer.works

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the committed records from `start` on, in order, as they are when each is fetched.

        Raises `ReelDamaged` where a record is missing or its bytes, or those of one before it, are not as written.
        """
        return read_entries(self.path, max(start, self.first_seq))

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the committed notes of the records from `start` on, in the order of their seqs."""
        return read_notes(self.path, start)

    # ---- writing

    def append(self, seq: int, record: bytes) -> None:
        """Add an encoded record to the next commit. Raises `OutOfOrder`, or `ReelUnavailable` once closed."""
        if self._writer is None:
            raise self._not_open()
        if seq != self._last_seq + 1:
            raise OutOfOrder("seq", self._last_seq + 1, seq)
        self._records.append((seq, record))
        self._last_seq = seq

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Put the outcome beside a record; it is written with the next commit."""
        self._outcomes[seq] = outcome

    def note(self, note: Note) -> None:
        """Put a note beside the records; it is written with the next commit, or dropped when too many wait."""
        try:
            data = encode_note(note)
        except (ValueError, TypeError, OverflowError, RecursionError):
            self.notes_dropped += 1
            return
        if len(self._notes) >= NOTES_MAX:
            self.notes_dropped += 1
        else:
            self._notes.append((note.seq, data))

    async def commit(self) -> None:
        """Write everything appended, concluded and noted, in one transaction; wait for as much as `durability` says.

        Raises `ReelUnavailable` when it cannot; then what was appended since the last commit is forgotten, outcomes and
        notes are kept.
        """
        records, self._records = self._records, []
        writer = self._writer
        if writer is None:
            self._last_seq = self._handed_over
            raise self._not_open()
        outcomes, notes = dict(self._outcomes), list(self._notes)
        batch = Batch(records, encode_outcomes(outcomes), notes)
        try:
            await self._hand_over(writer, batch)
        except BaseException as error:
            # Also when the task is cancelled: what comes next would stand behind a gap.
            self._last_seq = self._handed_over
            if isinstance(error, Exception):
                raise self._why(error) from error
            raise
        for seq in outcomes:
            del self._outcomes[seq]
        del self._notes[: len(notes)]
        self._handed_over = self._last_seq
        if writer.ends is not self._ends:  # A roll has failed after it had begun the next segment.
            self._ends, self._bytes = writer.ends, 0
        self._bytes += sum(len(data) for rows in batch for _, data in rows)

    async def _hand_over(self, writer: Writer, batch: Batch) -> None:
        buffer, count = self._buffer, len(batch.records)
        if buffer is None:
            if batch:
                await self._in_thread(partial(writer.write, batch))
            return
        # Asked without anything to write too: what has failed is then tried again.
        if not buffer.takes(count):
            await self._in_thread(partial(buffer.wait_for, count))
        if batch:
            buffer.put(batch)

    async def flush(self) -> None:
        """Commit, and wait until everything is on the disk, whatever `durability` says."""
        await self.commit()
        if self._buffer is not None:
            try:
                await self._in_thread(self._buffer.flush)
            except Exception as error:
                raise self._why(error) from error

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(1)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    def _not_open(self) -> ReelUnavailable:
        return ReelUnavailable(f"{self.path} is not open for writing")

    def _why(self, error: Exception) -> ReelUnavailable:
        if isinstance(error, ReelUnavailable):
            return error
        if isinstance(error, sqlite3.IntegrityError):
            # Only a record with our next seq can be in the way, and only another writer can have put it there.
            return ReelUnavailable(
                f"{self.path} was written by another program; what came here since is not in it, and will not be:"
                " start anew to go on where it ends"
            )
        told = reason_of(error) if isinstance(error, sqlite3.Error) else str(error) or type(error).__name__
        return ReelUnavailable(f"{self.path} cannot be written: {told}")

    def close(self) -> None:
        """Stop writing and let others write. What was not committed is forgotten. Closing twice is harmless."""
        if self._buffer is not None:
            self._buffer.close()
            self._buffer = None
        if self._writer is not None:
            self._ends = self._writer.ends
            self._writer.close()
            self._writer = None

    # ---- segments

    def wants_to_roll(self, age_us: int, nothing_lives: Callable[[], bool]) -> bool:
        """Whether a new segment is to be begun. `age_us` is how old the first record of this one is."""
        rolling = self._rolling
        if rolling is None or self._last_seq < self._roll_from_seq:
            return False
        if self._bytes >= rolling.bytes_max or age_us >= rolling.age_s_max * _MICROSECONDS:
            return True
        return rolling.when_empty and self._bytes >= rolling.empty_bytes_min and nothing_lives()

    async def roll(self, snapshot: bytes, successor: Header, digest: bytes) -> Rolled:
        """Close this segment and begin the next, with the state after the last record at its seam.

        `successor` is the next header but for its id and its parent, which are this reel's to say. Raises
        `ReelUnavailable` when it cannot be done now; then the segment is gone on with, and the next attempt is some
        records later.
        """
        self._roll_from_seq = self._last_seq + _ROLL_RETRY_RECORDS
        await self.flush()
        if self._writer is None or self._rolling is None:
            raise self._not_open()
        work = partial(self._writer.roll, self._last_seq, snapshot, successor, digest, self._rolling)
        try:
            rolled = await self._in_thread(work)
        except (OSError, sqlite3.Error, ReelError) as error:
            raise ReelUnavailable(f"{self.path} cannot be followed by another segment now: {error}") from error
        self._begin(self._writer.ends)
        return rolled
