"""A loaded server that is killed, and one whose disk takes no more: real processes, real files, real clients."""

import fcntl
import itertools
import json
import os
import random
import resource
import shlex
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from signalreel.commands import Publish
from signalreel.record import decode_record
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE
from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from signalreel_adapters.reels.buffering import BUFFERED_RECORDS_MAX
from signalreel_adapters.reels.damage import damage_of
from signalreel_adapters.reels.whole import WholeReel
from tests.adapters.processes import ServerProcess, server_process

KILLS: Final = 50
CLIENTS: Final = 4
SEED: Final = 9
OFFER: Final = {"command": "takeConfiguration", "type": "offer", "sdp": "v=0\r\na=the offer of a test\r\n"}


def say(client: ClientConnection, **command: object) -> str:
    """Say something; give the definition or command of the answer."""
    client.send(json.dumps(command))
    return heard(client)


def heard(client: ClientConnection) -> str:
    """Give the definition or command of the next message."""
    answer: dict[str, Any] = json.loads(client.recv(timeout=20))
    return str(answer.get("definition", answer["command"]))


def publish(client: ClientConnection, stream_id: str) -> None:
    """Publish until it is live."""
    assert say(client, command="publish", streamId=stream_id) == "start"
    client.send(json.dumps(OFFER | {"streamId": stream_id}))
    while heard(client) != "publish_started":
        pass


def load(server: ServerProcess, place: int, run: int, told: list[str], started: threading.Barrier) -> None:
    """Publish and stop without end; put down each id of which the server has answered."""
    try:
        with connect(server.websocket) as holder, connect(server.websocket) as client:
            publish(holder, f"held-{place}")  # The same after every kill: no id may be stuck.
            told.append(f"held-{place}")
            started.wait()
            for number in itertools.count():
                stream_id = f"s-{run}-{place}-{number}"
                publish(client, stream_id)
                told.append(stream_id)
                client.send(json.dumps({"command": "stop", "streamId": stream_id}))
                while heard(client) != "publish_finished":
                    pass
    except (ConnectionClosed, OSError, TimeoutError):
        return


@pytest.mark.timeout(300)
def test_a_loaded_server_is_killed_again_and_again(tmp_path: Path) -> None:
    """After each `kill -9` the same ids are published at once; in the end all that was answered is on the reel.

    Every outcome that was recorded agrees, and nothing is damaged.
    """
    chance = random.Random(SEED)
    path = tmp_path / "calls.reel"
    told: list[str] = []
    for run in range(KILLS):
        with server_process("--media", "fake", "--reel", str(path), "--log", "json") as server:
            drained = threading.Thread(target=server.process.communicate)
            drained.start()
            started = threading.Barrier(CLIENTS + 1, timeout=40)
            clients = [
                threading.Thread(target=load, args=(server, place, run, told, started)) for place in range(CLIENTS)
            ]
            for client in clients:
                client.start()
            started.wait()
            clients[0].join(0.05 + chance.random() * 0.15)
            server.process.send_signal(signal.SIGKILL)
            for client in clients:
                client.join()
            drained.join()
    assert damage_of(path).is_whole
    reel = WholeReel(path)
    recorded: dict[str, int] = {}
    for entry in reel.entries():
        command = decode_record(entry.record).command
        if isinstance(command, Publish):
            recorded[command.stream_id] = recorded.get(command.stream_id, 0) + 1

    assert set(told) <= recorded.keys()
    assert all(recorded[f"held-{place}"] == KILLS for place in range(CLIENTS))
    assert len(told) > KILLS * CLIENTS
    assert [one.divergence for one in Cursor(reel) if one.divergence is not None] == []


def answers_until_refused(client: ClientConnection) -> list[str]:
    """Publish again and again until the store is not available; give the answers before that.

    Each is a record that is not on the disk, and no more than so many may be.
    """
    answers: list[str] = []
    for number in range(BUFFERED_RECORDS_MAX + 1):
        answer = say(client, command="publish", streamId=f"s{number}")
        if answer == DATA_STORE_NOT_AVAILABLE.definition:
            return answers
        answers.append(answer)
    raise AssertionError(answers)


