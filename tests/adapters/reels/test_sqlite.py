"""`signalreel_adapters.reels.sqlite`."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from signalreel.errors import OutOfOrder, ReelBusy, ReelDamaged, ReelUnavailable
from signalreel.reel import chain_record
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.step import GENESIS, Outcome
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SqliteReel
from signalreel_adapters.ports import DurableReel
from signalreel_adapters.reels import Durability
from signalreel_adapters.reels.layout import APPLICATION_ID, LAYOUT
from tests.adapters.calls import publish

pytestmark = pytest.mark.anyio

OUTCOME = Outcome(b"digest", [("stream", "live", "a", "idle", "preparing")], b"state")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a reel will be."""
    return tmp_path / "calls.reel"


async def written(path: Path, *records: bytes) -> None:
    """Write a reel of these records and close it."""
    reel = SqliteReel(path)
    for record in records:
        reel.append(reel.last_seq + 1, record)
    await reel.commit()
    reel.close()


def change(path: Path, statement: str) -> None:
    """Tamper with the file behind the reel's back."""
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def connection_of(reel: SqliteReel) -> sqlite3.Connection:
    """Look at what the reel writes with, to take the disk away from it."""
    assert reel._writer is not None
    assert reel._writer._connection is not None
    return reel._writer._connection


def open_to_all(path: Path) -> None:
    """Let everybody read the file."""
    path.chmod(0o644)


class TestWriting:
    """Appending, concluding, committing."""

    async def test_it_is_a_durable_reel(self, path: Path) -> None:
        """It has everything that the port asks for."""
        reel = SqliteReel(path)
        reel.close()

        assert isinstance(reel, DurableReel)

    async def test_what_is_committed_is_there_next_time(self, path: Path) -> None:
        """Records, chain and outcomes survive; what is only appended does not."""
        reel = SqliteReel(path)
        reel.append(1, b"one")
        reel.conclude(1, OUTCOME)
        reel.append(2, b"two")
        await reel.commit()
        reel.append(3, b"lost")
        reel.close()
        again = SqliteReel(path)

        one = chain_record(GENESIS, b"one")
        assert [(entry.seq, entry.record, entry.chain, entry.outcome) for entry in again.entries()] == [
            (1, b"one", one, OUTCOME),
            (2, b"two", chain_record(one, b"two"), None),
        ]
        assert (again.last_seq, [entry.seq for entry in again.entries(2)], list(again.entries(3))) == (2, [2], [])
        again.append(3, b"three")
        await again.commit()
        assert [entry.seq for entry in again.entries()] == [1, 2, 3]
        again.close()

    async def test_the_header_holds_the_first_settings(self, path: Path) -> None:
        """Settings and the time of day are written once; opening with others changes nothing."""
        first = SqliteReel(path, settings=Settings(viewers_max=3))
        first.close()
        again = SqliteReel(path, settings=Settings(viewers_max=9))
        again.close()

        assert again.header == first.header
        assert again.header.settings == Settings(viewers_max=3)
        assert again.header.started_at > 0

    async def test_seqs_follow(self, path: Path) -> None:
        """A record that is not the next is refused."""
        reel = SqliteReel(path)
        reel.append(1, b"one")
        with pytest.raises(OutOfOrder, match="at least 2"):
            reel.append(3, b"three")
        reel.close()

    async def test_only_its_owner_may_read_it(self, path: Path) -> None:
        """The file and its companions have mode 0600, whatever the umask says (Contract 11)."""
        before = os.umask(0)
        try:
            reel = SqliteReel(path)
            reel.append(1, b"one")
            await reel.commit()
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        finally:
            os.umask(before)
            reel.close()

        assert len(modes) >= 3
        assert set(modes.values()) == {0o600}

    async def test_a_reel_that_others_may_read_is_taken_back(self, path: Path) -> None:
        """A file that was there before, made by a careless hand, is private once it is written (Contract 11)."""
        await written(path, b"one")
        open_to_all(path)
        reel = SqliteReel(path)
        reel.append(2, b"two")
        await reel.commit()
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        reel.close()

        assert modes == {0o600}

    async def test_everything_waiting_goes_in_one_transaction(self, path: Path) -> None:
        """Readers see a batch whole or not at all."""
        reel = SqliteReel(path)
        seen: set[int] = set()

        async def read() -> None:
            for _ in range(50):
                seen.add(len(list(SqliteReel.read(path).entries())))
                await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            for batch in range(20):
                for number in range(10):
                    reel.append(batch * 10 + number + 1, b"record")
                await reel.commit()
        reel.close()

        assert {count % 10 for count in seen} == {0}


