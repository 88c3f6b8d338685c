"""`signalreel bisect REEL`: the first record after which something is wrong."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from signalreel.debug import Bisected, bisect, bisect_against, bisect_invariant, compile_predicate
from signalreel.replay import Replayed
from signalreel.verify import INVARIANTS
from signalreel_adapters.cli.debug.findings import lines_of_finding, print_lines
from signalreel_adapters.cli.debug.othercode import OtherCodeProcess
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, with_progress
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("bisect_reel",)

_ANY = "any"


def bisect_reel(
    file: Path,
    /,
    *,
    condition: Annotated[str, Parameter(name="--if")] = "",
    invariant: str = "",
    against: Path | None = None,
    first: Switch = False,
    json: Switch = False,
) -> int:
    """Find the first record after which something is wrong. Exactly one of the three questions is to be put.

    Leaves with 1 when there is such a record, 0 when there is none, 2 when the question or the file cannot be used.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    condition
        An expression, such as `stream("s1").state == "restoring"` or `sent("publish_finished") > 1`.
    invariant
        The name of an invariant that is to hold, or `any`.
    against
        A folder with another version's source tree: the first record for which it gives something else.
    first
        Ask after every record. Otherwise a condition on the state alone is taken to go on holding, and found by halves.
    json
        Print one JSON object with the keys records, asked, how and found.
    """
    if bool(condition) + bool(invariant) + (against is not None) != 1:
        raise Mistake("say what is wrong: one of --if EXPRESSION, --invariant NAME and --against FOLDER")
    if invariant and invariant not in (_ANY, *INVARIANTS):
        raise Mistake(f"there is no invariant {invariant!r}; there are {_ANY}, {', '.join(INVARIANTS)}")
    predicate = compile_predicate(condition) if condition else None
    reel = open_reel(file)
    count = max(0, reel.last_seq - reel.first_seq + 1)

    def passing(replayed: Iterator[Replayed]) -> Iterator[Replayed]:
        return with_progress(replayed, count, "looking", shown=json or sys.stderr.isatty())

    if predicate is not None:
        bisected = bisect(reel, predicate, first=first, passing=passing)
    elif against is not None:
        with OtherCodeProcess(against) as code:
            bisected = bisect_against(reel, code, passing=passing)
    else:
        bisected = bisect_invariant(reel, "" if invariant == _ANY else invariant, passing=passing)
    if json:
        print_json(bisected)
    else:
        print_lines(_lines_of(bisected, invariant))
    return 1 if bisected.found is not None else 0


def _lines_of(bisected: Bisected, invariant: str) -> Iterator[str]:
    yield f"{bisected.records} records, {bisected.asked} looked at: {bisected.how}"
    if bisected.found is None:
        yield "there is no such record"
        return
    if invariant in INVARIANTS:
        yield f"{invariant} ({INVARIANTS[invariant].promised}): {INVARIANTS[invariant].sentence}"
    yield from lines_of_finding(bisected.found)
