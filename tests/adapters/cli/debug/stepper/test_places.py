"""`signalreel_adapters.cli.debug.stepper.places`."""

from pathlib import Path

import pytest

from signalreel_adapters.cli.debug.stepper.places import place_in
from signalreel_adapters.cli.mistakes import Mistake
from tests.adapters.cli.debug.stepper.golden import explored


def test_records_distances_and_times(tmp_path: Path) -> None:
    """Whatever can be typed leads to a record that there is."""
    walk = explored(tmp_path)
    walk.go(50)
    wanted = {"12": 12, " +5": 55, "-5": 45, "start": 1, "END": 158, "99999": 158, "+99999": 158, "-99999": 0, "0s": 1}

    assert {text: place_in(walk, text) for text in wanted} == wanted
    assert {place_in(walk, text) for text in ("1.5s", "0:01.5", "0:00:01.5")} == {walk.at_time(1_500_000)}


@pytest.mark.parametrize("text", ["", "twelve", "1e9", "--4", "5m", "1:2:3:4", "9" * 40])
def test_what_is_no_place_is_a_mistake(tmp_path: Path, text: str) -> None:
    """It says what can be typed."""
    with pytest.raises(Mistake, match="say a record"):
        place_in(explored(tmp_path), text)
