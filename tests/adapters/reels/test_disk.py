"""`signalreel_adapters.reels.disk`."""

import stat
from pathlib import Path

import pytest

from signalreel.errors import ReelUnavailable
from signalreel_adapters.reels.disk import DISK, cannot_open, keep_private


def test_a_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """Empty, with mode 0600, and only when there is none."""
    path = tmp_path / "a"

    assert (DISK.make(path), DISK.make(path)) == (True, False)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"", 0o600)


def test_names_change(tmp_path: Path) -> None:
    """Renaming takes the place of what was there; removing what is not there is nothing."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("old")
    new.write_text("new")
    DISK.rename(old, new)
    DISK.remove(old)
    DISK.sync_folder(tmp_path)

    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("new", "old")]


def test_what_others_may_read_is_taken_back(tmp_path: Path) -> None:
    """The file and what SQLite has put beside it; a second name is refused."""
    path, companion = tmp_path / "a", tmp_path / "a-wal"
    for file in (path, companion):
        file.write_text("")
        file.chmod(0o644)
    keep_private(path)

    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, companion)} == {0o600}
    (tmp_path / "b").hardlink_to(path)
    with pytest.raises(ReelUnavailable, match="hard link"):
        keep_private(path)


def test_why_a_reel_cannot_be_opened_is_said_in_words(tmp_path: Path) -> None:
    """Of the folder that is missing, or in the system's words; never of a file that nobody has named."""
    missing = cannot_open(tmp_path / "nowhere" / "calls.reel", FileNotFoundError(2, "No such file", "calls.reel-lock"))
    refused = cannot_open(tmp_path / "calls.reel", OSError(30, "Read-only file system", "calls.reel-lock"))

    assert str(missing).endswith(f"there is no folder {tmp_path / 'nowhere'}")
    assert str(refused).endswith("calls.reel cannot be opened for writing: Read-only file system")
