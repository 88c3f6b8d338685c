"""`signalreel_adapters.cli.debug.keeping`."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from signalreel.reel import MemoryReel
from signalreel_adapters.cli.debug.keeping import backup, mend
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.reels.whole import WholeReel


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A reel of ten records."""
    reel = MemoryReel()
    for seq in range(1, 11):
        reel.append(seq, b"record")
    return write_reel(tmp_path / "calls.reel", reel)


def test_a_backup_names_its_files(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, or as one object."""
    copy, other = path.with_name("copy.reel"), path.with_name("other.reel")

    assert (backup(path, copy), backup(path, other, json=True)) == (0, 0)
    line, whole = capsys.readouterr().out.splitlines()
    assert (line, json.loads(whole)) == (str(copy), {"files": [str(other)]})
    assert WholeReel(copy).last_seq == 10


def test_a_sound_reel_is_mended_to_the_same(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left out, and that is said."""
    assert mend(path, path.with_name("mended.reel")) == 0
    assert capsys.readouterr().out.endswith("mended.reel: everything\n")


def test_what_had_to_be_left_out_is_named(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It leaves with 1; the new reel ends before the first damage."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM records WHERE seq = 4")
    mended = path.with_name("mended.reel")

    assert mend(path, mended) == 1
    assert "record 4: missing" in capsys.readouterr().out
    assert WholeReel(mended).last_seq == 3
    mended.unlink()
    assert mend(path, mended, json=True) == 1
    assert json.loads(capsys.readouterr().out) == {"records": 9, "ranges": [[4, 4, "missing"]], "torn_bytes": 0}
