"""Reels of the zoo in files, and commands run as a user does."""

import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from signalreel.header import encode_header
from signalreel.reel import Reel
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main

__all__ = ("in_file", "run")


def in_file(reel: Reel, path: Path) -> Path:
    """Write a reel to a file, under its own header."""
    SqliteReel(path).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE header SET header = ?", [encode_header(reel.header).decode()])
    file = SqliteReel(path)
    for entry in reel.entries():
        file.append(entry.seq, entry.record)
        if entry.outcome is not None:
            file.conclude(entry.seq, entry.outcome)
    anyio.run(file.commit)
    file.close()
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Run a command; give exit code and what it printed."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    told = capsys.readouterr()
    assert "192.0.2." not in told.out
    assert "Traceback" not in told.err
    return int(left.value.code or 0), told.out + told.err
