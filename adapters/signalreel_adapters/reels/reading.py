"""Reading a reel's file, also while it is written, and also when a stranger wrote it.

A reader holds no connection while nobody asks it for the next record: one that stays open keeps the writer from
beginning a new segment, and a cursor may be left standing for hours. So records are fetched some at a time, and the
file is opened for each time. Each segment has a header of its own: what was closed in between is found by it.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain as chain_of
from itertools import repeat
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from signalreel.errors import ReelDamaged, ReelError, ReelUnavailable
from signalreel.header import HEADER_BYTES_MAX, Header, decode_header
from signalreel.notes import Note, decode_note
from signalreel.record import RECORD_BYTES_MAX
from signalreel.reel import Entry, chain_before, chain_record
from signalreel.snapshot import SEAM_BYTES_MAX, SEQ_MAX
from signalreel.step import DIGEST_SIZE, Outcome
from signalreel_adapters.reels.layout import cause_of, check_layout, distrust, reason_of
from signalreel_adapters.reels.names import closed_segments, next_name

__all__ = (
    "Ends",
    "Seam",
    "fetch_outcomes",
    "fetch_rows",
    "open_for_reading",
    "read_ends",
    "read_entries",
    "read_notes",
)

_ROW_BYTES_MAX: Final = RECORD_BYTES_MAX + 4_096
"""One record with its chain, one row of outcomes, or one note."""

_SEAM_ROW_BYTES_MAX: Final = SEAM_BYTES_MAX + 4_096

_READ_ROWS: Final = (128, 512, 2_048)
"""Records fetched the first time, the second, and every time after that.

