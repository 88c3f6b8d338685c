"""Whoever writes the file: one thread at a time, one transaction after the other, one segment after the other.

The writer knows where the file ends and chains each record to the one before it. It survives what it fails at: a file
that had to be let go of is opened again before the next transaction, and taken as it is then.
"""

import secrets
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from signalreel.errors import ReelUnavailable
from signalreel.header import Header, Parent
from signalreel.reel import chain_record
from signalreel.settings import Settings
from signalreel_adapters.ports import Rolled
from signalreel_adapters.reels.disk import Disk, cannot_open
from signalreel_adapters.reels.lock import WriterLock
from signalreel_adapters.reels.names import closed_name, closed_segments, next_name
from signalreel_adapters.reels.opening import make_file, make_next, open_for_writing
from signalreel_adapters.reels.reading import Ends, Seam, read_ends
from signalreel_adapters.reels.segments import Rolling, heal, remove_next, retain
from signalreel_adapters.reels.writing import Batch, write_batch

__all__ = ("Writer",)

_READERS_MS: Final = 50
"""How long a roll waits for those who read the file at that moment."""


class Writer:
    """The right to write a reel, and the open file. Raises what `SqliteReel` raises.

    Whoever comes while something is done waits: a task that is cancelled leaves its thread writing.
    """

    def __init__(self, path: Path, settings: Settings, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._busy = threading.Lock()
        self._lock = _take_lock(path)
        self._connection: sqlite3.Connection | None = None
        try:
            self.ends: Ends = self._open(settings)
        except BaseException:
            self._lock.release()
            raise

    def _open(self, settings: Settings | None = None) -> Ends:
        """Open the file, after whatever has become of it; make it when there is none and settings are given for it."""
        path = self._path
        try:
            heal(path, self._disk)
            if settings is not None and (not path.exists() or not path.stat().st_size):
                header = Header(settings, started_at=time.time_ns() // 1_000, id=secrets.token_hex(16))
                make_file(path, header, None, self._disk)
        except (OSError, sqlite3.Error) as error:
            raise cannot_open(path, error) from error
        self._connection = open_for_writing(path)
        ends = read_ends(path)
        self._chain = ends.chain
        return ends

    def write(self, batch: Batch) -> None:
        """Write a batch whole. Raises `sqlite3.Error` or `ReelError`, and then nothing of it is written."""
        with self._busy:
            self._write(batch)

    def _write(self, batch: Batch) -> None:
        if self._connection is None:
            self.ends = self._open()
        assert self._connection is not None  # noqa: S101 - for type checkers
        chain = self._chain
        rows: list[tuple[int, bytes, bytes]] = []
        for seq, record in batch.records:
            chain = chain_record(chain, record)
            rows.append((seq, record, chain))
        write_batch(self._connection, rows, batch)
        self._chain = chain

    def roll(self, last_seq: int, snapshot: bytes, successor: Header, digest: bytes, rolling: Rolling) -> Rolled:
        """Close this segment, whose last record is given, and begin the next.

        Raises `OSError`, `sqlite3.Error` or `ReelError`; what was to be done is then done by the next write, or not
        done at all.
        """
        with self._busy:
            closed = self._roll(last_seq, snapshot, successor, digest)
            return Rolled(closed.name, *self._retain(rolling))

    def _roll(self, last_seq: int, snapshot: bytes, successor: Header, digest: bytes) -> Path:
        if self._connection is None:
            self.ends = self._open()
        connection, path, disk = self._connection, self._path, self._disk
        assert connection is not None  # noqa: S101 - for type checkers
        own = self.ends.seam.segment if self.ends.seam is not None else 1
        number = max([own, *(number + 1 for number, _ in closed_segments(path))])
        parent = Parent(self.ends.header.id, last_seq, self._chain, digest)
        header = replace(successor, id=secrets.token_hex(16), parent=parent)
        try:
            make_next(path, header, Seam(number + 1, last_seq, snapshot), disk)
            _leave_wal(connection, path)
        except BaseException:
            remove_next(path, disk)
            raise
        self._connection = None
        connection.close()
        closed = closed_name(path, number)
        disk.rename(path, closed)
        disk.sync_folder(path.parent)
        disk.rename(next_name(path), path)
        disk.sync_folder(path.parent)
        self.ends = self._open()
        return closed

    def retain(self, rolling: Rolling) -> None:
        """Remove the closed segments that are not to be kept, as far as that can be done."""
        with self._busy:
            self._retain(rolling)

    def _retain(self, rolling: Rolling) -> tuple[tuple[str, ...], str]:
        """Give which are removed, and why others are not."""
        removed: list[str] = []
        try:
            removed.extend(file.name for file in retain(self._path, rolling, time.time(), self._disk))
        except OSError as error:
            return tuple(removed), str(error)
        return tuple(removed), ""

    def close(self) -> None:
        """Let go of the file, and let others write it. Closing twice is harmless."""
        with self._busy:
            if self._connection is not None:
                self._connection.close()  # As the last one it empties the write-ahead file and removes it.
                self._connection = None
            self._lock.release()


def _leave_wal(connection: sqlite3.Connection, path: Path) -> None:
    """Put everything into the file itself, which only succeeds while nobody else has it open.

    Somebody who has would afterwards look for the write-ahead file by its name, find that of the new segment, and
    remove it as his own.
    """
    connection.execute(f"PRAGMA busy_timeout = {_READERS_MS}")
    try:
        with closing(connection.execute("PRAGMA journal_mode = DELETE")) as answer:
            mode = answer.fetchone()
    except sqlite3.OperationalError as error:
        raise ReelUnavailable(f"{path} is being read, and cannot be closed now: {error}") from error
    if mode != ("delete",):
        raise ReelUnavailable(f"{path} is being read, and cannot be closed now")


def _take_lock(path: Path) -> WriterLock:
    try:
        return WriterLock(path)
    except OSError as error:
        raise cannot_open(path, error) from error
