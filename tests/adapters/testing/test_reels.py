"""`signalreel_adapters.testing.reels`: our reels pass the suite, and it catches who breaks a promise."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import pytest
from msgspec.structs import replace

from signalreel.errors import ReelUnavailable
from signalreel.header import Header
from signalreel.notes import Note, encode_note
from signalreel.reel import Entry, MemoryReel, Reel
from signalreel.settings import Settings
from signalreel.step import Outcome
from signalreel_adapters import SqliteReel
from signalreel_adapters.reels import Durability, Rolling
from signalreel_adapters.reels.buffering import BUFFERED_RECORDS_MAX
from signalreel_adapters.testing import FailingReel, ReelPlace, check_reel

pytestmark = pytest.mark.anyio


class Made:
    """A place in memory: each reel is a new one."""

    def __init__(self, make: Callable[[], Reel] = MemoryReel) -> None:
        self._make = make

    def open(self) -> Reel:
        """Make one."""
        return self._make()


class Failing:
    """A place whose disk is the test's."""

    def __init__(self, kind: type[FailingReel] = FailingReel) -> None:
        self._reel = kind()

    def open(self) -> Reel:
        """Give the one reel."""
        return self._reel

    def fail(self, fails: bool) -> None:
        """Let its commits fail."""
        self._reel.fails = fails


class OnDisk:
    """A folder with a reel in SQLite files."""

    def __init__(self, folder: Path, durability: Durability = "synced", kind: type[SqliteReel] = SqliteReel) -> None:
        self.folder = Path(mkdtemp(dir=folder))
        self._durability: Durability = durability
        self.kind = kind
        self._reel: SqliteReel | None = None

    @property
    def lost_max(self) -> int:
        """What is on its way to the disk."""
        return BUFFERED_RECORDS_MAX if self._durability == "buffered" else 0

    def open(self) -> SqliteReel:
        """Open the file."""
        self._reel = self.kind(self.folder / "calls.reel", durability=self._durability, rolling=Rolling())
        return self._reel

    def after_crash(self) -> "OnDisk":
        """Copy what stands on the disk: the file and its write-ahead file."""
        copy = OnDisk(self.folder.parent, self._durability)
        for name in ("calls.reel", "calls.reel-wal"):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, copy.folder / name)
        return copy

    def torn(self) -> "OnDisk":
        """The write-ahead file lacks the end of its last page."""
        copy = self.after_crash()
        ahead = copy.folder / "calls.reel-wal"
        ahead.write_bytes(ahead.read_bytes()[:-1_000])
        return copy

    def fail(self, fails: bool) -> None:
        """Let nothing be written."""
        assert self._reel is not None
        assert self._reel._writer is not None
        assert self._reel._writer._connection is not None
        self._reel._writer._connection.execute(f"PRAGMA query_only = {'ON' if fails else 'OFF'}")


@pytest.mark.parametrize("place", [Made, Failing])
async def test_reels_in_memory_keep_their_promises(place: Callable[[], ReelPlace]) -> None:
    """The one that simulations use, and the one whose disk a test takes away."""
    await check_reel(place)


@pytest.mark.parametrize("durability", ["synced", "buffered"])
async def test_reels_on_disk_keep_their_promises(tmp_path: Path, durability: Durability) -> None:
    """Also after a crash at any commit, when the last write is torn, and behind a seam."""
    await check_reel(lambda: OnDisk(tmp_path, durability))


# ---- reels that break one promise each


class CountsFromZero(MemoryReel):
    """Begins with record 0."""

    def __init__(self) -> None:
        super().__init__(first_seq=0)


class Reverses(MemoryReel):
    """Gives the last record first."""

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Turn round."""
        return reversed(list(super().entries(start)))


class Trims(MemoryReel):
    """Takes trailing zero bytes for padding."""

    def append(self, seq: int, record: bytes) -> None:
        """Take them off."""
        super().append(seq, record.rstrip(b"\xff"))


class ChainsEachAlone(MemoryReel):
    """Has the chain of each record begin anew."""

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Forget the chain."""
        return (replace(entry, chain=b"") for entry in super().entries(start))


class ReadsFromTheStart(MemoryReel):
    """Gives everything, wherever one asks it to begin."""

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Begin at the first."""
        return super().entries()


class TakesGaps(MemoryReel):
    """Takes whatever seq is said."""

    def append(self, seq: int, record: bytes) -> None:
        """Append it as the next."""
        super().append(self.last_seq + 1, record)


class ForgetsOutcomes(MemoryReel):
    """Takes an outcome for the last record only."""

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Look at the seq."""
        if seq == self.last_seq:
            super().conclude(seq, outcome)


