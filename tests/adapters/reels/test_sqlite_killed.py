"""A loaded server that is killed, and one whose disk is full: real processes, real files, real clients."""

import itertools
import json
import random
import resource
import signal
import threading
from pathlib import Path
from typing import Any, Final

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from signalreel.commands import Publish
from signalreel.record import decode_record
from signalreel.refusals import DATA_STORE_NOT_AVAILABLE
from signalreel.replay import Cursor
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
