"""A reel in one SQLite file: the default of the server.

One file in write-ahead mode, `synchronous=FULL`, one writer. Records are appended in memory and written by `commit`,
all in one transaction and in a thread of their own; whatever was appended while one commit ran goes with the next. No
window is waited out, because a window only adds its length to every answer.

The file can be read while it is written, with this class or with the `sqlite3` shell. It holds descriptions and
addresses of real calls, so it is made with mode 0600, and one that others may read is taken back from them when it is
opened for writing; SQLite gives its companions the same.

One file has one name: the lock and SQLite's companions are beside that name, so a second one would be a second writer.
Symbolic links are followed first; a file with a hard link is refused.

Tables: `header` (one row, JSON), `records` (seq, MessagePack, chain), `outcomes` (seq, MessagePack). The file's
`application_id` says that it is a reel, its `user_version` which layout it has.
"""

import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, Self

import anyio
import anyio.to_thread
import msgspec

from signalreel.errors import OutOfOrder, ReelDamaged, ReelUnavailable
from signalreel.header import Header, decode_header, encode_header
from signalreel.notes import Note
from signalreel.reel import Entry, chain_record
from signalreel.settings import Settings
from signalreel.step import GENESIS, Outcome
from signalreel_adapters.reels.lock import WriterLock

__all__ = ("APPLICATION_ID", "LAYOUT", "SqliteReel")

APPLICATION_ID: Final = 0x5265656C
"""`Reel` in ASCII: how a reel is told from any other SQLite file."""

LAYOUT: Final = 1
"""The version of the tables, kept as `user_version`. Raised when an older release could not read them."""

_PRIVATE: Final = 0o600
_OTHERS: Final = 0o077
"""Permission bits of everybody but the owner."""

_COMPANIONS: Final = ("-wal", "-shm")
"""What SQLite puts beside the file."""

_READ_ROWS: Final = 512
"""Records fetched at a time: a reel may be larger than memory."""

_TABLES: Final = (
    "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), header TEXT NOT NULL) STRICT",
    "CREATE TABLE records (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, chain BLOB NOT NULL) STRICT",
    "CREATE TABLE outcomes (seq INTEGER PRIMARY KEY, outcome BLOB NOT NULL) STRICT",
)

_encode_outcome: Final = msgspec.msgpack.Encoder().encode
_decode_outcome: Final = msgspec.msgpack.Decoder(Outcome).decode


