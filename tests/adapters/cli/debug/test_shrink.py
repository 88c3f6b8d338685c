"""`signalreel_adapters.cli.debug.shrink`."""

import json
import shutil
from pathlib import Path
from runpy import run_path
from typing import Final

import pytest

from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.reels.copying import write_reel
from tests.engine.segments import segment_of
from tests.reels.make import FOLDER
from tests.repository import ROOT

GOLDEN: Final = str(FOLDER / "0.1.0.reel")


def shrink(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["shrink", *arguments])
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


def test_what_is_left_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The records in a readable form, how many there are, and a file whose test fails while it goes wrong."""
    file = tmp_path / "test_bug.py"
    code, out, err = shrink(capsys, GOLDEN, "--if", 'sent("publish_started")', "-o", str(file))
    assert (code, err) == (0, "")
    assert out.splitlines()[-2].startswith("5 of ")
    assert "to session-1 start stream-1" in out
    test = run_path(str(file))["test_media_connected_while_the_stream_is_connecting"]
    with pytest.raises(AssertionError, match="record 5"):
        test()


def test_what_is_left_is_a_reel_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It replays to what it says, and holds no name of the original."""
    out = tmp_path / "bug.reel"
    code, _, _ = shrink(capsys, GOLDEN, "--fails", 'sent("publish_started")', "--reel-out", str(out))
    replayed = list(Cursor(SqliteReel.read(out)))
    assert code == 0
    assert [one.divergence for one in replayed] == [None] * 5
    assert {one.step.record.session for one in replayed} == {"", "session-1"}


def test_a_segment_is_shrunk_with_what_it_needs_of_its_seam(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The test begins with the state that the failure needs, and the reel has that state at its own seam."""
    whole = SqliteReel.read(shutil.copy(GOLDEN, tmp_path))
    lost = next(entry.seq for entry in whole.entries() if b"MediaLost" in entry.record)
    segment = write_reel(tmp_path / "segment.reel", segment_of(whole, lost - 1))
    file, out = tmp_path / "test_bug.py", tmp_path / "bug.reel"
    code, said, _ = shrink(
        capsys, str(segment), "--fails", 'sent("publish_finished")', "-o", str(file), "--reel-out", str(out)
    )
    replayed = list(Cursor(SqliteReel.read(out)))
    assert (code, [one.divergence for one in replayed]) == (0, [None])
    assert replayed[0].step.transitions[0].machine.id == "stream-1"
    assert f"1 of {whole.last_seq - lost + 1} records" in said
    with pytest.raises(AssertionError, match=f"record {lost}"):
        run_path(str(file))["test_media_lost_while_the_stream_is_broadcasting"]()


def test_json_has_the_agreed_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """One object, with the test in it."""
    code, out, _ = shrink(capsys, GOLDEN, "--fails", 'refused == "streamIdInUse"', "--json")
    left = json.loads(out)
    assert code == 0
    assert set(left) == {"records", "before", "failed_at", "fails", "test", "output", "tries"}
    assert left["records"] == 4
    assert left["test"].startswith('"""What `signalreel shrink` left of')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((GOLDEN, "--fails", "invariant:room-list"), "nothing to shrink: on none of the"),
        ((GOLDEN, "--fails", "invariant:happiness"), "there is no invariant 'happiness'; there are one-owner"),
        ((GOLDEN, "--fails", "sing()"), "--fails: the expression cannot be used"),
        ((GOLDEN, "--fails", "diverges"), "has no recorded outcome to diverge from"),
        ((GOLDEN, "--fails", "seq", "--against", "/nowhere"), "go together"),
        ((GOLDEN, "--fails", "diverges", "--against", "/nowhere"), "is no source tree"),
        (("/nowhere.reel", "--fails", "seq"), "/nowhere.reel"),
        ((GOLDEN, "--fails", "seq > 3", "-o", "/nowhere/test_bug.py"), "cannot be written"),
    ],
)
def test_what_can_be_mended_is_said(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2 and one line without a traceback."""
    code, out, err = shrink(capsys, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


def test_another_code_says_what_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy of the code that greets a second peer twice diverges; what is left shows just that, and holds it right."""
    tree = tmp_path / "other"
    shutil.copytree(ROOT / "engine", tree / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    source = tree / "engine" / "signalreel" / "machines" / "pair.py"
    right = "context.send(pair.sessions[0], Start(pair.id))"
    source.write_text(source.read_text(encoding="utf-8").replace(right, right + "\n        " + right), encoding="utf-8")
    file = tmp_path / "test_bug.py"
    code, out, err = shrink(capsys, GOLDEN, "--fails", "diverges", "--against", str(tree), "-o", str(file))
    assert (code, err) == (0, "")
    assert "4 of " in out.splitlines()[-2]
    test = run_path(str(file))["test_join_while_the_pair_is_waiting"]
    with pytest.raises(AssertionError):
        test()
