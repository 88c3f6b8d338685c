"""What should happen sometimes."""

from signalreel.engine import TABLES
from signalreel.simulation.plan import Plan
from signalreel.simulation.run import simulate
from signalreel.simulation.sometimes import SOMETIMES, count_sometimes


def test_each_names_a_row_that_there_is() -> None:
    """A row that was renamed would never be counted."""
    rows = {
        (fired.kind, fired.input, fired.what)
        for table in TABLES.values()
        for by_state in table.cells.values()
        for cell in by_state.values()
        for *_, fired in cell
    }

    assert set(SOMETIMES.values()) <= rows


def test_what_did_not_happen_is_counted_as_nothing() -> None:
    """So that whoever reads the table sees what was not reached."""
    assert count_sometimes({}) == dict.fromkeys(SOMETIMES, 0)
    run = simulate(Plan(seed=1, peers=3))

    assert run.sometimes["a third peer was refused"] > 0
    assert run.sometimes["a stream came live"] == 0
