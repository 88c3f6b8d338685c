"""`signalreel_adapters.cli.lines`: writing lines without waiting for whoever reads them."""

import os
from collections.abc import Iterator

import pytest

from signalreel_adapters.cli.lines import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe that is full: the next byte waits for a reader."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    for size in (4_096, 1):
        try:
            while True:
                os.write(writing, b"." * size)
        except BlockingIOError:
            continue
    os.set_blocking(writing, True)
    yield reading, writing
    os.close(reading)


def lost(count: int) -> bytes:
    """The line that says how many were lost."""
    return f"lost {count}\n".encode()


def rest(reading: int) -> bytes:
    """Read to the end."""
    said = b""
    while piece := os.read(reading, 65_536):
        said += piece
    return said.lstrip(b".")


def test_lines_are_written_in_order() -> None:
    """What was taken before the end is written, with nothing between."""
    reading, writing = os.pipe()
    writer = LineWriter(writing, lost)
    lines = [f"line {number}\n".encode() for number in range(1_000)]
    for line in lines:
        writer.write(line)
    writer.close()
    os.close(writing)

    assert rest(reading) == b"".join(lines)
    os.close(reading)


@pytest.mark.parametrize("blocking", [True, False])
def test_nobody_waits_for_a_file_that_takes_nothing(pipe: tuple[int, int], blocking: bool) -> None:
    """Lines wait up to the bound, what is more is lost and counted; afterwards everything goes on."""
    reading, writing = pipe
    os.set_blocking(writing, blocking)
    writer = LineWriter(writing, lost, bytes_max=1_000)
    for number in range(150):
        writer.write(f"line {number:4}\n".encode())
    said = b""
    while not said.endswith(lost(50)):
        said += os.read(reading, 65_536)
    while writer.waiting_bytes:  # The writer counts them out after they have been read here.
        os.sched_yield()
    writer.write(b"on it goes\n")
    writer.close()
    os.close(writing)

    assert said.lstrip(b".") == b"".join(f"line {number:4}\n".encode() for number in range(100)) + lost(50)
    assert rest(reading) == b"on it goes\n"


def test_the_end_does_not_wait_for_long(pipe: tuple[int, int]) -> None:
    """A file that takes nothing does not keep the program from ending."""
    _, writing = pipe
    writer = LineWriter(writing, lost)
    writer.write(b"never read\n")
    writer.close()


def test_a_file_that_is_gone_loses_lines_and_nothing_else() -> None:
    """Whoever read has left: lines are lost, in silence, and the next are tried."""
    reading, writing = os.pipe()
    os.close(reading)
    writer = LineWriter(writing, lost)
    writer.write(b"one\n")
    writer.write(b"two\n")
    writer.close()
    os.close(writing)


def test_a_line_that_could_not_be_made_is_counted() -> None:
    """It is lost like any other."""
    reading, writing = os.pipe()
    writer = LineWriter(writing, lost)
    writer.lose()
    writer.close()
    os.close(writing)

    assert rest(reading) == lost(1)
    os.close(reading)
