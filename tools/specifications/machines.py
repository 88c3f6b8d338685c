"""The page of a machine: its states, its picture, and what every input does in every state."""

import inspect
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from signalreel.machines.table import Ignored, Refused, Row, Table, Unreachable
from tools.specifications.writing import page, table_of

__all__ = ("machine_page",)

STATE_NOTE: Final = re.compile(r"^\s+(?P<name>[A-Z_]+) = \"[^\"]*\"\s+#: (?P<note>.*)$", re.MULTILINE)


def diagram(machine: Table[Any]) -> Iterator[str]:
    """Draw the rows that name a target; refusals and silent changes would hide them, and stand in the table below."""
    edges: dict[tuple[str, str], list[str]] = {}
    for line in machine.rows:
        if isinstance(line.next, StrEnum):
            for state in line.states:
                edges.setdefault((state.value, line.next.value), []).append(line.input.__name__)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {machine.initial.value}"
    for (source, target), names in edges.items():
        yield f"    {source} --> {target}: {', '.join(dict.fromkeys(names))}"
    for state in machine.states:
        if state in machine.finals:
            yield f"    {state.value} --> [*]"
    yield "```"
    yield ""


def effect(line: Row) -> str:
    """Say what a row does."""
    match line.action:
        case None:
            return "nothing more"
        case Refused(refusal=refusal):
            return f"refuse with `{refusal.definition}`"
        case Ignored(because=because):
            return f"ignore: {because}"
        case Unreachable(because=because):
            return f"unreachable: {because}"
        case action:
            return f"`{getattr(action, '__name__', '')}`"


def target(line: Row) -> str:
    """Say which state a row leads to."""
    if line.next is None:
        return ""
    return line.next.value if isinstance(line.next, StrEnum) else "the same"


def matrix(machine: Table[Any]) -> Iterator[str]:
    """Write every cell: the rows that decide an input in a state."""
    states = [state for state in machine.states if state not in machine.finals]
    numbered = list(enumerate(machine.rows, start=1))

    def cell(input: type, state: StrEnum) -> str:
        found = [(number, line) for number, line in numbered if line.input is input and state in line.states]
        assert len(found) == len(machine.cells[input][state])  # noqa: S101 -- what dispatch reads is what is written
        return "<br>".join(f"{number} {outcome(line)}".rstrip() for number, line in found)

    yield from table_of(
        ("input", *(state.value for state in states)),
        ((f"`{input.__name__}`", *(cell(input, state) for state in states)) for input in machine.inputs),
    )


def outcome(line: Row) -> str:
    """Say in a word what a row leads to."""
    match line.action:
        case Refused():
            return "refuse"
        case Ignored():
            return "ignore"
        case Unreachable():
            return "never"
        case _:
            return f"→ {target(line)}" if isinstance(line.next, StrEnum) else ""


def machine_page(machine: Table[Any]) -> str:
    """Write one machine: its states, its picture and all its rows."""
    notes = {m["name"]: m["note"] for m in STATE_NOTE.finditer(inspect.getsource(machine.states))}
    states = ((f"`{state.value}`", notes.get(state.name, "")) for state in machine.states)
    body = [
        inspect.getdoc(sys.modules[f"signalreel.machines.{machine.kind}"]) or "",
        "",
        *(["## States", "", *table_of(("state", "meaning"), states)] if notes else []),
        "## Transitions",
        "",
        *diagram(machine),
        "## Every state and input",
        "",
        "The numbers are those of the rows below, in the order in which they are tried; the first whose conditions",
        "all hold decides. Behind a number stands the state that its row leads to, or `refuse`, `ignore`, or `never`",
        "for what cannot happen; nothing where the machine changes or answers and its state stays.",
        "",
        *matrix(machine),
        "## Rows",
        "",
        *table_of(
            ("row", "input", "in", "when", "then", "next"),
            (
                (
                    str(number),
                    f"`{line.input.__name__}`",
                    ", ".join(state.value for state in line.states),
                    " and ".join(f"`{getattr(c, '__name__', '')}`" for c in line.conditions) or "otherwise",
                    effect(line),
                    target(line),
                )
                for number, line in enumerate(machine.rows, start=1)
            ),
        ),
    ]
    return page(f"The {machine.kind} machine", f"`signalreel.machines.{machine.kind}`", body)
