"""`signalreel check`: every state of small worlds, over the engine itself, and the shortest way to what is wrong."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from signalreel.debug.export import mermaid_sequence
from signalreel.debug.renumber import remade
from signalreel.debug.telling import lines_of
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel.verify.explore import Explored, Found, explore
from signalreel.verify.reached import Reached, reached_by
from signalreel.verify.worlds import WORLDS, World
from signalreel_adapters.cli.debug.reading import Switch, print_json
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.reels.copying import write_reel

__all__ = ("Checked", "Searched", "Wrong", "check")

_VIOLATED: Final = 1

_Names = Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)]
_Bound = Annotated[int | None, Parameter(validator=Number(gte=1))]


class Wrong(msgspec.Struct):
    """An invariant that does not hold in a world."""

    invariant: str
    seq: int  #: after which record
    subject: str
    told: str
    records: int  #: of the shortest reel that leads there
    diagram: str  #: that reel as a sequence diagram, in Mermaid


class Searched(msgspec.Struct):
    """What a search saw of one world."""

    name: str
    states: int
    edges: int
    depth: int
    seconds: float
    violations: list[Wrong]
    complete: bool  #: whether nothing in this world was left untried
    fired: int  #: rows of the machines' tables that fired in it


class Checked(msgspec.Struct):
    """What `signalreel check --json` prints."""

    worlds: list[Searched]
    machines: dict[str, Reached]  #: of each kind, which rows fired in any of these worlds


def check(
    *,
    machine: _Names = (),
    world: _Names = (),
    sessions: _Bound = None,
    depth: _Bound = None,
    states: _Bound = None,
    reel: Path | None = None,
    json: Switch = False,
) -> int:
    """Try everything that can happen in small worlds, and hold each step and each state against the invariants.

    Leaves with 0 when everything holds, 1 when something does not, 2 when the call makes no sense.

    Parameters
    ----------
    machine
        Search the worlds about this machine only: pair, stream, playback or room; may be given several times.
    world
        Search this world only; may be given several times. Without it, and without `--machine`, all of them.
    sessions
        How many sessions are open at once, instead of the world's own number.
    depth
        How many moves from the beginning to go at most.
    states
        How many states to look at, at most.
    reel
        Write the shortest reel that leads to what is wrong there.
    json
        Print one JSON object with the keys worlds and machines.
    """
    wanted = [_bounded(one, sessions, depth, states) for one in _chosen(machine, world)]
    searched: list[Searched] = []
    results: list[Explored] = []
    for one in wanted:
        explored, seconds = _searched(one, shown=not json)
        results.append(explored)
        searched.append(_told(explored, seconds))
        if not json:
            print(_line(searched[-1]))
        if explored.found:
            break
    machines = reached_by(results)
    found = [wrong for explored in results for wrong in explored.found]
    if json:
        print_json(Checked(searched, machines))
    else:
        for line in (*_lines_of_rows(machines), *(line for wrong in found for line in _lines_of(wrong))):
            print(line)
    if found and reel is not None:
        write_reel(reel, _reel_of(found[0]))
        print(f"written to {reel}", file=sys.stderr)
    return _VIOLATED if found else 0


def _chosen(machines: tuple[str, ...], names: tuple[str, ...]) -> list[World]:
    kinds = sorted({world.machine for world in WORLDS.values()})
    for machine in machines:
        if machine not in kinds:
            raise Mistake(f"there is no world about {machine!r}; there are some about {', '.join(kinds)}")
    for name in names:
        if name not in WORLDS:
            raise Mistake(f"there is no world {name!r}; there are {', '.join(WORLDS)}")
    chosen = [
        world
        for name, world in WORLDS.items()
        if (not machines or world.machine in machines) and (not names or name in names)
    ]
    if not chosen:
        raise Mistake("none of these worlds is about such a machine")
    return chosen


def _bounded(world: World, sessions: int | None, depth: int | None, states: int | None) -> World:
    return replace(
        world,
        sessions=sessions if sessions is not None else world.sessions,
        depth=depth if depth is not None else world.depth,
        states=states if states is not None else world.states,
    )


def _searched(world: World, *, shown: bool) -> tuple[Explored, float]:
    """Search a world, without looking for cycles in what it keeps: there are none, and much to look through."""
    gc.disable()
    try:
        return _searched_with_progress(world, shown=shown)
    finally:
        gc.enable()


def _searched_with_progress(world: World, *, shown: bool) -> tuple[Explored, float]:
    """Search a world, and say how far it is on stderr when a person looks there."""
    console = Console(stderr=True)
    begun = perf_counter()
    if not (shown and console.is_terminal):
        return explore(world), perf_counter() - begun
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(world.name, total=None)

        def tell(states: int, edges: int, depth: int) -> None:
            progress.update(task, description=f"{world.name}: {states:,} states, {edges:,} edges, depth {depth}")

        return explore(world, tell=tell), perf_counter() - begun


def _reel_of(found: Found) -> MemoryReel:
    return remade(found.header, found.records)


def _told(explored: Explored, seconds: float) -> Searched:
    wrong = [
        Wrong(
            found.violation.invariant,
            found.violation.seq,
            found.violation.subject,
            found.violation.told,
            len(found.records),
            mermaid_sequence(_reel_of(found)),
        )
        for found in explored.found
    ]
    return Searched(
        explored.world.name,
        explored.states,
        explored.edges,
        explored.depth,
        round(seconds, 3),
        wrong,
        explored.is_complete,
        len(explored.fired),
    )


def _line(searched: Searched) -> str:
    how = "WRONG" if searched.violations else "everything" if searched.complete else "as far as its bounds"
    return (
        f"{searched.name:<12}{searched.states:>9} states{searched.edges:>10} edges{searched.depth:>5} deep"
        f"{searched.seconds:>8.1f} s   {how}"
    )


def _lines_of_rows(machines: dict[str, Reached]) -> Iterator[str]:
    """Say of each kind of machine that these worlds are about how many of its rows fired in them."""
    for kind, reached in machines.items():
        if reached.fired:
            yield f"{kind}: {reached.fired} of {reached.rows} rows fired, {len(reached.contradicted)} unreachable ones"


def _lines_of(found: Found) -> Iterator[str]:
    """Tell the shortest reel, and draw it."""
    reel = _reel_of(found)
    yield f"\n{found.violation}\n"
    for replayed in Cursor(reel):
        yield from lines_of(replayed.step)
    yield ""
    yield mermaid_sequence(reel).rstrip()
