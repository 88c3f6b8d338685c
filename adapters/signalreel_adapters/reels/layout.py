"""The layout of the file: its tables, what tells a reel from other files, and the check that it is one.

Tables: `header` (one row, JSON), `seam` (one row where the reel goes on from another segment, none where it begins),
`records` (seq, MessagePack, chain), `outcomes` (one row for the records of a commit, MessagePack: an array of their
outcomes, from the record `first` on), `notes` (the seq that each stands beside, MessagePack). The file's
`application_id` says that it is a reel, its `user_version` which layout it has.

Reels from strangers are hostile. What a file says is not run: a reel has exactly these tables, spelled so, and nothing
else, no trigger and no view; SQLite does not trust its schema, and gives no value that is longer than a reel's may be.
"""

import sqlite3
from pathlib import Path
from typing import Final

from signalreel.errors import ReelDamaged, ReelUnavailable

__all__ = (
    "APPLICATION_ID",
    "DAMAGED",
    "LAYOUT",
    "SQLITE_VERSION",
    "cause_of",
    "check_layout",
    "distrust",
    "make_tables",
    "reason_of",
)

APPLICATION_ID: Final = 0x5265656C
"""`Reel` in ASCII: how a reel is told from any other SQLite file."""

LAYOUT: Final = 2
"""The version of the tables, kept as `user_version`. Raised when an older release could not read them."""

SQLITE_VERSION: Final = sqlite3.sqlite_version
"""The version of the library that reads and writes the files."""

DAMAGED: Final = "it is damaged"
"""How the reason begins why a reel cannot be read that was one."""

_TABLES: Final = {
    "header": "CREATE TABLE header (id INTEGER PRIMARY KEY CHECK (id = 1), header TEXT NOT NULL) STRICT",
    "seam": (
        "CREATE TABLE seam (id INTEGER PRIMARY KEY CHECK (id = 1), segment INTEGER NOT NULL, seq INTEGER NOT NULL,"
        " snapshot BLOB NOT NULL) STRICT"
    ),
    "records": "CREATE TABLE records (seq INTEGER PRIMARY KEY, record BLOB NOT NULL, chain BLOB NOT NULL) STRICT",
    "outcomes": "CREATE TABLE outcomes (first INTEGER PRIMARY KEY, outcomes BLOB NOT NULL) STRICT",
    "notes": "CREATE TABLE notes (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, note BLOB NOT NULL) STRICT",
    "notes_by_seq": "CREATE INDEX notes_by_seq ON notes (seq)",
}

_PRIMARY: Final = 0xFF
"""Which bits of SQLite's codes say what it is; the others say where it came from."""

_REASONS: Final = {
    sqlite3.SQLITE_CORRUPT: "pages of the file are damaged",
    sqlite3.SQLITE_NOTADB: "the file is of another kind",
    sqlite3.SQLITE_TOOBIG: "a value in it is too long",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it may not be written",
    sqlite3.SQLITE_CANTOPEN: "the file, or what SQLite puts beside it, cannot be opened",
    sqlite3.SQLITE_BUSY: "another program has it locked",
    sqlite3.SQLITE_IOERR: "the disk does not take or give it",
}

_SQL_CHARACTERS_MAX: Final = max(map(len, _TABLES.values()))


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, in a transaction that the caller has begun."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {LAYOUT}")
    for table in _TABLES.values():
        connection.execute(table)


def distrust(connection: sqlite3.Connection, value_bytes_max: int) -> None:
    """Take nothing of what the file says for granted: run none of it, and give no value that is too long."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, value_bytes_max)


def check_layout(connection: sqlite3.Connection, path: Path) -> None:
    """See that the file is a reel, and nothing more. Raises `ReelDamaged`."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if application_id != APPLICATION_ID:
        raise ReelDamaged(str(path), "this is no reel")
    if layout > LAYOUT:
        raise ReelDamaged(str(path), f"its layout is {layout}, and this version knows layouts up to {LAYOUT}")
    if layout < LAYOUT:
        raise ReelDamaged(str(path), f"its layout is {layout}, older than what this version reads: {LAYOUT}")
    found = connection.execute(
        "SELECT name, substr(sql, 1, ?) FROM sqlite_schema LIMIT ?", (_SQL_CHARACTERS_MAX + 1, len(_TABLES) + 1)
    ).fetchall()
    strange = {str(name) for name, sql in found if _TABLES.get(str(name)) != sql}
    missing = _TABLES.keys() - {str(name) for name, _ in found}
    if strange or missing or len(found) != len(_TABLES):
        raise ReelDamaged(str(path), _why_not(strange, missing))


def _why_not(strange: set[str], missing: set[str]) -> str:
    """Name what of a reel's own is not as it must be; what else there is has a stranger's name, which is not told."""
    altered = sorted(strange & _TABLES.keys())
    if missing:
        return f"its table of {', '.join(sorted(missing))} is missing"
    if altered:
        return f"its table of {', '.join(altered)} is not a reel's"
    return "it holds more than a reel's tables; no program of ours wrote that, and nothing of it is read"


def cause_of(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> ReelDamaged | ReelUnavailable:
    """Tell a file that is no database from one that cannot be used now."""
    if isinstance(error, sqlite3.OperationalError):
        return ReelUnavailable(f"{path} cannot be opened: {reason_of(error)}")
    kind = DAMAGED if _code_of(error) == sqlite3.SQLITE_CORRUPT else "this is no reel"
    return ReelDamaged(str(path), f"{kind}: {reason_of(error)}")


def reason_of(error: sqlite3.Error | UnicodeDecodeError) -> str:
    """Say what SQLite found, in our words: its own may quote what a stranger has written into the file."""
    known = _REASONS.get(_code_of(error))
    return known or str(getattr(error, "sqlite_errorname", "its text cannot be decoded"))


def _code_of(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & _PRIMARY
