"""`signalreel_adapters.cli.debug.findings`."""

import pytest

from signalreel.debug import Change
from signalreel_adapters.cli.debug.findings import lines_of_change, print_lines


def test_changes_are_told_by_path() -> None:
    """What was nothing before, or is nothing after, is said so; of many the first are told."""
    lines = list(lines_of_change((Change(("stream", "live/s1", "state"), "idle", "preparing"), Change(("pair",), 1))))

    assert lines == ["    stream.live/s1.state: 'idle' -> 'preparing'", "    pair: 1 -> nothing"]
    assert list(lines_of_change((Change(("x",), after=0),) * 30))[-1] == "    ... 10 more; `--json` has them"


def test_nothing_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """A client's text is printed escaped."""
    print_lines(iter(["a\x1b[2J"]))

    assert capsys.readouterr().out == "'a\\x1b[2J'\n"
