"""Writing one batch: records, outcomes and notes, in one transaction.

The statements insert many rows each. A statement holds Python's lock only while its values are handed over; one
statement for each row would ask for the lock as often, and wait for the loop each time.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec

from signalreel.step import Outcome

__all__ = ("EMPTY", "Batch", "encode_outcomes", "write_batch")

_ROWS: Final = (64, 8, 1)
"""Rows of one statement: few shapes, so that each is prepared once."""


_OUTCOMES_ROW_MAX: Final = 256
"""Outcomes in one row."""

_encode: Final = msgspec.msgpack.Encoder().encode


class Batch(NamedTuple):
    """What one transaction writes."""

    records: list[tuple[int, bytes]]  #: seq, record
    outcomes: list[tuple[int, bytes]]  #: the seq of the first, and the array of them
    notes: list[tuple[int, bytes]]  #: the seq that each stands beside, note

    def __bool__(self) -> bool:
        return bool(self.records or self.outcomes or self.notes)

    def and_then(self, other: "Batch") -> "Batch":
        """Give both as one."""
        return Batch(self.records + other.records, self.outcomes + other.outcomes, self.notes + other.notes)


EMPTY: Final = Batch([], [], [])


def write_batch(connection: sqlite3.Connection, records: list[tuple[int, bytes, bytes]], batch: Batch) -> None:
    """Write chained records, and the rest of their batch, whole or not at all. Raises `sqlite3.Error`."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        _insert(connection, "INSERT INTO records VALUES", 3, records)
        _insert(connection, "INSERT OR REPLACE INTO outcomes VALUES", 2, batch.outcomes)
        _insert(connection, "INSERT INTO notes (seq, note) VALUES", 2, batch.notes)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _insert(connection: sqlite3.Connection, into: str, columns: int, rows: Sequence[Iterable[Any]]) -> None:
    at = 0
    row = f"({', '.join('?' * columns)})"
    for count in _ROWS:
        statement = f"{into} {', '.join([row] * count)}"
        while at + count <= len(rows):
            connection.execute(statement, list(chain.from_iterable(rows[at : at + count])))
            at += count


def encode_outcomes(outcomes: dict[int, Outcome]) -> list[tuple[int, bytes]]:
    """Put the outcomes of records that follow each other into one row, if it does not get too long."""
    rows: list[tuple[int, bytes]] = []
    first, run = 0, list[Outcome]()
    for seq, outcome in outcomes.items():
        if run and (seq != first + len(run) or len(run) == _OUTCOMES_ROW_MAX):
            rows.append((first, _encode(run)))
            run = []
        if not run:
            first = seq
        run.append(outcome)
    if run:
        rows.append((first, _encode(run)))
    return rows
