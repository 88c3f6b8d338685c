"""`signalreel_adapters.cli.worker`: media workers of a server log in its style, and hold no secret that others see."""

import json
import os
import signal
import time
from pathlib import Path

from tests.adapters.processes import server_process

PATIENCE_S = 20


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ignores(pid: int) -> bool:
    """Whether a process has come so far that it ignores what is meant for its parent."""
    status = Path(f"/proc/{pid}/status").read_text()
    ignored = int(next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1], 16)
    return all(ignored >> number - 1 & 1 for number in (signal.SIGINT, signal.SIGTERM))


def test_a_lost_worker_is_logged_and_replaced() -> None:
    """Each line is JSON where that was asked for; a signal to the whole group ends the server in good order."""
    with server_process("--media-workers", "1", "--log", "json") as server:
        (worker,) = children(server.process.pid)
        command = Path(f"/proc/{worker}/cmdline").read_text()
        os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_S
        others: list[int] = []
        while not any(map(ignores, others)) and time.monotonic() < deadline:
            time.sleep(0.02)
            others = [child for child in children(server.process.pid) if child != worker]
        (second,) = others
        os.kill(second, signal.SIGINT)
        os.kill(second, signal.SIGTERM)
        assert server.end(signal.SIGINT) == 0
    lines = [json.loads(line) for line in server.stderr.splitlines() if line.startswith("{")]

    assert second != worker
    assert not Path(f"/proc/{second}").exists()
    assert "json" in command.split("\0")
    assert "127.0.0.1" not in command
    assert [line["event"] for line in lines if "worker" in line] == ["media worker lost"]
