"""`signalreel_adapters.reels.writing`."""

import sqlite3

import msgspec
import pytest

from signalreel.step import Outcome
from signalreel_adapters.reels.layout import make_tables
from signalreel_adapters.reels.writing import Batch, encode_outcomes, write_batch


@pytest.fixture
def connection() -> sqlite3.Connection:
    """The tables of a reel, in memory."""
    made = sqlite3.connect(":memory:", isolation_level=None)
    make_tables(made)
    return made


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64, 73, 200])
def test_every_row_is_written_once(connection: sqlite3.Connection, count: int) -> None:
    """However many rows there are: they go in statements of a few sizes, which leaves none out."""
    records = [(seq, b"record %d" % seq, bytes(16)) for seq in range(1, count + 1)]
    notes = [(seq, b"note") for seq in range(1, count + 1)]
    write_batch(connection, records, Batch([], [], notes))

    assert connection.execute("SELECT * FROM records ORDER BY seq").fetchall() == records
    assert connection.execute("SELECT seq, note FROM notes ORDER BY id").fetchall() == notes
    connection.close()


def test_a_batch_is_whole_or_not_there(connection: sqlite3.Connection) -> None:
    """A record that is there already leaves nothing of its batch behind, and the next batch can be written."""
    write_batch(connection, [(1, b"one", b"")], Batch([], [], []))
    with pytest.raises(sqlite3.IntegrityError):
        write_batch(connection, [(2, b"two", b""), (1, b"again", b"")], Batch([], [], [(1, b"note")]))
    write_batch(connection, [(2, b"other", b"")], Batch([], [], []))

    assert connection.execute("SELECT seq, record FROM records").fetchall() == [(1, b"one"), (2, b"other")]
    assert connection.execute("SELECT count(*) FROM notes").fetchone() == (0,)
    connection.close()


def test_outcomes_that_follow_each_other_are_one_row() -> None:
    """A gap begins another one, and so does length."""
    outcome = Outcome(b"digest", [])
    rows = encode_outcomes(dict.fromkeys([3, 4, 7], outcome))
    many = encode_outcomes(dict.fromkeys(range(1, 301), outcome))

    assert [(first, len(msgspec.msgpack.decode(data))) for first, data in rows] == [(3, 2), (7, 1)]
    assert [(first, len(msgspec.msgpack.decode(data))) for first, data in many] == [(1, 256), (257, 44)]
    assert encode_outcomes({}) == []


def test_whatever_stops_a_batch_it_leaves_no_transaction_open(connection: sqlite3.Connection) -> None:
    """Not only what SQLite raises: the next batch begins its own."""
    with pytest.raises(OverflowError):
        write_batch(connection, [(1 << 70, b"one", b"")], Batch([], [], []))
    write_batch(connection, [(1, b"one", b"")], Batch([], [], []))

    assert connection.execute("SELECT seq FROM records").fetchall() == [(1,)]
    connection.close()
