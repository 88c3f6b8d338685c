"""What is said of many runs, and of a seed that failed."""

from pathlib import Path

from rich.console import Console

from signalreel.simulation.swarm import Draw, Swarm, run_seed
from signalreel.verify import Violation
from signalreel_adapters.cli.simulation.telling import figures_of, lines_of_failing, tables_of
from signalreel_adapters.swarm.store import FailingSeeds


def test_figures_are_by_the_clock() -> None:
    """Inputs, seeds and virtual time by the seconds that they took; none at all took nothing."""
    swarm = Swarm()
    for seed in range(4):
        swarm.add(run_seed(seed))
    figures = figures_of(swarm, [], [], seconds=2.0, jobs=1, is_interrupted=False)

    assert figures.seeds_per_s == 2.0
    assert figures.inputs_per_s == round(swarm.inputs / 2)
    assert (figures.virtual_seconds, figures.times_real_time) == (240.0, 120)
    assert figures_of(Swarm(), [], [], seconds=0.0, jobs=1, is_interrupted=True).inputs_per_s == 0


def test_tables_say_what_never_happened() -> None:
    """Of one short run: kinds of fault that did not strike, cells that were not reached, events that did not come."""
    swarm = Swarm()
    swarm.add(run_seed(5, Draw(seconds=5, safety_only=True, faults=())))
    console = Console(width=150, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
    for table in tables_of(figures_of(swarm, [], [], seconds=1.0, jobs=2, is_interrupted=False)):
        console.print(table)
    told = " ".join(console.export_text().split())
    console.file.close()

    assert "in 1.0 s: 5 times real time" in told
    assert "(1 a second, 2 processes)" in told
    assert told.count("never") > 40
    assert "cells more (--json has all)" in told


def test_a_failure_says_what_it_breaks_and_where_it_follows_from(tmp_path: Path) -> None:
    """Also one without a reel, and nothing in a file of somebody else can move the cursor."""
    store = FailingSeeds(tmp_path)
    wrong = Violation("room-list", 5, "room live/r0", "\x1b[2J one's own")
    lines = list(lines_of_failing(store.keep(7, Draw(), wrong, None), store))

    assert lines[0] == "seed 7 breaks room-list (joinedTheRoom, roomInformation)"
    assert "without the asker's own" in lines[1]
    assert "\x1b" not in "".join(lines)
    assert lines[-1] == "  again     signalreel simulate --seeds 7..7"
