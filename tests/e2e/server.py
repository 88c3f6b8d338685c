"""A real server in a process of its own, and what replaying its reel must say."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, Self, cast

import httpx

from signalreel_adapters import SqliteReel
from tests.repository import PACKAGES, ROOT

__all__ = ("HASH_SEEDS", "HOST", "PAGES", "PAGES_PREFIX", "Server", "check_that_it_replays", "free_port", "replays_of")

HOST: Final = "127.0.0.1"
PAGES: Final = Path(__file__).resolve().parent
PAGES_PREFIX: Final = "live/pages"
HASH_SEEDS: Final = (0, 1, 2)

START_SECONDS_MAX: Final = 20.0
STOP_SECONDS_MAX: Final = 15.0
REPLAY_SECONDS_MAX: Final = 60.0
POLL_SECONDS: Final = 0.05
POLL_TIMEOUT_SECONDS: Final = 1.0
LOG_SHOWN_LENGTH: Final = 4_000


def _environment(hash_seed: int | None = None) -> dict[str, str]:
    """The environment for a process that finds both packages, whether or not they are installed."""
    environment = dict(os.environ)
    roots = [str(folder.parent) for folder in PACKAGES.values()]
    environment["PYTHONPATH"] = os.pathsep.join([*roots, environment.get("PYTHONPATH", "")])
    if hash_seed is not None:
        environment["PYTHONHASHSEED"] = str(hash_seed)
    return environment


def _command(*parameters: str) -> list[str]:
    return [sys.executable, "-m", "signalreel_adapters.cli", *parameters]


def free_port() -> int:
    """Give a port that nobody listens on at the moment."""
    with socket.create_server((HOST, 0)) as listener:
        return cast(int, listener.getsockname()[1])


class Server:
    """`signalreel serve` with a reel of its own; leaving it ends it in good order.

    `guarded` has access control, and `mocking` is `signalreel testserver`.

    What stands in `configuration`, as TOML, is obeyed beside what the tests need.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        *,
        pages: Path = PAGES,
        guarded: bool = False,
        mocking: bool = False,
        configuration: str = "",
    ) -> None:
        self.reel = folder / "calls.reel"
        self.log = folder / "server.log"
        self.port = port or free_port()
        command = [sys.executable, "-m", "tests.e2e.guarded", str(self.port), str(self.reel), str(pages)]
        where = ("--host", HOST, "--port", str(self.port), "--pages", str(pages), "--media-port", "0")
        if mocking:
            command = _command("testserver", *where)
        elif not guarded:
            # Browsers and tests on one machine keep it busier than any server should be.
            command = _command("serve", *where, "--reel", str(self.reel), "--no-measure-load")
        if configuration:
            file = folder / "server.toml"
            file.write_text(configuration, encoding="utf-8")
            command += ["--config", str(file)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=_environment(), cwd=ROOT
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def url(self) -> str:
        """Where its own page is."""
        return f"http://{HOST}:{self.port}/"

    @property
    def sdk_url(self) -> str:
        """Where the page with the official SDK is."""
        return f"{self.url}{PAGES_PREFIX}/sdk.html"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it as an operator would, and see that it ends well. Harmless when it has ended."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(f"the server did not stop within {STOP_SECONDS_MAX} s\n{self.last_words()}") from None
        assert self._process.returncode in {0, -signal.SIGTERM}, self.last_words()

    def kill(self) -> None:
        """End it without a warning, as a power cut does."""
        self._process.kill()
        self._process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-LOG_SHOWN_LENGTH:]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"the server ended while starting\n{self.last_words()}"
            try:
                if httpx.get(f"{self.url}healthz", timeout=POLL_TIMEOUT_SECONDS).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(POLL_SECONDS)
        raise AssertionError(f"the server was not ready within {START_SECONDS_MAX} s\n{self.last_words()}")


def replays_of(reel: Path) -> list[dict[str, Any]]:
    """Replay a reel under several hash seeds at once, each in a process of its own, and give what each one says."""
    processes = [
        subprocess.Popen(
            _command("replay", str(reel), "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(seed),
        )
        for seed in HASH_SEEDS
    ]
    results: list[dict[str, Any]] = []
    for process in processes:
        output, errors = process.communicate(timeout=REPLAY_SECONDS_MAX)
        assert process.returncode == 0, errors.decode(errors="replace")
        results.append(cast(dict[str, Any], json.loads(output)))
    return results


def check_that_it_replays(reel: Path, *, records_min: int) -> None:
    """Check that a reel holds whole calls with their outcomes, and that every process replays it to the same.

    A reel without records or without outcomes has nothing to diverge from, so both are looked at first. Even after a
    run that was killed none is missing, because the next run concludes what it finds.
    """
    entries = list(SqliteReel.read(reel).entries())

    assert len(entries) >= records_min
    assert [entry.seq for entry in entries if entry.outcome is None] == []

    results = replays_of(reel)

    assert results == [results[0]] * len(HASH_SEEDS)
    assert results[0]["diverged_at"] is None
    assert [results[0][key] for key in ("records", "agreed", "unconcluded")] == [len(entries), len(entries), 0]
