"""What is done to files besides what SQLite does to them: making, renaming, removing, and making names last.

A name is written in a folder, and a folder has to be synced like a file, or a crash may bring back the names of
before. Everything here that changes a name goes through one object, so that a test can put its own in between.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from signalreel.errors import ReelUnavailable

__all__ = ("COMPANIONS", "DISK", "Disk", "cannot_open", "keep_private")

COMPANIONS: Final = ("-wal", "-shm")
"""What SQLite puts beside a file while it is written."""

_PRIVATE: Final = 0o600
_OTHERS: Final = 0o077
"""Permission bits of everybody but the owner."""


class Disk:
    """The folder that reels are in."""

    def make(self, path: Path) -> bool:
        """Make an empty file that only its owner may read; give whether it was not there before."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE))
        except FileExistsError:
            return False
        return True

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name, in place of whatever has it."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Remove a file. One that is not there is as good as removed."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder last. Where folders cannot be synced they need not be."""
        with suppress(PermissionError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


DISK: Final = Disk()


def cannot_open(path: Path, error: Exception) -> ReelUnavailable:
    """Say why a reel cannot be opened for writing, in words for whoever named it."""
    if not path.parent.is_dir():
        return ReelUnavailable(f"{path} cannot be opened for writing: there is no folder {path.parent}")
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ReelUnavailable(f"{path} cannot be opened for writing: {told}")


def keep_private(path: Path) -> None:
    """Take a file and its companions back from everybody but their owner.

    Raises `ReelUnavailable` when it is no file, when it has a second name, or others may read it and it is not ours to
    change.
    """
    if path.exists() and not path.is_file():
        raise ReelUnavailable(f"{path} is not a file")
    if path.stat().st_nlink > 1:
        raise ReelUnavailable(f"{path} has another name, a hard link, under which it could be written too; remove one")
    for part in (path, *(path.with_name(path.name + suffix) for suffix in COMPANIONS)):
        try:
            if part.stat().st_mode & _OTHERS:
                part.chmod(_PRIVATE)
        except FileNotFoundError:
            continue
        except PermissionError as error:
            raise ReelUnavailable(f"{part} may be read by others, and only its owner can change that") from error
