"""`signalreel_adapters.cli.debug.bundle`."""

import json
import platform
import zipfile
from pathlib import Path

import msgspec
import pytest

from signalreel.reel import MemoryReel
from signalreel_adapters.cli import main
from signalreel_adapters.cli.debug.bundle import REELS_MAX, replay_of
from signalreel_adapters.reels.copying import write_reel
from tests.engine.debug.canaries import canaries_in, planted_reel
from tests.engine.debug.dumped import recorded


def bundle(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["bundle", *map(str, arguments)])
    out, err = capsys.readouterr()
    return int(left.value.code or 0), out, err


def test_all_that_a_report_needs_and_nothing_of_anybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reels, the versions, what replaying gives and a page; no canary, no path and no name of this machine."""
    sources = [write_reel(tmp_path / "a.reel", recorded()), write_reel(tmp_path / "b.reel", planted_reel())]
    output = tmp_path / "report.zip"
    code, out, _ = bundle(capsys, *sources, "-o", output)
    with zipfile.ZipFile(output) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    assert code == 0
    assert sorted(parts) == ["1.reel", "2.reel", "README.md", "replay.json", "versions.json"]
    assert output.stat().st_mode & 0o777 == 0o600
    assert [name for name, data in parts.items() if canaries_in(data)] == []
    for secret in (str(tmp_path), tmp_path.name, platform.node()):
        is_long = len(secret) > 5  # A short name of a machine can stand in a tag by chance.
        assert [name for name, data in parts.items() if is_long and secret.encode() in data] == []
    told = json.loads(parts["replay.json"])["reels"]
    assert [(one["file"], one["diverged_at"], one["differences"]) for one in told] == [
        *(("1.reel", None, 0), ("2.reel", None, 0)),
    ]
    assert {"msgspec", "sqlite"} <= json.loads(parts["versions.json"]).keys()
    assert "## 1.reel" in parts["README.md"].decode()
    assert "27 outcomes agree" in out


def test_the_same_reels_with_the_same_key_are_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that a bundle can be made again and compared."""
    source = write_reel(tmp_path / "a.reel", recorded())
    key = tmp_path / "key"
    key.write_bytes(bytes(32))
    for name in ("one.zip", "two.zip"):
        assert bundle(capsys, source, "-o", tmp_path / name, "--key-file", key, "--stream", "cut", "--json")[0] == 0

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_fault_that_was_recorded_is_told() -> None:
    """The page says at which record the reel first differs from what this code gives."""
    reel = MemoryReel(recorded().header)
    for entry in recorded().entries():
        assert entry.outcome is not None
        reel.append(entry.seq, entry.record)
        if entry.seq < recorded().last_seq:
            changed = msgspec.structs.replace(entry.outcome, digest=bytes(16))
            reel.conclude(entry.seq, changed if entry.seq == 7 else entry.outcome)
    told = replay_of(reel, "1.reel")

    assert (told.diverged_at, told.diverged_in, told.unconcluded) == (7, "digest", 1)
    assert replay_of(MemoryReel(), "2.reel").records == 0


def test_what_cannot_be_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No reels, too many, or a file that is there: exit code 2 and a sentence, and nothing is written over."""
    source = write_reel(tmp_path / "a.reel", recorded())
    cases: tuple[tuple[tuple[str | Path, ...], str], ...] = (
        (("-o", tmp_path / "x.zip"), "name the reels"),
        ((*[source] * (REELS_MAX + 1), "-o", tmp_path / "x.zip"), "at most"),
        ((source, "-o", source), "already"),
        ((source, "-o", tmp_path / "none" / "x.zip"), "cannot be written"),
    )
    for arguments, why in cases:
        code, out, err = bundle(capsys, *arguments)
        assert (code, out, why in err) == (2, "", True), err
