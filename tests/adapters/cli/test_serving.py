"""`signalreel_adapters.cli.serving`: a server with access control, as a process of its own."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel_adapters import SqliteReel
from signalreel_adapters.access.totp import secret_octets, totp_code
from tests.adapters.processes import ServerProcess, run_cli, server_process

CONFIGURATION: Final = """
[server]
media = "fake"

[reel]
path = "calls.reel"

[settings]
viewers_max = 3
server.cpu_limit = 90

[limits]
connections_max = 200

[rest]
key.file = "keys/operator"

[access]
key.file = "keys/tags"

[apps.live.access]
publish = "token"
play = "totp"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with its keys, as an operator keeps it."""
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("operator", "tags"):
        (keys / name).write_text(secrets.token_urlsafe(32) + "\n")
    (tmp_path / "signalreel.toml").write_text(CONFIGURATION)
    return tmp_path


class Operator:
    """Asks a server over REST, with the key."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.base = server.url + "live/rest/v2/"
        self.key = (folder / "keys" / "operator").read_text().strip()

    def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - an object or a list of them
        """Ask for something that succeeds."""
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        content = msgspec.json.encode(body) if body is not None else b""
        answer = httpx.request(method, self.base + path, headers=headers, content=content)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[ServerProcess, Operator]]:
    """Serve by the configuration."""
    with server_process("--config", str(folder / "signalreel.toml"), *options) as server:
        yield server, Operator(server, folder)


def say(client: ClientConnection, **command: object) -> str:
    """Say something; give the definition or command of the answer."""
    client.send(msgspec.json.encode(command).decode())
    answer = msgspec.json.decode(client.recv(timeout=10))
    return str(answer.get("definition", answer["command"]))