class LeavesNotesAsTheyCame(MemoryReel):
    """Does not order notes."""

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give them as they came."""
        return iter([note for note in self._notes if note.seq >= start])


class RaisesForNotes(MemoryReel):
    """Fails when a note is too long."""

    def note(self, note: Note) -> None:
        """Encode it."""
        encode_note(note)
        super().note(note)


class RecordsNotes(MemoryReel):
    """Puts what was lost of the notes among the records."""

    def note(self, note: Note) -> None:
        """Add a record."""
        super().note(note)
        if len(self._notes) > 3:
            self.append(self.last_seq + 1, b"a note was lost")


class ClosesOnce(MemoryReel):
    """Fails the second time."""

    is_open = True

    def close(self) -> None:
        """Count."""
        if not self.is_open:
            raise ReelUnavailable("closed already")
        self.is_open = False


class DatesItsHeader(MemoryReel):
    """Has another header each time."""

    @property
    def header(self) -> Header:
        """Count the records."""
        return Header(Settings(), started_at=self.last_seq)


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (CountsFromZero, "the first record of a new reel is record 1"),
        (Reverses, "records come back in order"),
        (Trims, "byte for byte"),
        (ChainsEachAlone, "each record comes with its seq and its chain value"),
        (ReadsFromTheStart, "reading may begin at any record"),
        (TakesGaps, "is refused with OutOfOrder"),
        (ForgetsOutcomes, "an outcome stands beside its record"),
        (LeavesNotesAsTheyCame, "notes come back in the order of their seqs"),
        (RaisesForNotes, "a note never fails"),
        (RecordsNotes, "notes are no part of the chain"),
        (ClosesOnce, "closing twice is harmless"),
        (DatesItsHeader, "the header stays what it is"),
    ],
)
async def test_a_broken_promise_is_named(kind: type[MemoryReel], promise: str) -> None:
    """Each kind of faulty reel fails the suite at the promise that it breaks."""
    with pytest.raises(AssertionError, match=f"broken promise: .*{promise}"):
        await check_reel(partial(Made, kind))


class Pretends(FailingReel):
    """Says nothing of a disk that is gone."""

    async def commit(self) -> None:
        """Swallow it."""
        try:
            await super().commit()
        except ReelUnavailable:
            return


class Remembers(FailingReel):
    """Keeps what it could not write, and writes it the next time."""

    async def commit(self) -> None:
        """Put it back."""
        records = list(self._records)
        try:
            await super().commit()
        except ReelUnavailable:
            self._records = records
            raise


class LosesOutcomes(FailingReel):
    """Forgets outcomes with the records of a failed commit."""

    async def commit(self) -> None:
        """Forget them."""
        try:
            await super().commit()
        except ReelUnavailable:
            self._outcomes.clear()
            raise


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (Pretends, "a commit that cannot write raises ReelUnavailable"),
        (Remembers, "what a failed commit should have written is forgotten"),
        (LosesOutcomes, "outcomes outlive a failed commit"),
    ],
)
async def test_a_broken_promise_of_a_disk_is_named(kind: type[FailingReel], promise: str) -> None:
    """A commit is all or nothing for records, and outcomes go along with the next."""
    with pytest.raises(AssertionError, match=f"broken promise: .*{promise}"):
        await check_reel(partial(Failing, kind))


class OpensAnother(OnDisk):
    """Finds a new reel each time."""

    def open(self) -> SqliteReel:
        """Look elsewhere."""
        self.folder = Path(mkdtemp(dir=self.folder.parent))
        return super().open()


class SavesWithoutNotes(OnDisk):
    """Keeps no notes from one run to the next."""

    def open(self) -> SqliteReel:
        """Remove them."""
        reel = super().open()
        assert reel._writer is not None
        assert reel._writer._connection is not None
        reel._writer._connection.execute("DELETE FROM notes")
        return reel


class LosesTheLastCommit(OnDisk):
    """Says that it waits for the disk, and does not."""

    def after_crash(self) -> OnDisk:
        """Lose what was written ahead."""
        copy = super().after_crash()
        (copy.folder / "calls.reel-wal").unlink(missing_ok=True)
        return copy


class LeavesAHole(OnDisk):
    """A torn write costs a record in the middle."""

    def torn(self) -> OnDisk:
        """Remove one, and hide that it is gone."""
        copy = self.after_crash()
        copy.kind = ReadsWithoutLooking
        return copy


class ReadsWithoutLooking(SqliteReel):
    """Gives what is left, and does not look whether it is all."""

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Leave one out."""
        return (entry for entry in super().entries(start) if entry.seq != 2)


class ForgetsItsState(SqliteReel):
    """Begins a segment without the state at its seam."""

    @property
    def seam(self) -> bytes | None:
        """Give none."""
        return None


@pytest.mark.parametrize(
    ("place", "promise"),
    [
        (OpensAnother, "a reel that is opened again has the header that it was made with"),
        (SavesWithoutNotes, "notes that were committed are there when the reel is opened again"),
        (LosesTheLastCommit, "what was committed survives a crash"),
        (LeavesAHole, "what a crash leaves are the records from the first on as they were written"),
        (partial(OnDisk, kind=ForgetsItsState), "the state at the seam is the one that was handed over"),
    ],
)
async def test_a_broken_promise_to_last_is_named(
    place: Callable[[Path], ReelPlace], promise: str, tmp_path: Path
) -> None:
    """What the next run finds, after a good end and after a crash, is what was promised to the one before."""
    with pytest.raises(AssertionError, match=f"broken promise: .*{promise}"):
        await check_reel(lambda: place(tmp_path))
