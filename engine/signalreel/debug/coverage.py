"""Which cells of the tables were ever decided in, and which rows fired: in production, in tests, in simulation.

    tally = Tally()
    tally.add("production", reel)
    coverage = coverage_of(tally)
    print(coverage.kinds["stream"].seen["production"], "of", coverage.kinds["stream"].cells)

A reel is replayed for it; its step lists the rows that fired. What the table says is unreachable is no gap, and is
counted apart.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from signalreel.debug.rows import ROWS, number_of
from signalreel.engine import TABLES
from signalreel.identifiers import Kind
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed

__all__ = ("NEVER", "SOURCES", "CellSeen", "Coverage", "KindSeen", "RowSeen", "Tally", "coverage_of")

SOURCES: Final[tuple[str, ...]] = ("production", "tests", "simulation")
"""Where a reel can come from."""

NEVER: Final[str] = "never"


class RowSeen(Struct, frozen=True):
    """One row of a cell, and how often it fired, by source."""

    row: int
    what: str
    counts: dict[str, int]
    is_unreachable: bool = False


class CellSeen(Struct, frozen=True):
    """What an input in a state was decided by, and how often, by source."""

    kind: str
    input: str
    state: str
    rows: tuple[RowSeen, ...]
    counts: dict[str, int]

    @property
    def is_unreachable(self) -> bool:
        """Whether the table says that nothing reaches it."""
        return all(row.is_unreachable for row in self.rows)

    @property
    def is_seen(self) -> bool:
        """Whether it was ever decided in."""
        return any(self.counts.values())


class KindSeen(Struct, frozen=True):
    """Of one kind of machine: how many cells and rows can be reached, and how many were, by source or never."""

    cells: int
    rows: int
    seen: dict[str, int]
    rows_seen: dict[str, int]
    unreachable: int  #: cells besides that nothing reaches
    contradicted: int  #: rows that the table calls unreachable and that fired


class Coverage(Struct, frozen=True):
    """What was seen of all tables."""

    reels: dict[str, int]
    records: dict[str, int]
    kinds: dict[str, KindSeen]
    cells: tuple[CellSeen, ...]


class Tally:
    """Counts how often each row fired, by source."""

    def __init__(self) -> None:
        self.fired: Final[dict[str, list[int]]] = {source: [0] * len(ROWS) for source in SOURCES}
        self.reels: Final[dict[str, int]] = dict.fromkeys(SOURCES, 0)
        self.records: Final[dict[str, int]] = dict.fromkeys(SOURCES, 0)

    def add(self, source: str, reel: Reel) -> None:
        """Count a whole reel. Raises `ReelDamaged` when it cannot be read to its end."""
        for _ in self.counting(source, reel):
            pass

    def counting(self, source: str, reel: Reel) -> Iterator[Replayed]:
        """Count a reel record by record, for whoever shows how far it is."""
        counts = self.fired[source]
        for replayed in Cursor(reel):
            for _, fired in replayed.step.fired:
                number = number_of(fired)
                if number >= 0:
                    counts[number] += 1
            self.records[source] += 1
            yield replayed
        self.reels[source] += 1


def coverage_of(tally: Tally) -> Coverage:
    """Put what was counted beside what the tables hold."""
    cells: dict[tuple[str, str, str], list[RowSeen]] = {}
    for number, row in enumerate(ROWS):
        counts = {source: tally.fired[source][number] for source in SOURCES}
        seen = RowSeen(row.row, row.what, counts, row.is_unreachable)
        cells.setdefault((row.kind, row.input, row.state), []).append(seen)
    whole = tuple(
        CellSeen(*place, tuple(rows), {source: sum(row.counts[source] for row in rows) for source in SOURCES})
        for place, rows in cells.items()
    )
    kinds = {str(kind): _kind_of([cell for cell in whole if cell.kind == kind]) for kind in Kind if kind in TABLES}
    return Coverage(dict(tally.reels), dict(tally.records), kinds, whole)


def _kind_of(cells: list[CellSeen]) -> KindSeen:
    reachable = [cell for cell in cells if not cell.is_unreachable]
    rows = [row for cell in cells for row in cell.rows if not row.is_unreachable]
    return KindSeen(
        len(reachable),
        len(rows),
        _seen([cell.counts for cell in reachable]),
        _seen([row.counts for row in rows]),
        len(cells) - len(reachable),
        sum(row.is_unreachable and any(row.counts.values()) for cell in cells for row in cell.rows),
    )


def _seen(counts: list[dict[str, int]]) -> dict[str, int]:
    by_source: dict[str, int] = {source: sum(count[source] > 0 for count in counts) for source in SOURCES}
    return {**by_source, NEVER: sum(not any(count.values()) for count in counts)}
