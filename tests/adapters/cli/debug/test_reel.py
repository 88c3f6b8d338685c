"""`signalreel_adapters.cli.debug.reel`."""

import pytest

from signalreel_adapters.cli import main


def test_the_group_says_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    """Its commands are listed with a line each."""
    with pytest.raises(SystemExit) as left:
        main(["reel", "--help"])

    assert not left.value.code
    shown = capsys.readouterr().out
    assert "verify" in shown
    assert "show" in shown
