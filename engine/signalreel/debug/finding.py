"""A record at which something is wrong: what was given and what else might have been, the rule, and how it came there.

What one side gives for a record is `Given`: today's code here, the code of another folder in a process of its own. Of
a server long gone the reel has the transitions, and a digest of everything: where only the digest differs, messages,
details or the deadline do, and a finding says what today's code gives and that the other side was not kept.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

from signalreel.debug.causes import Cause, Trail, does_something, rule_name
from signalreel.debug.state import Change, Watch, plain
from signalreel.debug.telling import printable, short_id, short_session, told_input
from signalreel.engine import STATE_DIGEST_EVERY
from signalreel.identifiers import Kind
from signalreel.machines.base import Key
from signalreel.messages import encode_message
from signalreel.replay import Cursor
from signalreel.step import Fired, Outcome, Step
from signalreel.verify import Violation

__all__ = (
    "CHANGES_MAX",
    "Chain",
    "Finding",
    "Given",
    "Move",
    "blamed",
    "find",
    "given_by",
    "is_alike",
    "told_given",
    "told_move",
)

CHANGES_MAX: Final = 200
"""Changes of a state that a finding tells."""

_CHAINS_MAX: Final = 4
"""Machines whose chains of causes a finding tells."""

Move = tuple[str, str, str, str, str]
"""A transition as a reel keeps it: kind, app, id, source, target."""


class Given(Struct, frozen=True, array_like=True):
    """All that one side gives for a record. Texts of messages stay in here: `told_given` tells what may be shown."""

    seq: int
    moves: tuple[Move, ...]
    details: bytes  #: the transitions as a digest covers them
    messages: tuple[tuple[str, bytes], ...]
    deadline: tuple[int, str] | None
    refused: str
    fired: tuple[tuple[str, Fired], ...]
    state_digest: bytes = b""


class Chain(Struct, frozen=True):
    """How a machine came to where it is."""

    machine: str
    causes: tuple[Cause, ...]


class Finding(Struct, frozen=True, kw_only=True):
    """A record at which something is wrong, with all that helps to say why."""

    seq: int
    time: int  #: microseconds since the reel began
    session: str
    input: str
    what: str  #: what differs, or which condition holds
    rule: str  #: which row is at fault, as far as that can be told
    rules: tuple[str, ...]  #: every row that fired
    ours: tuple[str, ...]  #: what this code gives, line by line
    theirs: tuple[str, ...] = ()  #: what the other side gave; its transitions alone where no more was kept
    their_rule: str = ""
    their_side: str = ""  #: `recorded`, or the folder of the other code
    missing: tuple[str, ...] = ()  #: what only the other side gave
    unexpected: tuple[str, ...] = ()  #: what only this code gives
    not_kept: str = ""  #: what cannot be told of the other side, and why
    changes: tuple[Change, ...] = ()  #: what the record changed in the state, by this code
    state: tuple[Change, ...] = ()  #: where the other side's state is another afterwards
    chains: tuple[Chain, ...] = ()
    violations: tuple[str, ...] = ()


# ---------------------------------------------------------------- what a side gives


def given_by(step: Step) -> Given:
    """Take what a step gives, to be held against another side's."""
    deadline = step.deadline
    return Given(
        step.record.seq,
        tuple(
            (str(made.machine.kind), made.machine.app, made.machine.id, str(made.source), str(made.target))
            for made in step.transitions
        ),
        msgspec.msgpack.encode(step.transitions),
        tuple((session, encode_message(message)) for session, message in step.messages),
        (deadline.at, f"{deadline.machine.kind} {deadline.machine.app}/{deadline.machine.id}") if deadline else None,
        step.refused,
        tuple(step.fired),
        step.state_digest,
    )


def is_alike(one: Given, other: Given) -> bool:
    """Whether two sides give the same to the world; which rows fired is no part of that."""
    return (
        one.details == other.details
        and one.messages == other.messages
        and one.deadline == other.deadline
        and one.refused == other.refused
    )


def told_given(given: Given) -> tuple[str, ...]:
    """Tell it line by line: transitions, messages, the refusal and the deadline."""
    return (
        *(told_move(move) for move in given.moves),
        *(_told_message(session, data) for session, data in given.messages),
        *([f"refused: {given.refused}"] if given.refused else []),
        *([f"deadline: {given.deadline[0]} for {_short(given.deadline[1])}"] if given.deadline is not None else []),
    )


def told_move(move: Move) -> str:
    """Tell a transition."""
    kind, app, id, source, target = move
    return f"{kind} {printable(app)}/{short_id(id)}: {source} -> {target}"


def _short(machine: str) -> str:
    kind, _, place = machine.partition(" ")
    app, _, id = place.partition("/")
    return f"{kind} {printable(app)}/{short_id(id)}"


def _told_message(session: str, data: bytes) -> str:
    """Tell a message with its fields, as far as they can be shown, so that two of a kind can be told apart."""
    said: dict[str, Any] = msgspec.json.decode(data)
    fields = {name: value for name, value in plain(said).items() if name not in {"command", "definition"}}
    name = " ".join(str(said[key]) for key in ("command", "definition") if key in said)
    told = ", ".join(f"{key}={value!r}" for key, value in fields.items())
    return f"to {short_session(session)}: {name}{f' ({told})' if told else ''}"


