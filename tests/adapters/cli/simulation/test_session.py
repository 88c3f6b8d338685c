"""One call: seeds are run, what fails is kept, and what was done is there whenever it is interrupted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from signalreel.simulation.swarm import Draw, Result, run_seed
from signalreel_adapters.cli.simulation import session as module
from signalreel_adapters.cli.simulation.session import SHRUNK_MAX, Session
from signalreel_adapters.swarm.store import FailingSeeds
from tests.engine.zoo import planted

SHORT = Draw(seconds=10, safety_only=True)


def session(folder: Path, draw: Draw = SHORT) -> Session:
    """Make a session whose failures are kept in a folder."""
    return Session(draw, FailingSeeds(folder / "kept"))


def test_seeds_that_hold_leave_nothing_behind(tmp_path: Path) -> None:
    """There are figures, and no folder."""
    one = session(tmp_path)
    one.run(range(20))

    assert one.figures.seeds == one.swarm.seeds == 20
    assert (one.figures.violations, one.kept) == (0, [])
    assert one.figures.inputs_per_s > 0
    assert list(tmp_path.iterdir()) == []


def test_seeds_that_fail_are_kept_and_the_first_are_shrunk(tmp_path: Path) -> None:
    """Of each broken promise only some: the others would be the same again."""
    with planted("an id stuck after close"):
        one = session(tmp_path)
        one.run(range(120))

    assert one.figures.failing_seeds == [failing.seed for failing in one.kept]
    assert len(one.kept) > SHRUNK_MAX
    by_promise = [failing for failing in one.kept if failing.invariant == one.kept[0].invariant]
    assert [failing.shrunk_records > 0 for failing in by_promise] == [
        number < SHRUNK_MAX for number in range(len(by_promise))
    ]
    assert FailingSeeds(tmp_path / "kept").read() == one.kept


def test_whoever_interrupts_has_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes after the third seed; the three are summed, with the time that they took."""

    def interrupted(seeds: range, draw: Draw, **options: object) -> Iterator[Result]:
        for seed in seeds[:3]:
            yield run_seed(seed, draw)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "run_seeds", interrupted)
    one = session(tmp_path)
    one.run(range(1_000))

    assert one.is_interrupted
    assert one.figures.is_interrupted
    assert one.figures.seeds == 3
    assert one.figures.seconds > 0


def test_seeds_that_differ_the_second_time_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another digest, or because something is broken that was not."""
    calls: list[bool] = []

    def other(seeds: range, draw: Draw, *, is_replayed: bool = False, **options: object) -> Iterator[Result]:
        calls.append(is_replayed)
        for seed in seeds:
            result = run_seed(seed, draw, has_digest=True)
            yield replace(result, digest="other") if is_replayed and seed in (4, 2) else result

    monkeypatch.setattr(module, "run_seeds", other)
    one = session(tmp_path)
    one.run(range(6), twice=True)

    assert calls == [False, True]
    assert one.differing == one.figures.differing_seeds == [2, 4]


def test_a_failure_that_does_not_come_again_is_no_reel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child said that it failed and it does not here: it is kept, and its seed is told to differ."""
    with planted("an id stuck after close"):
        failed = next(result for result in map(run_seed, range(20)) if result.violations)

    def only(seeds: range, draw: Draw, **options: object) -> Iterator[Result]:
        yield failed

    monkeypatch.setattr(module, "run_seeds", only)
    one = session(tmp_path, Draw())
    one.run(range(1))

    assert one.differing == [failed.seed]
    assert [failing.records for failing in one.kept] == [0]
