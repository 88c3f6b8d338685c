"""Which rows of the tables fired in a search, and which never did."""

from collections.abc import Iterable

from msgspec import Struct

from signalreel.engine import TABLES
from signalreel.step import Fired
from signalreel.verify.explore import Explored

__all__ = ("Reached", "reached_by")


class Reached(Struct, frozen=True):
    """What fired of the table of one kind of machine."""

    rows: int  #: that may fire: those not counted that the table says nothing reaches
    fired: int  #: of them
    never: tuple[str, ...]  #: the others: `state x input row 0: what it does`
    contradicted: tuple[str, ...]  #: fired, though the table says that nothing reaches them


def reached_by(searches: Iterable[Explored]) -> dict[str, Reached]:
    """Put what fired in any of these searches beside what the tables hold, kind by kind."""
    fired = frozenset[Fired]().union(*(explored.fired for explored in searches))
    reached: dict[str, Reached] = {}
    for kind, table in TABLES.items():
        rows = [row[-1] for by_state in table.cells.values() for cell in by_state.values() for row in cell]
        open_rows = [row for row in rows if not row.is_unreachable]
        reached[str(kind)] = Reached(
            len(open_rows),
            sum(row in fired for row in open_rows),
            tuple(_named(row) for row in open_rows if row not in fired),
            tuple(_named(row) for row in rows if row.is_unreachable and row in fired),
        )
    return reached


def _named(row: Fired) -> str:
    return f"{row.state} x {row.input} row {row.row}: {row.what}".rstrip(": ")