class SqliteReel:
    """A durable reel in a file, made when it does not exist. `settings` are those of a new reel's header.

    Raises `ReelBusy` when another process writes it, `ReelDamaged` when the file is no reel or of a newer layout,
    `ReelUnavailable` when it cannot be opened. `SqliteReel.read(path)` opens it for reading only, also while it is
    written elsewhere.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, settings: Settings | None = None, read_only: bool = False
    ) -> None:
        self.path = Path(os.path.realpath(path))
        self._records: list[tuple[int, bytes, bytes]] = []
        self._outcomes: dict[int, bytes] = {}
        self._limiter: anyio.CapacityLimiter | None = None
        self._connection: sqlite3.Connection | None = None
        self._lock: WriterLock | None = None
        if read_only:
            with closing(_open_for_reading(self.path)) as connection:
                self._read_ends(connection)
            return
        self._lock = _take_lock(self.path)
        try:
            self._connection = _open_for_writing(self.path, settings if settings is not None else Settings())
            self._read_ends(self._connection)
        except BaseException:
            self.close()
            raise

    def _read_ends(self, connection: sqlite3.Connection) -> None:
        """Read where the reel begins and where it ends so far."""
        self._header = _read_header(connection, self.path)
        self._written, self._written_chain = _read_end(connection, self.path)
        self._last_seq, self._chain = self._written, self._written_chain

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Open an existing reel for reading. Appending to it raises `ReelUnavailable`."""
        return cls(path, read_only=True)

    @property
    def header(self) -> Header:
        """What the reel was made with."""
        return self._header

    @property
    def seam(self) -> bytes | None:
        """The state before the first record, encoded."""
        return None

    @property
    def first_seq(self) -> int:
        """The seq of the first record."""
        return 1

    @property
    def last_seq(self) -> int:
        """The seq of the last record, committed or not."""
        return self._last_seq

    def append(self, seq: int, record: bytes) -> None:
        """Add an encoded record to the next commit. Raises `OutOfOrder`, or `ReelUnavailable` once closed."""
        if self._connection is None:
            raise ReelUnavailable(f"{self.path} is not open for writing")
        if seq != self._last_seq + 1:
            raise OutOfOrder("seq", self._last_seq + 1, seq)
        self._chain = chain_record(self._chain, record)
        self._records.append((seq, record, self._chain))
        self._last_seq = seq

    def conclude(self, seq: int, outcome: Outcome) -> None:
        """Put the outcome beside a record; it is written with the next commit."""
        self._outcomes[seq] = _encode_outcome(outcome)

    async def commit(self) -> None:
        """Write everything appended and concluded, in one transaction, and wait until it is on the disk.

        Raises `ReelUnavailable` when it cannot; then the appended records are forgotten, the outcomes are kept.
        """
        if not self._records and not self._outcomes:
            return
        connection = self._connection
        records, self._records = self._records, []
        if connection is None:
            self._forget()
            raise ReelUnavailable(f"{self.path} is not open for writing")
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(1)
        outcomes = list(self._outcomes.items())
        try:
            await anyio.to_thread.run_sync(_write, connection, records, outcomes, limiter=self._limiter)
        except sqlite3.IntegrityError as error:
            self._forget()
            # Only a record with our next seq can be in the way, and only another writer can have put it there.
            raise ReelUnavailable(
                f"{self.path} was written by another program; what came here since is not in it, and will not be:"
                " start anew to go on where it ends"
            ) from error
        except sqlite3.Error as error:
            self._forget()
            raise ReelUnavailable(f"{self.path} cannot be written: {error}") from error
        for seq, _ in outcomes:
            del self._outcomes[seq]
        self._written, self._written_chain = self._last_seq, self._chain

    def _forget(self) -> None:
        self._last_seq, self._chain = self._written, self._written_chain

    def entries(self, start: int = 1) -> Iterator[Entry]:
        """Give the committed records from `start` on, in order, as they are when each is fetched.

        Raises `ReelDamaged` where a record is missing or its bytes, or those of one before it, are not as written.
        """
        connection = _open_for_reading(self.path)
        try:
            chain = _chain_before(connection, start, self.path)
            expected = start
            while True:
                rows = connection.execute(
                    "SELECT seq, record, chain, outcome FROM records LEFT JOIN outcomes USING (seq)"
                    " WHERE seq >= ? ORDER BY seq LIMIT ?",
                    (expected, _READ_ROWS),
                ).fetchall()
                for seq, record, stored, outcome in rows:
                    if seq != expected:
                        raise ReelDamaged(f"{self.path}, record {expected}", "it is missing")
                    chain = chain_record(chain, record)
                    if chain != stored:
                        raise ReelDamaged(f"{self.path}, record {seq}", "its bytes are not as written")
                    yield Entry(seq, record, chain, _read_outcome(outcome, seq, self.path))
                    expected += 1
                if len(rows) < _READ_ROWS:
                    return
        except sqlite3.Error as error:
            raise ReelDamaged(str(self.path), str(error)) from error
        finally:
            connection.close()

    def note(self, note: Note) -> None:
        """Lose a note: this layout has no place for one."""

    def notes(self, start: int = 1) -> Iterator[Note]:
        """Give the notes of the records from `start` on."""
        return iter(())

    def close(self) -> None:
        """Stop writing and let others write. What was not committed is forgotten. Closing twice is harmless."""
        if self._connection is not None:
            self._connection.close()  # As the last one it empties the write-ahead file and removes it.
            self._connection = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _write(
    connection: sqlite3.Connection, records: list[tuple[int, bytes, bytes]], outcomes: list[tuple[int, bytes]]
) -> None:
    """Write one batch in one transaction, in the writer's thread."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO records VALUES (?, ?, ?)", records)
        connection.executemany("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", outcomes)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _take_lock(path: Path) -> WriterLock:
    try:
        return WriterLock(path)
    except OSError as error:
        raise ReelUnavailable(f"{path} cannot be opened for writing: {error}") from error


def _make_private(path: Path) -> bool:
    """Make an empty file that only its owner may read, or make an existing one so; give whether it is empty.

    Raises `ReelUnavailable` when the file has a second name, or others may read it and it is not ours to change.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))
    found = path.stat()
    if found.st_nlink > 1:
        raise ReelUnavailable(f"{path} has another name, a hard link, under which it could be written too; remove one")
    for part in (path, *(path.with_name(path.name + suffix) for suffix in _COMPANIONS)):
        try:
            if part.stat().st_mode & _OTHERS:
                part.chmod(_PRIVATE)
        except FileNotFoundError:
            continue
        except PermissionError as error:
            raise ReelUnavailable(f"{part} may be read by others, and only its owner can change that") from error
    return found.st_size == 0


