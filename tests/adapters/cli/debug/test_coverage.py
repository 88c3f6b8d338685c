"""`signalreel_adapters.cli.debug.coverage`."""

import json
from pathlib import Path
from typing import Final

import pytest

from signalreel_adapters.cli import main
from tests.repository import ROOT

REELS: Final = ROOT / "tests" / "reels"


def run(*arguments: str) -> int:
    """Run the command; give its exit code."""
    with pytest.raises(SystemExit) as left:
        main(["coverage", *arguments])
    return int(left.value.code or 0)


def test_shares_are_printed_and_every_table_is_in_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each kind of machine; the page says where it is on stderr."""
    page = tmp_path / "coverage.html"
    code = run(str(REELS / "0.1.0.reel"), "-o", str(page))
    said = capsys.readouterr()

    assert code == 0
    assert [line.split()[0] for line in said.out.splitlines()] == ["machine", "stream", "playback", "pair", "room"]
    assert page.read_text(encoding="utf-8").count("<h2>") == 4
    assert str(page) in said.err


def test_a_folder_gives_the_reels_in_it_and_json_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """What tests have written counts as theirs; a cell's counts are those of its rows."""
    code = run("--tests", str(REELS), "--json")
    said = json.loads(capsys.readouterr().out)

    assert code == 0
    assert set(said) == {"reels", "records", "kinds", "cells"}
    assert said["reels"] == {"production": 0, "tests": len(list(REELS.glob("*.reel"))), "simulation": 0}
    assert said["kinds"]["stream"]["seen"]["tests"] > 0
    assert all(cell["counts"]["tests"] == sum(row["counts"]["tests"] for row in cell["rows"]) for cell in said["cells"])


def test_mistakes_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No reel, a file that is none, a place that cannot be written."""
    (tmp_path / "no.reel").write_text("nothing")
    codes = [
        run(),
        run(str(tmp_path / "no.reel")),
        run(str(REELS), "-o", str(tmp_path)),
    ]

    assert codes == [2, 2, 2]
    assert "Traceback" not in capsys.readouterr().err
