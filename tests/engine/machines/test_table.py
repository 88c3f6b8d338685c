"""The table: what it accepts, what it compiles to, and what it refuses at import."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import pytest
from msgspec import Struct

from signalreel.errors import TableError
from signalreel.identifiers import Kind
from signalreel.machines.base import Machine
from signalreel.machines.table import (
    SAME,
    Ignored,
    Refused,
    Row,
    Table,
    Unreachable,
    ignore,
    otherwise,
    refuse,
    row,
    unreachable,
)
from signalreel.refusals import NO_STREAM_EXIST, Refusal
from signalreel.step import Fired


class Lamp(StrEnum):
    """Where a lamp is."""

    OFF = "off"
    ON = "on"
    BROKEN = "broken"


class Other(StrEnum):
    """A state of something else."""

    NOWHERE = "nowhere"


class Press(Struct, frozen=True):
    """An input."""


class Drop(Struct, frozen=True):
    """Another input."""


class Shake(Struct, frozen=True):
    """An input that a lamp does not know."""


class LampMachine(Machine[Lamp], frozen=True, gc=False):
    """What the table is of."""


def is_raining(machine: object, input: object, context: object) -> bool:
    """Whether it rains; nothing of a lamp decides it."""
    return context == "rain"


def is_night(machine: object, input: object, context: object) -> bool:
    """Whether it is night."""
    return context == "night"


def always(machine: object, input: object, context: object) -> bool:
    """Always hold, without being `otherwise`."""
    return True


def glow(machine: LampMachine, input: Press, context: object) -> None:
    """Do nothing."""


WHOLE: tuple[Row | list[Row], ...] = (
    refuse(Press, Lamp.OFF, is_raining, NO_STREAM_EXIST),
    row(Press, Lamp.OFF, (is_night, otherwise), glow, Lamp.ON),
    row(Press, Lamp.OFF, (is_night, always), glow),
    ignore(Press, Lamp.OFF, because="it is bright enough"),
    row(Press, Lamp.ON, otherwise, None, SAME),
    row(Drop, Lamp.ON, otherwise, None, Lamp.BROKEN),
    unreachable(Drop, Lamp.OFF, because="it stands firmly"),
)


def lamp(rows: Iterable[Row | list[Row]]) -> Table[LampMachine]:
    """The table of these rows."""
    return Table(
        Kind.STREAM, LampMachine, Lamp, initial=Lamp.OFF, finals=(Lamp.BROKEN,), inputs=(Press, Drop), rows=rows
    )


def faults_of(rows: Iterable[Row | list[Row]]) -> list[str]:
    """What is wrong with these rows."""
    with pytest.raises(TableError) as caught:
        lamp(rows)
    assert caught.value.kind == "stream"
    return caught.value.faults


def test_a_whole_table_is_compiled_row_by_row() -> None:
    """A cell holds its rows from the top: condition (None for `otherwise`), action, next state and what it is."""
    cell = lamp(WHOLE).cells[Press][Lamp.OFF]

    assert [(action, next, fired) for _, action, next, fired in cell] == [
        (cell[0][1], None, Fired("stream", "off", "Press", 0, "refuse no_stream_exist")),
        (glow, Lamp.ON, Fired("stream", "off", "Press", 1, "glow")),
        (glow, None, Fired("stream", "off", "Press", 2, "glow")),
        (None, None, Fired("stream", "off", "Press", 3, "ignore: it is bright enough")),
    ]
    assert [condition for condition, *_ in cell[:2]] == [is_raining, is_night]
    assert cell[3][0] is None


def test_same_is_the_state_it_was_in_and_no_next_is_silence() -> None:
    """`SAME` compiles to the state of the cell, so a transition is published; a row without `next` has none."""
    ((_, action, next, fired),) = lamp(WHOLE).cells[Press][Lamp.ON]

    assert (action, next, fired.what) == (None, Lamp.ON, "")


def test_several_conditions_must_all_hold() -> None:
    """A tuple of conditions is one condition; `otherwise` among them adds nothing."""
    both = lamp(WHOLE).cells[Press][Lamp.OFF][2][0]

    assert both is not None
    assert [both(None, None, context) for context in ("night", "day")] == [True, False]


def test_a_row_says_what_it_does() -> None:
    """An action's name, a refusal's definition, or the reason: it stands in steps, for explaining and coverage."""
    names = [
        Refused(NO_STREAM_EXIST).__name__,
        Ignored("it is late").__name__,
        Unreachable("it is early").__name__,
    ]

    assert names == ["refuse no_stream_exist", "ignore: it is late", "unreachable: it is early"]


def test_ignoring_and_not_reaching_perform_nothing() -> None:
    """The library's own machine runs these actions; they leave nothing behind."""
    context: Any = object()

    Ignored("x")(None, None, context)
    Unreachable("x")(None, None, context)


