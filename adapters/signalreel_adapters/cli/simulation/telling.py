"""What came of many runs: as figures for programs, as tables for people, and what there is to say of a failed seed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from signalreel.debug.telling import lines_of, printable
from signalreel.errors import SignalreelError
from signalreel.replay import Cursor
from signalreel.simulation.swarm import PROMISES, Covered, Swarm
from signalreel_adapters.cli.debug.reading import open_reel
from signalreel_adapters.swarm.store import FailingSeed, FailingSeeds

__all__ = ("DIAGRAM_RECORDS_MAX", "Figures", "figures_of", "lines_of_failing", "tables_of")

DIAGRAM_RECORDS_MAX: Final = 40
"""Records of a shrunk reel that are told on the terminal; the picture and the reel have all."""

_NEVER_SHOWN: Final = 12
_COLUMNS: Final = 3


class Figures(msgspec.Struct):
    """What `signalreel simulate --json` prints."""

    seeds: int
    violations: int
    inputs: int
    inputs_per_s: int
    faults: dict[str, int]
    failing_seeds: list[int]
    seeds_per_s: float
    pings: int  #: answered off the reel, and no inputs
    seconds: float  #: of real time
    virtual_seconds: float
    times_real_time: int
    jobs: int
    coverage: dict[str, Covered]
    never_fired: list[str]  #: cells
    sometimes: dict[str, int]
    never_reached: list[str]
    never_injected: list[str]
    refused: dict[str, int]
    failures: list[FailingSeed]
    differing_seeds: list[int]  #: with --twice: those that gave something else the second time
    is_interrupted: bool = False


def figures_of(
    swarm: Swarm, failures: list[FailingSeed], differing: list[int], *, seconds: float, jobs: int, is_interrupted: bool
) -> Figures:
    """Put the figures of a swarm together; `seconds` of real time is what it took."""
    took = max(seconds, 1e-9)
    return Figures(
        seeds=swarm.seeds,
        violations=swarm.violations,
        inputs=swarm.inputs,
        inputs_per_s=round(swarm.inputs / took),
        faults=swarm.faults,
        failing_seeds=sorted(swarm.failing),
        seeds_per_s=round(swarm.seeds / took, 1),
        pings=swarm.pings,
        seconds=round(seconds, 3),
        virtual_seconds=swarm.time / 1e6,
        times_real_time=round(swarm.time / 1e6 / took),
        jobs=jobs,
        coverage=swarm.covered,
        never_fired=swarm.never_fired,
        sometimes=swarm.sometimes,
        never_reached=swarm.never_reached,
        never_injected=swarm.never_injected,
        refused=dict(sorted(swarm.refused.items())),
        failures=failures,
        differing_seeds=differing,
        is_interrupted=is_interrupted,
    )


def tables_of(figures: Figures) -> Iterator[RenderableType]:
    """Give the tables: what was done, which faults there were, what was covered, and what was reached."""
    yield _sums(figures)
    yield _counts("faults injected", figures.faults)
    yield _coverage(figures)
    if figures.never_fired:
        yield _never_fired(figures)
    yield _counts("reached sometimes", figures.sometimes)


def _sums(figures: Figures) -> Table:
    table = Table(show_header=False, title="simulated", title_justify="left")
    table.add_row("seeds", f"{figures.seeds}  ({figures.seeds_per_s:g} a second, {_jobs(figures.jobs)})")
    table.add_row("inputs", f"{figures.inputs}  ({figures.inputs_per_s} a second), and {figures.pings} pings")
    hours = f"{figures.virtual_seconds / 3_600:.1f} h in {figures.seconds:.1f} s"
    table.add_row("virtual time", f"{hours}: {figures.times_real_time} times real time")
    failed = f"{figures.violations}, of {len(figures.failing_seeds)} seeds" if figures.violations else "none"
    table.add_row("violations", Text(failed, style="red" if figures.violations else "green"))
    return table


def _jobs(jobs: int) -> str:
    return "one process" if jobs == 1 else f"{jobs} processes"


def _counts(title: str, counts: dict[str, int]) -> Table:
    """Show counts in columns, those that are nothing in another colour and said in words."""
    table = Table(title=title, title_justify="left", show_header=False)
    for _ in range(_COLUMNS):
        table.add_column()
        table.add_column(justify="right")
    cells = [(Text(name, style="" if count else "yellow"), _count(count)) for name, count in counts.items()]
    height = -(-len(cells) // _COLUMNS)
    columns = [cells[place : place + height] for place in range(0, len(cells), height)]
    for number in range(height):
        row: list[RenderableType] = []
        for column in columns:
            row += column[number] if number < len(column) else ("", "")
        table.add_row(*row)
    return table


def _count(count: int) -> Text:
    return Text(str(count)) if count else Text("never", style="yellow")


def _coverage(figures: Figures) -> Table:
    table = Table("machine", "states", "cells", "rows", title="covered", title_justify="left")
    for kind, covered in figures.coverage.items():
        table.add_row(
            kind,
            f"{covered.states_seen} of {covered.states}",
            f"{covered.cells_fired} of {covered.cells}",
            f"{covered.rows_fired} of {covered.rows}",
        )
    return table


def _never_fired(figures: Figures) -> Text:
    shown = ", ".join(figures.never_fired[:_NEVER_SHOWN])
    more = len(figures.never_fired) - _NEVER_SHOWN
    return Text(f"never: {shown}" + (f", and {more} cells more (--json has all)" if more > 0 else ""))


def lines_of_failing(failing: FailingSeed, store: FailingSeeds) -> Iterator[str]:
    """Say of a seed what it broke, how to have it again, where its reels are, and what happens in the shrunk one."""
    promise = PROMISES.get(failing.invariant)
    yield f"seed {failing.seed} breaks {failing.invariant}" + (f" ({promise.promised})" if promise else "")
    if promise is not None:
        yield f"  {promise.sentence}"
    yield f"  found     {printable(failing.subject)}: {printable(failing.told)}"
    yield f"  again     {printable(failing.command)}"
    files = store.files_of(failing)
    if "reel" in files:
        yield f"  reel      {files['reel']} ({failing.records} records)"
    if "shrunk" in files:
        yield f"  shrunk    {files['shrunk']} ({failing.shrunk_records} records)"
    if failing.plan:
        yield f"  its plan  {printable(failing.plan)}"
    if "diagram" in files:
        yield f"  diagram   {files['diagram']}"
    if "shrunk" in files and failing.shrunk_records <= DIAGRAM_RECORDS_MAX:
        yield from (f"  {line}" for line in _told(files["shrunk"]))


def _told(file: Path) -> Iterator[str]:
    """Tell the records of a reel; one that cannot be read is told to be so."""
    try:
        for replayed in Cursor(open_reel(file)):
            yield from lines_of(replayed.step)
    except SignalreelError as error:
        yield str(error)
