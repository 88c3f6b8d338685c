"""`signalreel_adapters.reels.layout`: what a file must be to be a reel."""

import sqlite3
from pathlib import Path

import pytest

from signalreel.errors import ReelDamaged, ReelUnavailable
from signalreel_adapters.reels.layout import LAYOUT, cause_of, check_layout, distrust, make_tables

PATH = Path("calls.reel")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM records; END", "more than a reel's tables"),
        ("CREATE VIEW v AS SELECT 1", "more than a reel's tables"),
        ("CREATE TABLE secrets (secret TEXT)", "more than a reel's tables"),
        ("ALTER TABLE records ADD COLUMN more TEXT", "table of records is not"),
        ("DROP TABLE notes", "notes, notes_by_seq is missing"),
        ("PRAGMA application_id = 7", "no reel"),
        (f"PRAGMA user_version = {LAYOUT + 1}", "knows layouts up to"),
        ("PRAGMA user_version = 1", "older than"),
    ],
)
def test_a_reel_has_its_tables_and_nothing_else(statement: str, said: str) -> None:
    """What a stranger has put into the file is refused before anything is read, and none of it is run."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    make_tables(connection)
    check_layout(connection, PATH)
    connection.execute(statement)

    with pytest.raises(ReelDamaged, match=said):
        check_layout(connection, PATH)
    connection.close()


def test_no_value_is_longer_than_is_asked_for() -> None:
    """A blob of a gigabyte is refused by SQLite itself."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    distrust(connection, 1_000)
    with pytest.raises(sqlite3.DataError, match="too big"):
        connection.execute("SELECT zeroblob(1001)").fetchone()
    connection.close()


def test_what_cannot_be_used_now_is_told_from_what_is_no_reel() -> None:
    """An operational error may pass; another one is the file's."""
    assert isinstance(cause_of(sqlite3.OperationalError("locked"), PATH), ReelUnavailable)
    assert isinstance(cause_of(sqlite3.DatabaseError("not a database"), PATH), ReelDamaged)
