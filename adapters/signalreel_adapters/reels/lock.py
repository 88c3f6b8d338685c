"""The right to write a file, held by one process at a time and let go when it ends, however it ends.

It is a lock on an empty companion file, not on the file itself: that would shut readers out. The companion is removed
by whoever holds the lock; who takes it makes sure that what it locked is still what the name stands for.
"""

import os
import sys
from pathlib import Path

from signalreel.errors import ReelBusy

__all__ = ("WriterLock",)


class WriterLock:
    """The right to write `path`. Raises `ReelBusy` when somebody has it, `OSError` when it cannot be had at all."""

    def __init__(self, path: Path) -> None:
        self._companion = path.with_name(path.name + "-lock")
        self._descriptor: int | None = _take(self._companion, path)

    def release(self) -> None:
        """Let others write. Releasing twice is harmless."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            if sys.platform != "win32":
                self._companion.unlink(missing_ok=True)
            os.close(descriptor)


if sys.platform == "win32":

    def _take(companion: Path, path: Path) -> int:
        """Make the companion, which the system removes when its one handle is closed."""
        try:
            return os.open(companion, os.O_CREAT | os.O_EXCL | os.O_TEMPORARY | os.O_RDWR, 0o600)
        except (FileExistsError, PermissionError):
            raise ReelBusy(str(path)) from None

else:
    import fcntl

    def _take(companion: Path, path: Path) -> int:
        """Lock the companion, anew when it was removed between opening and locking it."""
        while True:
            descriptor = os.open(companion, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is(companion, descriptor):
                    os.fchmod(descriptor, 0o600)
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise ReelBusy(str(path)) from None
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _is(companion: Path, descriptor: int) -> bool:
        """Whether the name still stands for the open file."""
        try:
            return os.path.samestat(companion.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False
