"""`signalreel.debug.rows`."""

from signalreel.commands import JoinRoom, LeaveFromRoom, Publish
from signalreel.debug.rows import ROWS, number_of, transition_inputs
from signalreel.engine import TABLES
from tests.engine.world import World


def test_every_row_of_every_cell_is_in_the_catalogue_once() -> None:
    """The catalogue is as long as the tables, and a row's number leads to its own names."""
    cells = [
        (row, next)
        for table in TABLES.values()
        for by_state in table.cells.values()
        for cell in by_state.values()
        for _, _, next, row in cell
    ]

    assert len(ROWS) == len(cells)
    for fired, next in cells:
        row = ROWS[number_of(fired)]
        assert (row.kind, row.state, row.input, row.row) == (fired.kind, fired.state, fired.input, fired.row)
        assert row.next == ("" if next is None else str(next))


def test_a_transition_is_told_with_the_input_or_notice_behind_it() -> None:
    """A stream that ends because its session closed empties the room by a notice; rows without a target are passed."""
    world = World()
    world.open("alice")
    joined = world.say("alice", JoinRoom(room="hall"))
    world.publish("alice", "cam", room="hall")
    closed = world.close("alice")

    assert transition_inputs(joined) == ["JoinRoom"]
    assert list(zip((str(m.machine.kind) for m in closed.transitions), transition_inputs(closed), strict=True)) == [
        ("stream", "SessionClosed"),
        ("room", "SessionClosed"),
    ]


def test_what_concerns_no_machine_has_no_number() -> None:
    """An input of a session that is not open fires no row of a table."""
    world = World()
    step = world.say("nobody", Publish("s1"))

    assert [number_of(fired) for _, fired in step.fired] == [-1]
    assert transition_inputs(world.say("nobody", LeaveFromRoom("hall"))) == []
