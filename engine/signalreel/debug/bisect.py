"""Since when: the first record of a reel after which something is wrong.

    verified = verify(reel)                     # against what was recorded
    bisected = bisect(reel, compile_predicate('stream("s1").restored'))
    bisected = bisect_against(reel, other)      # against another code

A condition on the state alone is taken to last once it has come to hold: it is asked at the end, and then by halves,
through the snapshots that the replay up to there has left. That may find a later beginning of what came and went
before; `first=True` asks after every record. A condition on a step (what it sends, refuses or breaks) is always asked
of every record. Every way replays the reel once, and once only.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from msgspec import Struct

from signalreel.debug.causes import Trail
from signalreel.debug.finding import Finding, Given, find, given_by, is_alike
from signalreel.debug.predicates import Predicate
from signalreel.debug.state import difference, state_of
from signalreel.errors import ReelDamaged
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed
from signalreel.step import Outcome, chain
from signalreel.verify import Monitor, Violation

__all__ = (
    "Bisected",
    "OtherCode",
    "Passing",
    "Verified",
    "bisect",
    "bisect_against",
    "bisect_invariant",
    "differs_alone",
    "verify",
)

Passing = Callable[[Iterator[Replayed]], Iterator[Replayed]]
"""What a replay is passed through, to show how far it is."""


class OtherCode(Protocol):
    """Another code, to which the records of a reel are given one after the other."""

    @property
    def name(self) -> str:
        """Which code it is."""
        ...

    def steps(self, reel: Reel) -> Iterator[Given]:
        """Apply the records of a reel in turn, and give what each of them gives."""
        ...

    def state(self, seq: int) -> dict[str, Any] | None:
        """Give the state just after one of the last records given, as a tree; None when that code cannot tell."""
        ...


class Verified(Struct, frozen=True, kw_only=True):
    """How a reel compares with what today's code makes of it."""

    records: int
    agreed: int
    unconcluded: int  #: records without an outcome: the run ended before it was written
    differing: int  #: records whose outcome differs by itself, not because an earlier one did
    digest: str  #: after the last record, in hexadecimal
    damage: str = ""  #: what cannot be read or is not as it was written; nothing after it was looked at
    first: Finding | None = None


class Bisected(Struct, frozen=True, kw_only=True):
    """Since which record something is wrong."""

    records: int
    asked: int  #: records at which the question was put
    how: str  #: in which way it was looked for, and what that takes for granted
    found: Finding | None = None


def _all(replayed: Iterator[Replayed]) -> Iterator[Replayed]:
    return replayed


def verify(reel: Reel, passing: Passing = _all) -> Verified:
    """Replay a reel, check that it is as it was written, and compare every outcome."""
    cursor, trail = Cursor(reel), Trail()
    records = agreed = unconcluded = differing = 0
    before: Outcome | None = None
    first: tuple[int, str, Outcome] | None = None
    damage = ""
    try:
        for replayed in passing(iter(cursor)):
            records += 1
            recorded, divergence = replayed.recorded, replayed.divergence
            if recorded is None:
                unconcluded += 1
            elif divergence is None:
                agreed += 1
            else:
                differing += differs_alone(before, replayed)
                if first is None:
                    first = (replayed.step.record.seq, divergence.what, recorded)
            if first is None or first[0] == replayed.step.record.seq:
                trail.note(replayed.step)
            before = recorded
    except ReelDamaged as error:
        damage = str(error)
    digest = cursor.engine.digest.hex()
    finding = find(cursor, trail, first[0], first[1], recorded=first[2]) if first is not None else None
    return Verified(
        records=records,
        agreed=agreed,
        unconcluded=unconcluded,
        differing=differing,
        digest=digest,
        damage=damage,
        first=finding,
    )


def differs_alone(before: Outcome | None, replayed: Replayed) -> bool:
    """Whether a record's outcome differs by itself: digests are chained, so all that follow a difference differ too."""
    divergence, recorded, step = replayed.divergence, replayed.recorded, replayed.step
    if divergence is None or recorded is None:
        return False
    if divergence.what != "digest" or before is None:
        return True
    alone = chain(before.digest, step.record.seq, step.transitions, step.messages, step.deadline)
    return alone != recorded.digest


