"""`signalreel.verify.reached`."""

from msgspec.structs import replace

from signalreel.engine import TABLES
from signalreel.identifiers import Kind
from signalreel.verify.explore import explore
from signalreel.verify.reached import reached_by
from signalreel.verify.worlds import WORLDS


def test_rows_that_fired_are_told_from_those_that_never_did() -> None:
    """Of all machines, also of those that the world has nothing to do with."""
    reached = reached_by([explore(replace(WORLDS["pair"], sessions=2))])
    pair = reached["pair"]

    assert pair.fired + len(pair.never) == pair.rows
    assert "waiting x Join row 9: pair_up" not in pair.never
    assert reached["room"].fired == 0
    assert "connected x Join row 3: refuse NoSpaceForNewPeer" in pair.never


def test_a_row_that_nothing_reaches_counts_only_when_it_fires() -> None:
    """Then the table is contradicted."""
    explored = explore(replace(WORLDS["pair"], depth=1))
    row = next(
        row[-1]
        for cell in TABLES[Kind.PAIR].cells.values()
        for rows in cell.values()
        for row in rows
        if row[-1].is_unreachable
    )
    contradicted = reached_by([replace(explored, fired=explored.fired | {row})])["pair"]

    assert contradicted.rows == reached_by([explored])["pair"].rows
    assert [name.split(" x ")[0] for name in contradicted.contradicted] == [row.state]
