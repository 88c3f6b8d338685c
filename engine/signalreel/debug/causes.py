"""Why a machine is where it is: the records that brought it there, and the rules by which they did.

    trail = Trail()
    for replayed in cursor:
        trail.note(replayed.step)
    for cause in trail.chain(cursor, (Kind.STREAM, "live", "s1"), 812):
        print(cause.told)

A rule is a row of a cell, named by what stands in the table: `pair paired x takeConfiguration row 1: relay_offer` is
the second row (they are counted from 0) of what a pair that is `paired` does with a `takeConfiguration`. Inputs are
named as they are tagged on the reel, notices by the name of their class.

A trail is noted at the cost of the rows that fired, so it can follow a whole replay; telling a chain then goes back to
those records alone.
"""

from enum import StrEnum
from typing import Final, cast

from msgspec import Struct

from signalreel.commands import COMMANDS
from signalreel.debug.telling import short_session, told_input
from signalreel.engine import TABLES, Engine
from signalreel.events import DeadlineReached, SessionClosed, SessionOpened
from signalreel.host import HOST_COMMANDS
from signalreel.identifiers import Kind, Reference
from signalreel.machines.base import Key
from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import Cursor
from signalreel.step import Fired, Outcome, Step, Transition

__all__ = (
    "CHAIN_MAX",
    "Cause",
    "Trail",
    "cause_chain",
    "concerned",
    "does_something",
    "moves_by_rule",
    "rule_name",
    "rules_of",
)

CHAIN_MAX: Final = 24
"""Records that a chain tells at most: of a longer one the beginning and the end."""

_BEGINNING: Final = 6
"""Of a longer chain, what is told from its beginning; the rest is its end."""

_TAGS: Final = {kind.__name__: tag for tag, kind in (*COMMANDS.items(), *HOST_COMMANDS.items())}
"""Class names of commands to their names on the wire; events and notices are called by their class."""

_IDLE: Final = ("ignore: ", "refuse ", "refuse: ", "unreachable: ")
"""How the `what` of a row begins that changes nothing."""


class Cause(Struct, frozen=True):
    """One record of a chain."""

    seq: int
    time: int  #: microseconds since the reel began
    session: str
    told: str  #: in one line, with nothing in it that may not be shown
    rules: tuple[str, ...] = ()  #: by which it concerned the machine
    left_out: int = 0  #: records of the chain that stand before this one and are not told


# ---------------------------------------------------------------- rules


def rule_name(fired: Fired) -> str:
    """Name the row of a cell: kind, state, input, number and what it does."""
    kind_and_state = f"{fired.kind} {fired.state}".rstrip()
    if not fired.input:
        return f"{kind_and_state}: {fired.what}"
    return f"{kind_and_state} x {_TAGS.get(fired.input, fired.input)} row {fired.row}: {fired.what or 'no action'}"


def rules_of(step: Step) -> tuple[str, ...]:
    """Name every row that fired in a step, in the order in which they did."""
    return tuple(rule_name(fired) for _, fired in step.fired)


def does_something(fired: Fired) -> bool:
    """Whether a row that fired is more than an `ignore`, a refusal or one that nothing reaches."""
    return not fired.what.startswith(_IDLE)


def moves_by_rule(step: Step) -> tuple[tuple[Transition, str], ...]:
    """Give the transitions of a step, each with the name of the rule that made it."""
    moving = [rule_name(fired) for _, fired in step.fired if _publishes(fired)]
    return tuple(zip(step.transitions, moving, strict=False))


def _publishes(fired: Fired) -> bool:
    """Whether the row names its next state, by the table as it is now."""
    table = TABLES.get(cast(Kind, fired.kind))
    for input, cells in table.cells.items() if table is not None else ():
        if input.__name__ == fired.input:
            return any(row[3] == fired and row[2] is not None for row in cells.get(cast(StrEnum, fired.state), ()))
    return False


def concerned(step: Step, recorded: Outcome | None = None) -> tuple[Key, ...]:
    """Give the machines that a step is about: those that moved, now or as recorded, then those that were asked."""
    found: dict[Key, None] = {}
    for transition in step.transitions:
        reference = transition.machine
        found[reference.kind, reference.app, reference.id] = None
    for kind, app, id, _, _ in recorded.transitions if recorded is not None else ():
        found[Kind(kind), app, id] = None
    app = next((key[1] for key in found), "")
    for id, fired in step.fired:
        if fired.kind in set(Kind) and not any(key[0] == fired.kind and key[2] == id for key in found):
            found[Kind(fired.kind), app, id] = None
    return tuple(found)


# ---------------------------------------------------------------- chains


