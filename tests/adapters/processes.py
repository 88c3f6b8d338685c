"""The command line as a process of its own, for what only a process can show: signals, exit codes, and dying."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Final

__all__ = ("ServerProcess", "run_cli", "server_process")

_PROGRAM: Final = "signalreel_adapters.cli"
_PATIENCE_S: Final = 30


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, "-m", _PROGRAM, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)


class ServerProcess:
    """`signalreel serve` on a port that the system chose."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.stderr = ""

    @property
    def websocket(self) -> str:
        """Where clients connect."""
        return self.url.replace("http://", "ws://") + "live/websocket"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return "localhost", int(self.url.rstrip("/").rpartition(":")[2])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; give the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; give the exit code."""
        _, self.stderr = self.process.communicate(timeout=_PATIENCE_S)
        return self.process.returncode


@contextmanager
def server_process(*arguments: str, command: str = "") -> Iterator[ServerProcess]:
    """Run a server until the block ends, at the latest: `signalreel serve`, or another one with its own arguments."""
    which = [command] if command else ["serve", "--no-measure-load"]
    line = [sys.executable, "-m", _PROGRAM, *which, "--port", "0", *arguments]
    with TemporaryDirectory() as folder:
        # What is recorded when nothing is said is recorded here.
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
        yield from _greeted(process)


def _greeted(process: subprocess.Popen[str]) -> Iterator[ServerProcess]:
    """Give the server once it says that it is there, and end it afterwards."""
    try:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        if not greeting:
            raise AssertionError(process.communicate(timeout=_PATIENCE_S)[1])
        yield ServerProcess(process, greeting.split()[-1])
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
