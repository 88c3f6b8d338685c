"""Batches on their way to the disk while the loop goes on: `durability = "buffered"`.

One thread writes what was handed over, in its order; whatever is handed over while it writes is its next batch. At
most `BUFFERED_RECORDS_MAX` records are under way, so a crash loses no more than those, from the end. What cannot be
written is kept and tried again; nothing more is taken meanwhile.
"""

import threading
from collections.abc import Callable
from typing import Final

from signalreel.errors import ReelUnavailable
from signalreel_adapters.reels.writing import EMPTY, Batch

__all__ = ("BUFFERED_RECORDS_MAX", "RETRY_S", "Buffer")

BUFFERED_RECORDS_MAX: Final = 256
"""Records that may be handed over and not yet on the disk: what a crash can lose."""

RETRY_S: Final = 0.5
"""After a failure, how long until what is kept is tried again, if nobody asks before."""


class Buffer:
    """What was handed over and is not on the disk yet. `write` writes one batch whole, or raises and has not."""

    def __init__(self, write: Callable[[Batch], None]) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._waiting = EMPTY
        self._under_way = EMPTY
        self._failure: Exception | None = None
        self._attempts = 0
        self._is_wanted = False  # at once: somebody waits for an attempt
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="reel writer", daemon=True)
        self._thread.start()

    @property
    def works(self) -> bool:
        """Whether the last attempt to write succeeded."""
        with self._changed:
            return self._failure is None

    def takes(self, records: int) -> bool:
        """Whether so many more records may be handed over now."""
        with self._changed:
            return self._takes(records)

    def _takes(self, records: int) -> bool:
        uncommitted = len(self._waiting.records) + len(self._under_way.records)
        # A single batch may be larger than the bound, when whoever makes batches has another one; alone it is taken.
        return self._failure is None and (not uncommitted or uncommitted + records <= BUFFERED_RECORDS_MAX)

    def put(self, batch: Batch) -> None:
        """Hand a batch over. Make sure that it `takes` it before."""
        with self._changed:
            self._waiting = self._waiting.and_then(batch)
            self._changed.notify_all()

    def wait_for(self, records: int) -> None:
        """Block until it takes so many records. Raises what a new attempt has raised."""
        self._wait(lambda: self._takes(records))

    def flush(self) -> None:
        """Block until everything is on the disk. Raises what a new attempt has raised."""
        self._wait(lambda: not self._waiting and not self._under_way)

    def _wait(self, is_done: Callable[[], bool]) -> None:
        with self._changed:
            seen = self._attempts
            self._is_wanted = True
            self._changed.notify_all()
            while not is_done():
                # An attempt that was under way when this was asked for may have failed for what is mended since.
                if self._failure is not None and self._attempts > seen + 1:
                    raise self._failure
                if not self._thread.is_alive():
                    raise ReelUnavailable("the thread that writes the reel has ended")
                self._is_wanted = True
                self._changed.wait(RETRY_S)

    def close(self) -> None:
        """Write what is left, in one last attempt, and end the thread. Closing twice is harmless."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, None if self._failure is None else RETRY_S)
                self._is_wanted = False
                is_last = self._is_closing
                self._under_way, self._waiting = self._under_way.and_then(self._waiting), EMPTY
            failure = self._attempt()
            with self._changed:
                self._failure = failure
                self._attempts += 1
                if failure is None:
                    self._under_way = EMPTY
                self._changed.notify_all()
                if is_last and (failure is not None or not self._waiting):
                    return

    def _has_work(self) -> bool:
        if self._is_closing or (self._is_wanted and self._failure is not None):
            return True
        return self._failure is None and bool(self._waiting)

    def _attempt(self) -> Exception | None:
        if self._under_way:
            try:
                self._write(self._under_way)
            except Exception as error:  # noqa: BLE001 - whatever it is: without this thread nothing is ever written
                return error
        return None
