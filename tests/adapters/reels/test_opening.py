"""`signalreel_adapters.reels.opening`."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from signalreel.errors import ReelDamaged, ReelUnavailable
from signalreel.header import Header
from signalreel.settings import Settings
from signalreel_adapters.reels.disk import DISK
from signalreel_adapters.reels.opening import make_file, open_for_writing
from signalreel_adapters.reels.reading import Seam, read_ends

HEADER = Header(Settings(viewers_max=3), id="a")


@pytest.mark.parametrize("seam", [None, Seam(2, 7, b"state")])
def test_a_reel_is_made_whole(tmp_path: Path, seam: Seam | None) -> None:
    """One private file with its header, and its seam where it goes on from another."""
    path = tmp_path / "calls.reel"
    make_file(path, HEADER, seam, DISK)
    ends = read_ends(path)

    assert [file.name for file in tmp_path.iterdir()] == ["calls.reel"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (ends.header, ends.seam, ends.first_seq, ends.last_seq) == (HEADER, seam, *((8, 7) if seam else (1, 0)))


def test_a_file_that_is_no_reel_is_not_written(tmp_path: Path) -> None:
    """Neither somebody's database nor what is not there."""
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE notes (note TEXT)")
    with pytest.raises(ReelDamaged, match="no reel"):
        open_for_writing(path)
    with pytest.raises(ReelUnavailable, match="cannot be opened"):
        open_for_writing(tmp_path / "nothing")


def test_what_may_only_be_read_is_not_opened_for_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would open it all the same, refuse each batch, and never notice that it may be written again."""
    path = tmp_path / "calls.reel"
    make_file(path, HEADER, None, DISK)
    connect = sqlite3.connect

    def connect_reading(file: Path, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(file, **options)
        connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr("sqlite3.connect", connect_reading)
    with pytest.raises(ReelUnavailable, match="may not be written"):
        open_for_writing(path)


def test_a_folder_is_no_reel(tmp_path: Path) -> None:
    """It is said to be none, whatever else could be said of it."""
    with pytest.raises(ReelUnavailable, match="is not a file"):
        open_for_writing(tmp_path)
