"""`signalreel_adapters.reels.copying`."""

from pathlib import Path

import pytest

from signalreel.errors import ReelUnavailable
from signalreel.header import Header, Parent
from signalreel.notes import Closed, Note
from signalreel.reel import MemoryReel, Reel
from signalreel.settings import Settings
from signalreel.step import Outcome
from signalreel_adapters import SqliteReel
from signalreel_adapters.reels.copying import backup_reel, write_reel

pytestmark = pytest.mark.anyio


def told(reel: Reel) -> tuple[object, ...]:
    """All of a reel."""
    start = reel.first_seq
    return reel.header, reel.seam, start, reel.last_seq, list(reel.entries(start)), list(reel.notes(start))


@pytest.mark.parametrize("with_seam", [False, True])
def test_any_reel_can_be_written(tmp_path: Path, with_seam: bool) -> None:
    """Header, seam, records, chain, outcomes and notes are read back as they were."""
    parent = Parent("other", 40, bytes(16), bytes(16)) if with_seam else None
    reel = MemoryReel(
        Header(Settings(viewers_max=3), id="this", parent=parent),
        seam=b"state" if with_seam else None,
        first_seq=41 if with_seam else 1,
    )
    for seq in range(reel.first_seq, reel.first_seq + 1_200):
        reel.append(seq, b"record %d" % seq)
        if seq % 5:
            reel.conclude(seq, Outcome(bytes(16), [("stream", "live", "s", "idle", "preparing")]))
        reel.note(Note(seq, seq, "", Closed(1000)))
    path = write_reel(tmp_path / "calls.reel", reel)

    assert told(SqliteReel.read(path)) == told(reel)
    assert [file.name for file in tmp_path.iterdir()] == ["calls.reel"]


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Neither writing nor copying takes the place of something; a folder that is not there is said to be so."""
    path = tmp_path / "calls.reel"
    path.write_text("mine")
    with pytest.raises(ReelUnavailable, match="exists already"):
        write_reel(path, MemoryReel())
    with pytest.raises(ReelUnavailable, match="exists already"):
        backup_reel(path, path)
    with pytest.raises(ReelUnavailable, match="cannot be written"):
        write_reel(tmp_path / "nowhere" / "calls.reel", MemoryReel())

    assert path.read_text() == "mine"


async def test_a_reel_is_copied_while_it_is_written(tmp_path: Path) -> None:
    """With all that was committed; the writer is not kept from going on, and the copy can be gone on with."""
    reel = SqliteReel(tmp_path / "calls.reel")
    reel.append(1, b"one")
    await reel.commit()
    (copy,) = backup_reel(reel.path, tmp_path / "copy.reel")
    reel.append(2, b"two")
    await reel.commit()
    reel.close()
    again = SqliteReel(copy)
    again.append(2, b"other")
    await again.commit()
    again.close()

    assert [entry.record for entry in SqliteReel.read(copy).entries()] == [b"one", b"other"]
    assert [entry.record for entry in SqliteReel.read(reel.path).entries()] == [b"one", b"two"]
