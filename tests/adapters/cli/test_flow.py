"""`signalreel_adapters.cli.flow`: exit codes, figures and mistakes of `signalreel flow`."""

import json
from pathlib import Path

import pytest

from signalreel_adapters.cli import main
from tests.adapters.flows.staging import SPECIFIED
from tests.adapters.processes import server_process

GOOD = 'flow: good\nanna > {"command": "ping"}\nanna < {"command": "pong"}\n'
BAD = 'flow: bad\nanna > {"command": "ping"}\nanna < {"command": "ping"}\n'
FAKE = (
    'flow: published\nmedia: fake\nanna > {"command": "publish", "streamId": "s"}\nanna < {"command": "start", ...}\n'
)
MEDIA = (
    'flow: live\nmedia: fake\nanna > {"command": "publish", "streamId": "s2"}\nanna < {"command": "start", ...}\n'
    'anna > {"command": "takeConfiguration", "streamId": "s2", "type": "offer", "sdp": "{offer}"}\n'
    'anna < {"command": "takeConfiguration", "streamId": "s2", "type": "answer", "sdp": *}\n'
    'anna < {"command": "notification", "definition": "publish_started", ...}\n'
)
APPS = 'flow: apps\nanna > {"command": "ping"}\nanna < {"command": "pong"}\nben connects to other\n'
OWN = 'flow: limited\nsettings: {"viewersMax": 1}\nserver stops\n'
HAR = (
    '{"log":{"entries":[{"request":{"url":"ws://localhost/live/websocket"},"_webSocketMessages":'
    '[{"type":"send","time":1,"opcode":1,"data":"{\\"command\\":\\"ping\\"}"},'
    '{"type":"send","time":2,"opcode":1,"data":"hello"}]}]}}'
)


def flow(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command in this process; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["flow", *map(str, arguments)])
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def written(folder: Path, **texts: str) -> Path:
    """Write flows into a folder."""
    for name, text in texts.items():
        (folder / f"{name}.flow").write_text(text)
    return folder


