"""How a machine is written down, and how what is written becomes what runs.

Theory of operation
-------------------
A machine has a state and a few fields. What it does on an input is decided by its table, and by nothing else. The table
is a list of rows; a row names an input, the states it holds in, a condition, an action and the next state:

    row(Join, WAITING, otherwise, pair_up, PAIRED)

For every state and every input of a machine there is a *cell*: the rows for the two, tried from the top; the first one
whose condition holds *fires*. The last row of a cell has the condition `otherwise`, and nothing follows it, so a cell
always decides. A cell ends in one of four ways:

- `row`: the action runs; when `next` is named, the machine is in that state afterwards and a transition is published,
  also when the state is the same (`SAME` stays in whichever state it was and publishes). Without `next` the machine
  stays where it is, fields may change, and nothing is published;
- `refuse`: the client gets an entry of the catalogue; nothing changes;
- `ignore`: harmless, with the reason;
- `unreachable`: cannot happen; the exhaustive search proves it, and a running server counts it.

A final state has no cells: a machine that reaches it is dropped, and the id starts again from the initial state, in
which no machine is ever stored.

Conditions and actions are plain functions of (machine, input, context). A condition looks and changes nothing. An
action returns the changed machine, or None; what else it wants to happen (messages, notices to other machines) it
leaves with the context. Neither performs anything.

How it runs
-----------
The rows become one `transitions.Machine` per kind, shared and without a model: it validates names and draws the
diagrams. Dispatch does not go through it, which would cost about a hundred times as much; `Table.cells` is compiled
from that Machine once, at import. A test walks every cell through both and demands the same answer.

The library accepts an unknown input, an open cell, and rows that can never be reached in silence; `Table` does not.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Final, Generic, Literal, Protocol, TypeVar, cast

import transitions
from msgspec import Struct

from signalreel.errors import TableError
from signalreel.refusals import Refusal
from signalreel.step import Fired

__all__ = (
    "SAME",
    "Cell",
    "CellRow",
    "Ignored",
    "Next",
    "Refused",
    "Row",
    "States",
    "Table",
    "Unreachable",
    "ignore",
    "otherwise",
    "refuse",
    "row",
    "unreachable",
)

M = TypeVar("M")
I = TypeVar("I")  # noqa: E741 -- the input; `row(Input, ...)` reads better with the letter of the word
C = TypeVar("C")

Next = StrEnum | Literal["="] | None
States = StrEnum | tuple[StrEnum, ...]

SAME: Final = "="
"""The state the machine is in, whichever that is: the transition is published. The library writes it so too."""


def otherwise(machine: object, input: object, context: object) -> bool:
    """Always hold: the condition of a cell's last row."""
    return True


class _Refusing(Protocol):
    def refuse(self, refusal: Refusal, retry_after_ms: int = 0) -> None: ...


class Refused:
    """The action of a `refuse` row."""

    def __init__(self, refusal: Refusal, retry_after_ms: Callable[..., int] | None = None) -> None:
        self.refusal = refusal
        self.retry_after_ms = retry_after_ms
        self.__name__ = f"refuse {refusal.definition}"

    def __call__(self, machine: object, input: object, context: _Refusing) -> None:
        """Leave the refusal with the context, and when to try again where that can be said."""
        wait = self.retry_after_ms
        context.refuse(self.refusal, wait(machine, input, context) if wait is not None else 0)


class Ignored:
    """The action of an `ignore` row: none."""

    def __init__(self, because: str) -> None:
        self.because = because
        self.__name__ = f"ignore: {because}"

    def __call__(self, machine: object, input: object, context: object) -> None:
        """Do nothing."""


class Unreachable:
    """The action of an `unreachable` row: none. A running server counts how often it fires; the count should stay 0."""

    def __init__(self, because: str) -> None:
        self.because = because
        self.__name__ = f"unreachable: {because}"

    def __call__(self, machine: object, input: object, context: object) -> None:
        """Do nothing."""


class Row(Struct, frozen=True):
    """One line of a table."""

    input: type
    states: tuple[StrEnum, ...]
    conditions: tuple[Callable[..., bool], ...]
    action: Callable[..., Any] | None
    next: Next


def row(
    input: type[I],
    states: States,
    when: Callable[[M, I, C], bool] | tuple[Callable[[M, I, C], bool], ...],
    then: Callable[[M, I, C], M | None] | None = None,
    next: Next = None,
) -> Row:
    """Write a row: in these states, on this input, when all conditions hold, act and go to `next`."""
    return Row(input, _tuple_of(states), _conditions_of(when), then, next)


def refuse(
    input: type[I],
    states: States,
    when: Callable[[M, I, C], bool] | tuple[Callable[[M, I, C], bool], ...],
    refusal: Refusal,
    retry_after_ms: Callable[[M, I, C], int] | None = None,
) -> Row:
    """Write a row that refuses and changes nothing, with what computes when the client may try again."""
    return Row(input, _tuple_of(states), _conditions_of(when), Refused(refusal, retry_after_ms), None)


def ignore(inputs: type | tuple[type, ...], states: States, *, because: str) -> list[Row]:
    """Write rows that let inputs pass, with the reason why that is harmless."""
    return [Row(input, _tuple_of(states), (), Ignored(because), None) for input in _types_of(inputs)]


