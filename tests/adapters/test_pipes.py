"""`signalreel_adapters.pipes`: whole messages in order, bounds that hold, and ends that free everything."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from signalreel_adapters.pipes import MESSAGE_BYTES_MAX, Pipe, PipesUnavailable, socket_pair

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

PATIENCE_S = 10


def open_files() -> set[Path]:
    """The numbers of this process's open files."""
    return set(Path("/proc/self/fd").iterdir())


class End:
    """One end, and what was heard on it."""

    def __init__(self, end: socket.socket, waiting_bytes_max: int = 8_388_608) -> None:
        self.heard: list[bytes] = []
        self.files: list[int] = []
        self.ends = 0
        self.changed = asyncio.Event()
        self.pipe = Pipe(end, self._take, self._end, on_files=self._take_files, waiting_bytes_max=waiting_bytes_max)

    def _take(self, message: bytes) -> None:
        self.heard.append(message)
        self.changed.set()

    def _take_files(self, message: bytes, files: list[int]) -> None:
        self.files += files
        self._take(message)

    def _end(self) -> None:
        self.ends += 1
        self.changed.set()

    async def until(self, messages: int = 0, ends: int = 0) -> None:
        """Wait until so much was heard."""
        with anyio.fail_after(PATIENCE_S):
            while len(self.heard) < messages or self.ends < ends:
                self.changed.clear()
                await self.changed.wait()


def two_ends(waiting_bytes_max: int = 8_388_608) -> tuple[End, End]:
    """A pipe within this process; the second end does not listen yet."""
    ours, theirs = socket_pair()
    near, far = End(ours, waiting_bytes_max), End(theirs)
    near.pipe.listen()
    return near, far


async def test_messages_of_any_length_arrive_whole_and_in_order() -> None:
    """Empty ones, short ones and such as no datagram can hold are heard as they were said."""
    near, far = two_ends()
    said = [b"", b"a", b"b" * 65_535, b"c" * 65_536, b"d" * 200_000, b"e" * 131_070, b"f"]

    assert [near.pipe.send(message) for message in said] == [True] * len(said)
    far.pipe.listen()
    await far.until(len(said))

    assert far.heard == said
    assert near.pipe.waiting_bytes == 0
    near.pipe.close()
    far.pipe.close()


async def test_what_is_not_read_waits_up_to_the_bound() -> None:
    """A reader that does not read costs the sender no more than the bound; all that was taken arrives later."""
    near, far = two_ends(waiting_bytes_max=100_000)

    taken = 0
    while near.pipe.send(b"x" * 10_000):
        taken += 1

    assert 100_000 - 10_000 < near.pipe.waiting_bytes <= 100_000
    far.pipe.listen()
    await far.until(taken)
    assert far.heard == [b"x" * 10_000] * taken
    assert near.pipe.send(b"again")
    near.pipe.close()
    far.pipe.close()


async def test_a_message_too_long_is_refused() -> None:
    """Nobody can have the other end keep more than the largest message."""
    near, far = two_ends()

    assert not near.pipe.send(b"z" * (MESSAGE_BYTES_MAX + 1))
    near.pipe.close()
    far.pipe.close()


async def test_an_open_file_goes_along() -> None:
    """A file that is sent is open at the other end as well, under a number of its own, and still open here."""
    near, far = two_ends()
    reading, writing = os.pipe()

    assert near.pipe.send(b"take this", [writing])
    far.pipe.listen()
    await far.until(1)

    assert not os.get_inheritable(far.files[0])
    os.close(writing)
    os.write(far.files[0], b"hello")
    assert os.read(reading, 5) == b"hello"
    for number in (reading, *far.files):
        os.close(number)
    near.pipe.close()
    far.pipe.close()


async def test_a_file_that_waits_is_closed_with_its_pipe() -> None:
    """A pipe that ends with files in its queue leaves none of them open."""
    before = open_files()
    near, far = two_ends()
    reading, writing = os.pipe()
    while not near.pipe.waiting_bytes:
        near.pipe.send(b"y" * 60_000)

    assert near.pipe.send(b"take this", [writing])
    near.pipe.close()
    far.pipe.close()
    os.close(reading)
    os.close(writing)

    assert open_files() == before


async def test_the_end_is_heard_once_and_after_the_last_message() -> None:
    """Whoever finishes is still heard out; then nothing can be sent in either direction."""
    near, far = two_ends()

    assert near.pipe.send(b"q" * 500_000)
    near.pipe.finish()
    assert not near.pipe.send(b"too late")
    far.pipe.listen()
    await far.until(1, ends=1)
    await near.until(ends=1)

    assert [len(each) for each in far.heard] == [500_000]
    assert (near.ends, far.ends) == (1, 1)
    assert not far.pipe.send(b"nobody")


async def test_sending_to_nobody_is_harmless() -> None:
    """A pipe whose other end is gone drops what is sent, and its end is heard by reading."""
    near, far = two_ends()

    far.pipe.send(b"last words")
    far.pipe.close()
    assert not near.pipe.send(b"anybody there?")
    assert not near.pipe.send(b"anybody?")
    await near.until(1, ends=1)

    assert near.heard == [b"last words"]


async def test_whoever_closes_hears_of_no_end() -> None:
    """Closing frees the socket, twice without harm, and calls nothing."""
    near, far = two_ends()

    near.pipe.close()
    near.pipe.close()
    near.pipe.listen()
    far.pipe.listen()
    await far.until(ends=1)

    assert near.ends == 0


async def test_what_has_arrived_can_be_taken_at_once() -> None:
    """`drain` hears everything that was said before a process ended, without a turn of the loop."""
    near, far = two_ends()

    for number in range(100):
        near.pipe.send(b"%d" % number)
    near.pipe.close()
    far.pipe.drain()

    assert far.heard == [b"%d" % number for number in range(100)]
    assert far.ends == 1


async def test_a_message_that_fails_costs_no_other() -> None:
    """A bug with one message is logged, without its text; those behind it and the end are heard in the same turn."""
    near, far = two_ends()
    heard: list[bytes] = []

    def take(message: bytes) -> None:
        if message == b"secret":
            raise ValueError(message)
        heard.append(message)

    far.pipe.on_message = take
    for message in (b"one", b"secret", b"three"):
        near.pipe.send(message)
    near.pipe.close()
    with capture_logs() as logs:
        far.pipe.drain()

    assert heard == [b"one", b"three"]
    assert far.ends == 1
    [line] = logs
    assert (line["event"], line["error"]) == ("message of another process not taken", "ValueError")
    assert "secret" not in str(line)


async def test_other_systems_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no such sockets, that is said."""
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(PipesUnavailable, match="need Linux, and this is darwin"):
        socket_pair()
