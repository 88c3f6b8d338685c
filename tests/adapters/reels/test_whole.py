"""`signalreel_adapters.reels.whole`: a reel in several segments, read as one."""

from itertools import pairwise
from pathlib import Path

import pytest

from signalreel.engine import Engine
from signalreel.errors import ReelUnavailable
from signalreel.header import Header
from signalreel.notes import Closed, Note
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel.snapshot import encode_snapshot
from signalreel.step import GENESIS
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds, SqliteReel
from signalreel_adapters.reels import Rolling
from signalreel_adapters.reels.copying import backup_reel
from signalreel_adapters.reels.disk import DISK
from signalreel_adapters.reels.names import closed_segments
from signalreel_adapters.reels.reading import Ends, read_ends
from signalreel_adapters.reels.whole import WholeReel
from signalreel_adapters.reels.writer import Writer
from signalreel_adapters.reels.writing import Batch
from signalreel_adapters.testing import ManualClock
from tests.adapters.calls import publish

pytestmark = pytest.mark.anyio

EVERY_CALL = Rolling(empty_bytes_min=1)
"""A segment for each time at which nothing is live."""


STATE = encode_snapshot(Engine().snapshot())


async def fill(reel: SqliteReel, records: int) -> None:
    """Append so many records, each with a note."""
    for _ in range(records):
        reel.append(reel.last_seq + 1, b"record")
        reel.note(Note(reel.last_seq, 0, "", Closed(1000)))
    await reel.commit()


async def filled(path: Path, records: int) -> SqliteReel:
    """Begin a reel with so many records."""
    reel = SqliteReel(path, rolling=Rolling())
    await fill(reel, records)
    return reel


