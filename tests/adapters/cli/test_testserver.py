"""`signalreel_adapters.cli.testserver`."""

import json

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from signalreel_adapters.cli import main
from signalreel_adapters.testserver import FAULTS
from tests.adapters.processes import server_process


def run(*arguments: str) -> int:
    """Run the command; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["testserver", *arguments])
    return int(left.value.code or 0)


def test_it_serves_and_goes_wrong_as_asked() -> None:
    """The line on stdout ends in the address; a code that was asked for arrives over a real WebSocket."""
    with server_process("--media", "fake", command="testserver") as server:
        with connect(server.websocket) as client:
            client.send('{"command":"publish","streamId":"mock:viewerLimitReached"}')
            refused = json.loads(client.recv(timeout=5))
            client.send('{"command":"publish","streamId":"fine"}')
            started = json.loads(client.recv(timeout=5))
            client.send('{"command":"join","streamId":"mock:close=4001"}')
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(timeout=5)
        code = server.end()

    assert (refused["definition"], started["command"]) == ("viewerLimitReached", "start")
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, code) == (4001, 0)
    assert "mock: choose what goes wrong" in server.stderr


def test_the_faults_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """For people, and as one object; nothing is served."""
    assert run("--list") == 0
    told = capsys.readouterr().out
    assert run("--list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)

    assert listed["prefix"] == "mock:"
    assert [one["fault"] for one in listed["faults"]] == list(FAULTS)
    assert "slow_answer" in told
    assert "mock:highResourceUsage|times=2" in told