def _open_for_writing(path: Path, settings: Settings) -> sqlite3.Connection:
    try:
        is_new = _make_private(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise ReelUnavailable(f"{path} cannot be opened for writing: {error}") from error
    try:
        if not is_new:
            _check_layout(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if is_new:
            _make_tables(connection, Header(settings, started_at=time.time_ns() // 1_000, id=secrets.token_hex(16)))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise _cause_of(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _make_tables(connection: sqlite3.Connection, header: Header) -> None:
    """Write the empty reel in one transaction, so that a crash leaves a whole one or an empty file."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    for table in _TABLES:
        connection.execute(table)
    connection.execute("INSERT INTO header VALUES (1, ?)", (encode_header(header).decode(),))
    connection.execute("COMMIT")


def _open_for_reading(path: Path) -> sqlite3.Connection:
    """Open without changing what the reel holds.

    Where that is allowed the file is opened like a writer does, because only then SQLite removes its companions when
    the last one closes. Else for reading; and when there are no companions and none can be made, the file alone is the
    whole reel.
    """
    if not path.is_file():
        raise ReelUnavailable(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    address = path.absolute().as_uri()
    modes = ["mode=rw", "mode=ro"]
    if not path.with_name(path.name + "-wal").exists():
        modes.append("mode=ro&immutable=1")
    reason = ""
    for mode in modes:
        try:
            return _connect_for_reading(f"{address}?{mode}", path)
        except sqlite3.OperationalError as error:
            reason = str(error)
    raise ReelUnavailable(f"{path} cannot be read: {reason}")


def _connect_for_reading(address: str, path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        _check_layout(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            raise _cause_of(error, path) from error
        raise
    return connection


def _check_layout(connection: sqlite3.Connection, path: Path) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        raise ReelDamaged(str(path), "this is no reel")
    if layout > LAYOUT:
        raise ReelDamaged(str(path), f"its layout is {layout}, and this version knows layouts up to {LAYOUT}")


def _cause_of(error: sqlite3.DatabaseError, path: Path) -> ReelDamaged | ReelUnavailable:
    """Tell a file that is no database from one that cannot be used now."""
    if isinstance(error, sqlite3.OperationalError):
        return ReelUnavailable(f"{path} cannot be opened: {error}")
    return ReelDamaged(str(path), f"this is no reel ({error})")


def _read_header(connection: sqlite3.Connection, path: Path) -> Header:
    try:
        row = connection.execute("SELECT header FROM header").fetchone()
    except sqlite3.Error as error:
        raise ReelDamaged(f"{path}, header", f"cannot be read: {error}") from error
    if row is None:
        raise ReelDamaged(f"{path}, header", "it is missing")
    return decode_header(row[0], place=f"{path}, header")


def _read_end(connection: sqlite3.Connection, path: Path) -> tuple[int, bytes]:
    try:
        row = connection.execute("SELECT seq, chain FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise ReelDamaged(f"{path}, records", f"cannot be read: {error}") from error
    return (row[0], row[1]) if row is not None else (0, GENESIS)


def _chain_before(connection: sqlite3.Connection, start: int, path: Path) -> bytes:
    if start <= 1:
        return GENESIS
    row = connection.execute("SELECT chain FROM records WHERE seq = ?", (start - 1,)).fetchone()
    if row is None:
        (last,) = connection.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
        if last < start:
            return GENESIS  # Nothing is there to be chained to: the caller asked beyond the end.
        raise ReelDamaged(f"{path}, record {start - 1}", "it is missing")
    return bytes(row[0])


def _read_outcome(data: bytes | None, seq: int, path: Path) -> Outcome | None:
    if data is None:
        return None
    try:
        return _decode_outcome(data)
    except (ValueError, RecursionError) as error:
        raise ReelDamaged(f"{path}, outcome of record {seq}", f"cannot be decoded: {error}") from error
