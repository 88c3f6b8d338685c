"""`signalreel_adapters.cli.debug.reading`."""

from pathlib import Path

import pytest

from signalreel.errors import ReelUnavailable
from signalreel_adapters.cli.debug.reading import open_reel, reels_in, with_progress
from signalreel_adapters.cli.mistakes import Mistake


def test_a_reel_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ReelUnavailable, match=r"calls\.reel does not exist"):
        open_reel(tmp_path / "calls.reel")


def test_progress_gives_everything_through(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost on the way, and nothing is written where no person looks."""
    assert list(with_progress(iter([1, 2, 3]), 3, "counting")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_a_folder_gives_each_of_its_reels_once(tmp_path: Path) -> None:
    """A closed segment is read with the reel beside it, and alone when that one is not there."""
    for name in ("calls.000001.reel", "calls.reel", "lost.000003.reel", "other.txt"):
        (tmp_path / name).touch()
    named = tmp_path / "calls.000001.reel"
    (tmp_path / "empty").mkdir()

    assert reels_in([tmp_path, named]) == [tmp_path / "calls.reel", tmp_path / "lost.000003.reel", named]
    with pytest.raises(Mistake, match="there is no reel in"):
        reels_in([tmp_path / "empty"])