@pytest.mark.parametrize("durability", ["synced", "buffered"])
def test_a_full_disk_is_answered_and_recovered_from(tmp_path: Path, durability: str) -> None:
    """Clients are told `data_store_not_available`; nobody is put out; with room again the next command is served."""
    path = tmp_path / "calls.reel"
    with (
        server_process("--media", "fake", "--reel", str(path), "--durability", durability) as server,
        connect(server.websocket) as holder,
        connect(server.websocket) as client,
    ):
        publish(holder, "held")
        full = path.with_name(path.name + "-wal").stat().st_size
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
        answers = answers_until_refused(client)
        refused = [say(client, command="publish", streamId="refused") for _ in range(3)]
        assert say(holder, command="ping") == "pong"
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with connect(server.websocket) as after:
            publish(after, "after")
        assert say(client, command="publish", streamId="held") in {"streamIdInUse", "already_publishing"}
        assert server.end() == 0
    # What is buffered is answered before the disk is known to be full: one stream, and no second one of the session.
    assert durability == "buffered" or answers == []
    assert answers == ["start", *["already_publishing"] * (len(answers) - 1)][: len(answers)]
    assert refused == [DATA_STORE_NOT_AVAILABLE.definition] * len(refused)
    assert [one.divergence for one in Cursor(WholeReel(path)) if one.divergence is not None] == []


GET_FLAGS, SET_FLAGS, IMMUTABLE = 0x80086601, 0x40086602, 0x10
"""What Linux asks of a file system to let nobody change a file, whoever has it open (`chattr +i`)."""


def set_immutable(file: Path, *, immutable: bool) -> None:
    """Let nobody change a file or folder any more, or again. Raises `OSError` where that cannot be had."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)))
        flags = flags | IMMUTABLE if immutable else flags & ~IMMUTABLE
        fcntl.ioctl(descriptor, SET_FLAGS, struct.pack("l", flags))
    finally:
        os.close(descriptor)


@contextmanager
def read_only(folder: Path, pid: int) -> Generator[None]:
    """Let nothing in a folder be changed, by those neither who have it open.

    The kernel does not let a disk be mounted read-only under open files. What it does instead to a file that nobody may
    change is the same to who writes it; all but the index of the write-ahead file, which is mapped into memory. Where
    that takes rights that we have not, the process may write no byte at all.
    """
    frozen: list[Path] = []
    try:
        try:
            for file in (*(file for file in folder.iterdir() if not file.name.endswith("-shm")), folder):
                set_immutable(file, immutable=True)
                frozen.append(file)
        except OSError:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        yield
    finally:
        for file in reversed(frozen):
            set_immutable(file, immutable=False)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.parametrize("durability", ["synced", "buffered"])
def test_a_disk_that_becomes_read_only_is_answered_and_recovered_from(tmp_path: Path, durability: str) -> None:
    """As a full one is: clients are told, nobody is put out, and all goes on once it may be written again."""
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "calls.reel"
    with (
        server_process("--media", "fake", "--reel", str(path), "--durability", durability) as server,
        connect(server.websocket) as holder,
        connect(server.websocket) as client,
    ):
        publish(holder, "held")
        with read_only(folder, server.process.pid):
            answers_until_refused(client)
            assert say(client, command="publish", streamId="refused") == DATA_STORE_NOT_AVAILABLE.definition
            assert say(holder, command="ping") == "pong"
        with connect(server.websocket) as after:
            publish(after, "after")
        assert say(client, command="publish", streamId="held") in {"streamIdInUse", "already_publishing"}
        assert server.end() == 0
    assert [one.divergence for one in Cursor(WholeReel(path)) if one.divergence is not None] == []


@pytest.mark.parametrize("begun", [False, True])
def test_a_disk_that_is_read_only_from_the_start_is_said_to_be(tmp_path: Path, begun: bool) -> None:
    """The server does not start, and says why and what to do instead: in a mount of its own that may not be written."""
    path = tmp_path / "calls.reel"
    if begun:
        SqliteReel(path).close()
    arguments = ["serve", "--port", "0", "--media", "fake", "--reel", str(path)]
    serve = shlex.join([sys.executable, "-m", "signalreel_adapters.cli", *arguments])
    folder = shlex.quote(str(tmp_path))
    mounted = f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec {serve}"
    command = ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)), "sh", "-c", mounted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2, done.stderr
    assert done.stderr == (
        f"signalreel: {path} cannot be opened for writing: Read-only file system\n"
        "Record elsewhere with --reel OTHER.reel, or nothing with --no-record\n"
    )
