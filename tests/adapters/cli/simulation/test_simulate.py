"""`signalreel simulate`: what it prints, keeps and leaves with."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from signalreel.replay import Cursor
from signalreel.simulation.swarm import Draw, Result, run_seed
from signalreel_adapters import SqliteReel
from signalreel_adapters.cli import main
from signalreel_adapters.cli.simulation import session
from tests.engine.zoo import planted

AGREED = {"seeds", "violations", "inputs", "inputs_per_s", "faults", "failing_seeds"}


def simulate(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """Run the command in this process; give exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as left:
        main(["simulate", *map(str, arguments)])
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


@pytest.mark.parametrize("seeds", ["1000..1299"])
def test_a_swarm_holds(
    seeds: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three hundred drawn deployments break nothing, and reach nearly everything that should happen sometimes."""
    monkeypatch.chdir(tmp_path)
    code, out, err = simulate(capsys, "--seeds", seeds, "--jobs", "2", "--json")
    figures = json.loads(out)

    assert (code, err, figures["failing_seeds"]) == (0, "", [])
    assert set(figures) > AGREED
    assert (figures["seeds"], figures["violations"]) == (300, 0)
    assert figures["never_injected"] == []
    assert len(figures["never_reached"]) <= 3
    assert list(tmp_path.iterdir()) == []


def test_a_bug_is_found_told_kept_and_seen_to_be_mended(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The invariant with its reference, the seed, one command, the shrunk reel with its diagram; then --failing."""
    folder = tmp_path / "kept"
    with planted("an id stuck after close"):
        code, out, _ = simulate(capsys, "--seeds", "4", "--keep", folder)
        lines = out.splitlines()
        assert code == 1
        assert "seed 4 breaks nothing-outlives-its-owner (" in out
        assert "  again     signalreel simulate --seeds 4..4" in lines
        shrunk = folder / "seed-4-shrunk.reel"
        (told,) = (line for line in lines if line.startswith(f"  shrunk    {shrunk} ("))
        assert f"  diagram   {folder / 'seed-4-shrunk.svg'}" in lines
        left = list(Cursor(SqliteReel.read(shrunk)))
        assert told.endswith(f"({len(left)} records)")
        assert len(left) <= 12
        assert "SessionOpened" in out.partition("diagram")[2]

        code, out, _ = simulate(capsys, "--failing", "--keep", folder)
        assert code == 1
        assert "seed 4: breaks nothing-outlives-its-owner" in out
        code, out, _ = simulate(capsys, "--failing", "--keep", folder, "--json")
        assert code == 1
        assert json.loads(out)["failing_seeds"] == [4]

    code, out, _ = simulate(capsys, "--failing", "--keep", folder)
    assert code == 0
    assert "seed 4: mended; it broke nothing-outlives-its-owner" in out
    assert out.endswith("1 of 1 kept seeds are mended\n")


def test_json_is_one_object_also_when_a_seed_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With the failure in it: what it broke, how to have it again."""
    with planted("an id stuck after close"):
        code, out, err = simulate(capsys, "--seeds", "4..5", "--keep", tmp_path, "--json")
    figures = json.loads(out)

    assert (code, err) == (1, "")
    assert figures["failing_seeds"][0] == 4
    assert figures["violations"] >= 1
    assert figures["failures"][0]["command"] == "signalreel simulate --seeds 4..4"
    assert figures["failures"][0]["shrunk_records"] <= 12


def test_the_same_seeds_give_the_same_bytes_under_any_hash_seed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two thousand seeds, each run twice in processes whose hashes differ and replayed once: not a byte differs.

    Each is fifteen virtual seconds of everything going wrong, a quarter of the usual run, to fit into the build's time;
    `make determinism` does ten thousand whole ones.
    """
    arguments = ("--seeds", "0..1999", "--seconds", "15", "--safety-only", "--twice", "--jobs", "2")
    code, out, _ = simulate(capsys, *arguments, "--keep", tmp_path, "--json")
    figures = json.loads(out)

    assert (code, figures["seeds"], figures["differing_seeds"]) == (0, 2_000, [])


def test_ctrl_c_tells_what_was_done(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The figures of the seeds that were done, and 130."""

    def interrupted(seeds: range, draw: Draw, **options: object) -> Iterator[Result]:
        yield run_seed(seeds[0], draw)
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "run_seeds", interrupted)
    code, out, err = simulate(capsys, "--seeds", "0..999", "--keep", tmp_path)
    assert code == 130
    assert "seeds" in out
    assert err == "interrupted: this is what was done so far\n"

    code, out, err = simulate(capsys, "--seeds", "0..999", "--keep", tmp_path, "--json")
    assert (code, err) == (130, "")
    assert (json.loads(out)["seeds"], json.loads(out)["is_interrupted"]) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which seeds to run"),
        (("--seeds", "x"), "--seeds takes two numbers"),
        (("--seeds", "1", "--jobs", "0"), "--jobs takes"),
        (("--seeds", "1", "--seconds", "5"), "--safety-only"),
        (("--seeds", "1", "--faults", "plague"), "there is no fault 'plague'"),
        (("--failing", "--seeds", "1"), "do not go with it"),
        (("--failing", "--keep", "nowhere"), "there is no such folder"),
    ],
)
def test_what_a_user_can_mend_is_a_sentence(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """With 2, and nothing on stdout."""
    code, out, err = simulate(capsys, *arguments)

    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
