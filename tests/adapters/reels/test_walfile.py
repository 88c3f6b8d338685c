"""`signalreel_adapters.reels.walfile`."""

import sqlite3
from pathlib import Path

from signalreel_adapters.reels.walfile import torn_bytes


def test_what_is_cut_off_a_commit_is_counted(tmp_path: Path) -> None:
    """At every length that a crash could leave: up to the last whole commit nothing is torn, and all that follows is.

    SQLite is asked at each length how many rows there are, so that the two agree on what a whole commit is.
    """
    path, wal = tmp_path / "a.db", tmp_path / "a.db-wal"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    ends = [wal.stat().st_size]
    for _ in range(2):
        connection.execute("INSERT INTO t VALUES (zeroblob(9000))")
        ends.append(wal.stat().st_size)
    whole, main = wal.read_bytes(), path.read_bytes()
    connection.close()
    copy, copied = tmp_path / "b.db", tmp_path / "b.db-wal"
    for cut in [*range(ends[0], ends[-1] + 1, 997), *(end + by for end in ends for by in (-1, 0, 1))]:
        copy.write_bytes(main)
        copied.write_bytes(whole[:cut])
        length = min(cut, len(whole))
        commits = [end for end in ends if end <= length]
        assert torn_bytes(copy) == length - (commits[-1] if commits else 32), length
        reading = sqlite3.connect(copy)
        assert reading.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (min(1, len(commits)),)
        if commits:
            assert reading.execute("SELECT count(*) FROM t").fetchone() == (len(commits) - 1,), length
        reading.close()


def test_a_reel_without_one_is_not_torn(tmp_path: Path) -> None:
    """A closed reel has no such file, and a file of another kind says nothing."""
    (tmp_path / "other-wal").write_bytes(bytes(100))

    assert (torn_bytes(tmp_path / "closed"), torn_bytes(tmp_path / "other")) == (0, 0)
