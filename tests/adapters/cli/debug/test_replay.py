"""`signalreel_adapters.cli.debug.replay`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from signalreel.commands import Publish
from signalreel.reel import MemoryReel
from signalreel.step import Outcome
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds, SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.reels.copying import write_reel
from signalreel_adapters.testing import ManualClock
from tests.adapters.calls import play, publish

pytestmark = pytest.mark.anyio


async def recorded(path: Path) -> SqliteReel:
    """Record a small call, the same every time."""
    async with Runtime(SqliteReel(path), media=FakeMedia(), ids=SeededIds(1), clock=ManualClock()) as runtime:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "s")
        await viewer.send(Publish(stream_id="s"))
        await viewer.expect("streamIdInUse")
        await play(viewer, "s")
        await publisher.close()
        await viewer.close()
    return SqliteReel.read(path)


def replay(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command; give exit code and stdout."""
    with pytest.raises(SystemExit) as left:
        main(["replay", *arguments])
    return int(left.value.code or 0), capsys.readouterr().out


async def test_a_whole_reel_is_told_and_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each record with what it caused, one line each; at the end whether it agrees."""
    reel = await recorded(tmp_path / "calls.reel")
    capsys.readouterr()
    code, out = replay(capsys, str(tmp_path / "calls.reel"))
    lines = [" ".join(line.split()) for line in out.splitlines()]

    assert code == 0
    assert lines[-1] == f"{reel.last_seq} outcomes agree, 0 records had none"
    assert lines[-2].startswith(f"{reel.last_seq} records, ")
    assert "stream s idle -> preparing" in lines
    assert any(line.endswith("publish s refused: streamIdInUse") for line in lines)
    assert any(line.endswith("error streamIdInUse") for line in lines)
    assert "v=0" not in out


async def test_json_has_the_agreed_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object: records, transitions, messages, digest, diverged_at; and how much could be compared."""
    reel = await recorded(tmp_path / "calls.reel")
    outcome = [entry.outcome for entry in reel.entries()][-1]
    capsys.readouterr()
    code, out = replay(capsys, str(tmp_path / "calls.reel"), "--json")
    summary = json.loads(out)

    assert code == 0
    assert list(summary) == ["records", "transitions", "messages", "digest", "diverged_at", "agreed", "unconcluded"]
    assert outcome is not None
    assert (summary["records"], summary["digest"]) == (reel.last_seq, outcome.digest.hex())
    assert (summary["diverged_at"], summary["agreed"], summary["unconcluded"]) == (None, reel.last_seq, 0)


def rewrite(path: Path, change: Callable[[int, Outcome], Outcome | None]) -> None:
    """Put another reel in the place of one, with the same records and other outcomes."""
    old = SqliteReel.read(path)
    new = MemoryReel(old.header)
    for entry in old.entries():
        new.append(entry.seq, entry.record)
        outcome = change(entry.seq, entry.outcome) if entry.outcome is not None else None
        if outcome is not None:
            new.conclude(entry.seq, outcome)
    path.unlink()
    write_reel(path, new)


async def test_a_divergence_is_told_and_leaves_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first record whose outcome differs is named, with both values (Contract 8)."""
    path = tmp_path / "calls.reel"
    reel = await recorded(path)
    rewrite(path, lambda seq, outcome: msgspec.structs.replace(outcome, digest=bytes(16)) if seq == 3 else outcome)
    capsys.readouterr()
    code, out = replay(capsys, str(path))
    json_code, json_out = replay(capsys, str(path), "--json")

    assert (code, json_code, json.loads(json_out)["diverged_at"]) == (1, 1, 3)
    assert f"recorded {'0' * 32}" in out
    assert out.splitlines()[-1].startswith("diverged: record 3")
    assert out.splitlines()[-2] == f"{reel.last_seq - 1} outcomes agree, 0 records had none, 1 differ"


async def test_records_without_an_outcome_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reel that lost its outcomes has nothing to diverge from, and that is said instead of agreement."""
    path = tmp_path / "calls.reel"
    reel = await recorded(path)
    rewrite(path, lambda seq, outcome: outcome if seq <= 2 else None)
    capsys.readouterr()
    code, out = replay(capsys, str(path))

    assert (code, out.splitlines()[-1]) == (0, f"2 outcomes agree, {reel.last_seq - 2} records had none")


async def test_an_empty_reel_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing recorded is nothing that could differ."""
    SqliteReel(tmp_path / "empty.reel").close()

    assert replay(capsys, str(tmp_path / "empty.reel"))[0] == 0


async def test_stepping_needs_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says so, and that it does not go with `--json`; nothing is printed."""
    await recorded(tmp_path / "calls.reel")
    capsys.readouterr()
    for options, told in ((["--step"], "needs a terminal"), (["--step", "--json"], "choose one")):
        with pytest.raises(SystemExit) as left:
            main(["replay", str(tmp_path / "calls.reel"), *options])
        out, err = capsys.readouterr()
        assert (left.value.code, out, told in err) == (2, "", True)


def test_the_stepper_is_loaded_only_when_asked_for() -> None:
    """The command line as a whole starts without Textual."""
    program = "import sys, signalreel_adapters.cli.main; print('textual' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert loaded.strip() == "False"


def test_a_missing_part_is_named() -> None:
    """Where Textual is not installed, the extra that has it is said, and no traceback."""
    program = (
        "import sys; sys.modules['textual'] = None\n"
        "from signalreel.reel import MemoryReel\n"
        "from signalreel_adapters.cli.debug.replay import stepper_of\n"
        "from signalreel_adapters.cli.mistakes import MissingExtra\n"
        "try: stepper_of(MemoryReel(), 'x')\n"
        "except MissingExtra as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert said.strip().endswith("pip install 'signalreel[cli]'")
