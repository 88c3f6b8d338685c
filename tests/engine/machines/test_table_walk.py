"""One table, two ways through it: the compiled cells and the library's own machine give the same answer everywhere.

The library drops what an action returns, so what is walked is a twin of each table: the same rows, each action wrapped
so that it says that it ran. That the twin has the very cells and the very library transitions of the table is tested
first.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import product
from typing import Any, Final

import pytest
from msgspec.structs import replace

from signalreel.engine import TABLES, Engine
from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import AnyMachine, Key
from signalreel.machines.table import Row, Table
from signalreel.step import Fired, Transition
from tests.engine.scenes import SETTINGS
from tests.engine.tour import tour

Condition = Callable[..., bool]
EACH_TABLE: Final = pytest.mark.parametrize("table", TABLES.values(), ids=[str(kind) for kind in TABLES])


class Acting:
    """The action of a row of a twin: runs the row's own and keeps which row it was and what that returned."""

    def __init__(self, number: int, action: Callable[..., Any] | None, ran: list[tuple[int, Any]]) -> None:
        self.number = number
        self.action = action
        self.ran = ran

    def __call__(self, machine: object, input: object, context: object) -> object:
        """Run the row's own action."""
        returned = self.action(machine, input, context) if self.action is not None else None
        self.ran.append((self.number, returned))
        return returned


class Twin:
    """A table with the same rows, whose library machine can be asked what it would do."""

    def __init__(self, table: Table[Any], conditions: Callable[[Condition], Condition] | None = None) -> None:
        self.original = table
        self.ran: list[tuple[int, Any]] = []
        self.table: Table[Any] = Table(
            table.kind,
            table.machine,
            table.states,
            initial=table.initial,
            finals=tuple(sorted(table.finals)),
            inputs=table.inputs,
            rows=[
                Row(
                    each.input,
                    each.states,
                    tuple(conditions(condition) for condition in each.conditions) if conditions else each.conditions,
                    Acting(number, each.action, self.ran),
                    each.next,
                )
                for number, each in enumerate(table.rows)
            ],
        )
        self.model = Model()
        self.table.library.add_model(self.model)

    def ask_library(
        self, state: StrEnum, machine: object, input: object, context: object, name: str
    ) -> tuple[int, Any, Any]:
        """Trigger an input on the library's machine: (number of the row that ran, what it returned, state after)."""
        self.ran.clear()
        self.table.library.set_state(state, self.model)
        accepted = self.model.trigger(name, machine, input, context)
        assert accepted, f"the library found no row: {name} in {state}"
        ((number, returned),) = self.ran
        return number, returned, self.model.state

    def ask_cells(
        self, state: StrEnum, machine: object, input: object, context: object, kind: type
    ) -> tuple[int, Any, Any]:
        """Walk the compiled cell: the same three answers."""
        for condition, action, next, _ in self.table.cells[kind][state]:
            if condition is None or condition(machine, input, context):
                assert isinstance(action, Acting)
                self.ran.clear()
                returned = action(machine, input, context)
                return self.ran[0][0], returned, next if next is not None else state
        raise AssertionError(f"an open cell: {kind.__name__} in {state}")

    def row_in_cell(self, number: int, state: StrEnum) -> int:
        """The number of a row among those of its cell."""
        wanted = self.original.rows[number]
        before = self.original.rows[:number]
        return sum(1 for each in before if each.input is wanted.input and state in each.states)


class Model:
    """What the library keeps a state on; it adds `trigger` itself."""

    state: StrEnum
    trigger: Callable[..., bool]


@EACH_TABLE
def test_a_twin_has_the_cells_of_its_table(table: Table[Any]) -> None:
    """Contract 6: wrapping the actions changes neither the cells nor what the library holds, row for row."""
    twin = Twin(table)

    def shape(of: Table[Any]) -> list[tuple[object, ...]]:
        return [
            (input.__name__, state, next, replace(fired, what="", is_unreachable=False))
            for input in of.inputs
            for state, cell in of.cells[input].items()
            for _, _, next, fired in cell
        ]

    def held(of: Table[Any]) -> list[tuple[object, ...]]:
        return [
            (name, source, transition.dest, [condition.func for condition in transition.conditions])
            for name, event in of.library.events.items()
            for source, transitions in event.transitions.items()
            for transition in transitions
        ]

    assert shape(twin.table) == shape(table)
    assert held(twin.table) == held(table)


