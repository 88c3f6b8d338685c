"""`signalreel_adapters.cli.debug.show`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from signalreel.commands import Publish
from signalreel.header import Header, Parent
from signalreel.notes import Closed, Note
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds, SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.cli.debug import show as module
from signalreel_adapters.testing import ManualClock
from tests.reels.make import FOLDER


@pytest.fixture
def golden(tmp_path: Path) -> str:
    """A copy of a golden reel."""
    return str(shutil.copy(FOLDER / "0.1.0.reel", tmp_path))


def show(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["reel", "show", *arguments])
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def test_it_shows_the_chosen_records_and_what_they_caused(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each record, below it the transitions and messages, and nothing that may not be shown."""
    code, out, _ = show(capsys, golden, "--stream", "call")
    lines = [" ".join(line.split()) for line in out.splitlines()]

    assert code == 0
    assert lines[0].startswith("reel (without an id), records 1 to 158, time 0 is 2026-")
    assert "pair call empty -> waiting" in lines
    assert any(line.endswith("join call refused: NoSpaceForNewPeer") for line in lines)
    assert not any("cam" in line for line in lines)
    _, everything, _ = show(capsys, golden)
    assert "v=0" not in everything
    assert "192.0.2.1" not in everything


def test_json_is_one_object(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The records are told as data under one key; when none is chosen it is empty."""
    code, out, _ = show(capsys, golden, "--refused", "--json")
    records = json.loads(out)["records"]

    assert code == 0
    assert records
    assert all(record["refused"] for record in records)
    assert json.loads(show(capsys, golden, "--stream", "absent", "--json")[1]) == {"records": []}


def test_notes_stand_beside_their_records(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Below the record that they belong to; and the header says what the reel goes on after."""
    reel = MemoryReel(Header(Settings(), id="mine", started_at=1 << 62, parent=Parent("first", 7)))
    source = SqliteReel.read(FOLDER / "0.1.0.reel")
    for entry in list(source.entries())[:3]:
        reel.append(entry.seq, entry.record)
    reel.note(Note(2, 5, "somebody-else", Closed(1006, "gone")))
    monkeypatch.setattr(module, "open_reel", lambda _: reel)
    _, out, _ = show(capsys, "any.reel")
    lines = [" ".join(line.split()) for line in out.splitlines()]

    assert lines[0].startswith("reel mine, records 1 to 3, time 0 is no date that there is")
    assert lines[0].endswith("goes on after record 7 of first")
    second = next(place for place, line in enumerate(lines) if line.startswith("2 "))
    assert lines[second + 1] == "note somebody closed with 1006 (gone)"
    assert json.loads(show(capsys, "any.reel", "--json")[1])["records"][1]["notes"][0]["what"].startswith("closed")
    assert "closed with" not in show(capsys, "any.reel", "--session", lines[second].split()[2])[1]


def test_following_and_one_object_do_not_go_together(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a mistake that says why."""
    code, _, err = show(capsys, golden, "--follow", "--json")

    assert code == 2
    assert "prints one object when it is whole" in err


@pytest.mark.anyio
async def test_a_reel_that_is_written_is_followed(tmp_path: Path) -> None:
    """What a server writes while one looks is shown as it comes."""
    path = tmp_path / "live.reel"
    async with Runtime(SqliteReel(path), media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
        client = MemoryClient(runtime)
        await client.send(Publish(stream_id="first"))
        await client.flush()
        command = [sys.executable, "-m", "signalreel_adapters.cli", "reel", "show", str(path), "--follow"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:  # noqa: ASYNC220 - a reader
            assert following.stdout is not None
            try:
                assert any("publish  first" in line for line in following.stdout)
                await client.send(Publish(stream_id="second"))
                await client.flush()
                assert any("publish  second" in line for line in following.stdout)
            finally:
                following.kill()


def test_what_chooses_nothing_is_said(golden: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No record at all is said to be so, and a time that is none is a mistake."""
    code, _, err = show(capsys, golden, "--stream", "absent")
    assert (code, err) == (0, "no record is chosen by this\n")
    for option, value in (("--from", "nan"), ("--to", "inf")):
        code, _, err = show(capsys, golden, option, value)
        assert (code, "take seconds since the reel began" in err) == (2, True)