class TestFailing:
    """When the disk does not take it."""

    async def test_a_full_disk_forgets_the_batch_and_keeps_outcomes(self, path: Path) -> None:
        """`commit` raises, `last_seq` is what it was, and it works again when there is room."""
        reel = SqliteReel(path)
        reel.append(1, b"one")
        await reel.commit()
        reel.conclude(1, OUTCOME)
        connection = connection_of(reel)
        connection.execute("PRAGMA max_page_count = 1")
        reel.append(2, b"x" * 100_000)
        with pytest.raises(ReelUnavailable, match="full"):
            await reel.commit()
        assert reel.last_seq == 1
        connection.execute("PRAGMA max_page_count = 1000000")
        reel.append(2, b"two")
        await reel.commit()

        assert [(entry.record, entry.outcome) for entry in reel.entries()] == [(b"one", OUTCOME), (b"two", None)]
        reel.close()

    @pytest.mark.parametrize("durability", ["synced", "buffered"])
    async def test_a_read_only_disk_is_waited_for(self, path: Path, durability: Durability) -> None:
        """Nothing is taken while it may not be written; what a buffered reel had taken before is written afterwards."""
        reel = SqliteReel(path, durability=durability)
        reel.append(1, b"one")
        await reel.flush()
        connection = connection_of(reel)
        connection.execute("PRAGMA query_only = ON")
        for _ in range(3):
            reel.append(reel.last_seq + 1, b"more")
            with suppress(ReelUnavailable):
                await reel.commit()
        reel.append(reel.last_seq + 1, b"more")
        with pytest.raises(ReelUnavailable, match="may not be written"):
            await reel.flush()
        taken = reel.last_seq
        worked = reel.works
        connection.execute("PRAGMA query_only = OFF")
        reel.append(taken + 1, b"after")
        await reel.flush()
        works = reel.works
        reel.close()

        assert (worked, works) == (durability == "synced", True)  # A synced one has taken nothing that is not written.
        assert taken == 1 or durability == "buffered"
        assert [entry.record for entry in reel.entries()] == [b"one", *[b"more"] * (taken - 1), b"after"]

    async def test_a_closed_reel_takes_nothing(self, path: Path) -> None:
        """After `close`, which may be called twice, writing is refused; reading still works."""
        reel = SqliteReel(path)
        reel.append(1, b"one")
        await reel.commit()
        reel.append(2, b"two")
        reel.close()
        reel.close()

        with pytest.raises(ReelUnavailable, match="not open for writing"):
            await reel.commit()
        with pytest.raises(ReelUnavailable, match="not open for writing"):
            reel.append(2, b"two")
        assert [entry.seq for entry in reel.entries()] == [1]

    async def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        """A path that cannot be written says so."""
        with pytest.raises(ReelUnavailable, match="cannot be opened for writing"):
            SqliteReel(tmp_path / "nowhere" / "calls.reel")
        with pytest.raises(ReelUnavailable, match="does not exist"):
            SqliteReel.read(tmp_path / "nothing.reel")
        with pytest.raises(ReelUnavailable, match="not a file"):
            SqliteReel.read(tmp_path)


class TestSharing:
    """One writer, any number of readers."""

    def test_a_second_writer_is_refused(self, path: Path) -> None:
        """In the same process and in another one; closing the first lets the next one in."""
        reel = SqliteReel(path)
        program = f"from signalreel_adapters import SqliteReel; SqliteReel({str(path)!r})"
        with pytest.raises(ReelBusy, match="being written by another process"):
            SqliteReel(path)
        other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        reel.close()

        assert "ReelBusy" in other.stderr
        SqliteReel(path).close()

    async def test_a_symbolic_link_is_the_same_reel(self, path: Path) -> None:
        """A second writer is refused under whatever name it comes, and one may write through a link."""
        link = path.with_name("link.reel")
        link.symlink_to(path)
        reel = SqliteReel(link)
        reel.append(1, b"one")
        await reel.commit()
        with pytest.raises(ReelBusy):
            SqliteReel(path)
        read = [entry.record for entry in SqliteReel.read(link).entries()]
        reel.close()

        assert (read, reel.path) == ([b"one"], path)
        assert {file.name for file in path.parent.iterdir()} == {path.name, link.name}

    async def test_a_hard_link_is_refused(self, path: Path) -> None:
        """It would be one reel with two locks; without the second name it is a reel as before."""
        await written(path, b"one")
        second = path.with_name("second.reel")
        second.hardlink_to(path)
        for name in (path, second):
            with pytest.raises(ReelUnavailable, match="hard link"):
                SqliteReel(name)
        second.unlink()
        SqliteReel(path).close()

        assert list(path.parent.iterdir()) == [path]

    async def test_another_writer_is_noticed(self, path: Path) -> None:
        """A record that is there already was written by somebody else, and the error says so."""
        reel = SqliteReel(path)
        change(path, "INSERT INTO records VALUES (1, x'00', x'00')")
        reel.append(1, b"one")
        with pytest.raises(ReelUnavailable, match="written by another program"):
            await reel.commit()
        reel.close()

        assert reel.last_seq == 0

    async def test_it_is_read_while_it_is_written(self, path: Path) -> None:
        """A reader sees what is committed, also from within an iteration that began before."""
        reel = SqliteReel(path)
        for seq in (1, 2):
            reel.append(seq, b"record")
            await reel.commit()
        reader = SqliteReel.read(path)
        reel.append(3, b"record")
        await reel.commit()

        assert [entry.seq for entry in reader.entries()] == [1, 2, 3]
        with pytest.raises(ReelUnavailable):
            reader.append(4, b"record")
        reader.close()
        reel.close()

    async def test_nothing_is_left_beside_it(self, path: Path) -> None:
        """A reel that was closed, and one that was read, are one file each, with everything in it."""
        await written(path, b"one")
        after_writing = list(path.parent.iterdir())
        list(SqliteReel.read(path).entries())

        assert after_writing == list(path.parent.iterdir()) == [path]

    async def test_reading_the_reel_of_a_dead_process_loses_nothing(self, path: Path) -> None:
        """What a killed writer had committed is there for readers and for the next writer."""
        program = (
            "import anyio, os; from signalreel_adapters import SqliteReel\n"
            f"reel = SqliteReel({str(path)!r})\n"
            "async def write():\n"
            "    reel.append(1, b'one'); await reel.commit(); reel.append(2, b'lost'); os.kill(os.getpid(), 9)\n"
            "anyio.run(write)"
        )
        await anyio.run_process([sys.executable, "-c", program], check=False)
        read = [entry.record for entry in SqliteReel.read(path).entries()]
        reel = SqliteReel(path)
        reel.close()

        assert (read, reel.last_seq) == ([b"one"], 1)

    async def test_it_is_read_where_nothing_may_be_written(self, path: Path) -> None:
        """A finished reel in a folder without write permission can be read."""
        await written(path, b"one")
        companions = [file for file in path.parent.iterdir() if file != path]
        for file in companions:
            file.unlink()
        path.parent.chmod(0o500)
        try:
            assert [entry.record for entry in SqliteReel.read(path).entries()] == [b"one"]
        finally:
            path.parent.chmod(0o700)


