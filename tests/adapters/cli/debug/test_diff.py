"""`signalreel_adapters.cli.debug.diff`."""

import json
from pathlib import Path

import pytest

from tests.adapters.cli.debug.localising import in_file, run
from tests.adapters.cli.debug.trees import changed_tree
from tests.engine.zoo import ZOO, planted, recorded

STALE, RETIRED = ZOO[0], ZOO[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two reels with the same call in them, and one with another."""
    folder = tmp_path / "reels"
    folder.mkdir()
    in_file(recorded(STALE, calls=3).reel, folder / "a.reel")
    in_file(recorded(STALE).reel, folder / "b.reel")
    in_file(recorded(RETIRED).reel, folder / "c.reel")
    return folder


def test_a_folder_is_grouped_by_cause(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for the rule, with the reels in which it shows; leaves with 1, and with 0 when nothing differs."""
    assert run(capsys, "diff", folder)[0] == 0
    with planted(STALE.name):
        code, told = run(capsys, "diff", folder, "--against", "recorded")
        _, printed = run(capsys, "diff", folder, "--json")
    assert code == 1
    assert f"{STALE.rule}: transitions, 2 times in " in told
    assert "+ pair live/desk: offered -> connected" in told
    groups = json.loads(printed)["groups"]
    assert [group["times"] for group in groups if group["rule"] == STALE.rule] == [2]


def test_what_is_accepted_is_known_from_then_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A baseline makes known causes leave with 0; a new one leaves with 1."""
    baseline = tmp_path / "known.json"
    with planted(STALE.name):
        assert run(capsys, "diff", folder, "--accept", baseline)[0] == 1
        code, told = run(capsys, "diff", folder, "--baseline", baseline)
        assert code == 0
        assert "(known)" in told
    with planted(RETIRED.name):
        assert run(capsys, "diff", folder, "--baseline", baseline)[0] == 1
    code, told = run(capsys, "diff", folder, "--accept", tmp_path)
    assert (code, "cannot be written: Is a directory" in told) == (2, True)
    baseline.write_text("[")
    code, told = run(capsys, "diff", folder, "--baseline", baseline)
    assert (code, "is no baseline" in told) == (2, True)


def test_another_code_and_another_reel(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What each side alone gives is told; a reel is compared record by record."""
    code, told = run(capsys, "diff", folder / "b.reel", "--against", changed_tree(tmp_path))
    assert code == 1
    assert "- pair live/desk: offered -> connected" in told
    code, told = run(capsys, "diff", folder / "a.reel", "--against", folder / "b.reel")
    assert code == 1
    assert "the other reel has" in told
    assert "the states after the last record differ" in told
    assert run(capsys, "diff", folder / "a.reel", "--against", folder / "a.reel")[0] == 0


def test_what_cannot_be_looked_at_is_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One bad file of many is named and the others are looked at; what is nothing at all leaves with 2."""
    (folder / "d.reel").write_bytes(b"no reel at all")
    code, told = run(capsys, "diff", folder)
    assert code == 1
    assert "d.reel could not be looked at" in told
    assert "3 reels" in told
    for arguments in (
        (),
        (tmp_path / "empty",),
        (folder / "d.reel",),
        (folder, "--against", "nothing"),
        (folder / "a.reel", "--against", tmp_path),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        assert run(capsys, "diff", *arguments)[0] == 2