class Trail:
    """Which records concerned which machine, noted step by step."""

    def __init__(self) -> None:
        self._by: dict[tuple[str, str], list[int]] = {}
        self._opened: dict[str, int] = {}
        self._first = 0

    def note(self, step: Step) -> None:
        """Take a step in, each of them once and in their order."""
        seq = step.record.seq
        self._first = self._first or seq
        for id, fired in step.fired:
            if does_something(fired):
                seqs = self._by.setdefault((fired.kind, id), [])
                if not seqs or seqs[-1] != seq:
                    seqs.append(seq)
        if type(step.record.event) is SessionOpened:
            self._opened[step.record.session] = seq

    def chain(self, cursor: Cursor, key: Key, seq: int) -> tuple[Cause, ...]:
        """Tell the life of a machine up to a record, from whoever opened the sessions that hold it; moves the cursor.

        Of a machine that lives no longer after the record it is the life that ended there. An app that is not named
        is the one in which such a machine lives. Of what began before the reel, it is told how it stood at the seam.
        """
        before = self._life(cursor, key, seq)
        if before is None:
            return ()
        key, born = before
        seqs = [each for each in self._by.get((str(key[0]), key[2]), ()) if born <= each <= seq]
        told = seqs if len(seqs) <= CHAIN_MAX else [*seqs[:_BEGINNING], *seqs[_BEGINNING - CHAIN_MAX :]]
        causes = self._stood(cursor, key) if born < self._first else []
        last = 0
        for each in told:
            replayed = cursor.seek(each)
            if replayed is None or (step := replayed.step).record.seq != each:
                break
            if not last and not causes:
                causes += self._openings(step.record)
            skipped = seqs.index(each) - seqs.index(last) - 1 if last else 0
            if _app_of(step, cursor.engine) in {key[1], ""}:
                causes.append(_cause_of(step, key, skipped))
            last = each
        return tuple(causes)

    def _life(self, cursor: Cursor, key: Key, seq: int) -> tuple[Key, int] | None:
        """Find which life it is: the one that is there after the record, else the one that was there before it."""
        for position in (seq, seq - 1):
            cursor.seek(position)
            for found, machine in cursor.engine.machines(key[0]):
                if found[2] == key[2] and key[1] in ("", found[1]):
                    return found, machine.born
        replayed = cursor.seek(seq)
        for transition in replayed.step.transitions if replayed is not None else ():
            reference = transition.machine
            if reference.kind is key[0] and reference.id == key[2] and key[1] in ("", reference.app):
                return (reference.kind, reference.app, reference.id), reference.born
        return None

    def _stood(self, cursor: Cursor, key: Key) -> list[Cause]:
        """Tell how a machine stood at the seam that the reel begins with, if it was born before that."""
        cursor.seek(self._first - 1)
        machine = cursor.engine.find(key[0], key[2], app=key[1])
        if machine is None:
            return []
        told = (
            f"{machine.born}: it began before this reel, at whose first record ({self._first}) it was {machine.state}"
        )
        return [Cause(machine.born, machine.born_at, "", told)]

    def _openings(self, record: Record) -> list[Cause]:
        opened = self._opened.get(record.session, 0)
        if not 0 < opened < record.seq:
            return []
        return [Cause(opened, 0, record.session, f"{opened}: session {short_session(record.session)} opened")]


def cause_chain(reel: Reel, key: Key, seq: int) -> tuple[Cause, ...]:
    """Tell the life of a machine up to a record of a reel. Replays the reel up to there."""
    cursor, trail = Cursor(reel), Trail()
    for replayed in cursor:
        trail.note(replayed.step)
        if cursor.position >= seq:
            break
    return trail.chain(cursor, key, min(seq, cursor.position))


def _app_of(step: Step, engine: Engine) -> str:
    """Say which app a step is about; empty where that cannot be told, because its session is gone and nothing moved."""
    for transition in step.transitions:
        return transition.machine.app
    record = step.record
    machine = getattr(record.event, "machine", None)
    session = engine.session(record.session)
    app = machine.app if isinstance(machine, Reference) else getattr(record.host, "app", "")
    return app or (session.app if session is not None else "")


def _cause_of(step: Step, key: Key, left_out: int) -> Cause:
    record = step.record
    rules = tuple(
        rule_name(fired) for id, fired in step.fired if id == key[2] and fired.kind == key[0] and does_something(fired)
    )
    first = next((rule_name(fired) for _, fired in step.fired if does_something(fired)), "")
    moved = [
        f"{each.source} -> {each.target}"
        for each in step.transitions
        if (each.machine.kind, each.machine.app, each.machine.id) == key
    ]
    via = [f"by way of {first}"] if first not in ("", *rules) else []
    parts = [f"{_told_origin(record)}{told_input(step)}", *via, *rules, *moved]
    return Cause(record.seq, record.time, record.session, f"{record.seq}: " + "; ".join(parts), rules, left_out)


def _told_origin(record: Record) -> str:
    """Say whose input it is, or which record set the timer."""
    if isinstance(record.event, DeadlineReached):
        return f"(timer set by {record.event.timer}) "
    if isinstance(record.event, SessionClosed):
        return f"session {short_session(record.session)} closed ({record.event.code}): "
    return f"session {short_session(record.session)}: " if record.session else ""
