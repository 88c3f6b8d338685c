"""Every row of every table by a number of its own, so that what fired can be counted and told in one integer.

A cell's rows are listed in the order of the tables' kinds, inputs and states, which is that of the source: the numbers
are the same in every run of one version, and mean nothing in another.
"""

from typing import Final

from msgspec import Struct

from signalreel.engine import TABLES
from signalreel.step import Fired, Step

__all__ = ("ROWS", "CatalogueRow", "number_of", "transition_inputs")


class CatalogueRow(Struct, frozen=True, rename="camel"):
    """One row of one cell, by the names of what it is about."""

    kind: str
    state: str
    input: str
    row: int  #: its number among the rows of the cell, from 0
    what: str  #: what it does, as `Fired` has it
    next: str  #: the state it leads to; empty when it publishes nothing
    is_unreachable: bool = False


def _catalogue() -> tuple[tuple[CatalogueRow, ...], dict[Fired, int]]:
    rows: list[CatalogueRow] = []
    numbers: dict[Fired, int] = {}
    for table in TABLES.values():
        for input in table.inputs:
            for state in table.states:
                for _, _, next, fired in table.cells[input].get(state, ()):
                    numbers[fired] = len(rows)
                    rows.append(
                        CatalogueRow(
                            fired.kind,
                            fired.state,
                            fired.input,
                            fired.row,
                            fired.what,
                            "" if next is None else str(next),
                            fired.is_unreachable,
                        )
                    )
    return tuple(rows), numbers


_FOUND: Final = _catalogue()

ROWS: Final = _FOUND[0]
"""Every row, by its number."""

_NUMBERS: Final = _FOUND[1]


def number_of(fired: Fired) -> int:
    """Give the number of a row; -1 for what stands in no machine's table, like an input that concerns none."""
    return _NUMBERS.get(fired, -1)


def transition_inputs(step: Step) -> list[str]:
    """Name the input or notice behind each transition of a step, in their order.

    A step lists rows and transitions apart. Every row that names its target made exactly one transition, in turn.
    """
    numbers = (number_of(fired) for _, fired in step.fired)
    named = [ROWS[number].input for number in numbers if number >= 0 and ROWS[number].next]
    return named if len(named) == len(step.transitions) else [""] * len(step.transitions)