@EACH_TABLE
def test_every_cell_is_decided(table: Table[Any]) -> None:
    """Contract 5: in every state but the final ones, every input has rows of which only the last is unconditional."""
    for input in table.inputs:
        cells = table.cells[input]
        assert set(cells) == set(table.states) - table.finals
        for cell in cells.values():
            assert [condition is None for condition, *_ in cell] == [False] * (len(cell) - 1) + [True]


@EACH_TABLE
def test_every_state_can_be_reached(table: Table[Any]) -> None:
    """A state that no row leads to, other than the initial one, would be a state by mistake."""
    led_to = {
        next for cells in table.cells.values() for cell in cells.values() for _, _, next, _ in cell if next is not None
    }

    assert led_to == set(table.states) - {table.initial}


def conditions_of(table: Table[Any], input: type, state: StrEnum) -> list[Condition]:
    """The conditions that stand in a cell, each once."""
    rows = [each for each in table.rows if each.input is input and state in each.states]
    return list(dict.fromkeys(condition for each in rows for condition in each.conditions))


def cells_of(table: Table[Any]) -> Iterator[tuple[type, StrEnum]]:
    """Every cell."""
    for input in table.inputs:
        for state in table.cells[input]:
            yield input, state


@EACH_TABLE
def test_the_library_fires_the_same_row_whatever_holds(table: Table[Any]) -> None:
    """Contract 6: in every cell, whichever of its conditions hold, both ways fire the same row to the same state."""
    told: dict[Condition, bool] = {}

    def as_told(condition: Condition) -> Condition:
        return lambda machine, input, context: told[condition]

    twin = Twin(table, as_told)
    context = Deaf()
    for acting in (each.action for each in twin.table.rows):
        assert isinstance(acting, Acting)
        acting.action = None
    for input, state in cells_of(table):
        conditions = conditions_of(table, input, state)
        for outcomes in product((True, False), repeat=len(conditions)):
            told.clear()
            told.update(zip(conditions, outcomes, strict=True))
            by_library = twin.ask_library(state, None, None, context, input.__name__)
            by_cells = twin.ask_cells(state, None, None, context, input)
            assert by_library == by_cells, (input.__name__, state, told)


class Deaf:
    """A context for actions that do nothing."""


class LibraryEngine(Engine):
    """An engine that dispatches through the library's machines instead of the compiled cells."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.twins = {kind: Twin(table) for kind, table in TABLES.items()}

    def _fire(self, key: Key, input: object) -> None:
        kind: Kind = key[0]
        twin, table = self.twins[kind], TABLES[kind]
        context = self._context
        if type(input) not in table.inputs:
            super()._fire(key, input)
            return
        stored = key in context.machines
        before: AnyMachine = context.machines.get(key) or table.machine(key[1], key[2], table.initial)
        number, returned, state = twin.ask_library(before.state, before, input, context, type(input).__name__)
        context.fired.append((key[2], self.fired_row(twin, number, type(input), before)))
        after: AnyMachine = returned or before
        if table.rows[number].next is not None:
            after = self._enter(after, before.state, state)
            made = Transition(self.reference_of(key, after), before.state, state, context.detail)
            context.transitions.append(made)
            context.detail = None
        if after != before:
            self._store(key, before, after, stored)

    def fired_row(self, twin: Twin, number: int, input: type, before: AnyMachine) -> Fired:
        """The row as a step names it."""
        return twin.original.cells[input][before.state][twin.row_in_cell(number, before.state)][3]

    def reference_of(self, key: Key, machine: AnyMachine) -> Reference:
        """The reference to a machine."""
        return Reference(key[0], key[1], key[2], machine.born)


def test_an_engine_on_the_library_gives_the_same_steps() -> None:
    """Contract 6: on real machines, inputs and notices, the library leads to the steps that the cells lead to.

    Rows, transitions, messages and digests are compared for every record of the tour.
    """
    engine = LibraryEngine()

    for past in tour().past:
        assert replace(engine.apply(past.record), state_digest=b"") == replace(past.step, state_digest=b"")
