"""`signalreel_adapters.cli.capture`: from a call to a file, and mistakes told at once."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from signalreel_adapters.cli import main
from signalreel_adapters.server import listen
from tests.adapters.processes import run_cli, server_process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_call_is_written_when_it_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    """The proxy says where it listens, relays, and writes at Ctrl-C what `flow run` then performs."""
    target = tmp_path / "call.flow"
    with server_process("--media", "none") as server:
        command = [
            sys.executable,
            "-m",
            "signalreel_adapters.cli",
            "capture",
            "--upstream",
            server.url,
            "-o",
            str(target),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split()[1]
            with connect(f"{url}/live/websocket") as client:
                client.send('{"command":"getStreamInfo","streamId":"s"}')
                client.recv()
            process.send_signal(number)
            err = process.communicate(timeout=30)[1]
        server.end()

    assert process.returncode == 0, err
    assert f"messages are in {target}" in err
    assert run_cli("flow", "run", str(target)).returncode == 0


@pytest.mark.parametrize(
    ("upstream", "name", "told"),
    [
        ("localhost", "call.flow", "write it as ws://localhost:5080"),
        ("ws://localhost:1", "taken.flow", "exists already"),
        ("ws://localhost:1", "nowhere/call.flow", "cannot be written"),
        ("ws://localhost:1", "call.flow", "cannot listen on 127.0.0.1 port"),
    ],
)
def test_a_mistake_is_told_and_leaves_with_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, upstream: str, name: str, told: str
) -> None:
    """Nothing is left behind where nothing could be captured."""
    (tmp_path / "taken.flow").write_text("")
    with listen("127.0.0.1", 0) as bound:
        port = str(bound.getsockname()[1]) if "listen" in told else "0"
        with pytest.raises(SystemExit) as left:
            main(["capture", "--upstream", upstream, "--output", str(tmp_path / name), "--port", port])

    assert left.value.code == 2
    assert told in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "call.flow").exists()