def unreachable(inputs: type | tuple[type, ...], states: States, *, because: str) -> list[Row]:
    """Write rows for inputs that cannot reach these states, with the reason why."""
    return [Row(input, _tuple_of(states), (), Unreachable(because), None) for input in _types_of(inputs)]


def _conditions_of(when: Callable[..., bool] | tuple[Callable[..., bool], ...]) -> tuple[Callable[..., bool], ...]:
    if callable(when):
        return () if when is otherwise else (when,)
    return tuple(condition for condition in when if condition is not otherwise)


def _tuple_of(states: States) -> tuple[StrEnum, ...]:
    return states if isinstance(states, tuple) else (states,)


def _types_of(inputs: type | tuple[type, ...]) -> tuple[type, ...]:
    return inputs if isinstance(inputs, tuple) else (inputs,)


CellRow = tuple[Callable[..., bool] | None, Callable[..., Any] | None, StrEnum | None, Fired]
"""A compiled row: condition (None holds always), action, next state (None publishes nothing), and what it is."""

Cell = tuple[CellRow, ...]


class Table(Generic[M]):
    """A machine's rows, checked and compiled. `cells[input type][state]` is what dispatch reads."""

    def __init__(
        self,
        kind: StrEnum,
        machine: type[M],
        states: type[StrEnum],
        *,
        initial: StrEnum,
        finals: tuple[StrEnum, ...],
        inputs: tuple[type, ...],
        rows: Iterable[Row | list[Row]],
    ) -> None:
        self.kind = kind
        self.machine = machine
        self.states = states
        self.initial = initial
        self.finals = frozenset(finals)
        self.inputs = inputs
        self.rows: tuple[Row, ...] = tuple(_flat(rows))
        self._check_names()
        self.library = transitions.Machine(
            model=None,
            states=list(states),
            initial=initial,
            auto_transitions=False,
            transitions=[transition for line in self.rows for transition in _as_library(line)],
        )
        self.cells: dict[type, dict[StrEnum, Cell]] = self._compile()
        self._check_cells()

    def _compile(self) -> dict[type, dict[StrEnum, Cell]]:
        by_name = {input.__name__: input for input in self.inputs}
        cells: dict[type, dict[StrEnum, Cell]] = {}
        for name, event in self.library.events.items():
            by_state = cells[by_name[name]] = {}
            for source, found in event.transitions.items():
                state = cast(StrEnum, self.library.get_state(source).value)
                by_state[state] = tuple(self._compile_row(name, state, number, one) for number, one in enumerate(found))
        return cells

    def _compile_row(self, input: str, state: StrEnum, number: int, transition: transitions.Transition) -> CellRow:
        action = cast(Callable[..., Any], transition.before[0]) if transition.before else None
        what = str(getattr(action, "__name__", "")) if action is not None else ""
        fired = Fired(str(self.kind), str(state), input, number, what, isinstance(action, Unreachable))
        next: StrEnum | None = None
        if transition.dest is not None:
            next = cast(StrEnum, self.library.get_state(transition.dest).value)
        runs = None if isinstance(action, Ignored | Unreachable) else action
        conditions = [cast(Callable[..., bool], condition.func) for condition in transition.conditions]
        return (_all_of(conditions), runs, next, fired)

    def _check_names(self) -> None:
        known = set(self.states)
        faults = [
            f"{line.input.__name__}: not an input of this machine"
            for line in self.rows
            if line.input not in self.inputs
        ]
        for line in self.rows:
            named = [*line.states, *([line.next] if isinstance(line.next, StrEnum) else [])]
            faults += [f"{line.input.__name__}: unknown state {state!r}" for state in named if state not in known]
        if faults:
            raise TableError(str(self.kind), faults)

    def _check_cells(self) -> None:
        faults = [
            f"{line.input.__name__}: a row out of the final state {state}"
            for line in self.rows
            for state in line.states
            if state in self.finals
        ]
        for input in self.inputs:
            for state in self.states:
                if state not in self.finals:
                    faults += self._faults_of(input, state)
        if faults:
            raise TableError(str(self.kind), faults)

    def _faults_of(self, input: type, state: StrEnum) -> Iterator[str]:
        cell = self.cells.get(input, {}).get(state, ())
        place = f"{input.__name__} in {state}"
        if not cell:
            yield f"{place}: no row"
            return
        if cell[-1][0] is not None:
            yield f"{place}: open, the last row has a condition"
        if any(condition is None for condition, *_ in cell[:-1]):
            yield f"{place}: rows after `otherwise` are never reached"


def _flat(rows: Iterable[Row | list[Row]]) -> Iterator[Row]:
    for line in rows:
        if isinstance(line, list):
            yield from line
        else:
            yield line


def _as_library(line: Row) -> Iterator[dict[str, object]]:
    for state in line.states:
        yield {
            "trigger": line.input.__name__,
            "source": state,
            "dest": line.next,
            "conditions": list(line.conditions),
            "before": [line.action] if line.action is not None else [],
        }


def _all_of(conditions: list[Callable[..., bool]]) -> Callable[..., bool] | None:
    if not conditions:
        return None
    if len(conditions) == 1:
        return conditions[0]
    every = tuple(conditions)

    def holds(machine: object, input: object, context: object) -> bool:
        return all(condition(machine, input, context) for condition in every)

    return holds
