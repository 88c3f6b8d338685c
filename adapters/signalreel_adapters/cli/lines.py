"""Lines into a file that may stop taking them: queued up to a bound, written by a thread, counted when lost.

The queue is emptied with `os.write` and not through a Python file: a thread that is stuck in one holds its lock, and
the interpreter cannot end without that lock.
"""

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ("CLOSE_S_MAX", "WAITING_BYTES_MAX", "LineWriter")

WAITING_BYTES_MAX: Final = 4_194_304
"""Bytes of lines that wait to be written; a line more is lost. Some twenty thousand lines."""

CLOSE_S_MAX: Final = 1.0
"""Seconds for what still waits at the end."""


class LineWriter:
    """Takes lines at once, from any thread, and writes them in order when the file takes them.

    `lost` makes the line that says how many were lost; it stands where they would have stood.
    """

    def __init__(self, file: int, lost: Callable[[int], bytes], *, bytes_max: int = WAITING_BYTES_MAX) -> None:
        self._file = file
        self._lost_line = lost
        self._bytes_max = bytes_max
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._lost = 0
        self._is_closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log lines", daemon=True)
        self._thread.start()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of lines that are not written yet; 0 once everything taken is in the file or lost."""
        with self._changed:
            return self._bytes

    def write(self, line: bytes) -> None:
        """Take a line, or lose it when too much waits; or while lines are being lost, so that they are together."""
        with self._changed:
            if self._lost or self._bytes + len(line) > self._bytes_max:
                self._lost += 1
                return
            self._waiting.append(line)
            self._bytes += len(line)
            self._changed.notify()

    def lose(self) -> None:
        """Count a line that could not even be made."""
        with self._changed:
            self._lost += 1
            self._changed.notify()

    def close(self) -> None:
        """Write what still waits, if the file takes it in a while, and take nothing more."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(CLOSE_S_MAX)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._lost and not self._is_closing:
                    self._changed.wait()
                lines = b"".join(self._waiting)
                if self._lost:
                    lines += self._lost_line(self._lost)
                if not lines:
                    return
                # They count as waiting until they are written: a file that takes nothing holds no second queue.
                self._waiting.clear()
                self._lost = 0
            self._put(lines)
            with self._changed:
                self._bytes = sum(map(len, self._waiting))

    def _put(self, lines: bytes) -> None:
        """Write to the end, however little is taken at a time; a file that is gone or full loses them."""
        while lines:
            try:
                lines = lines[os.write(self._file, lines) :]
            except BlockingIOError:  # Somebody who shares the file made it so.
                select.select([], [self._file], [])
            except OSError:
                return