# ---------------------------------------------------------------- the rule


def blamed(mine: Given, moves: tuple[Move, ...] | None = None, other: Given | None = None) -> str:
    """Name the rule at fault: that of the first transition or row that the other side does not have, else the first.

    `moves` are the other side's transitions, `other` is everything it gave, where that is known.
    """
    if moves is not None and mine.moves != moves:
        place = next((i for i, (one, two) in enumerate(zip(mine.moves, moves, strict=False)) if one != two), None)
        place = place if place is not None else min(len(mine.moves), len(moves))
        extra = mine.moves[place] if place < len(mine.moves) else None
        lacking = moves[place] if place < len(moves) else None
        if extra is not None and extra not in moves:
            return _rule_of(mine, extra)
        if lacking is not None:
            return _rule_of(mine, lacking)
    if other is not None:
        theirs = [(id, fired.kind, fired.state, fired.input, fired.what) for id, fired in other.fired]
        for place, (id, fired) in enumerate(mine.fired):
            if (id, fired.kind, fired.state, fired.input, fired.what) not in theirs[place : place + 1]:
                return rule_name(fired)
    acting = [fired for _, fired in mine.fired if does_something(fired)] or [fired for _, fired in mine.fired]
    return rule_name(acting[0]) if acting else ""


def _rule_of(given: Given, move: Move) -> str:
    """Name the row that made a transition, or the one that fired for this machine and did not make it."""
    kind, _, id, source, _ = move
    of_machine = [fired for name, fired in given.fired if (fired.kind, name) == (kind, id)]
    for fired in of_machine:
        if fired.state == source:
            return rule_name(fired)
    others = of_machine or [fired for _, fired in given.fired]
    return rule_name(others[0]) if others else ""


def _rule_about(given: Given, violations: tuple[Violation, ...]) -> str:
    """Name the row that fired for the machine that a violation is about."""
    for violation in violations:
        for id, fired in given.fired:
            kind, _, place = violation.subject.partition(" ")
            if fired.kind == kind and place.partition("/")[2] == short_id(id) and does_something(fired):
                return rule_name(fired)
    return ""


# ---------------------------------------------------------------- findings


def find(
    cursor: Cursor,
    trail: Trail,
    seq: int,
    what: str,
    *,
    recorded: Outcome | None = None,
    other: Given | None = None,
    their_side: str = "recorded",
    state: Iterable[Change] = (),
    violations: Iterable[Violation] = (),
) -> Finding:
    """Look closely at a record of a reel that the trail has passed. Moves the cursor."""
    replayed = cursor.seek(seq)
    if replayed is None:
        raise LookupError(f"the reel has no record {seq}")
    step = replayed.step
    mine = given_by(step)
    ours = told_given(mine)
    moves: tuple[Move, ...] | None = None
    theirs: tuple[str, ...] = ()
    if other is not None:
        moves, theirs = other.moves, told_given(other)
    elif recorded is not None:
        moves = tuple(recorded.transitions)
        theirs = tuple(told_move(move) for move in moves)
    compared = ours if other is not None else tuple(told_move(move) for move in mine.moves)
    not_kept = ""
    if other is None and recorded is not None and moves == mine.moves:
        not_kept = (
            "of messages, details and deadline only a digest was recorded, so what differs can be told by "
            "`--against` the code that recorded it"
            if what != "state digest"
            else f"only a digest of the state was recorded; it began to differ in the last {STATE_DIGEST_EVERY} records"
        )
    broken = tuple(violations)
    chains = tuple(
        Chain(f"{key[0]} {f'{printable(key[1])}/' if key[1] else ''}{short_id(key[2])}", causes)
        for key in _concerned(mine, moves)[:_CHAINS_MAX]
        if (causes := trail.chain(cursor, key, seq))
    )
    cursor.seek(seq - 1)
    watch = Watch(cursor.engine)
    cursor.seek(seq)
    return Finding(
        seq=seq,
        time=step.record.time,
        session=step.record.session,
        input=told_input(step),
        what=what,
        rule=_rule_about(mine, broken) or blamed(mine, moves, other),
        rules=tuple(rule_name(fired) for _, fired in mine.fired),
        ours=ours,
        theirs=theirs,
        their_rule=blamed(other, mine.moves, mine) if other is not None else "",
        their_side=their_side if recorded is not None or other is not None else "",
        missing=tuple(line for line in theirs if line not in compared),
        unexpected=tuple(line for line in compared if line not in theirs) if moves is not None else (),
        not_kept=not_kept,
        changes=watch.changes()[:CHANGES_MAX],
        state=tuple(state)[:CHANGES_MAX],
        chains=chains,
        violations=tuple(str(violation) for violation in broken),
    )


def _concerned(mine: Given, moves: tuple[Move, ...] | None) -> list[Key]:
    """The machines that this is about: first those that moved on one side alone."""
    alone = [
        *(move for move in mine.moves if move not in (moves or ())),
        *(m for m in moves or () if m not in mine.moves),
    ]
    found: dict[Key, None] = {}
    for kind, app, id, _, _ in (*alone, *mine.moves):
        found[Kind(kind), app, id] = None
    for id, fired in mine.fired:
        if fired.kind in set(Kind) and not any(key[0] == fired.kind and key[2] == id for key in found):
            found[Kind(fired.kind), "", id] = None
    return list(found)
