"""Processes beside this one, and what is said between them and us: for work that would hold up the event loop.

    child = await Child.start("package.module", on_message=take, on_end=lost)
    child.send(b"...")
    await child.close()

and in `package/module.py`, which is run as a program:

    async def serve(parent: Parent) -> None:
        parent.on_message = take
        await parent.listen()

    serve_parent(serve)

A child lives no longer than its parent: it ends when the pipe between them does, however its parent ended, and never by
a signal meant for both, so that the parent can say goodbye to its clients first. Of the environment it gets what says
how programs run here, and nothing else: the secrets of a server may be there. Linux is what this is for.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from importlib.util import find_spec
from typing import Any, Final, Self

from signalreel_adapters.pipes import Pipe, socket_pair

__all__ = ("CLOSE_SECONDS_MAX", "Child", "Parent", "serve_parent")

CLOSE_SECONDS_MAX: Final = 5.0
"""How long a child may take to end when it is asked to; then it is killed."""

_LINGER_SECONDS_MAX: Final = 1.0
"""How long a process may live that has closed its pipe by itself."""

_END_SECONDS_MAX: Final = 10
"""How long a child may take to end once its parent is gone; then it kills itself, whatever it is doing."""

_HANDED_ON: Final = (
    *("PATH", "HOME", "TMPDIR", "TZ"),
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "GLIBC_TUNABLES", "MALLOC_ARENA_MAX"),
    *("OPENSSL_CONF", "OPENSSL_MODULES"),
    *("PYTHONHOME", "PYTHONUTF8", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    *("PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONFAULTHANDLER", "PYTHONMALLOC", "PYTHONHASHSEED", "PYTHONWARNINGS"),
)
"""The variables that a child gets as they are here. A child is told everything else by its parent."""

_STDERR: Final = 2


def _ignore(_message: bytes) -> None:
    """Stand in until somebody listens."""


def _nothing() -> None:
    """Stand in until somebody wants to know of the end."""


def _close_files(_message: bytes, files: list[int]) -> None:
    """Stand in until somebody takes files: nobody else would close them."""
    for number in files:
        os.close(number)


class Child:
    """A process that runs a module. `on_end` is called once, whatever ended it, unless `close` is called first.

    What it said before its end is delivered before `on_end`. Its output goes where our stderr goes.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        end: socket.socket,
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
        waiting_bytes_max: int,
    ) -> None:
        self._process = process
        self._on_end = on_end
        self._silent = asyncio.Event()
        self._pipe = Pipe(end, on_message, self._silent.set, waiting_bytes_max=waiting_bytes_max)
        self._is_closing = False
        self._pipe.listen()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    @classmethod
    async def start(
        cls,
        module: str,
        *arguments: str,
        on_message: Callable[[bytes], None] = _ignore,
        on_end: Callable[[], None] = _nothing,
        waiting_bytes_max: int = 8_388_608,
    ) -> Self:
        """Start a process. Raises `PipesUnavailable` where that cannot be, `OSError` when the system has no more."""
        ours, theirs = socket_pair()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module, str(theirs.fileno()), *arguments),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=_STDERR,
                env=_environment(),
                # Ctrl-C reaches a whole group of processes; how a child ends is its parent's decision.
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours, on_message, on_end, waiting_bytes_max)

    @property
    def pid(self) -> int:
        """Its number in the system."""
        return self._process.pid

    @property
    def waiting_bytes(self) -> int:
        """How much of what was sent it has not read yet, beyond what the kernel keeps."""
        return self._pipe.waiting_bytes

    def send(self, message: bytes, files: Sequence[int] = ()) -> bool:
        """Send a message, never waiting; false when too much is waiting already, or the process has ended.

        Open files can go along; they stay open here, too.
        """
        return self._pipe.send(message, files)

    def kill(self) -> None:
        """End it at once. `on_end` follows."""
        if self._process.returncode is None:
            self._process.kill()

    async def close(self, seconds_max: float = CLOSE_SECONDS_MAX) -> None:
        """End it, in good order if that takes no longer than this. Harmless the second time."""
        self._is_closing = True
        self._pipe.finish()
        try:
            async with asyncio.timeout(seconds_max):
                await asyncio.shield(self._watching)
        except TimeoutError:
            self.kill()
            await asyncio.shield(self._watching)
        except asyncio.CancelledError:
            self.kill()
            raise

    async def _watch(self) -> None:
        exited = asyncio.ensure_future(self._process.wait())
        silent = asyncio.ensure_future(self._silent.wait())
        try:
            await asyncio.wait((exited, silent), return_when=asyncio.FIRST_COMPLETED)
            if not exited.done():
                await asyncio.wait((exited,), timeout=_LINGER_SECONDS_MAX)
            self.kill()
            await exited
            self._pipe.drain()
        finally:
            silent.cancel()
            exited.cancel()
            self._pipe.close()
        if not self._is_closing:
            self._on_end()


def _environment() -> dict[str, str]:
    """Make the environment of a child. It finds what we find, and nothing in the folder that we happen to be in."""
    handed_on = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return handed_on | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


class Parent:
    """The process that started this one, as it is seen from here. Set what listens, and then `listen`."""

    def __init__(
        self, end: socket.socket, arguments: Sequence[str] = (), on_end: Callable[[], None] = _nothing
    ) -> None:
        self.arguments = tuple(arguments)
        self.on_message: Callable[[bytes], None] = _ignore
        self.on_files: Callable[[bytes, list[int]], None] = _close_files
        self._ended = asyncio.Event()
        self._on_end = on_end
        self._pipe = Pipe(end, self._take, self._end, on_files=self._take_files)

    @property
    def waiting_bytes(self) -> int:
        """How much of what was sent it has not read yet, beyond what the kernel keeps."""
        return self._pipe.waiting_bytes

    def send(self, message: bytes) -> bool:
        """Send a message, never waiting; false when too much is waiting already."""
        return self._pipe.send(message)

    async def listen(self) -> None:
        """Hear messages until the parent has said the last, or is gone."""
        self._pipe.listen()
        await self._ended.wait()

    def close(self) -> None:
        """Free the pipe."""
        self._pipe.close()

    def _take(self, message: bytes) -> None:
        self.on_message(message)

    def _take_files(self, message: bytes, files: list[int]) -> None:
        self.on_files(message, files)

    def _end(self) -> None:
        self._on_end()
        self._ended.set()


def serve_parent(serve: Callable[[Parent], Coroutine[Any, Any, None]]) -> None:
    """Be a child: run this in an event loop. It listens to the parent, and returns when that is over.

    A child that takes too long to end then is ended by the system, whatever it is doing.
    """
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)

    number = int(sys.argv[1])
    os.set_inheritable(number, False)  # a child of ours that kept it open would hide our end from the parent

    async def run() -> None:
        parent = Parent(socket.socket(fileno=number), sys.argv[2:], on_end=lambda: _end_by_force(_END_SECONDS_MAX))
        try:
            await serve(parent)
        finally:
            parent.close()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run())


def _end_by_force(seconds: int) -> None:
    """Have the system end this process after so long: also one that no longer listens, in somebody's C."""
    signal.alarm(seconds)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - it need not be installed

    return uvloop.new_event_loop