To open the file costs about as much as to read a hundred of them, and who looks at one place needs few. A reel may be
larger than memory.
"""

_READ_NOTES: Final = 512
"""Notes fetched at a time."""

_READ_BYTES: Final = 4_194_304
"""Bytes of records after which no more are fetched at that time."""

_OUTCOME_BYTES: Final = 67_108_864
"""Bytes of outcomes that may stand beside the records fetched at a time."""

_ROLL_S_MAX: Final = 1.0
"""How long a file is waited for that is not there, while the next segment is, which may be about to take its place."""

_ROLL_LOOK_S: Final = 0.001

_decode_outcomes: Final = msgspec.msgpack.Decoder(list[Outcome]).decode


class Seam(NamedTuple):
    """Where a segment goes on from the one before it."""

    segment: int  #: its own number, from 1
    seq: int  #: of the last record before it
    snapshot: bytes  #: the state after that record


class Ends(NamedTuple):
    """How a reel begins, and where it ends so far."""

    header: Header
    seam: Seam | None
    first_seq: int
    genesis: bytes  #: the chain before the first record
    last_seq: int
    chain: bytes  #: after the last record


def open_for_reading(
    path: Path, value_bytes_max: int = _ROW_BYTES_MAX, *, though_truncated: bool = False
) -> sqlite3.Connection:
    """Open without changing what the reel holds. Raises `ReelUnavailable`, or `ReelDamaged` when it is no reel.

    Where that is allowed the file is opened like a writer does, because only then SQLite removes its companions when
    the last one closes. Else for reading; and when there are no companions and none can be made, the file alone is the
    whole reel.
    """
    _await_next(path)
    if not path.is_file():
        raise ReelUnavailable(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    address = path.absolute().as_uri()
    modes = ["mode=rw", "mode=ro"]
    if not path.with_name(path.name + "-wal").exists():
        modes.append("mode=ro&immutable=1")
    reason = ""
    for mode in modes:
        try:
            return _connect(f"{address}?{mode}", path, value_bytes_max, though_truncated)
        except sqlite3.OperationalError as error:
            reason = reason_of(error)
    raise ReelUnavailable(f"{path} cannot be read: {reason}")


def _await_next(path: Path) -> None:
    """Wait until the next segment has its place: between two names of a roll there is no file of this one."""
    until = time.monotonic() + _ROLL_S_MAX
    while not path.exists() and next_name(path).exists() and time.monotonic() < until:
        time.sleep(_ROLL_LOOK_S)


def _connect(address: str, path: Path, value_bytes_max: int, though_truncated: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    try:
        if though_truncated:
            # With this SQLite takes the pages that are there; without, nothing of a file that lacks some.
            connection.execute("PRAGMA writable_schema = ON")
        connection.execute("PRAGMA query_only = ON")
        distrust(connection, value_bytes_max)
        check_layout(connection, path)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError | UnicodeDecodeError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            raise cause_of(error, path) from error
        raise
    return connection


def read_ends(path: Path, *, needs_end: bool = True) -> Ends:
    """Read where the reel begins, and where it ends so far: as where it begins, if it need not be known and cannot."""
    with closing(open_for_reading(path, _SEAM_ROW_BYTES_MAX, though_truncated=not needs_end)) as connection:
        return _read_ends(connection, path, needs_end=needs_end)


def _read_ends(connection: sqlite3.Connection, path: Path, *, needs_end: bool = True) -> Ends:
    header = _read_header(connection, path)
    seam = _read_seam(connection, path)
    first_seq = seam.seq + 1 if seam is not None else 1
    genesis = chain_before(header, seam.snapshot if seam is not None else None)
    last_seq, chain = first_seq - 1, genesis
    try:
        row = connection.execute("SELECT seq, chain FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    except sqlite3.Error as error:
        if needs_end:
            raise ReelDamaged(f"{path}, records", f"the last one cannot be read: {reason_of(error)}") from error
        row = None
    if row is not None:
        last_seq, chain = row[0], row[1]
        if needs_end and not _is_digest(chain):
            raise ReelDamaged(f"{path}, record {last_seq}", "it has no chain value")
    return Ends(header, seam, first_seq, genesis, last_seq, chain)


def _read_header(connection: sqlite3.Connection, path: Path) -> Header:
    place = f"{path}, header"
    try:
        row = connection.execute("SELECT substr(header, 1, ?) FROM header", (HEADER_BYTES_MAX + 1,)).fetchone()
    except sqlite3.Error as error:
        raise ReelDamaged(place, f"cannot be read: {reason_of(error)}") from error
    if row is None or not isinstance(row[0], str):
        raise ReelDamaged(place, "it is missing")
    return decode_header(row[0], place=place)


def _read_seam(connection: sqlite3.Connection, path: Path) -> Seam | None:
    try:
        row = connection.execute("SELECT segment, seq, snapshot FROM seam").fetchone()
    except sqlite3.Error as error:
        raise ReelDamaged(f"{path}, seam", f"cannot be read: {reason_of(error)}") from error
    if row is None:
        return None
    segment, seq, snapshot = row
    if not (isinstance(segment, int) and isinstance(seq, int) and isinstance(snapshot, bytes) and segment > 0):
        raise ReelDamaged(f"{path}, seam", "it holds values that no seam has")
    if not 0 <= seq <= SEQ_MAX:
        raise ReelDamaged(f"{path}, seam", "its seq is none that a record could have")
    return Seam(segment, seq, snapshot)


def _is_digest(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == DIGEST_SIZE


def read_entries(path: Path, start: int, of: Header | None = None) -> Iterator[Entry]:
    """Give the committed records from `start` on, in order, as they are when each is fetched.

    `of` is the header of the segment whose they are, when it is known; else that is whichever has the name at first.
    One that is closed meanwhile is read to its end.

    Raises `ReelDamaged` where a record is missing or its bytes, or those of one before it, are not as written;
    `ReelUnavailable` when the segment is not kept any longer.
    """
    path, connection = _open_segment(path, of, _SEAM_ROW_BYTES_MAX)
    with closing(connection):
        ends = _read_ends(connection, path)
        chain, expected = _chain_before(connection, path, ends, start), start
    for count in chain_of(_READ_ROWS, repeat(_READ_ROWS[-1])):
        path, rows, outcomes = _fetch(path, ends.header, expected, count)
        if not rows:
            return
        for seq, record, stored in rows:
            if seq != expected:
                raise ReelDamaged(f"{path}, {_missing(expected, seq)}", "missing")
            chain = chain_record(chain, record)
            if chain != stored:
                raise ReelDamaged(f"{path}, record {seq}", "its bytes are not as written")
            yield Entry(seq, record, chain, outcomes.get(seq))
            expected += 1


def _missing(first: int, next: int) -> str:
    return f"record {first}" if next == first + 1 else f"records {first} to {next - 1}"


def _fetch(
    path: Path, of: Header, start: int, count: int
) -> tuple[Path, list[tuple[int, bytes, bytes]], dict[int, Outcome]]:
    """Fetch some records and their outcomes; give also the file in which they are."""
    path, connection = _open_segment(path, of)
    with closing(connection):
        rows, error = fetch_rows(connection, start, count)
        if not rows:
            if error:
                raise ReelDamaged(f"{path}, record {start}", f"cannot be read: {error}")
            return path, [], {}
        return path, rows, fetch_outcomes(connection, path, rows[0][0], rows[-1][0])


def _open_segment(
    path: Path, of: Header | None, value_bytes_max: int = _ROW_BYTES_MAX
) -> tuple[Path, sqlite3.Connection]:
    """Open a segment under this name, or under the one to which it was closed; give the name too."""
    connection = open_for_reading(path, value_bytes_max)
    if of is None or _is_of(connection, path, of):
        return path, connection
    for _, file in reversed(closed_segments(path)):
        with suppress(ReelError):
            connection = open_for_reading(file, value_bytes_max)
            if _is_of(connection, file, of):
                return file, connection
    raise ReelUnavailable(f"{path} goes on in another segment, and the one that was read is not kept any longer")


def _is_of(connection: sqlite3.Connection, path: Path, header: Header) -> bool:
    """Whether it is the segment of this header; else the connection is closed."""
    found = None
    try:
        found = _read_header(connection, path)
    finally:
        if found != header:
            connection.close()
    return found == header


def fetch_rows(
    connection: sqlite3.Connection, start: int, count: int = _READ_ROWS[-1]
) -> tuple[list[tuple[int, bytes, bytes]], str]:
    """Fetch some records from `start` on; and why there are no more of them, when that is because of damage."""
    rows: list[tuple[int, bytes, bytes]] = []
    error = _fetch_rows(connection, start, count, rows)
    if error and not rows:
        # Python asks for the row behind the one it gives: alone, a row may be had that stands before a damaged one.
        error = _fetch_rows(connection, start, 1, rows)
    return rows, "" if rows else error


def _fetch_rows(connection: sqlite3.Connection, start: int, count: int, rows: list[tuple[int, bytes, bytes]]) -> str:
    size = 0
    statement = "SELECT seq, record, chain FROM records WHERE seq >= ? ORDER BY seq LIMIT ?"
    try:
        with closing(connection.execute(statement, (start, count))) as found:
            for seq, record, chain in found:
                if not isinstance(record, bytes) or not isinstance(chain, bytes):
                    return "it holds values that no record has"
                rows.append((seq, record, chain))
                size += len(record)
                if size >= _READ_BYTES:
                    break
    except sqlite3.Error as error:
        return reason_of(error)
    return ""


def fetch_outcomes(connection: sqlite3.Connection, path: Path, first: int, last: int) -> dict[int, Outcome]:
    """Fetch the outcomes of some records. Raises `ReelDamaged`."""
    found: dict[int, Outcome] = {}
    size = 0
    place = f"{path}, outcomes from record {first} on"
    try:
        with closing(
            connection.execute(
                "SELECT first, outcomes FROM outcomes WHERE first <= ?2 AND first >="
                " (SELECT coalesce(max(first), 0) FROM outcomes WHERE first <= ?1) ORDER BY first",
                (first, last),
            )
        ) as rows:
            for at, data in rows:
                if not isinstance(data, bytes):
                    raise ReelDamaged(place, "they are not bytes")
                size += len(data)
                if size > _OUTCOME_BYTES:
                    raise ReelDamaged(place, f"there are more than {_OUTCOME_BYTES} bytes of them")
                found.update(enumerate(_decode(data, at, path), at))
    except sqlite3.Error as error:
        raise ReelDamaged(place, f"cannot be read: {reason_of(error)}") from error
    return found


def _decode(data: bytes, first: int, path: Path) -> list[Outcome]:
    try:
        return _decode_outcomes(data)
    except (ValueError, RecursionError) as error:
        raise ReelDamaged(f"{path}, outcomes from record {first} on", f"cannot be decoded: {error}") from error


def _chain_before(connection: sqlite3.Connection, path: Path, ends: Ends, start: int) -> bytes:
    """Give the chain up to a record; that of the reel's beginning where there is nothing to be chained to."""
    if start <= ends.first_seq or start > ends.last_seq + 1:
        return ends.genesis
    try:
        row = connection.execute("SELECT chain FROM records WHERE seq = ?", (start - 1,)).fetchone()
    except sqlite3.Error as error:
        raise ReelDamaged(f"{path}, record {start - 1}", f"cannot be read: {reason_of(error)}") from error
    if row is None:
        raise ReelDamaged(f"{path}, record {start - 1}", "it is missing")
    if not _is_digest(row[0]):
        raise ReelDamaged(f"{path}, record {start - 1}", "it has no chain value")
    return bytes(row[0])


def read_notes(path: Path, start: int, of: Header | None = None) -> Iterator[Note]:
    """Give the committed notes of the records from `start` on; those of one record as they were made.

    `of`, and a segment that is closed meanwhile, are as for `read_entries`.
    """
    after = (start, 0)
    while True:
        path, connection = _open_segment(path, of)
        with closing(connection):
            of = of or _read_header(connection, path)
            try:
                rows = connection.execute(
                    "SELECT seq, id, note FROM notes WHERE (seq, id) > (?, ?) ORDER BY seq, id LIMIT ?",
                    (*after, _READ_NOTES),
                ).fetchall()
            except sqlite3.Error as error:
                raise ReelDamaged(
                    f"{path}, notes from record {after[0]} on", f"cannot be read: {reason_of(error)}"
                ) from error
        for seq, _, note in rows:
            if not isinstance(seq, int) or not isinstance(note, bytes):
                raise ReelDamaged(f"{path}, notes from record {after[0]} on", "they hold values that no note has")
            yield decode_note(note, f"{path}, note on record {seq}")
        if not rows:
            return
        after = rows[-1][:2]
