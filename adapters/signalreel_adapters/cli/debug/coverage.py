"""`signalreel coverage REELS...`: which cells of the machines' tables were seen in production, tests and simulation."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from signalreel.debug.coverage import NEVER, SOURCES, Coverage, Tally, coverage_of
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, reels_in, with_progress
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.viewer import coverage_page

__all__ = ("REELS_MAX", "coverage")

REELS_MAX: Final = 10_000
"""Most reels of one call; a folder may hold more by accident."""

_Folders = Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative=())]


def coverage(
    *reels: Path,
    tests: _Folders = (),
    simulation: _Folders = (),
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: Switch = False,
) -> int:
    """Say which inputs were seen in which states, in production, in tests, in simulation, and which never.

    Leaves with 0, or 1 when a row fired that its table calls unreachable.

    Parameters
    ----------
    reels
        Reels of production; of a folder, every file in it that ends in `.reel`.
    tests
        Reels that tests have written, likewise.
    simulation
        Reels that simulations have written, likewise.
    output
        Write a page with every table there.
    json
        Print one JSON object with the keys reels, records, kinds and cells.
    """
    files = {"production": reels, "tests": tests, "simulation": simulation}
    found = {source: reels_in(files[source]) for source in SOURCES}
    if not any(found.values()):
        raise Mistake("no reel is given; `signalreel coverage calls.reel` reads one, and a folder gives all in it")
    if sum(map(len, found.values())) > REELS_MAX:
        raise Mistake(f"more than {REELS_MAX} reels are given")
    tally = Tally()
    for source, paths in found.items():
        for path in paths:
            reel = open_reel(path)
            for _ in with_progress(tally.counting(source, reel), reel.last_seq, path.name):
                pass
    seen = coverage_of(tally)
    if output is not None:
        try:
            output.write_text(coverage_page(seen), encoding="utf-8", newline="\n")
        except OSError as error:
            raise Mistake(f"{output}: cannot be written: {error.strerror}") from error
    if json:
        print_json(seen)
    else:
        for line in _lines(seen):
            print(line)
        if output is not None:
            print(f"\nEvery table is in {output}.", file=sys.stderr)
    return 1 if any(kind.contradicted for kind in seen.kinds.values()) else 0


def _lines(seen: Coverage) -> Iterator[str]:
    yield f"{'machine':<10}{'cells':>7}" + "".join(f"{name:>18}" for name in (*SOURCES, NEVER))
    for name, kind in seen.kinds.items():
        shares = (f"{kind.seen[one]} ({100 * kind.seen[one] / kind.cells:.1f} %)" for one in (*SOURCES, NEVER))
        yield f"{name:<10}{kind.cells:>7}" + "".join(f"{share:>18}" for share in shares)
    for name, kind in seen.kinds.items():
        if kind.contradicted:
            yield f"{name}: {kind.contradicted} rows fired that its table calls unreachable"
