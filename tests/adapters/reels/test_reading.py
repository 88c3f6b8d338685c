"""`signalreel_adapters.reels.reading`, on files that strangers have made. The rest is what `test_sqlite` is about."""

import random
import shutil
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from signalreel.errors import ReelDamaged, ReelError, ReelUnavailable
from signalreel.identifiers import Kind, Reference
from signalreel.notes import MediaFailed, Note
from signalreel.reel import Entry, MemoryReel
from signalreel.step import Outcome
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.reels.damage import damage_of
from signalreel_adapters.reels.names import next_name
from signalreel_adapters.reels.reading import read_ends, read_entries, read_notes
from signalreel_adapters.reels.whole import WholeReel

SEED: Final = 5_206
MUTATIONS: Final = 250
MEMORY_MAX: Final = 48_000_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reel of a few pages of everything."""
    reel = MemoryReel()
    for seq in range(1, 301):
        reel.append(seq, b"record %d " % seq + bytes(50 + seq))
        reel.conclude(seq, Outcome(bytes(16), [("stream", "live", "s", "idle", "preparing")]))
        if seq % 3 == 0:
            reel.note(Note(seq, seq, "", MediaFailed("ice", "timeout", Reference(Kind.STREAM, "live", "s", 1))))
    return write_reel(tmp_path_factory.mktemp("sound") / "calls.reel", reel)


def whole(path: Path) -> tuple[list[Entry], list[Note]]:
    """Read everything."""
    return list(read_entries(path, 1)), list(read_notes(path, 1))


def ends_and_all(path: Path) -> None:
    """Read how it begins, where it ends, and everything in between."""
    read_ends(path)
    whole(path)


def together(path: Path) -> list[Entry]:
    """Read everything, as of one reel in segments."""
    return list(WholeReel(path).entries())


def test_only_reel_errors_come_of_mutated_files(sound: Path, tmp_path: Path) -> None:
    """Whatever bytes are changed, cut out or put in: it reads, or says what is wrong; and in bounded memory."""
    chance = random.Random(SEED)
    path = tmp_path / "calls.reel"
    data = sound.read_bytes()
    refused = 0
    readings: tuple[Callable[[Path], object], ...] = (whole, damage_of, together)
    tracemalloc.start()
    for number in range(MUTATIONS):
        mutated = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8, 64))):
            at = chance.randrange(len(mutated)) if chance.random() < 0.6 else chance.randrange(8_192)
            match chance.randrange(4):
                case 0:
                    mutated[at] ^= 1 << chance.randrange(8)
                case 1:
                    mutated[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4)))
                case 2:
                    del mutated[at : at + chance.randrange(1, 600)]
                case _:
                    mutated[at:at] = chance.randbytes(chance.randrange(1, 600))
        path.write_bytes(mutated)
        for read in readings:
            try:
                read(path)
            except ReelError:
                refused += 1
            except Exception as error:
                raise AssertionError(f"seed {SEED}, mutation {number}: {error!r}") from error
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert refused > MUTATIONS
    assert peak < MEMORY_MAX


@pytest.mark.parametrize(
    ("statements", "place"),
    [
        (["UPDATE records SET record = 'text' WHERE seq = 5"], "record 5"),
        (["UPDATE records SET chain = zeroblob(70) WHERE seq = 300"], "record 300"),
        (["UPDATE records SET record = zeroblob(17000000) WHERE seq = 5"], "record 5"),
        (["UPDATE outcomes SET outcomes = 'text'"], "outcomes from record 1"),
        (["UPDATE outcomes SET outcomes = zeroblob(17000000)"], "outcomes from record 1"),
        (["UPDATE notes SET note = 7 WHERE id = 1"], "notes from record 1"),
        (["UPDATE notes SET note = x'c1' WHERE id = 1"], "note on record 3"),
        (["UPDATE header SET header = printf('%.*c', 300000, ' ')"], "header"),
        (["INSERT INTO seam VALUES (1, -1, 0, x'')"], "seam"),
        (["INSERT INTO seam VALUES (1, 1, 'x', x'')"], "seam"),
    ],
)
def test_values_that_no_reel_has_are_refused(
    sound: Path, tmp_path: Path, statements: Iterable[str], place: str
) -> None:
    """Columns hold what a stranger put there: text for bytes, bytes for numbers, and far too much of it."""
    path = Path(shutil.copy(sound, tmp_path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '')")
        connection.execute("PRAGMA writable_schema = RESET")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE type = 'table'")

    with pytest.raises(ReelDamaged, match=place):
        ends_and_all(path)


def test_a_standing_reader_holds_nothing(sound: Path, tmp_path: Path) -> None:
    """Between two records nothing is open, so whoever writes may close the segment."""
    path = Path(shutil.copy(sound, tmp_path))
    entries = read_entries(path, 1)
    next(entries)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchone() == ("exclusive",)
        connection.execute("BEGIN EXCLUSIVE")
        connection.rollback()
    assert next(entries).seq == 2


def test_between_two_names_the_next_segment_is_waited_for(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment of a roll no file has the reel's name; a reel that was never there is not waited for."""
    path = tmp_path / "calls.reel"
    shutil.copy(sound, next_name(path))
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        next_name(path).rename(path)

    monkeypatch.setattr("time.sleep", sleep)
    ends = read_ends(path)
    with pytest.raises(ReelUnavailable, match="does not exist"):
        read_ends(tmp_path / "other.reel")

    assert (ends.last_seq, len(waits)) == (300, 1)