def bisect(reel: Reel, predicate: Predicate, *, first: bool = False, passing: Passing = _all) -> Bisected:
    """Find the first record after which a condition holds."""
    cursor, trail = Cursor(reel), Trail()
    start = cursor.position
    halving = predicate.is_of_state and not first
    last: Replayed | None = None
    asked = 0
    predicate.watch(cursor.engine)
    for replayed in passing(iter(cursor)):
        trail.note(replayed.step)
        last = replayed
        if halving:
            continue
        asked += 1
        if predicate.holds(cursor.engine, replayed.step, replayed.divergence):
            how = "after every record, from the first one on"
            seq = replayed.step.record.seq
            return _bisected(cursor, trail, seq, predicate.text, how, records=seq - start, asked=asked)
    records = cursor.position - start
    if last is None or not halving:
        return Bisected(records=records, asked=asked, how="after every record; it holds after none")
    if not predicate.holds(cursor.engine, last.step, last.divergence):
        found = bisect(reel, predicate, first=True, passing=passing)
        how = f"it does not hold at the end, so {found.how}"
        return Bisected(records=found.records, asked=found.asked + 1, how=how, found=found.found)
    low, high, asked = start, cursor.position, 1
    while high - low > 1:
        middle = (low + high) // 2
        there = cursor.seek(middle)
        asked += 1
        if there is not None and predicate.holds(cursor.engine, there.step, there.divergence):
            high = middle
        else:
            low = middle
    how = "by halves, taking it that what holds goes on holding; `--first` asks after every record"
    return _bisected(cursor, trail, high, predicate.text, how, records=records, asked=asked)


def _bisected(
    cursor: Cursor,
    trail: Trail,
    seq: int,
    what: str,
    how: str,
    *,
    records: int,
    asked: int,
    violations: Iterable[Violation] = (),
) -> Bisected:
    finding = find(cursor, trail, seq, what, violations=violations)
    return Bisected(records=records, asked=asked, how=how, found=finding)


def bisect_invariant(reel: Reel, name: str = "", *, passing: Passing = _all) -> Bisected:
    """Find the first record that breaks an invariant, or any of them."""
    cursor, trail = Cursor(reel), Trail()
    monitor, start = Monitor(cursor.engine), cursor.position
    how = "after every record, from the first one on"
    for replayed in passing(iter(cursor)):
        trail.note(replayed.step)
        broken = monitor.observe(cursor.engine, replayed.step)
        if any(name in ("", violation.invariant) for violation in broken):
            seq = replayed.step.record.seq
            what = f"invariant {name or broken[0].invariant}"
            passed = seq - start
            return _bisected(cursor, trail, seq, what, how, records=passed, asked=passed, violations=broken)
    passed = cursor.position - start
    return Bisected(records=passed, asked=passed, how=f"{how}; none breaks it")


def bisect_against(reel: Reel, other: OtherCode, *, passing: Passing = _all) -> Bisected:
    """Find the first record for which another code gives something else."""
    cursor, trail = Cursor(reel), Trail()
    start = cursor.position
    how = "both codes apply every record, until they differ"
    for replayed, theirs in zip(passing(iter(cursor)), other.steps(reel), strict=False):
        trail.note(replayed.step)
        ours = given_by(replayed.step)
        alike = is_alike(ours, theirs)
        if alike and ours.state_digest == theirs.state_digest:
            continue
        seq = ours.seq
        tree = other.state(seq)
        state = difference(tree, state_of(cursor.engine)) if tree is not None else ()
        finding = find(
            cursor,
            trail,
            seq,
            "state digest" if alike else "transitions" if ours.moves != theirs.moves else "messages or deadline",
            other=theirs,
            their_side=other.name,
            state=state,
        )
        return Bisected(records=seq - start, asked=seq - start, how=how, found=finding)
    passed = cursor.position - start
    return Bisected(records=passed, asked=passed, how=f"{how}; they agree on everything")
