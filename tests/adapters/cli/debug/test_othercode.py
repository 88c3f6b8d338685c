"""`signalreel_adapters.cli.debug.othercode`: a copy of the source tree, changed or broken, in a process of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from signalreel.debug import bisect_against, given_by, state_of
from signalreel.replay import Cursor
from signalreel_adapters.cli.debug.othercode import OtherCodeProcess, is_code
from signalreel_adapters.cli.mistakes import Mistake
from tests.adapters.cli.debug.trees import changed_tree, tree
from tests.engine.zoo import ZOO, recorded

REEL = recorded(ZOO[0], calls=12).reel


def test_the_same_code_gives_the_same(tmp_path: Path) -> None:
    """Every record, the rows that fired and the state at the end, over more than one question and from a pipe."""
    with OtherCodeProcess(tree(tmp_path)) as other:
        theirs = list(other.steps(REEL))
        cursor = Cursor(REEL)
        ours = [given_by(replayed.step) for replayed in cursor]
        assert theirs == ours
        assert other.state(REEL.last_seq) == state_of(cursor.engine)
        assert other.state(REEL.last_seq + 1) is None
        assert list(other.steps(REEL)) == ours
    assert other.state(1) is None


def test_code_that_differs_is_found_with_both_sides(tmp_path: Path) -> None:
    """The exact record, both rules, and where the states are different afterwards."""
    bug, found = ZOO[0], recorded(ZOO[0])
    with OtherCodeProcess(changed_tree(tmp_path)) as other:
        finding = bisect_against(found.reel, other).found
    assert finding is not None
    assert (finding.seq, finding.their_rule) == (found.seq, bug.rule)
    assert ("pair", "live/desk", "state") in {change.path for change in finding.state}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.write_text("raise ValueError('no luck')"), "no luck"),
        (lambda file: file.write_text("def"), "SyntaxError"),
        (lambda file: file.write_text("import os; os._exit(3)"), "it said nothing"),
        (lambda file: file.write_text("import sys; sys.stdout.buffer.write(b'x' * 9)"), "cannot apply this reel"),
    ],
)
def test_code_that_fails_is_told_without_a_traceback(tmp_path: Path, change: Callable[[Path], int], said: str) -> None:
    """The last line that it said is in the message."""
    folder = tree(tmp_path)
    change(folder / "engine" / "signalreel" / "replay.py")
    with OtherCodeProcess(folder) as other, pytest.raises(Mistake, match=said):
        list(other.steps(REEL))


def test_code_that_hangs_is_stopped(tmp_path: Path) -> None:
    """It is waited for no longer than is said."""
    folder = tree(tmp_path)
    (folder / "engine" / "signalreel" / "replay.py").write_text("while True: pass")
    with OtherCodeProcess(folder, answer_s=0.2) as other, pytest.raises(Mistake, match=r"did not answer for 0\.2 s"):
        list(other.steps(REEL))


def test_a_folder_without_code_is_refused(tmp_path: Path) -> None:
    """What is looked for is named; code that lacks the package is noticed in the child as well."""
    assert not is_code(tmp_path)
    with pytest.raises(Mistake, match=r"holds no engine/signalreel/engine\.py"):
        OtherCodeProcess(tmp_path)


def test_an_answer_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    """Whatever the other side sends is data that is checked."""
    folder = tree(tmp_path)
    file = folder / "engine" / "signalreel" / "messages.py"
    file.write_text(file.read_text().replace("return _encoder.encode(message)", "return 7"))
    with OtherCodeProcess(folder) as other, pytest.raises(Mistake, match="answers what cannot be read"):
        list(other.steps(REEL))


def test_an_older_code_gets_a_header_that_it_knows(tmp_path: Path) -> None:
    """A tree without the module of the header is given settings and time alone."""
    folder = tree(tmp_path)
    shutil.copy(folder / "engine" / "signalreel" / "header.py", folder / "engine" / "signalreel" / "heading.py")
    for file in (folder / "engine" / "signalreel").rglob("*.py"):
        file.write_text(file.read_text().replace("signalreel.header", "signalreel.heading"))
    (folder / "engine" / "signalreel" / "header.py").unlink()
    with OtherCodeProcess(folder) as other:
        assert list(other.steps(REEL)) == [given_by(replayed.step) for replayed in Cursor(REEL)]