def test_refusing_leaves_the_refusal_with_the_context() -> None:
    """The action of a refusing row tells the context which entry it is, and when to try again where that is known."""
    kept: list[tuple[Refusal, int]] = []

    class Keeper:
        """A context that only keeps refusals."""

        def refuse(self, refusal: Refusal, retry_after_ms: int = 0) -> None:
            """Keep it."""
            kept.append((refusal, retry_after_ms))

    Refused(NO_STREAM_EXIST)(None, None, Keeper())
    Refused(NO_STREAM_EXIST, lambda machine, input, context: 7)(None, None, Keeper())

    assert kept == [(NO_STREAM_EXIST, 0), (NO_STREAM_EXIST, 7)]


def test_an_open_cell_is_a_fault() -> None:
    """Contract 5: a cell whose last row has a condition might decide nothing."""
    rows = (*WHOLE[:3], *WHOLE[4:])

    assert faults_of(rows) == ["Press in off: open, the last row has a condition"]


def test_a_missing_cell_is_a_fault() -> None:
    """Contract 5: every input has an answer in every state, also one that nobody wrote a row for."""
    assert faults_of(WHOLE[:-2]) == ["Drop in off: no row", "Drop in on: no row"]


def test_a_row_after_otherwise_is_a_fault() -> None:
    """Contract 5: a row that is never tried is a mistake of whoever wrote it."""
    rows = (*WHOLE, row(Press, Lamp.ON, is_night, glow, Lamp.OFF), row(Press, Lamp.ON, otherwise, glow, Lamp.OFF))

    assert faults_of(rows) == ["Press in on: rows after `otherwise` are never reached"]


def test_an_unknown_state_is_a_fault() -> None:
    """Contract 5: a state of another machine is neither a place to be in nor one to go to."""
    rows = (
        *WHOLE,
        row(Press, (Lamp.ON, Other.NOWHERE), is_night, glow),
        row(Drop, Lamp.ON, is_night, None, Other.NOWHERE),
    )

    assert faults_of(rows) == [
        "Press: unknown state <Other.NOWHERE: 'nowhere'>",
        "Drop: unknown state <Other.NOWHERE: 'nowhere'>",
    ]


def test_an_unknown_input_is_a_fault() -> None:
    """Contract 5: a row for an input that is not among the machine's would never be asked."""
    assert faults_of((*WHOLE, row(Shake, Lamp.ON, otherwise, None))) == ["Shake: not an input of this machine"]


def test_a_row_out_of_a_final_state_is_a_fault() -> None:
    """Contract 5: a machine in a final state is gone, so nothing happens there."""
    rows = (*WHOLE, ignore((Press, Drop), Lamp.BROKEN, because="it is broken"))

    assert faults_of(rows) == [
        "Press: a row out of the final state broken",
        "Drop: a row out of the final state broken",
    ]


def test_all_faults_are_told_at_once() -> None:
    """Whoever writes a table sees everything that is wrong with it in one run."""
    assert faults_of(()) == [
        "Press in off: no row",
        "Press in on: no row",
        "Drop in off: no row",
        "Drop in on: no row",
    ]
