"""`signalreel_adapters.cli.debug.reading`."""

from pathlib import Path

import pytest

from signalreel.errors import ReelUnavailable
from signalreel_adapters.cli.debug.reading import open_reel, with_progress


def test_a_reel_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ReelUnavailable, match=r"calls\.reel does not exist"):
        open_reel(tmp_path / "calls.reel")


def test_progress_gives_everything_through(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is lost on the way, and nothing is written where no person looks."""
    assert list(with_progress(iter([1, 2, 3]), 3, "counting")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")