def test_flows_run_in_memory(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without an address there is nothing to start. Progress goes to stderr, the sum to stdout."""
    code, out, err = flow(capsys, "run", written(tmp_path, good=GOOD, fake=FAKE, own=OWN))

    assert (code, out) == (0, "3 flows, 3 passed, 0 failed\n")
    assert [line.partition(":")[2] for line in err.splitlines()] == [
        " passed, published",
        " passed, good",
        " passed, limited",
    ]


def test_a_failure_is_told_and_leaves_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With its place, and the others are performed all the same."""
    folder = written(tmp_path, a=BAD, b=GOOD)
    code, out, err = flow(capsys, "run", folder)

    assert (code, out) == (1, "2 flows, 1 passed, 1 failed\n")
    assert f"FAILED, bad\n{folder / 'a.flow'}:3: command: expected 'ping', found 'pong'" in err


def test_json_has_the_agreed_keys(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One object on stdout: flows, passed, failed, and what was left out."""
    folder = written(tmp_path, a=BAD, b=GOOD)
    code, out, _ = flow(capsys, "run", folder / "a.flow", folder / "b.flow", "--json")

    assert code == 1
    assert json.loads(out) == {
        "flows": 2,
        "passed": 1,
        "failed": [
            {
                "file": str(folder / "a.flow"),
                "line": 3,
                "flow": "bad",
                "why": "command: expected 'ping', found 'pong'",
                "expected": 'anna < {"command": "ping"}',
                "found": '{"command":"pong"}',
            }
        ],
        "in_part": [],
        "left_out": [],
    }


def test_flows_run_on_a_server(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What the server cannot offer is left out, and said; fake media has to be vouched for."""
    folder = written(tmp_path, good=GOOD, fake=FAKE, media=MEDIA, own=OWN)
    with server_process("--media", "fake") as server:
        vouched = flow(capsys, "run", folder, "--url", server.url, "--json", "--fake-media")
        told = flow(capsys, "run", folder, "--url", server.url, "--fake-media")
        server.end()
    own = {"file": str(folder / "own.flow"), "needs": ["settings of its own", "a hand on the server"]}

    assert json.loads(vouched[1]) == {"flows": 3, "passed": 3, "in_part": [], "failed": [], "left_out": [own]}
    assert told[:2] == (
        0,
        (
            "3 flows, 3 passed, 0 failed\n"
            "3 of 4 could be performed here; the others need:\n"
            "    1  settings of its own and a hand on the server\n"
            "Without --url all of them run, each on a server in this process.\n"
        ),
    )
    assert "own.flow: left out, it needs settings of its own and a hand on the server" in vouched[2]


def test_a_server_with_real_media_shows_its_messages(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It accepts and answers what flows offer, up to where somebody would have to send; and it is told how far."""
    folder = written(tmp_path, good=GOOD, fake=FAKE, media=MEDIA, own=OWN)
    with server_process() as server:
        code, out, _ = flow(capsys, "run", folder, "--url", server.url, "--json")
        told = flow(capsys, "run", folder, "--url", server.url)
        server.end()
    own = {"file": str(folder / "own.flow"), "needs": ["settings of its own", "a hand on the server"]}

    assert (code, json.loads(out)) == (
        0,
        {
            "flows": 3,
            "passed": 2,
            "in_part": [{"file": str(folder / "media.flow"), "line": 7}],
            "failed": [],
            "left_out": [own],
        },
    )
    assert told[1] == (
        "3 flows, 2 passed, 1 passed in part, 0 failed\n"
        "In part: up to where media would have to flow. If the server has fake media, add --fake-media\n"
        "3 of 4 could be performed here; the others need:\n"
        "    1  settings of its own and a hand on the server\n"
        "Without --url all of them run, each on a server in this process.\n"
    )
    assert "media.flow: passed up to line 7, where media would have to flow, live" in told[2]


def test_one_path_for_all_is_no_place_for_several_apps(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Such a flow is left out there, and not reported as one that does not hold."""
    folder = written(tmp_path, apps=APPS)
    with server_process("--media", "none") as server:
        there = flow(capsys, "run", folder, "--url", server.websocket, "--json")
        anywhere = flow(capsys, "run", folder, "--url", server.url, "--json")
        server.end()
    needs = ["an address without a path, because its clients connect to several apps"]

    assert json.loads(there[1]) == {
        "flows": 0,
        "passed": 0,
        "in_part": [],
        "failed": [],
        "left_out": [{"file": str(folder / "apps.flow"), "needs": needs}],
    }
    assert json.loads(anywhere[1])["passed"] == 1


def test_the_specifications_show_their_messages_on_real_media(capsys: pytest.CaptureFixture[str]) -> None:
    """Publishing, playing and the sequences of the SDKs among them."""
    with server_process() as server:
        code, out, err = flow(capsys, "run", *SPECIFIED, "--url", server.url, "--json")
        server.end()
    results = json.loads(out)
    shown = {Path(one["file"]).stem for one in results["in_part"]}

    assert (code, results["failed"]) == (0, []), err
    assert {"publish", "play", "conference", "publish-sdk-2.16", "play-sdk-2.16", "room-sdk-2.16"} <= shown


def test_the_specifications_hold_on_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """All that a server started with fake media can show, one flow after the other on the same server."""
    with server_process("--media", "fake") as server:
        code, out, err = flow(capsys, "run", *SPECIFIED, "--url", server.url, "--json", "--fake-media")
        server.end()
    results = json.loads(out)

    assert (code, results["failed"]) == (0, []), err
    assert results["flows"] + len(results["left_out"]) == len(SPECIFIED)
    assert results["flows"] >= 20


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run"], "name the flows to perform"),
        (["run", "nothing.flow"], "nothing.flow cannot be read: No such file"),
        (["run", "."], "holds no .flow files"),
        (["run", "wrong.txt"], "wrong.txt:1: a line is"),
        (["run", "binary.txt"], "no text in UTF-8"),
        (["run", "good.txt", "--url", "localhost"], "write it as ws://localhost:5080"),
        (["run", "good.txt", "--timeout", "0"], "timeout"),
        (["import", "wrong.txt"], "no HTTP archive"),
        (["import", "call.har", "--output", "good.txt"], "exists already"),
        (["import", "call.har", "--output", "nowhere/call.flow"], "cannot be written"),
    ],
)
def test_a_mistake_is_told_and_leaves_with_2(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    told: str,
) -> None:
    """What the user can mend is said in a line or two, on stderr."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.txt").write_text(GOOD)
    (tmp_path / "wrong.txt").write_text("hello\n")
    (tmp_path / "binary.txt").write_bytes(b"\xff")
    (tmp_path / "call.har").write_text(HAR)
    code, out, err = flow(capsys, *arguments)

    assert (code, out) == (2, "")
    assert told in " ".join(err.split())
    assert "Traceback" not in err


def test_an_archive_becomes_a_flow(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Printed, or written to a file that does not exist yet; either can be performed."""
    (tmp_path / "call.har").write_text(HAR)
    code, out, _ = flow(capsys, "import", tmp_path / "call.har")
    target = tmp_path / "call.flow"

    assert (code, out) == (0, 'flow: Recorded in call.har\napp: live\n\nclient1 > "hello"\n')
    assert flow(capsys, "import", tmp_path / "call.har", "--output", target) == (0, "", "")
    assert target.read_text() == out
    assert flow(capsys, "run", target)[0] == 0
