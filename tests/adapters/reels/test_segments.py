"""`signalreel_adapters.reels.segments`."""

import os
from pathlib import Path

import pytest

from signalreel.header import Header
from signalreel.settings import Settings
from signalreel_adapters.reels.disk import DISK
from signalreel_adapters.reels.names import closed_name, closed_segments, next_name
from signalreel_adapters.reels.opening import make_file, make_next
from signalreel_adapters.reels.reading import Seam, read_ends
from signalreel_adapters.reels.segments import Rolling, heal, retain

FIRST = Header(Settings(), id="first")
SECOND = Header(Settings(), id="second")


@pytest.mark.parametrize("cut_short", ["before the first name", "between the names", "with the new one torn"])
def test_a_roll_that_was_cut_short_is_taken_to_an_end(tmp_path: Path, cut_short: str) -> None:
    """Wherever a crash was, one look at the names tells what is to be done, and one file has the reel's name."""
    path = tmp_path / "calls.reel"
    make_file(path, FIRST, None, DISK)
    make_next(path, SECOND, Seam(2, 7, b"state"), DISK)
    if cut_short != "before the first name":
        path.rename(closed_name(path, 1))
    if cut_short == "with the new one torn":
        next_name(path).write_bytes(next_name(path).read_bytes()[:100])
    heal(path, DISK)
    heal(path, DISK)

    went_on = cut_short == "between the names"
    assert read_ends(path).header.id == ("second" if went_on else "first")
    assert {file.name for file in tmp_path.iterdir()} == (
        {"calls.reel", "calls.000001.reel"} if went_on else {"calls.reel"}
    )


def test_a_reel_that_was_taken_away_is_not_brought_back(tmp_path: Path) -> None:
    """Only a roll leaves a segment to come; without one, a missing reel is missing because somebody moved it."""
    path = tmp_path / "calls.reel"
    make_file(closed_name(path, 1), FIRST, None, DISK)
    heal(path, DISK)

    assert not path.exists()


@pytest.mark.parametrize(
    ("rolling", "kept"),
    [
        (Rolling(keep_bytes_max=0), [1, 2, 3, 4]),
        (Rolling(keep_segments_max=3), [2, 3, 4]),
        (Rolling(keep_age_s_max=250), [3, 4]),
        (Rolling(keep_bytes_max=1_500), [4]),
        (Rolling(keep_segments_max=3, keep_age_s_max=250), [3, 4]),
    ],
)
def test_only_so_many_are_kept(tmp_path: Path, rolling: Rolling, kept: list[int]) -> None:
    """The oldest go first, by number, age or size, whichever asks for most; the written one always stays."""
    path = tmp_path / "calls.reel"
    path.write_bytes(bytes(5_000))
    for number in range(1, 5):
        file = closed_name(path, number)
        file.write_bytes(bytes(1_000))
        os.utime(file, (number * 100, number * 100))
    removed = list(retain(path, rolling, 500.0, DISK))

    assert [number for number, _ in closed_segments(path)] == kept
    assert [file.name for file in removed] == [closed_name(path, n).name for n in range(1, 5) if n not in kept]
    assert path.exists()
