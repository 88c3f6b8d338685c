"""Opening a reel's file for writing, and making one.

The file holds descriptions and addresses of real calls, so it is made with mode 0600, and one that others may read is
taken back from them; SQLite gives its companions the same.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from signalreel.errors import ReelUnavailable
from signalreel.header import Header, encode_header
from signalreel.snapshot import SEAM_BYTES_MAX
from signalreel_adapters.reels.disk import Disk, cannot_open, keep_private
from signalreel_adapters.reels.layout import cause_of, check_layout, distrust, make_tables
from signalreel_adapters.reels.names import next_name
from signalreel_adapters.reels.reading import Seam
from signalreel_adapters.reels.segments import remove_next

__all__ = ("make_file", "make_next", "open_for_writing")


def make_file(path: Path, header: Header, seam: Seam | None, disk: Disk) -> None:
    """Make a reel without records, whole or not at all. Raises `OSError` or `sqlite3.Error`."""
    make_next(path, header, seam, disk)
    disk.rename(next_name(path), path)
    disk.sync_folder(path.parent)


def make_next(path: Path, header: Header, seam: Seam | None, disk: Disk) -> None:
    """Make the segment that is to take the place of the one at `path`, under its name for the time until then."""
    remove_next(path, disk)
    next = next_name(path)
    disk.make(next)
    with closing(sqlite3.connect(next, isolation_level=None)) as connection:
        # In write-ahead mode from the beginning: to change it later would put a journal beside the name that readers
        # of the segment before may still use.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        make_tables(connection)
        connection.execute("INSERT INTO header VALUES (1, ?)", (encode_header(header).decode(),))
        if seam is not None:
            connection.execute("INSERT INTO seam VALUES (1, ?, ?, ?)", seam)
        connection.execute("COMMIT")
        # Closing would do the same, but say nothing when it fails; and the name is about to change.
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise ReelUnavailable(f"{next} is being read; nothing is to read it before it has its name")
    disk.sync_folder(path.parent)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open an existing reel for writing. Raises `ReelUnavailable`, or `ReelDamaged` when it is none."""
    try:
        keep_private(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise cannot_open(path, error) from error
    try:
        distrust(connection, 2 * SEAM_BYTES_MAX)
        check_layout(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # SQLite opens what it may not write for reading, says nothing, and would never notice when it may again.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        connection.close()
        raise cause_of(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection
