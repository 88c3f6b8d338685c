"""`signalreel_adapters.reels.writer`: closing a segment while somebody reads, and while the disk refuses."""

import asyncio
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path
from unittest.mock import Mock

import anyio
import anyio.to_thread
import pytest

from signalreel.engine import Engine
from signalreel.errors import ReelDamaged, ReelUnavailable
from signalreel.header import Header
from signalreel.settings import Settings
from signalreel.snapshot import encode_snapshot
from signalreel.step import GENESIS
from signalreel_adapters import SqliteReel
from signalreel_adapters.reels import Rolling
from signalreel_adapters.reels.disk import Disk
from signalreel_adapters.reels.whole import WholeReel
from signalreel_adapters.reels.writing import Batch, write_batch
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


async def test_a_task_that_is_cancelled_leaves_a_whole_reel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread goes on writing: whoever comes next waits for it, and nothing is written behind a gap.

    asyncio cancels what is left at the end of a program without asking; a reel is not damaged by that.
    """
    reel = SqliteReel(tmp_path / "calls.reel")
    entered, may_go_on, others = threading.Event(), threading.Event(), list[bool]()

    def write_slowly(connection: sqlite3.Connection, rows: list[tuple[int, bytes, bytes]], batch: Batch) -> None:
        if not entered.is_set():
            entered.set()
            closing_it = threading.Thread(target=reel.close)
            closing_it.start()
            closing_it.join(0.1)
            others.append(closing_it.is_alive())
            may_go_on.wait()
        write_batch(connection, rows, batch)

    monkeypatch.setattr("signalreel_adapters.reels.writer.write_batch", write_slowly)
    reel.append(1, b"one")
    reel.append(2, b"two")
    task = asyncio.get_running_loop().create_task(reel.commit())
    await anyio.to_thread.run_sync(entered.wait)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    may_go_on.set()
    reel.close()

    assert others == [True]
    assert reel.last_seq == 0
    assert [entry.record for entry in SqliteReel.read(reel.path).entries()] == [b"one", b"two"]


async def test_what_a_cancelled_commit_was_to_write_leaves_no_gap(tmp_path: Path) -> None:
    """A commit that is cancelled before it began has written nothing, and the next record has that one's place."""
    reel = SqliteReel(tmp_path / "calls.reel")
    await put(reel, b"one")
    reel.append(2, b"never written")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await reel.commit()
    assert reel.last_seq == 1
    await put(reel, b"two")
    reel.close()

    assert [entry.record for entry in SqliteReel.read(reel.path).entries()] == [b"one", b"two"]


async def test_what_may_not_be_removed_stops_nothing(tmp_path: Path) -> None:
    """The next segment is begun all the same, once, and it is told why old ones are still there."""
    path = tmp_path / "calls.reel"

    class Stubborn(Disk):
        def remove(self, path: Path) -> None:
            if path.suffix == ".reel":
                raise PermissionError("the test keeps it")
            super().remove(path)

    reel = SqliteReel(path, rolling=Rolling(bytes_max=1, keep_segments_max=1), disk=Stubborn())
    await put(reel, b"one")
    first = await reel.roll(STATE, NEXT, GENESIS)
    await put(reel, b"two")
    second = await reel.roll(STATE, NEXT, GENESIS)
    wants = reel.wants_to_roll(0, lambda: True)
    await put(reel, b"three")
    reel.close()

    assert (first.not_removed, second.removed, second.not_removed) == ("", (), "the test keeps it")
    assert not wants
    assert [entry.record for entry in WholeReel(path).entries()] == [b"one", b"two", b"three"]


async def test_what_is_not_to_be_kept_is_removed_at_the_start(tmp_path: Path) -> None:
    """Whoever keeps less from now on need not wait for the next segment."""
    path = tmp_path / "calls.reel"
    reel = SqliteReel(path, rolling=Rolling())
    for record in (b"one", b"two", b"three"):
        await put(reel, record)
        await reel.roll(STATE, NEXT, GENESIS)
    reel.close()
    SqliteReel(path, rolling=Rolling(keep_segments_max=1)).close()

    assert names_in(tmp_path) == {"calls.reel", "calls.000003.reel"}


async def test_a_roll_that_fails_behind_its_seam_is_one_roll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next segment is there although it could not be opened at once; it counts its own bytes, not those before."""
    reel = SqliteReel(tmp_path / "calls.reel", rolling=Rolling(bytes_max=5_000, empty_bytes_min=5_000))
    await put(reel, b"x" * 20_000)
    wanted = reel.wants_to_roll(0, lambda: True)
    with monkeypatch.context() as patch:
        patch.setattr("signalreel_adapters.reels.writer.open_for_writing", Mock(side_effect=ReelUnavailable("no")))
        with pytest.raises(ReelUnavailable, match="cannot be followed"):
            await reel.roll(STATE, NEXT, GENESIS)
    await put(reel, *[b"two"] * 300)
    wants = reel.wants_to_roll(0, lambda: True)
    reel.close()

    assert (wanted, wants) == (True, False)
    assert names_in(tmp_path) == {"calls.reel", "calls.000001.reel"}


async def test_a_file_that_became_damaged_is_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong when the file is opened again, a commit says that the reel is unavailable; then it goes on."""
    reel = SqliteReel(tmp_path / "calls.reel", rolling=Rolling())
    await put(reel, b"one")
    with monkeypatch.context() as patch:
        patch.setattr("signalreel_adapters.reels.writer.open_for_writing", Mock(side_effect=ReelDamaged("p", "why")))
        with pytest.raises(ReelUnavailable):
            await reel.roll(STATE, NEXT, GENESIS)
        with pytest.raises(ReelUnavailable, match="cannot be written: p: why"):
            await put(reel, b"two")
    await put(reel, b"two")
    reel.close()

    assert [entry.record for entry in WholeReel(reel.path).entries()] == [b"one", b"two"]
