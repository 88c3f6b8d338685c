"""`signalreel_adapters.cli.debug.fork`."""

import json
from pathlib import Path
from typing import Final

import pytest

from signalreel.commands import Publish
from signalreel.events import SessionOpened
from signalreel.record import decode_record
from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.reels.copying import write_reel
from tests.engine.world import World
from tests.reels.make import FOLDER

GOLDEN: Final = str(FOLDER / "0.1.0.reel")


def fork(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["fork", *arguments])
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


@pytest.fixture
def call(tmp_path: Path) -> Path:
    """A reel in which bob gets an id because alice has gone before."""
    world = World()
    world.open("alice-of-the-first-floor", "bob")
    world.publish("alice-of-the-first-floor", "s1")
    world.close("alice-of-the-first-floor")
    world.say("bob", Publish("s1"))
    return write_reel(tmp_path / "call.reel", world.reel())


def test_what_is_different_is_told(tmp_path: Path, call: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Record by record, then at the end; and the new reel replays as it says."""
    out = tmp_path / "what-if.reel"
    code, said, err = fork(capsys, str(call), "--at", "6", "--drop", "7", "-o", str(out))
    assert (code, err) == (0, "")
    assert said.splitlines() == [
        "      7 ->          SessionClosed  (dropped)",
        "    - stream s1 broadcasting -> finished",
        "      8 -> 7        publish  s1",
        "    - stream s1 idle -> preparing",
        "    - to bob start s1",
        "    + refused: streamIdInUse",
        "    + to bob error streamIdInUse",
        "",
        "at the end:",
        "    - stream s1  preparing",
        "    + stream s1  broadcasting",
        "",
        f"written to {out}",
    ]
    made = SqliteReel.read(out)
    parent = made.header.parent
    assert parent is not None
    assert parent.seq == 6
    assert len(made.header.id) == 32
    assert [replayed.divergence for replayed in Cursor(made)] == [None] * 7


def test_something_comes_later_and_something_is_put_in(
    tmp_path: Path, call: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of lines names sessions by their beginnings; JSON has everything."""
    lines = tmp_path / "carl.txt"
    lines.write_text("1.5s carl SessionOpened app=live\n1.6s carl publish streamId=s1\n", encoding="utf-8")
    out = tmp_path / "what-if.reel"
    arguments = ("--at", "6", "--delay", "7", "2s", "--delay", "8", "2500ms", "--insert", str(lines))
    code, said, _ = fork(capsys, str(call), *arguments, "-o", str(out), "--json")
    told = json.loads(said)
    assert code == 0
    assert (told["delayed"], told["inserted"], told["records"]) == ([7, 8], [7, 8], 10)
    records = [decode_record(entry.record) for entry in SqliteReel.read(out).entries()]
    assert [record.input for record in records[6:8]] == [SessionOpened("live"), Publish("s1")]
    assert [one["only_now"] for one in told["differences"] if one["now"] == 8] == [
        ["refused: streamIdInUse", "to carl error streamIdInUse"]
    ]


def test_without_a_change_nothing_is_different(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The golden reel goes on from its middle as it went."""
    code, said, _ = fork(capsys, GOLDEN, "--at", "80", "-o", str(tmp_path / "same.reel"))
    assert code == 0
    assert "every record causes what it caused" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--at", "9999"), "it cannot go on from 9999"),
        (("--at", "5", "--drop", "3"), "record 3 cannot be dropped: it is not among 6 to"),
        (("--at", "5", "--delay", "8", "soon"), "--delay 8 soon: give a time like 250ms, 2s, 1.5m"),
        (("--at", "5", "--insert", "/nowhere.txt"), "/nowhere.txt: cannot be read"),
        (("--at", "5", "--insert", GOLDEN), "it is no text in UTF-8"),
    ],
)
def test_what_can_be_mended_is_said(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one line without a traceback, and no file."""
    out = tmp_path / "x.reel"
    code, told, err = fork(capsys, GOLDEN, *arguments, "-o", str(out))
    assert (code, told) == (2, "")
    assert said in err
    assert not out.exists()
    assert "Traceback" not in err


def test_a_file_that_is_there_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No reel is written over another."""
    out = tmp_path / "x.reel"
    out.write_bytes(b"mine")
    code, _, err = fork(capsys, GOLDEN, "--at", "5", "-o", str(out))
    assert code == 2
    assert "exists already" in err
    assert out.read_bytes() == b"mine"
