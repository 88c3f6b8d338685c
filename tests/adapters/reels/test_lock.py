"""`signalreel_adapters.reels.lock`."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from signalreel.errors import ReelBusy
from signalreel_adapters.reels.lock import WriterLock


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    """A second writer is refused, here and in another process, until the first lets go; nothing is left behind."""
    path = tmp_path / "calls.reel"
    program = (
        "from pathlib import Path; from signalreel_adapters.reels.lock import WriterLock; "
        f"WriterLock(Path({str(path)!r}))"
    )
    lock = WriterLock(path)
    with pytest.raises(ReelBusy):
        WriterLock(path)
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    lock.release()
    lock.release()
    WriterLock(path).release()

    assert "ReelBusy" in other.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    """The companion of a process that was killed stays, and stops nobody."""
    path = tmp_path / "calls.reel"
    program = (
        "import os; from pathlib import Path; from signalreel_adapters.reels.lock import WriterLock; "
        f"lock = WriterLock(Path({str(path)!r})); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)

    assert (tmp_path / "calls.reel-lock").exists()
    WriterLock(path).release()


def test_the_companion_is_private(tmp_path: Path) -> None:
    """It has mode 0600 like everything beside a reel, whatever it was."""
    (tmp_path / "calls.reel-lock").touch(mode=0o666)
    lock = WriterLock(tmp_path / "calls.reel")
    mode = stat.S_IMODE((tmp_path / "calls.reel-lock").stat().st_mode)
    lock.release()

    assert mode == 0o600


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    """What cannot be locked is not busy."""
    with pytest.raises(FileNotFoundError):
        WriterLock(tmp_path / "nowhere" / "calls.reel")
