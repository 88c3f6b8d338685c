"""The test that is written of a failure: it fails with each bug of the zoo and passes without, and is laid out well."""

import subprocess
import sys
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory

import pytest

from signalreel.debug.failing import Breaks
from signalreel.debug.shrink import shrink
from signalreel.debug.written import written_test
from tests.engine.debug.test_shrink import SAID, shrunk, shrunk_at_seam
from tests.engine.zoo import ZOO, Bug, planted, recorded

WRITTEN = [*((bug, what) for bug in ZOO for what in ("differs", "seam")), *((bug, "condition") for bug in SAID)]


def shown(value: object) -> str:
    """Show a parametrised bug, and what it is found by."""
    return value.name if isinstance(value, Bug) else str(value)


def text_for(bug: Bug, what: str) -> str:
    """Write the test of a bug, by a code that has it."""
    found = shrunk_at_seam(bug) if what == "seam" else shrunk(bug, what)
    with planted(bug.name):
        return written_test(found)


def run(text: str) -> None:
    """Do what pytest does with a file: run it, then every test in it."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "test_bug.py")
        file.write_text(text, encoding="utf-8")
        names = run_path(str(file))
    tests = [test for name, test in names.items() if name.startswith("test_") and callable(test)]
    assert len(tests) == 1
    for test in tests:
        test()


@pytest.mark.parametrize(("bug", "what"), WRITTEN, ids=shown)
def test_it_fails_with_the_bug_and_passes_without(bug: Bug, what: str) -> None:
    """By either kind of check, from nothing or from a seam, the test tells the code with the bug from that without."""
    text = text_for(bug, what)
    run(text)
    with planted(bug.name), pytest.raises(AssertionError):
        run(text)


def test_it_holds_an_invariant() -> None:
    """A broken invariant is asked for by its name, with its sentence in the docstring."""
    bug = ZOO[2]
    with planted(bug.name):
        text = written_test(shrink(recorded(bug).reel, Breaks("pair-of-two")))
        with pytest.raises(AssertionError):
            run(text)
    run(text)
    assert "def test_pair_of_two() -> None:" in text
    assert "A pair has at most two peers" in text


def test_it_is_laid_out_as_ruff_would() -> None:
    """Neither the formatter nor the linter has anything to change; a long expression stays in one piece."""
    texts = [text_for(bug, what) for bug, what in WRITTEN]
    for width in ("88", "120"):
        for text in texts:
            command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "--line-length", width, "-"]
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, "")
    rules = ["--line-length", "120", "--select", "E,F,I,W,D,B,UP,PT", "--ignore", "D203,D213,E501"]
    for text in texts:
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", *rules, "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "All checks passed!\n")


def test_it_says_what_goes_wrong_and_by_which_rule() -> None:
    """The docstring names the rule that decides the last record, and the one that should; only we are imported."""
    text = text_for(ZOO[0], "differs")
    assert "* pair offered x takeConfiguration row 5: relay_answer" in text
    assert "* pair offered x takeConfiguration row 6: count_answer" in text
    imports = [line for line in text.splitlines() if line.startswith(("from ", "import "))]
    assert [line for line in imports if not line.startswith("from signalreel")] == []
    assert text == text_for(ZOO[0], "differs")
