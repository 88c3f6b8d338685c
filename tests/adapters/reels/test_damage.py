"""`signalreel_adapters.reels.damage`: cut and flipped files, and what is said of them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from signalreel.errors import ReelDamaged
from signalreel.reel import MemoryReel
from signalreel.step import Outcome
from signalreel_adapters import SqliteReel
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.reels.damage import Damage, DamagedRange, damage_of, mend_reel

RECORDS: Final = 200
PAGE: Final = 4_096


def record_of(seq: int) -> bytes:
    """A record that says which it is, of a length that fills some pages."""
    return b"record %d." % seq + bytes(seq % 7) + b"x" * 300


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed reel."""
    reel = MemoryReel()
    for seq in range(1, RECORDS + 1):
        reel.append(seq, record_of(seq))
        reel.conclude(seq, Outcome(bytes(16), []))
    return write_reel(tmp_path_factory.mktemp("sound") / "calls.reel", reel)


def test_a_sound_reel_has_none(sound: Path) -> None:
    """Every record is counted, and nothing is said."""
    assert damage_of(sound) == Damage(RECORDS)
    assert damage_of(sound).is_whole


def test_flipped_bytes_of_every_page_are_named(sound: Path, tmp_path: Path) -> None:
    """In each page in turn: what is read is as it was written, and whatever is not, stands in a range."""
    data = sound.read_bytes()
    assert len(data) > 20 * PAGE
    named = 0
    for at in range(PAGE, len(data), PAGE // 2):
        path = tmp_path / "calls.reel"
        path.write_bytes(data[: at + 9] + bytes(byte ^ 0x55 for byte in data[at + 9 : at + 40]) + data[at + 40 :])
        try:
            damage = damage_of(path)
        except ReelDamaged:
            continue  # The page of the schema, of the header or of the seam: then there is no reel to read.
        lost = {seq for hurt in damage.ranges for seq in range(hurt.first, (hurt.last % (RECORDS + 1)) + 1)}
        if not lost:
            continue
        named += 1
        assert damage.records + len(lost) == RECORDS, (at, damage)
        mended = tmp_path / "mended.reel"
        mend_reel(path, mended)
        assert [entry.record for entry in SqliteReel.read(mended).entries()] == [
            record_of(seq) for seq in range(1, min(lost))
        ]
        mended.unlink()

    assert named >= 15


def test_the_range_of_an_altered_missing_and_renumbered_record(sound: Path, tmp_path: Path) -> None:
    """Each by itself, whether the record or its chain value was altered; ranges that touch are one."""
    path = Path(shutil.copy(sound, tmp_path))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET record = x'00' WHERE seq = 5")
        connection.execute("UPDATE records SET chain = zeroblob(16) WHERE seq = 50")
        connection.execute("DELETE FROM records WHERE seq BETWEEN 100 AND 109")
        connection.execute("UPDATE outcomes SET outcomes = x'c1'")
    damage = damage_of(path)

    assert damage.ranges == (
        DamagedRange(5, 5, "not as written"),
        DamagedRange(50, 50, "not as written"),
        DamagedRange(100, 109, "missing"),
    )
    assert (damage.records, damage.outcomes_lost) == (RECORDS - 12, RECORDS - 12)
    assert str(damage.ranges[2]) == "records 100 to 109: missing"


def test_a_truncated_file_is_read_up_to_where_it_ends(sound: Path, tmp_path: Path) -> None:
    """A main file cut at each page loses the records from one on; what comes before is mended into a new reel."""
    data = sound.read_bytes()
    seen: set[int] = set()
    for number, end in enumerate(range(8 * PAGE, len(data), PAGE)):
        path, mended = tmp_path / "calls.reel", tmp_path / f"{number}.reel"
        path.write_bytes(data[:end])
        damage = damage_of(path)
        assert mend_reel(path, mended) == damage
        kept = [entry.record for entry in SqliteReel.read(mended).entries()]
        assert kept == [record_of(seq) for seq in range(1, len(kept) + 1)]
        seen.add(len(kept))
        if damage.ranges:
            assert damage.ranges[0].first == len(kept) + 1

    assert len(seen) > 5


@pytest.fixture
def anyio_backend() -> str:
    """One is enough: what is under test is a file."""
    return "asyncio"


@pytest.mark.anyio
async def test_the_write_ahead_file_cut_at_every_offset(tmp_path: Path) -> None:
    """At each length the reel opens with every record of a whole commit, and the torn rest is counted."""
    live, cut = tmp_path / "live", tmp_path / "cut"
    live.mkdir()
    cut.mkdir()
    path = live / "calls.reel"
    reel = SqliteReel(path)
    wal = path.with_name("calls.reel-wal")
    ends = {0: 0}
    for seq in range(1, 3):
        reel.append(seq, record_of(seq))
        await reel.commit()
        ends[wal.stat().st_size] = seq
    main, whole = path.read_bytes(), wal.read_bytes()
    reel.close()
    copy = cut / "calls.reel"
    for length in range(len(whole) + 1):
        copy.write_bytes(main)
        copy.with_name("calls.reel-wal").write_bytes(whole[:length])
        last = max(end for end in ends if end <= length)
        damage = damage_of(copy)
        assert (damage.records, damage.ranges) == (ends[last], ()), length
        assert damage.torn_bytes == (length - max(last, min(length, 32) if length >= 32 else 0)), length

    assert ends[len(whole)] == 2
