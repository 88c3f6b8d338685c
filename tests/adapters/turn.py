"""A real TURN server (coturn) on loopback, for as long as a test needs it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ("turn_server",)

_HOST = "127.0.0.1"
_READY_WITHIN = 15.0
_END_WITHIN = 5.0
_BINDING = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"signalreel-t"


@contextmanager
def turn_server(folder: Path, *credentials: str) -> Iterator[int]:
    """Run a TURN server until the block ends; gives its port. `credentials` are its arguments about who may use it."""
    port = _free_port()
    command = ["turnserver", "-n", "--realm=signalreel.test", "--no-tls", "--no-dtls", "--no-cli", *credentials]
    command += [f"--listening-ip={_HOST}", f"--relay-ip={_HOST}", f"--listening-port={port}", "--allow-loopback-peers"]
    command += [
        f"--userdb={folder / 'turn.db'}",
        f"--pidfile={folder / 'turn.pid'}",
        "--log-file=stdout",
        "--fingerprint",
    ]
    with (folder / "turn.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait_until_ready(process, port, folder / "turn.log")
            yield port
        finally:
            process.terminate()
            try:
                process.wait(_END_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(_END_WITHIN)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.1)
        while time.monotonic() < deadline and process.poll() is None:
            asking.sendto(_BINDING, (_HOST, port))
            try:
                asking.recv(1_000)
            except OSError:
                continue
            return
    raise AssertionError(f"the TURN server did not start: {log.read_text()[-2_000:]}")
