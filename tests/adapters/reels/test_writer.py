"""`signalreel_adapters.reels.writer`: closing a segment while somebody reads, and while the disk refuses."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from signalreel.engine import Engine
from signalreel.errors import ReelUnavailable
from signalreel.header import Header
from signalreel.settings import Settings
from signalreel.snapshot import encode_snapshot
from signalreel.step import GENESIS
from signalreel_adapters import SqliteReel
from signalreel_adapters.reels import Rolling
from signalreel_adapters.reels.whole import WholeReel
from tests.adapters.reels.disks import TapedDisk, taped

pytestmark = pytest.mark.anyio

NEXT = Header(Settings())
STATE = encode_snapshot(Engine().snapshot())


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: what is under test is the disk."""
    return "asyncio"


def names_in(folder: Path) -> set[str]:
    """Give the names of the files in a folder."""
    return {file.name for file in folder.iterdir()}


def made(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir()
    return folder


async def put(reel: SqliteReel, *records: bytes) -> None:
    """Append and commit."""
    for record in records:
        reel.append(reel.last_seq + 1, record)
    await reel.commit()


async def test_a_reader_puts_off_the_next_segment(tmp_path: Path) -> None:
    """While a program holds the file open it keeps its name; nothing is left of the attempt, and writing goes on."""
    path = tmp_path / "calls.reel"
    reel = SqliteReel(path, rolling=Rolling())
    await put(reel, b"one")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("SELECT count(*) FROM records").fetchone()
        with pytest.raises(ReelUnavailable, match="is being read"):
            await reel.roll(STATE, NEXT, GENESIS)
    await put(reel, b"two")
    rolled = await reel.roll(STATE, NEXT, GENESIS)
    await put(reel, b"three")
    reel.close()

    assert rolled.closed == "calls.000001.reel"
    assert [entry.record for entry in WholeReel(path).entries()] == [b"one", b"two", b"three"]
    assert names_in(tmp_path) == {"calls.reel", "calls.000001.reel"}


@pytest.mark.parametrize("durability", ["synced", "buffered"])
async def test_a_disk_that_refuses_anywhere_loses_nothing(tmp_path: Path, durability: str) -> None:
    """Each operation in turn fails, once: what was committed is there, and the reel goes on.

    That includes every step of closing a segment, between two names too.
    """
    number = 0
    while True:
        folder = made(tmp_path / str(number))
        with taped(folder) as tape:
            reel = SqliteReel(
                folder / "calls.reel",
                rolling=Rolling(),
                durability="buffered" if durability == "buffered" else "synced",
                disk=TapedDisk(tape),
            )
            await put(reel, b"one")
            await reel.flush()
            fails_at = len(tape.operations) + number
            failed: list[str] = []

            def fails(operation: object, fails_at: int = fails_at, failed: list[str] = failed) -> bool:
                if not failed and len(tape.operations) >= fails_at:
                    failed.append(str(operation)[:60])
                    return True
                return False

            tape.fails = fails
            expected = [b"one"]
            for record in (b"two", b"three"):
                try:
                    await put(reel, record)
                except ReelUnavailable:
                    await put(reel, record)
                expected.append(record)
                if record == b"two":
                    with suppress(ReelUnavailable):
                        await reel.roll(STATE, NEXT, GENESIS)
            with suppress(ReelUnavailable):
                await reel.flush()
            await reel.flush()
            reel.close()
            tape.fails = lambda operation: False
            again = SqliteReel(folder / "calls.reel", disk=TapedDisk(tape))
            again.close()
            found = [entry.record for entry in WholeReel(folder / "calls.reel").entries()]
            assert found == expected, (number, failed)
            if not failed:
                break
        number += 1

    assert number > 40
