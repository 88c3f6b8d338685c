"""`signalreel_adapters.testing.leaving`."""

from pathlib import Path

from signalreel.commands import Publish
from signalreel.header import Header
from signalreel.notes import Delivered, Note
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel_adapters import SqliteReel
from signalreel_adapters.testing import RecordedEngine, leave_reel, load_reel


def recorded() -> MemoryReel:
    """A reel of two records and a note; the outcome of the last one was not written any more."""
    reel = MemoryReel(Header(Settings(viewers_max=3)))
    engine = RecordedEngine(reel)
    engine.open("ann")
    engine.enter(Publish("a"), session="ann")
    reel.append(3, list(reel.entries())[-1].record)
    reel.note(Note(2, 5, "ann", Delivered()))
    return reel


def test_a_reel_that_was_left_is_loaded_as_it_was(tmp_path: Path) -> None:
    """Header, records, outcomes and notes."""
    reel = recorded()
    leave_reel(reel, "one", tmp_path)
    loaded = load_reel(tmp_path / "one.reel")

    assert loaded.header == reel.header
    assert list(loaded.entries()) == list(reel.entries())
    assert list(loaded.notes()) == list(reel.notes())


def test_it_says_where_the_reel_is_and_what_to_do_with_it(tmp_path: Path) -> None:
    """In lines that can be pasted; the reel of the last time gives way."""
    leave_reel(MemoryReel(), "one", tmp_path)
    leave_reel(recorded(), "one", tmp_path)
    said = leave_reel(recorded(), "one", tmp_path)
    path = tmp_path / "one.reel"

    assert said.splitlines() == [
        f"{path} (3 records)",
        f"look at it: signalreel open {path}",
        f"ask it why: signalreel explain {path}",
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["one.reel"]
    assert SqliteReel.read(path).last_seq == 3


def test_without_a_folder_it_is_left_among_temporary_files() -> None:
    """Each in a folder of its own, so that nobody's is overwritten."""
    reel = MemoryReel()
    RecordedEngine(reel).open("ann")
    path = Path(leave_reel(reel, "one").partition(" (1 record)")[0])

    assert SqliteReel.read(path).last_seq == 1
    path.unlink()
    path.parent.rmdir()


def test_that_nothing_can_be_left_is_no_error(tmp_path: Path) -> None:
    """Nothing recorded, or no place for it: said in a sentence."""
    assert leave_reel(MemoryReel(), "one", tmp_path) == "nothing was recorded"
    assert leave_reel(recorded(), "one", tmp_path / "missing").startswith("it could not be written: ")