class TestDamage:
    """What a reel that was tampered with says."""

    async def test_it_is_told_from_other_files(self, tmp_path: Path) -> None:
        """A text, and a SQLite file of somebody else, are no reels, to read or to write."""
        text, other = tmp_path / "notes.txt", tmp_path / "other.db"
        text.write_text("not a database, but long enough to be looked at as one " * 40)
        change(other, "CREATE TABLE notes (note TEXT)")
        for file in (text, other):
            with pytest.raises(ReelDamaged, match="no reel"):
                SqliteReel.read(file)
            with pytest.raises(ReelDamaged, match="no reel"):
                SqliteReel(file)

        assert text.read_text().startswith("not a database")

    async def test_a_newer_layout_is_refused(self, path: Path) -> None:
        """A reel of a later version is not guessed at."""
        await written(path, b"one")
        change(path, f"PRAGMA user_version = {LAYOUT + 1}")

        with pytest.raises(ReelDamaged, match=f"layout is {LAYOUT + 1}"):
            SqliteReel.read(path)

    @pytest.mark.parametrize(
        ("statement", "place"),
        [
            ("UPDATE records SET record = x'00' WHERE seq = 2", "record 2"),
            ("UPDATE records SET chain = x'00' WHERE seq = 3", "record 3"),
            ("DELETE FROM records WHERE seq = 2", "record 2"),
            ("INSERT INTO outcomes VALUES (1, x'c1')", "outcomes from record 1"),
            ("DELETE FROM header", "header"),
            ("UPDATE header SET header = '{'", "header"),
            ("DROP TABLE records", "records"),
        ],
    )
    async def test_damage_names_its_place(self, path: Path, statement: str, place: str) -> None:
        """An altered, missing or unreadable part is found when it is read, and named."""
        await written(path, b"one", b"two", b"three")
        change(path, statement)

        with pytest.raises(ReelDamaged, match=place):
            list(SqliteReel.read(path).entries())

    async def test_a_missing_record_is_noticed_from_any_start(self, path: Path) -> None:
        """Reading from the middle needs the chain up to there."""
        await written(path, b"one", b"two", b"three")
        change(path, "DELETE FROM records WHERE seq = 1")

        with pytest.raises(ReelDamaged, match="record 1"):
            list(SqliteReel.read(path).entries(2))

    async def test_the_shell_can_read_it(self, path: Path) -> None:
        """Header and numbers are plain: `sqlite3 calls.reel` shows what it is."""
        await written(path, b"one")
        connection = sqlite3.connect(path)
        try:
            assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
            (header,) = connection.execute("SELECT header FROM header").fetchone()
            assert connection.execute("SELECT seq, record FROM records").fetchall() == [(1, b"one")]
        finally:
            connection.close()

        assert header.startswith('{"version":1,"settings":{},"format":1')


class TestRuns:
    """A whole run on a file."""

    async def test_a_call_is_recorded_replayed_and_gone_on_with(self, path: Path) -> None:
        """The reel of one run replays without divergence, and the next run begins where it ended."""
        for _ in range(2):
            async with Runtime(SqliteReel(path), media=FakeMedia()) as runtime:
                await publish(MemoryClient(runtime), "s")
        replayed = list(Cursor(SqliteReel.read(path)))

        assert [one.divergence for one in replayed] == [None] * len(replayed)
        assert [type(one.step.record.input).__name__ for one in replayed].count("RunStarted") == 1
        assert all(one.recorded is not None for one in replayed)
