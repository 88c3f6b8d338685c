"""What all machines have in common."""

from signalreel.engine import TABLES
from signalreel.machines.base import Machine
from signalreel.machines.shapes import Pair, PairState


def test_a_machine_holds_immutable_values_only() -> None:
    """A snapshot keeps references, so nothing in a machine may be changed in place: every default can be hashed."""
    for table in TABLES.values():
        machine = table.machine("live", "id", table.initial)

        assert isinstance(machine, Machine)
        assert hash(machine) == hash(table.machine("live", "id", table.initial))


def test_a_machine_tells_who_let_go_and_who_took_hold() -> None:
    """The index from sessions to machines is derived from this difference and nothing else."""
    before = Pair("live", "p", PairState.PAIRED, sessions=("a", "b"))
    after = Pair("live", "p", PairState.PAIRED, sessions=("b", "c"))

    assert after.moved_sessions(before) == (("a",), ("c",))
    assert before.moved_sessions(before) == ((), ())


def test_nobody_has_a_seat_in_what_is_no_room() -> None:
    """Only a room seats sessions under stream ids."""
    assert Pair("live", "p", PairState.WAITING, sessions=("a",)).stream_of("a") == ""
