"""`signalreel shrink REEL --fails PREDICATE -o test_bug.py`: a recorded failure as a test of a few records."""

import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console

from signalreel.debug.failing import Breaks, Check, Holds, steps_of
from signalreel.debug.predicates import compile_predicate
from signalreel.debug.shrink import Progress, Shrunk, shrink_records
from signalreel.debug.telling import lines_of
from signalreel.debug.written import written_test
from signalreel.errors import InvalidPredicate, NotFailing
from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import decode_entry
from signalreel.verify.catalogue import INVARIANTS
from signalreel_adapters.cli.debug.reading import Json, open_reel, print_json, with_progress
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("Left", "shrink")

_INVARIANT: Final = "invariant:"


class Left(msgspec.Struct):
    """What `signalreel shrink --json` prints."""

    records: int  #: that are left
    before: int  #: that there were
    failed_at: int  #: seq of the first record that goes wrong, in the reel that was given
    fails: str  #: what goes wrong, by the names that are left
    test: str  #: the pytest
    output: str | None  #: the file that it was written to
    tries: int


def shrink(
    file: Path,
    /,
    *,
    fails: str,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    keep_names: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> int:
    """Make a failure small: the fewest records found that still go wrong, as a pytest. Nothing is performed.

    Whatever the test holds was replaced: names are `stream-1` and `session-1`, descriptions and candidates are gone.
    Leaves with 0, or with 2 when the file cannot be used or nothing in it goes wrong.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    fails
        What goes wrong: a condition that must never hold, such as `sent("publish_finished") > 1`, or
        `invariant:NAME`.
    output
        Write the test there; without it, the records that are left are told.
    keep_names
        Write the test also when nothing goes wrong under other names, so that some had to stay.
    json
        Print one JSON object with the keys records, before, failed_at, fails, test, output and tries.
    """
    check = _check(fails)
    reel = open_reel(file)
    records = _records(reel, shown=json or not sys.stdout.isatty())
    try:
        found = shrink_records(reel.header, records, check, _progress())
    except NotFailing as error:
        raise Mistake(f"{file}: {error}") from None
    if found.kept and not keep_names:
        raise Mistake(f"it goes wrong under {len(found.kept)} of the recorded names alone; --keep-names leaves them in")
    text = written_test(found)
    if output is not None:
        try:
            output.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise Mistake(f"{output}: cannot be written: {error.strerror}") from error
    if json:
        name = str(output) if output is not None else None
        print_json(Left(len(found.records), found.before, found.failed_at, found.check.text, text, name, found.tries))
    else:
        _tell(found, output)
    return 0


def _check(fails: str) -> Check:
    if fails == "diverges":
        raise Mistake(
            "a shorter reel has no recorded outcome to diverge from; say what is wrong as a condition, "
            "or as `invariant:NAME`"
        )
    if fails.startswith(_INVARIANT):
        name = fails.removeprefix(_INVARIANT).strip()
        if name not in INVARIANTS:
            raise Mistake(f"there is no invariant {name!r}; there are {', '.join(INVARIANTS)}")
        return Breaks(name)
    try:
        return Holds(compile_predicate(fails))
    except InvalidPredicate as error:
        raise Mistake(f"--fails: {error}") from None


def _records(reel: Reel, *, shown: bool) -> list[Record]:
    total = reel.last_seq - reel.first_seq + 1
    return [decode_entry(entry) for entry in with_progress(reel.entries(reel.first_seq), total, "reading", shown=shown)]


def _progress() -> Progress | None:
    """Show on stderr what is being dropped, when a person looks there."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return None
    status = console.status("shrinking")
    status.start()

    def tell(what: str, left: int) -> None:
        status.update(f"shrinking: {left} records left, trying without {what}")
        if what == "times":
            status.stop()

    return tell


def _tell(found: Shrunk, output: Path | None) -> None:
    for step in steps_of(found.header, found.records):
        for line in lines_of(step):
            print(line)
    print(f"\n{len(found.records)} of {found.before} records are left; the last one goes wrong: {found.check.text}")
    if output is not None:
        print(f"written to {output}")