def test_access_holds_from_rest_to_a_restart(folder: Path) -> None:
    """A token issued over REST opens once, for one session; after a restart on the same reel it is used still."""
    expires_at = int(time.time()) + 3_600
    with serving(folder) as (server, operator):
        first, second = (
            operator.ask("GET", f"broadcasts/s/token?expireDate={expires_at}&type=publish")["tokenId"] for _ in range(2)
        )
        operator.ask("POST", "broadcasts/create", {"streamId": "s", "name": "Lecture"})
        secret = operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": "bob"})["b32Secret"]
        with connect(server.websocket) as client, connect(server.websocket) as other:
            assert say(client, command="publish", streamId="s") == "unauthorized_access"
            assert say(client, command="publish", streamId="other", token=first) == "unauthorized_access"
            assert say(client, command="publish", streamId="s", token=first) == "start"
            assert say(other, command="publish", streamId="s", token=first) == "unauthorized_access"
            assert operator.ask("GET", "broadcasts/s")["status"] == "preparing"
        assert len(operator.ask("GET", "broadcasts/s/tokens/list/0/10")) == 1
        assert server.end() == 0
        said = server.stderr
    with serving(folder) as (server, operator):
        assert operator.ask("GET", "broadcasts/s")["name"] == "Lecture"
        with connect(server.websocket) as client:
            assert say(client, command="publish", streamId="s", token=first) == "unauthorized_access"
            assert say(client, command="publish", streamId="s", token=second) == "start"
            client.send('{"command":"takeConfiguration","streamId":"s","type":"offer","sdp":"v=0"}')
            while '"publish_started"' not in str(client.recv(timeout=10)):
                pass
            with connect(server.websocket) as viewer:
                code = totp_code(secret_octets(secret), int(time.time()) // 60)
                shown = {"subscriberId": "bob", "subscriberCode": code}
                assert say(viewer, command="play", streamId="s") == "unauthorized_access"
                assert say(viewer, command="play", streamId="s", **shown) == "takeConfiguration"
        assert server.end() == 0
        said += server.stderr
    recorded = b"".join(path.read_bytes() for path in folder.glob("calls.reel*"))

    for hidden in (first, second, secret, code, operator.key, (folder / "keys" / "tags").read_text().strip()):
        assert hidden not in said
        assert hidden.encode() not in recorded
    assert [one.divergence for one in Cursor(SqliteReel.read(folder / "calls.reel")) if one.divergence] == []


def test_a_blocked_subscriber_is_put_out_and_kept_out(folder: Path) -> None:
    """Within the request that blocks; after a restart still."""
    expires_at = int(time.time()) + 3_600
    with serving(folder) as (server, operator):
        token = operator.ask("GET", f"broadcasts/s/token?expireDate={expires_at}&type=publish")["tokenId"]
        secret = operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": "bob", "type": "play"})["b32Secret"]
        with connect(server.websocket) as publisher, connect(server.websocket) as viewer:
            assert say(publisher, command="publish", streamId="s", token=token) == "start"
            publisher.send('{"command":"takeConfiguration","streamId":"s","type":"offer","sdp":"v=0"}')
            while '"publish_started"' not in str(publisher.recv(timeout=10)):
                pass
            code = totp_code(secret_octets(secret), int(time.time()) // 60)
            shown = {"subscriberId": "bob", "subscriberCode": code}
            assert say(viewer, command="play", streamId="s", **shown) == "takeConfiguration"
            assert operator.ask("GET", "broadcasts/s/webrtc-client-stats/0/10") != []
            operator.ask("PUT", "broadcasts/s/subscribers/bob/block/600/play")
            assert operator.ask("GET", "broadcasts/s/webrtc-client-stats/0/10") == []
            _until_told_or_closed(viewer)
        server.end()
    with serving(folder) as (server, operator):
        assert operator.ask("GET", "broadcasts/s/subscribers/list/0/10")[0]["blockedType"] == "play"


class Hook:
    """An operator's webhook on this machine: it lets in who shows the right token, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        hook = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                question: dict[str, Any] = msgspec.json.decode(body)
                hook.asked.append(question)
                self.send_response(200 if question.get("token") == "right" else 403)
                self.end_headers()

            def log_request(self, code: object = "-", size: object = "-") -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.port = self.server.server_address[1]

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer until the block ends; afterwards nobody listens there."""
        thread = Thread(target=self.server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self.server.shutdown()
            thread.join()
            self.server.server_close()


def test_a_webhook_of_the_file_lets_in_and_keeps_out(tmp_path: Path) -> None:
    """200 is a yes and nothing else is, nor is silence, of which the log tells; without a token it is asked as well."""
    hook = Hook()
    path = tmp_path / "signalreel.toml"
    path.write_text(f"""
        [server]
        media = "fake"

        [reel]
        record = false

        [apps.live.access]
        publish = "webhook"
        play = ["token", "webhook"]
        webhook.url = "http://127.0.0.1:{hook.port}/"
        webhook.allow_private = true
    """)
    with server_process("--config", str(path)) as server, connect(server.websocket) as client:
        with hook.answering():
            answers = [
                say(client, command="publish", streamId="s"),
                say(client, command="publish", streamId="s", token="wrong"),
                say(client, command="publish", streamId="s", token="right", subscriberId="ann"),
                say(client, command="play", streamId="s", token="wrong"),
            ]
        answers.append(say(client, command="publish", streamId="t", token="right"))
        server.end()

    refused = "unauthorized_access"
    assert answers == [refused, refused, "start", refused, refused]
    assert [(one["appName"], one["streamId"], one["mode"], one.get("token")) for one in hook.asked] == [
        ("live", "s", "publish", None),
        ("live", "s", "publish", "wrong"),
        ("live", "s", "publish", "right"),
        ("live", "s", "play", "wrong"),
    ]
    assert "access webhook was not reached" in server.stderr


def _until_told_or_closed(client: ClientConnection) -> None:
    """Read on until the client was told that it is over, or was sent away."""
    try:
        while '"play_finished"' not in str(client.recv(timeout=10)):
            pass
    except ConnectionClosed:
        return


def test_settings_of_the_file_are_recorded_and_flags_go_before_it(folder: Path) -> None:
    """One by one: what is not given on the command line is as the file has it. Paths are the file's."""
    with serving(folder, "--viewers-max", "7") as (server, operator):
        status = operator.ask("GET", "system-status")
        assert server.end() == 0
    reel = SqliteReel.read(folder / "calls.reel")

    assert reel.header.settings == Settings(viewers_max=7, cpu_percent_max=90)
    assert status["cpuPercentMax"] == 90


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servr]\n", "there is no servr; did you mean server?"),
        ('[rest]\nkey = "canary-canary-canary"\n', "a secret does not stand in the configuration"),
        ('[rest]\nkey.file = "none"\n', "rest.key.file: cannot read none"),
        ('[server]\norigins = ["example.org"]\n', "server.origins example.org is no origin"),
        ('[media]\nhosts = ["example.org"]\n', "media.hosts example.org is no IP address"),
        ('[server]\nproxies = ["*"]\n', "server.proxies * is no IP address and no network"),
        ('[server]\npages = "none"\n', "is no folder"),
        ('[settings]\nstun_server = "example.org"\n', "is not spelled as stun:host:port"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path: Path, text: str, said: str) -> None:
    """The program ends with 2 and a sentence, without a traceback and without the secret."""
    path = tmp_path / "signalreel.toml"
    path.write_text(text)
    done = run_cli("serve", "--config", str(path), "--port", "0")

    assert done.returncode == 2
    assert said in done.stderr
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("host", "key", "ends"),
    [
        ("0.0.0.0", "changeme-changeme-changeme", True),
        ("::", "dev-secret-dev-secret-dev", True),
        ("127.0.0.1", "changeme-changeme-changeme", False),
        ("::1", "changeme-changeme-changeme", False),
        ("0.0.0.0", "0FtbV3hpCz-eT1Wj_7mYqQ", False),
    ],
)
@pytest.mark.parametrize("section", ["rest", "access"])
def test_guessable_secrets_stay_on_this_machine(tmp_path: Path, host: str, key: str, ends: bool, section: str) -> None:
    """Where others can reach the server it does not start with a key that somebody thought of."""
    (tmp_path / "a.key").write_text(key)
    path = tmp_path / "signalreel.toml"
    path.write_text(f'[server]\nmedia = "none"\n[{section}]\nkey.file = "a.key"\n')
    if ends:
        done = run_cli("serve", "--config", str(path), "--port", "0", "--host", host)
        assert done.returncode == 2
        assert f"{section}.key could be guessed" in done.stderr
        assert key not in done.stderr
    else:
        with server_process("--config", str(path), "--host", host) as server:
            assert server.end() == 0