async def record_calls(path: Path, calls: int, rolling: Rolling = EVERY_CALL) -> None:
    """Publish and leave, so many times, in one run."""
    reel = SqliteReel(path, rolling=rolling)
    async with Runtime(reel, media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
        for _ in range(calls):
            client = MemoryClient(runtime)
            await publish(client, "s")
            await client.close()
            await runtime.idle()


async def test_segments_are_one_reel(tmp_path: Path) -> None:
    """Seqs and digests go on, every outcome agrees, and each segment replays by itself from its seam."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 5)
    reel = WholeReel(path)
    replayed = list(Cursor(reel))

    assert len(reel.segments) == len(closed_segments(path)) + 1 >= 4
    assert [one.step.record.seq for one in replayed] == list(range(1, reel.last_seq + 1))
    assert [one.divergence for one in replayed if one.divergence is not None] == []
    assert all(one.recorded is not None for one in replayed)
    digests = {one.step.record.seq: one.step.digest for one in replayed}
    for segment in reel.segments:
        alone = list(Cursor(SqliteReel.read(segment)))
        assert [one.divergence for one in alone if one.divergence is not None] == []
        assert {one.step.record.seq: one.step.digest for one in alone}.items() <= digests.items()


async def test_a_segment_names_the_one_before_it(tmp_path: Path) -> None:
    """By its id, its last seq, and the chain and digest after that; the time goes on from the first beginning."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 3)
    reels = [SqliteReel.read(segment) for segment in WholeReel(path).segments]
    for before, after in pairwise(reels):
        *_, last = before.entries()
        parent = after.header.parent
        assert parent is not None
        assert (parent.id, parent.seq, parent.chain) == (before.header.id, before.last_seq, last.chain)
        assert last.outcome is not None
        assert parent.digest == last.outcome.digest
        assert (after.first_seq, after.header.started_at) == (before.last_seq + 1, before.header.started_at)
    assert len({reel.header.id for reel in reels}) == len(reels)


async def test_it_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A run that ends in one segment is followed by another run, which begins at the seam."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 2)
    before = WholeReel(path).last_seq
    await record_calls(path, 2)
    reel = WholeReel(path)

    assert reel.last_seq > before
    assert [one.divergence for one in Cursor(reel) if one.divergence is not None] == []


async def test_from_any_place_the_same_is_read(tmp_path: Path) -> None:
    """Whether from the first record or from the middle of a segment, each has the same chain."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 4)
    whole = list(WholeReel(path).entries())
    for start in range(1, len(whole) + 2):
        assert list(WholeReel(path).entries(start)) == whole[start - 1 :]


async def test_the_oldest_may_be_gone(tmp_path: Path) -> None:
    """What retention has removed is not missed: the reel begins at the first seam that is left."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 6, Rolling(empty_bytes_min=1, keep_segments_max=2))
    reel = WholeReel(path)
    numbers = [number for number, _ in closed_segments(path)]

    assert len(numbers) == 2
    assert numbers[0] > 1
    assert reel.first_seq > 1
    assert [one.divergence for one in Cursor(reel) if one.divergence is not None] == []


async def test_a_reader_follows_into_the_next_segment(tmp_path: Path) -> None:
    """One that was opened before goes on reading where it was, although the file has another name now."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 1, Rolling())
    reader = WholeReel(path)
    cursor = Cursor(reader)
    first = len(list(cursor))
    await record_calls(path, 3)
    then = list(cursor)

    assert cursor.position == WholeReel(path).last_seq == first + len(then)
    assert [one.divergence for one in then if one.divergence is not None] == []


async def test_what_is_closed_while_it_is_read_is_read_on(tmp_path: Path) -> None:
    """To its end, and then the segments that were begun meanwhile; each note once."""
    path = tmp_path / "calls.reel"
    reel = await filled(path, 600)
    whole, alone, noted = WholeReel(path), SqliteReel.read(path).entries(), SqliteReel.read(path).notes()
    records, notes = whole.entries(), whole.notes()
    begun = [next(records).seq, next(alone).seq, next(notes).seq, next(noted).seq]
    for _ in range(2):
        await reel.roll(STATE, Header(Settings()), GENESIS)
        await fill(reel, 600)
    reel.close()

    assert begun == [1, 1, 1, 1]
    assert [entry.seq for entry in records] == list(range(2, 1_801))
    assert [entry.seq for entry in alone] == list(range(2, 601))
    assert [note.seq for note in notes] == list(range(2, 1_801))
    assert [note.seq for note in noted] == list(range(2, 601))


async def test_what_is_not_kept_any_longer_is_said_to_be_so(tmp_path: Path) -> None:
    """Nothing is taken for damaged because retention has removed what was being read."""
    path = tmp_path / "calls.reel"
    reel = await filled(path, 600)
    records = SqliteReel.read(path).entries()
    next(records)
    rolled = await reel.roll(STATE, Header(Settings()), GENESIS)
    reel.close()
    path.with_name(rolled.closed).unlink()

    with pytest.raises(ReelUnavailable, match="not kept any longer"):
        list(records)


async def test_all_that_is_there_is_found_while_it_is_rolled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that is closed between two looks is not taken for the beginning of the reel."""
    path = tmp_path / "calls.reel"
    writer = Writer(path, Settings(), DISK)
    writer.write(Batch([(1, b"one")], [], []))
    writer.roll(1, STATE, Header(Settings()), GENESIS, Rolling())
    writer.write(Batch([(2, b"two")], [], []))

    def read_and_roll(path: Path) -> Ends:
        found = read_ends(path)
        if len(closed_segments(path)) == 1:
            writer.roll(2, STATE, Header(Settings()), GENESIS, Rolling())
        return found

    monkeypatch.setattr("signalreel_adapters.reels.whole.read_ends", read_and_roll)
    whole = WholeReel(path)
    writer.close()

    assert (whole.first_seq, [file.name for file in whole.segments]) == (
        1,
        ["calls.000001.reel", "calls.000002.reel", "calls.reel"],
    )


async def test_a_backup_goes_on_without_what_is_removed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention takes a segment between the look and the copy: the rest is copied."""
    path, copy = tmp_path / "calls.reel", tmp_path / "copy.reel"
    await record_calls(path, 3)
    names = [file.name for _, file in closed_segments(path)]

    def look_and_remove(path: Path) -> list[tuple[int, Path]]:
        found = closed_segments(path)
        if found[0][1].name == names[0]:
            found[0][1].unlink()
        return found

    monkeypatch.setattr("signalreel_adapters.reels.copying.closed_segments", look_and_remove)
    files = backup_reel(path, copy)

    assert [file.name for file in files] == [name.replace("calls", "copy") for name in (*names[1:], "calls.reel")]
    assert list(WholeReel(copy).entries()) == list(WholeReel(path).entries())


async def test_nothing_is_left_of_a_backup_that_fails(tmp_path: Path) -> None:
    """Not even its first segments; what was there before stays."""
    path, copies = tmp_path / "calls.reel", tmp_path / "copies"
    copies.mkdir()
    await record_calls(path, 3)
    mine = copies / "copy.000002.reel"
    mine.write_text("mine")
    with pytest.raises(ReelUnavailable, match="exists already"):
        backup_reel(path, copies / "copy.reel")

    assert {file.name: file.read_text() for file in copies.iterdir()} == {mine.name: "mine"}


async def test_all_segments_are_backed_up(tmp_path: Path) -> None:
    """Under the copy's name with their numbers; together they are the same reel."""
    path, copy = tmp_path / "calls.reel", tmp_path / "copies" / "kept.reel"
    copy.parent.mkdir()
    await record_calls(path, 3)
    files = backup_reel(path, copy)

    assert files[-1] == copy
    assert files[0].name == "kept.000001.reel"
    assert list(WholeReel(copy).entries()) == list(WholeReel(path).entries())


async def test_it_is_for_reading(tmp_path: Path) -> None:
    """Nothing can be put on it."""
    path = tmp_path / "calls.reel"
    await record_calls(path, 1)
    reel = WholeReel.read(path)
    with pytest.raises(ReelUnavailable, match="not open for writing"):
        reel.append(reel.last_seq + 1, b"record")
    reel.close()
