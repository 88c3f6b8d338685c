"""`tools/lanes.py`: every test runs in one lane, and a lane that fails is not overlooked."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tools.lanes import TURNS, Lane, progress_of, run


def one_test(folder: Path, statement: str) -> str:
    """Write a test, and give its path."""
    path = folder / "test_of_a_lane.py"
    path.write_text(f"def test_it() -> None:\n    {statement}\n")
    return str(path)


@pytest.mark.parametrize(("statement", "passes"), [("assert 1 + 1 == 2", True), ("assert 1 + 1 == 3", False)])
def test_a_lane_that_fails_is_told_with_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], statement: str, passes: bool
) -> None:
    """Whole, and after it: lines of two lanes would stand between each other."""
    assert run([Lane("one", one_test(tmp_path, statement), "--rootdir", str(tmp_path), logs=tmp_path)]) is passes
    told = capsys.readouterr().out
    assert "=== lane one: 0 min" in told
    assert ("1 passed" if passes else "1 failed") in told


def test_a_lane_without_tests_is_a_mistake(tmp_path: Path) -> None:
    """A mark that nothing bears any more would otherwise look like success."""
    (tmp_path / "test_none.py").touch()
    assert run([Lane("none", str(tmp_path / "test_none.py"), "--rootdir", str(tmp_path), logs=tmp_path)]) is False


MARKED: Final = """
import pytest

def test_plain(): ...

@pytest.mark.browser
def test_browser(): ...

@pytest.mark.alone
def test_alone(): ...

@pytest.mark.browser
@pytest.mark.alone
def test_both(): ...
"""


def collected(folder: Path, *arguments: str) -> list[str]:
    """What pytest would run of the tests in a folder."""
    marks = ("-o", "markers=browser", "-o", "markers=alone", "-W", "ignore")
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--rootdir", str(folder), *marks, *arguments]
    quick = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    told = subprocess.run(command, cwd=folder, env=quick, capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if "::" in line]


def test_every_test_is_in_one_lane(tmp_path: Path) -> None:
    """Wherever it is and whatever its marks are: none is left out, and none runs twice."""
    for folder in ("tests/adapters/server", "tests/engine", "tests/e2e"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"test_{Path(folder).name}.py").write_text(MARKED)
    lanes = [collected(tmp_path, *arguments) for turn in TURNS for arguments in turn.values()]

    assert all(lanes)
    assert sorted(test for lane in lanes for test in lane) == sorted(collected(tmp_path))
    assert len(collected(tmp_path)) == 3 * 4


def test_progress_is_what_pytest_said_last() -> None:
    """At the end of a line, in percent."""
    assert progress_of("tests/a.py ..   [  5%]\ntests/b.py ...  [ 42%]\ntests/c.py .") == "42%"
    assert progress_of("collecting ...") == "0%"
