"""`signalreel_adapters.reels.names`."""

from pathlib import Path

from signalreel_adapters.reels.names import closed_name, closed_segments


def test_closed_segments_are_found_by_their_numbers(tmp_path: Path) -> None:
    """In their order, and nothing else that has a similar name."""
    path = tmp_path / "calls.reel"
    for name in ("calls.000010.reel", "calls.000002.reel", "calls.reel", "calls.2.reel", "other.000001.reel"):
        (tmp_path / name).touch()

    assert closed_name(path, 7).name == "calls.000007.reel"
    assert [(number, file.name) for number, file in closed_segments(path)] == [
        (2, "calls.000002.reel"),
        (10, "calls.000010.reel"),
    ]
