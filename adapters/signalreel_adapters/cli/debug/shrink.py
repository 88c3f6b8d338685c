"""`signalreel shrink REEL --fails PREDICATE -o test_bug.py`: a recorded failure as a test of a few records."""

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console

from signalreel.debug.failing import Breaks, Check, Differs, Holds, Other, Start, start_of, steps_of
from signalreel.debug.finding import Given
from signalreel.debug.predicates import compile_predicate
from signalreel.debug.renumber import remade
from signalreel.debug.shrink import Progress, Shrunk, shrink_records
from signalreel.debug.telling import lines_of
from signalreel.debug.written import written_test
from signalreel.errors import InvalidPredicate, NotFailing
from signalreel.record import Record, encode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import decode_entry
from signalreel.snapshot import encode_snapshot
from signalreel.verify.catalogue import INVARIANTS
from signalreel_adapters.cli.debug.othercode import OtherCodeProcess
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, with_progress
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.reels.copying import write_reel

__all__ = ("Left", "shrink")

_DIVERGES: Final = "diverges"
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
    fails: Annotated[str, Parameter(alias="--if")],
    against: Path | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    reel_out: Path | None = None,
    keep_names: Switch = False,
    json: Switch = False,
) -> int:
    """Make a failure small: the fewest records found that still go wrong, as a pytest. Nothing is performed.

    Whatever the test holds was replaced: names are `stream-1` and `session-1`, descriptions and candidates are gone.
    Leaves with 0, or with 2 when the file cannot be used or nothing in it goes wrong.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    fails
        What goes wrong: a condition that must never hold, such as `sent("publish_finished") > 1`; `invariant:NAME`;
        or `diverges`, with `--against`.
    against
        A folder with the source tree of a version that does it right. It runs in a process of its own.
    output
        Write the test there; without it, the records that are left are told.
    reel_out
        Write the records that are left there, as a reel.
    keep_names
        Write the test also when nothing goes wrong under other names, so that some had to stay.
    json
        Print one JSON object with the keys records, before, failed_at, fails, test, output and tries.
    """
    reel = open_reel(file)
    records = _records(reel, shown=json or not sys.stdout.isatty())
    with _code(fails, against) as code:
        check = Differs(_asking(code)) if code is not None else _check(fails)
        try:
            found = shrink_records(start_of(reel), records, check, _progress())
        except NotFailing as error:
            raise Mistake(f"{file}: {error}") from None
        text = written_test(found)
    if found.kept and not keep_names:
        raise Mistake(f"it goes wrong under {len(found.kept)} of the recorded names alone; --keep-names leaves them in")
    if output is not None:
        try:
            output.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise Mistake(f"{output}: cannot be written: {error.strerror}") from error
    if reel_out is not None:
        write_reel(reel_out, remade(found.start.header, found.records, seam=_seam(found.start)))
    if json:
        name = str(output) if output is not None else None
        print_json(Left(len(found.records), found.before, found.failed_at, found.check.text, text, name, found.tries))
    else:
        _tell(found, output)
    return 0


@contextmanager
def _code(fails: str, against: Path | None) -> Generator[OtherCodeProcess | None]:
    """Start the code that says what is right, where one is to."""
    if (fails == _DIVERGES) != (against is not None):
        raise Mistake(
            "a shorter reel has no recorded outcome to diverge from: `--fails diverges` and `--against FOLDER`, "
            "the source tree of a version that does it right, go together"
        )
    if against is None:
        yield None
        return
    with OtherCodeProcess(against) as code:
        yield code


def _asking(code: OtherCodeProcess) -> Other:
    """Have another code apply records. What it cannot apply is no failure; but it must apply the whole reel."""
    asked: list[int] = []

    def other(start: Start, records: Sequence[Record]) -> list[Given]:
        asked.append(len(records))
        try:
            return list(code.steps(_unanswered(start, records)))
        except Mistake as error:
            if len(asked) == 1:
                raise
            raise ValueError(str(error)) from None

    return other


def _unanswered(start: Start, records: Sequence[Record]) -> MemoryReel:
    """Make a reel without outcomes."""
    reel = MemoryReel(start.header, seam=_seam(start), first_seq=start.first_seq)
    for record in records:
        reel.append(record.seq, encode_record(record))
    return reel


def _seam(start: Start) -> bytes | None:
    return encode_snapshot(start.seam) if start.seam is not None else None


def _check(fails: str) -> Check:
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
    for step in steps_of(found.start, found.records):
        for line in lines_of(step):
            print(line)
    print(f"\n{len(found.records)} of {found.before} records are left; the last one goes wrong: {found.check.text}")
    if output is not None:
        print(f"written to {output}")
