"""`signalreel_adapters.processes`: real children, and every way in which they end."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import anyio
import pytest

from signalreel_adapters.pipes import socket_pair
from signalreel_adapters.processes import Child, Parent

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

MODULE = "tests.adapters.echoing"
PATIENCE_S = 20

A_PARENT = f"""
import asyncio
from signalreel_adapters.processes import Child

async def main():
    child = await Child.start({MODULE!r})
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def open_files() -> set[Path]:
    """The numbers of this process's open files."""
    return set(Path("/proc/self/fd").iterdir())


class Heard:
    """What a child said, and how often it ended."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.ends = 0
        self.changed = asyncio.Event()

    def take(self, message: bytes) -> None:
        """Hear a message."""
        self.messages.append(message)
        self.changed.set()

    def end(self) -> None:
        """Hear of the end."""
        self.ends += 1
        self.changed.set()

    async def until(self, messages: int = 0, ends: int = 0) -> None:
        """Wait until so much was heard."""
        with anyio.fail_after(PATIENCE_S):
            while len(self.messages) < messages or self.ends < ends:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def a_child(*arguments: str, waiting_bytes_max: int = 8_388_608) -> AsyncIterator[tuple[Child, Heard]]:
    """A child that runs, and at the end leaves neither open files nor tasks nor itself behind."""
    files, tasks = open_files(), asyncio.all_tasks()
    heard = Heard()
    child = await Child.start(
        MODULE, *arguments, on_message=heard.take, on_end=heard.end, waiting_bytes_max=waiting_bytes_max
    )
    try:
        await heard.until(1)
        yield child, heard
    finally:
        await child.close()
    assert not is_running(child.pid)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
    assert open_files() == files


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_child_talks_and_ends_when_it_is_closed() -> None:
    """It gets its arguments, says back what it hears, however long, and its end after `close` is no surprise."""
    async with a_child("one", "two") as (child, heard):
        assert child.send(b"hello")
        assert child.send(b"m" * 200_000)
        await heard.until(3)

    assert heard.messages == [b"one two", b"hello", b"m" * 200_000]
    assert heard.ends == 0
    assert not child.send(b"too late")
    await child.close()


async def test_a_child_that_ends_by_itself_is_heard_out() -> None:
    """The end is told once, after the last words."""
    async with a_child() as (child, heard):
        child.send(b"leave")
        await heard.until(ends=1)

        assert heard.messages[1:] == [b"gone"]
    assert heard.ends == 1


async def test_an_end_is_told_though_the_last_words_are_not_taken() -> None:
    """A bug with what a child said is not the end of whoever waits for its end."""
    ends = asyncio.Event()

    def fail(_message: bytes) -> None:
        raise ValueError

    child = await Child.start(MODULE, on_message=fail, on_end=ends.set)
    child.send(b"leave")
    with anyio.fail_after(PATIENCE_S):
        await ends.wait()
    await child.close()


async def test_a_child_that_is_killed_is_noticed() -> None:
    """Whoever kills it, the end is told once."""
    async with a_child() as (child, heard):
        os.kill(child.pid, signal.SIGKILL)
        await heard.until(ends=1)

        assert not child.send(b"anybody?")
    assert heard.ends == 1


async def test_a_child_sees_no_secret_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server is told in variables of any name stays with it; what programs need to run is handed on.

    The child runs with the same libraries all the same: with the faster event loop where that is installed.
    """
    for name in ("REST_SECRET", "odd_Name", "PYTHON_KEY", "SSL_KEY_PASSWORD"):
        monkeypatch.setenv(name, "hidden")
    monkeypatch.setenv("TZ", "UTC")
    async with a_child() as (child, heard):
        child.send(b"environment")
        child.send(b"loop")
        await heard.until(3)

    names = set(heard.messages[1].decode().split())
    assert {"PATH", "PYTHONPATH", "TZ"} <= names
    assert not names & {"REST_SECRET", "odd_Name", "PYTHON_KEY", "SSL_KEY_PASSWORD"}
    assert names <= set(os.environ) | {"PYTHONPATH", "LC_CTYPE"}
    assert heard.messages[2] == (b"uvloop" if find_spec("uvloop") else b"asyncio.unix_events")


async def test_signals_meant_for_the_parent_do_not_end_a_child() -> None:
    """Ctrl-C and SIGTERM to everybody are the parent's business: the child goes on, in a group of its own."""
    async with a_child() as (child, heard):
        child.send(b"signals")
        await heard.until(2)
        os.kill(child.pid, signal.SIGINT)
        os.kill(child.pid, signal.SIGTERM)
        child.send(b"still here")
        await heard.until(3)

        assert heard.messages[1:] == [b"[True, True]", b"still here"]
        assert os.getpgid(child.pid) != os.getpgid(0)


async def test_a_childs_children_do_not_keep_its_pipe() -> None:
    """What a child starts itself must not hide the child's end from us."""
    async with a_child() as (child, heard):
        child.send(b"inheritable")
        await heard.until(2)

        assert heard.messages[1:] == [b"False"]


async def test_a_deaf_child_fills_its_queue_and_is_killed_in_the_end() -> None:
    """What it does not read is bounded here, and closing it takes no longer than it may."""
    async with a_child(waiting_bytes_max=1_000_000) as (child, heard):
        child.send(b"sleep")
        taken = 0
        while child.send(b"w" * 100_000):
            taken += 1

        assert 900_000 < child.waiting_bytes <= 1_000_000
        with anyio.fail_after(PATIENCE_S):
            await child.close(seconds_max=0.1)
    assert len(heard.messages) == 1
    assert heard.ends == 0


async def test_open_files_can_be_handed_over() -> None:
    """A child writes to a file that only its parent had opened."""
    async with a_child() as (child, heard):
        reading, writing = os.pipe()
        assert child.send(b"by hand", [writing])
        os.close(writing)
        await heard.until(2)

        assert os.read(reading, 100) == b"by hand"
        os.close(reading)


async def test_a_child_ends_when_its_parent_is_killed() -> None:
    """A parent that dies without a word leaves nobody behind."""
    path = os.pathsep.join(each for each in sys.path if each)
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", A_PARENT), stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    )
    assert parent.stdout is not None
    watched = os.pidfd_open(int(await parent.stdout.readline()))

    parent.kill()
    await parent.wait()

    with anyio.fail_after(PATIENCE_S):
        await anyio.wait_readable(watched)  # as soon as the process has ended
    os.close(watched)


async def test_a_module_that_is_none_is_an_end() -> None:
    """A child that cannot even begin is one that has ended."""
    heard = Heard()
    child = await Child.start("signalreel_adapters.no_such_module", on_end=heard.end)

    await heard.until(ends=1)
    await child.close()

    assert heard.ends == 1


async def test_files_that_nobody_takes_are_closed() -> None:
    """A child that does not know what to do with a file does not keep it."""
    ours, theirs = socket_pair()
    parent = Parent(theirs)
    reading, writing = os.pipe()
    listening = asyncio.ensure_future(parent.listen())
    await asyncio.sleep(0)
    ours.setblocking(True)

    socket.send_fds(ours, [b"\0take this"], [writing])
    os.close(writing)
    with anyio.fail_after(PATIENCE_S):
        assert await anyio.to_thread.run_sync(os.read, reading, 1) == b""

    ours.close()
    await listening
    parent.close()
    os.close(reading)
