"""`signalreel_adapters.cli.debug.stepper.panes`."""

from pathlib import Path

from msgspec.structs import replace

from signalreel.errors import Divergence
from signalreel.notes import Closed, Note
from signalreel_adapters.cli.debug.stepper.panes import changes_told, notes_told, step_told, value_told
from tests.adapters.cli.debug.stepper.golden import explored


def test_a_step_is_told_whole(tmp_path: Path) -> None:
    """Input, rows that fired, transitions, messages; a refusal and a divergence when there are."""
    walk = explored(tmp_path)
    seen = walk.go(7)
    assert seen is not None
    told = step_told(seen).plain
    diverged = replace(seen, divergence=Divergence(7, "digest", "aa", "bb", "publish"))

    assert [line.split()[0] for line in told.splitlines()] == ["publish", "row", "move", "sent"]
    assert "move stream cam  idle → preparing" in told
    assert "DIVERGED in its digest\n  recorded aa\n  now      bb" in step_told(diverged).plain
    assert f"refused: {walk.refused[6]}" in step_told(walk.go(6)).plain


def test_no_description_is_told_of_any_record(tmp_path: Path) -> None:
    """Neither in what it did nor in what it changed, which says before and after."""
    walk = explored(tmp_path)
    seen = [walk.go(seq) for seq in range(1, walk.last + 1)]
    told = "".join(f"{step_told(each).plain}{changes_told(each).plain}" for each in seen)

    assert not any(secret in told for secret in ("v=0", "candidate:", "a=ice"))
    assert all(change in told for change in ("  + ", "  - ", "preparing → negotiating"))


def test_notes_are_told_or_said_to_be_none(tmp_path: Path) -> None:
    """With the time and the session of each."""
    seen = explored(tmp_path).go(3)
    assert seen is not None
    noted = replace(seen, notes=(Note(3, 1_000_000, "abcdefghijk", Closed(1006, "gone", "client")),))

    told = " ".join(notes_told(noted).plain.split())
    assert told == "1.000000 abcdefgh closed with 1006 (gone) by the client"
    assert "Nothing was noted" in notes_told(replace(seen, notes=())).plain


def test_before_everything_there_is_nothing_to_tell() -> None:
    """That is said."""
    assert "Before the first record" in step_told(None).plain
    assert "Before the first record" in changes_told(None).plain


def test_values_are_told_in_one_line() -> None:
    """Of what has fields those that say something; nothing that moves a terminal's cursor."""
    assert value_told({"a": 1, "b": "", "c": False, "d": {"e": "x"}}) == "a 1  c false  d e x"
    assert "\x1b" not in value_told("\x1b[2J")
