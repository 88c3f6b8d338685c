"""`signalreel_adapters.reels.buffering`."""

import sqlite3
import threading

import pytest

from signalreel_adapters.reels.buffering import BUFFERED_RECORDS_MAX, Buffer
from signalreel_adapters.reels.writing import Batch


class Writing:
    """A disk that can be held up and taken away."""

    def __init__(self) -> None:
        self.written: list[Batch] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_asked = threading.Event()
        self.fails = False
        self.fails_with: type[Exception] = sqlite3.OperationalError

    def __call__(self, batch: Batch) -> None:
        """Write, once it may."""
        self.is_asked.set()
        self.may_go_on.wait()
        if self.fails:
            raise self.fails_with("the test has taken the disk away")
        self.written.append(batch)

    @property
    def seqs(self) -> list[list[int]]:
        """The records of each transaction."""
        return [[seq for seq, _ in batch.records] for batch in self.written]


def batch(*seqs: int) -> Batch:
    """A batch of these records."""
    return Batch([(seq, b"record") for seq in seqs], [], [])


def test_what_comes_meanwhile_is_one_batch() -> None:
    """While one transaction runs, the others wait together; nothing waits for a window."""
    writing = Writing()
    writing.may_go_on.clear()
    buffer = Buffer(writing)
    buffer.put(batch(1))
    writing.is_asked.wait()
    buffer.put(batch(2))
    buffer.put(batch(3, 4))
    writing.may_go_on.set()
    buffer.flush()
    buffer.close()

    assert writing.seqs == [[1], [2, 3, 4]]


def test_no_more_is_under_way_than_may_be_lost() -> None:
    """At the bound it takes nothing; a batch beyond it is only taken alone."""
    writing = Writing()
    writing.may_go_on.clear()
    buffer = Buffer(writing)
    buffer.put(batch(*range(1, BUFFERED_RECORDS_MAX)))
    takes = [buffer.takes(1), buffer.takes(2)]
    writing.may_go_on.set()
    buffer.wait_for(2 * BUFFERED_RECORDS_MAX)
    buffer.close()

    assert takes == [True, False]
    assert writing.seqs == [list(range(1, BUFFERED_RECORDS_MAX))]


@pytest.mark.parametrize("fails_with", [sqlite3.OperationalError, MemoryError])
def test_what_cannot_be_written_is_kept_and_tried_again(fails_with: type[Exception]) -> None:
    """A failure is told to whoever asks next; when the disk is back everything is written, in order.

    Whatever the failure is: the thread goes on.
    """
    writing = Writing()
    writing.fails, writing.fails_with = True, fails_with
    buffer = Buffer(writing)
    buffer.put(batch(1))
    for _ in range(2):
        with pytest.raises(fails_with, match="taken the disk away"):
            buffer.flush()
    assert not buffer.takes(1)
    writing.fails = False
    buffer.wait_for(1)
    buffer.put(batch(2))
    buffer.close()

    assert [seq for seqs in writing.seqs for seq in seqs] == [1, 2]


def test_it_ends_although_the_disk_is_gone() -> None:
    """Closing tries once more, and ends the thread whatever comes of it; twice is harmless."""
    writing = Writing()
    writing.fails = True
    buffer = Buffer(writing)
    buffer.put(batch(1))
    buffer.close()
    buffer.close()

    assert (writing.written, buffer.takes(1)) == ([], False)
