"""What can be wrong with a list of records: a condition that must never hold, or another outcome than it should have.

A check is asked for a list of records, whole and numbered right, and says which is the first that goes wrong. It is
asked a thousand times while a failure is made small, of lists that nobody ever recorded; so it needs no outcome from a
reel. Where it is the outcome that is wrong, another code has to say what is right.

Records begin with nothing, or go on from the state at a seam: a `Start` says with which.
"""

import ast
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from signalreel.debug.finding import Given, given_by, is_alike
from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.engine import Engine
from signalreel.errors import InvalidRecord, OutOfOrder
from signalreel.header import Header
from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import engine_at_start
from signalreel.snapshot import Snapshot
from signalreel.step import Step
from signalreel.verify.catalogue import INVARIANTS
from signalreel.verify.invariants import Monitor

__all__ = (
    "CRASHES",
    "NEVER",
    "Breaks",
    "Check",
    "Differs",
    "Holds",
    "Other",
    "Rename",
    "Start",
    "engine_of",
    "start_of",
    "steps_of",
)

NEVER: Final = 0
"""What a check says of records that are all right."""


class Start(Struct, frozen=True):
    """What is so before the first record: what the header says, or the state at a seam."""

    header: Header
    seam: Snapshot | None = None  #: None: there is nothing yet

    @property
    def first_seq(self) -> int:
        """The number of the first record."""
        return 1 if self.seam is None else self.seam.seq + 1

    @property
    def time(self) -> int:
        """Microseconds of reel time, before which no record can come."""
        return 0 if self.seam is None else self.seam.time


Other = Callable[[Start, Sequence[Record]], Sequence[Given]]
"""Another code: what each of the records causes by it."""

Rename = Callable[[str], str]
"""Gives what a text has become."""

CRASHES: Final = (AssertionError, AttributeError, LookupError, TypeError, ValueError)
"""By what an engine that has a bug may end: whether that is the failure that was meant, nobody can say."""


class Check(Protocol):
    """What is looked for in a list of records."""

    @property
    def text(self) -> str:
        """What goes wrong, in the words in which it was asked for."""
        ...

    def first(self, start: Start, records: Sequence[Record]) -> int:
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

    def first(self, start: Start, records: Sequence[Record]) -> int:
        """Give the first record after which the condition holds."""
        holds = self.predicate.holds
        try:
            engine = engine_of(start)
            for record in records:
                if holds(engine, engine.apply(record)):
                    return record.seq
        except (InvalidRecord, OutOfOrder, *CRASHES):
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

    def first(self, start: Start, records: Sequence[Record]) -> int:
        """Give the first record after which the invariant does not hold."""
        name = self.invariant.name
        try:
            engine = engine_of(start)
            observe = Monitor(engine).observe
            for record in records:
                broken = observe(engine, engine.apply(record))
                if broken and any(violation.invariant == name for violation in broken):
                    return record.seq
        except (InvalidRecord, OutOfOrder, *CRASHES):
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

    def first(self, start: Start, records: Sequence[Record]) -> int:
        """Give the first record that shows something else to the world by this code."""
        try:
            ours = steps_of(start, records)
            theirs = self.other(start, records)
        except (InvalidRecord, OutOfOrder, *CRASHES):
            return NEVER
        return next(
            (step.record.seq for step, right in zip(ours, theirs, strict=True) if not is_alike(given_by(step), right)),
            NEVER,
        )

    def renamed(self, name: Rename) -> "Differs":
        """No name is in it."""
        return self


def start_of(reel: Reel) -> Start:
    """Say what is so before the first record of a reel. Raises `ReelDamaged` when its seam cannot be read."""
    engine = engine_at_start(reel)
    return Start(reel.header, engine.snapshot() if reel.seam is not None else None)


def engine_of(start: Start) -> Engine:
    """Make an engine as it is before the first record. Raises what `Engine.restore` does of a state that cannot be."""
    header = start.header
    engine = Engine(header.settings, started_at=header.started_at, logic=header.logic)
    if start.seam is not None:
        engine.restore(start.seam)
    return engine


def steps_of(start: Start, records: Sequence[Record]) -> list[Step]:
    """Apply records from the beginning. Raises what `Engine.apply` does."""
    engine = engine_of(start)
    return [engine.apply(record) for record in records]
