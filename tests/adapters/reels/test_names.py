"""`signalreel_adapters.reels.names`."""

from pathlib import Path

from signalreel_adapters.reels.names import closed_name, closed_segments, written_name


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


def test_a_closed_segment_names_its_reel(tmp_path: Path) -> None:
    """By the number in its own name; a reel with a dot in its name is one of its own."""
    assert written_name(closed_name(tmp_path / "calls.reel", 7)) == tmp_path / "calls.reel"
    assert written_name(tmp_path / "calls.reel") is None
    assert written_name(tmp_path / "0.1.0.reel") is None
