"""`signalreel_adapters.cli.serve`: what the server says at its start, and what its options do."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from signalreel.settings import Settings
from signalreel_adapters import SqliteReel
from signalreel_adapters.media.aiortc.addresses import machine_hosts
from tests.adapters.media.aiortc.test_sdp import OFFER
from tests.adapters.processes import run_cli, server_process


def test_it_says_where_the_page_is() -> None:
    """The one line on stdout ends in the address; the page answers there."""
    with server_process("--media", "fake") as server:
        page = httpx.get(server.url)
        server.end()

    assert page.status_code == 200
    assert "calls are recorded to signalreel.reel" in server.stderr


def test_nothing_is_kept_when_nothing_is_to_be_recorded(tmp_path: Path) -> None:
    """`--no-record` keeps nothing, and says so; with a file to record to it is a contradiction."""
    with server_process("--media", "fake", "--no-record") as server:
        server.end()
    done = run_cli("serve", "--no-record", "--reel", str(tmp_path / "calls.reel"))

    assert "not recorded" in server.stderr
    assert (done.returncode, "leave one of them out" in done.stderr) == (2, True)


def test_a_damaged_reel_is_left_alone(tmp_path: Path) -> None:
    """It is not gone on with and not changed; the server says what can be done, and serves elsewhere."""
    path = tmp_path / "calls.reel"
    with server_process("--media", "fake", "--reel", str(path)) as server:
        with connect(server.websocket) as client:
            client.send('{"command":"publish","streamId":"s"}')
            client.recv()
        server.end()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET record = x'c0' WHERE seq = 1")
    done = run_cli("serve", "--port", "0", "--media", "none", "--reel", str(path))

    assert done.returncode == 2
    assert "record 1" in done.stderr
    assert f"signalreel reel mend {path} NEW.reel" in done.stderr
    assert "--reel OTHER.reel" in done.stderr


@pytest.mark.parametrize("media", ["aiortc", "fake", "none"])
def test_every_kind_of_media_serves_signaling(media: str) -> None:
    """A server with real, fake or no media starts and answers."""
    with server_process("--media", media) as server:
        with connect(server.websocket) as client:
            client.send('{"command":"ping"}')
            assert client.recv() == '{"command":"pong"}'
        assert server.end() == 0


@pytest.mark.parametrize(
    ("options", "offered"),
    [
        # All of them are this machine's, and from elsewhere nothing is read on them.
        ((), set(machine_hosts())),
        (("--media-transport", "port-each"), {"127.0.0.1"}),
        (("--media-host", "127.0.0.2"), {"127.0.0.2"}),
        (("--media-host", "127.0.0.2", "--media-advertise", "192.0.2.9"), {"192.0.2.9"}),
    ],
)
def test_media_is_offered_where_the_server_listens(options: tuple[str, ...], offered: set[str]) -> None:
    """A server that only this machine reaches opens no port for others, unless it is told to."""
    with server_process("--media", "aiortc", *options) as server:
        with connect(server.websocket) as client:
            client.send('{"command":"publish","streamId":"s"}')
            client.send(json.dumps({"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": OFFER}))
            answer = next(found for found in map(json.loads, client) if found["command"] == "takeConfiguration")
        server.end()
    candidates = [line.split() for line in answer["sdp"].splitlines() if line.startswith("a=candidate:")]

    assert {candidate[4] for candidate in candidates} == offered


def test_settings_are_recorded(tmp_path: Path) -> None:
    """Settings given at the first start are the reel's; later ones are a change on it; none given keeps them."""
    path = str(tmp_path / "calls.reel")
    for options in (["--viewers-max", "3"], [], ["--viewers-max", "5", "--publish-timeout-ms", "9000"]):
        with server_process("--media", "none", "--reel", path, *options) as server:
            assert server.end() == 0
    reel = SqliteReel.read(path)

    assert reel.header.settings == Settings(viewers_max=3)
    assert [b"SettingsChanged" in entry.record for entry in reel.entries()].count(True) == 1


def test_logs_can_be_json(tmp_path: Path) -> None:
    """Each line is an object, with the fields of a transition and nothing of a description or a token."""
    with server_process("--media", "fake", "--log", "json") as server:
        with connect(server.websocket + "?token=canary") as client:
            client.send('{"command":"publish","streamId":"s","token":"canary"}')
            client.recv()
            client.send('{"command":"takeConfiguration","streamId":"s","type":"offer","sdp":"canary"}')
            client.recv()
        server.end()
    lines = [json.loads(line) for line in server.stderr.splitlines() if line.startswith("{")]

    assert "canary" not in server.stderr
    assert [line["target"] for line in lines if line["event"] == "transition"][:3] == [
        "preparing",
        "negotiating",
        "connecting",
    ]


def test_pages_are_served(tmp_path: Path) -> None:
    """`--pages` serves a folder under every app."""
    (tmp_path / "hello.html").write_text("hello")
    with server_process("--media", "none", "--pages", str(tmp_path)) as server:
        answer = httpx.get(server.url + "anything/hello.html")
        server.end()

    assert answer.text == "hello"


def test_only_pages_of_the_named_origins_may_connect() -> None:
    """`--origin` may be given more than once; a page from elsewhere is refused, and a client without a page is not."""
    with server_process("--media", "none", "--origin", "https://a.example", "--origin", "https://b.example") as server:
        for origin in ("https://a.example", "https://b.example", None):
            with connect(server.websocket, origin=Origin(origin) if origin is not None else None):
                pass
        with pytest.raises(InvalidStatus, match="403"):
            connect(server.websocket, origin=Origin("https://c.example"))


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://Example.org", "*"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    """A spelling that no browser sends would let nobody in; it is refused at the start."""
    done = run_cli("serve", "--origin", origin)

    assert (done.returncode, "is no origin" in done.stderr) == (2, True)
