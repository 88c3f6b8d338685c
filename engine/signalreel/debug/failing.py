"""What can be wrong with a list of records: a condition that must never hold, or another outcome than it should have.

A check is asked for a list of records, whole and numbered right, and says which is the first that goes wrong. It is
asked a thousand times while a failure is made small, of lists that nobody ever recorded; so it needs no outcome from a
reel. Where it is the outcome that is wrong, another code has to say what is right.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from signalreel.debug.finding import Given, given_by, is_alike
from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.engine import Engine
from signalreel.errors import InvalidRecord, OutOfOrder
from signalreel.header import Header
from signalreel.record import Record
from signalreel.step import Step
from signalreel.verify.catalogue import INVARIANTS
from signalreel.verify.invariants import Monitor

__all__ = ("NEVER", "Breaks", "Check", "Differs", "Holds", "Other", "Rename", "engine_of", "steps_of")

NEVER: Final = 0
"""What a check says of records that are all right."""

Other = Callable[[Header, Sequence[Record]], Sequence[Given]]
"""Another code: what each of the records causes by it."""

Rename = Callable[[str], str]
"""Gives what a text has become."""

_CRASHES: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""By what an engine that has a bug may end: whether that is the failure that was meant, nobody can say."""


class Check(Protocol):
    """What is looked for in a list of records."""

    @property
    def text(self) -> str:
        """What goes wrong, in the words in which it was asked for."""
        ...

    def first(self, header: Header, records: Sequence[Record]) -> int:
        """Give the number of the first record that goes wrong, or `NEVER`."""
        ...

    def renamed(self, name: Rename) -> "Check":
        """Give the same check for records in which names were replaced."""
        ...


class Holds:
    """A condition that must never hold, and does."""

    def __init__(self, predicate: Predicate) -> None:
        self.predicate: Final = predicate

    @property
    def text(self) -> str:
        """The expression."""
        return self.predicate.text

    def first(self, header: Header, records: Sequence[Record]) -> int:
        """Give the first record after which the condition holds."""
        engine = engine_of(header)
        holds = self.predicate.holds
        try:
            for record in records:
                if holds(engine, engine.apply(record)):
                    return record.seq
        except (InvalidRecord, OutOfOrder, *_CRASHES):
            return NEVER
        return NEVER

    def renamed(self, name: Rename) -> "Holds":
        """Replace the names where the expression has them as texts."""
        tree = ast.parse(self.predicate.text.strip(), mode="eval")
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                node.value = name(node.value)
        return Holds(compile_predicate(ast.unparse(tree)))


class Breaks:
    """An invariant that is broken."""

    def __init__(self, name: str) -> None:
        """Raise `KeyError` when there is no invariant of this name."""
        self.invariant: Final = INVARIANTS[name]

    @property
    def text(self) -> str:
        """The name of the invariant."""
        return f"invariant:{self.invariant.name}"

    def first(self, header: Header, records: Sequence[Record]) -> int:
        """Give the first record after which the invariant does not hold."""
        engine = engine_of(header)
        observe, name = Monitor(engine).observe, self.invariant.name
        try:
            for record in records:
                broken = observe(engine, engine.apply(record))
                if broken and any(violation.invariant == name for violation in broken):
                    return record.seq
        except (InvalidRecord, OutOfOrder, *_CRASHES):
            return NEVER
        return NEVER

    def renamed(self, name: Rename) -> "Breaks":
        """No name is in it."""
        return self


class Differs:
    """Another outcome than by another code, which is the one that is right."""

    def __init__(self, other: Other) -> None:
        self.other: Final = other

    @property
    def text(self) -> str:
        """The word for it."""
        return "diverges"

    def first(self, header: Header, records: Sequence[Record]) -> int:
        """Give the first record that shows something else to the world by this code."""
        try:
            ours = steps_of(header, records)
            theirs = self.other(header, records)
        except (InvalidRecord, OutOfOrder, *_CRASHES):
            return NEVER
        return next(
            (step.record.seq for step, right in zip(ours, theirs, strict=True) if not is_alike(given_by(step), right)),
            NEVER,
        )

    def renamed(self, name: Rename) -> "Differs":
        """No name is in it."""
        return self


def engine_of(header: Header) -> Engine:
    """Make an engine as it is before the first record of a reel that starts with nothing."""
    return Engine(header.settings, started_at=header.started_at, logic=header.logic)


def steps_of(header: Header, records: Sequence[Record]) -> list[Step]:
    """Apply records from the beginning. Raises what `Engine.apply` does."""
    engine = engine_of(header)
    return [engine.apply(record) for record in records]
