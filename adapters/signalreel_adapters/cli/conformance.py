"""`signalreel conformance`: which items of the protocol the tests have shown, and by what."""

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.conformance import EvidenceError, Shown, coverage_of, page_of, read_evidence
from signalreel_adapters.conformance.evidence import FOLDER

__all__ = ("Figures", "conformance")

_DRIFT_LINES_MAX: Final = 40


class Figures(msgspec.Struct):
    """What `signalreel conformance --json` prints."""

    items: int
    covered: int
    missing: list[str]
    lacks: dict[str, tuple[str, ...]]  #: what each missing item has not been seen in yet


def conformance(
    *,
    evidence: Path = Path(FOLDER),
    json: Annotated[bool, Parameter(negative=())] = False,
    write: Path | None = None,
    check: Path | None = None,
) -> int:
    """Say of each item of the protocol whether a test has shown it, from what the last run of the tests left.

    Leaves with 0 when every item is shown, 1 when one is missing or the page checked tells of something else, 2 when
    there is no evidence.

    Parameters
    ----------
    evidence
        The folder that the tests wrote.
    json
        Print one JSON object with the keys items, covered, missing and lacks.
    write
        Write the page that says what was captured of each item.
    check
        A page that must be what --write would write.
    """
    if write is not None and check is not None:
        raise Mistake("--write and --check exclude each other")
    try:
        coverage = coverage_of(read_evidence(evidence))
    except EvidenceError as error:
        raise Mistake(str(error)) from error
    missing = [shown for shown in coverage if not shown.is_covered]
    if json:
        lacks = {shown.item.id: shown.lacks for shown in missing}
        print(msgspec.json.encode(Figures(len(coverage), len(coverage) - len(missing), list(lacks), lacks)).decode())
    else:
        _tell(coverage, whole=write is None and check is None)
    page = page_of(coverage)
    if write is not None:
        try:
            write.write_text(page, encoding="utf-8")
        except OSError as error:
            raise Mistake(f"{write} cannot be written: {error.strerror}") from error
    has_drifted = check is not None and _has_drifted(check, page)
    return 1 if missing or has_drifted else 0


def _tell(coverage: Sequence[Shown], *, whole: bool) -> None:
    """Show all items, or those alone that are missing, and how many they are."""
    table = Table("item", "what", "where", "by")
    missing = [shown for shown in coverage if not shown.is_covered]
    for shown in coverage if whole else missing:
        where = ", ".join(sorted({tick.transport for tick in shown.ticks}))
        by = sorted({(tick.flow or tick.test.partition("[")[0]).rpartition("/")[2] for tick in shown.ticks})
        lacks = f"[red]not {', not '.join(shown.lacks)}[/red]" if shown.lacks else ""
        table.add_row(shown.item.id, shown.item.text, "\n".join(filter(None, (where, lacks))), "\n".join(by))
    console = Console()
    if table.row_count:
        console.print(table)
    told = f"{len(coverage) - len(missing)} of {len(coverage)} items shown, {len(missing)} missing"
    console.print(told, highlight=False)


def _has_drifted(place: Path, page: str) -> bool:
    """Compare a page with what it should be; show what differs, as much of it as a person reads."""
    try:
        found = place.read_text(encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{place} cannot be read: {error.strerror}; `--write {place}` makes it") from error
    if found == page:
        return False
    lines = list(difflib.unified_diff(found.splitlines(), page.splitlines(), str(place), "shown now", n=0, lineterm=""))
    for line in lines[:_DRIFT_LINES_MAX]:
        print(line, file=sys.stderr)
    if len(lines) > _DRIFT_LINES_MAX:
        print(f"… and {len(lines) - _DRIFT_LINES_MAX} lines more", file=sys.stderr)
    print(f"{place} tells of something else than the tests have shown: `make conformance`", file=sys.stderr)
    return True
