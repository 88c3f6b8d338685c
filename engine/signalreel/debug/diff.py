"""What is different: between a reel and today's code, between two codes, or between two reels, grouped by cause.

    report = Report()
    for name, reel in reels:
        diff_recorded(name, reel, report)
    for group in report.groups():
        print(group.rule, group.times, group.first)

A cause is the rule at fault. Everything that differs after the first difference of a reel may follow from it; only what
differs by itself is counted, and the first of each reel is marked. A baseline is the list of causes that are known:
what it holds is no longer told as new.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from signalreel.debug.bisect import OtherCode, Passing, differs_alone
from signalreel.debug.finding import Given, blamed, given_by, is_alike, told_given, told_move
from signalreel.debug.state import Change, difference, state_of
from signalreel.debug.telling import told_input
from signalreel.errors import NothingInCommon
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed
from signalreel.step import Outcome

__all__ = (
    "DIFFERENCES_MAX",
    "Baseline",
    "Difference",
    "FinalState",
    "Group",
    "Report",
    "diff_code",
    "diff_recorded",
    "diff_reels",
)

DIFFERENCES_MAX: Final = 20
"""Differences of one cause that are kept with all they say; the others are counted."""

_STATE_CHANGES_MAX: Final = 100


class Difference(Struct, frozen=True, kw_only=True):
    """A record for which the two sides give something else."""

    reel: str
    seq: int
    input: str
    what: str  #: `transitions`, `messages or deadline`, `state`, `input`, or `length`
    rule: str
    is_first: bool  #: nothing before it on this reel differs
    missing: tuple[str, ...] = ()  #: what only the other side gave
    unexpected: tuple[str, ...] = ()  #: what only this side gives
    told: str = ""


class Group(Struct, kw_only=True):
    """The differences of one cause."""

    cause: str  #: what differs, and by which rule
    what: str
    rule: str
    times: int = 0
    reels: list[str]
    known: bool = False  #: the baseline holds it
    examples: list[Difference]


class Baseline(Struct, frozen=True):
    """The causes that are known and accepted."""

    causes: tuple[str, ...] = ()


class FinalState(Struct, frozen=True):
    """Where the states after the last record differ."""

    reel: str
    changes: tuple[Change, ...]


class Report:
    """Differences of any number of reels, gathered by cause."""

    def __init__(self, baseline: Baseline | None = None) -> None:
        self._known = frozenset(baseline.causes if baseline is not None else ())
        self._groups: dict[str, Group] = {}
        self.reels = 0
        self.records = 0
        self.states: list[FinalState] = []

    def add(self, found: Difference) -> None:
        """Take a difference in."""
        cause = f"{found.what}: {found.rule or 'no rule'}"
        group = self._groups.get(cause)
        if group is None:
            known = cause in self._known
            group = Group(cause=cause, what=found.what, rule=found.rule, reels=[], examples=[], known=known)
            self._groups[cause] = group
        group.times += 1
        if found.reel not in group.reels:
            group.reels.append(found.reel)
        if len(group.examples) < DIFFERENCES_MAX:
            group.examples.append(found)

    def groups(self) -> list[Group]:
        """The causes: those first in which a reel begins to differ, then the most frequent."""

        def order(group: Group) -> tuple[bool, int, str]:
            return (not any(example.is_first for example in group.examples), -group.times, group.cause)

        return sorted(self._groups.values(), key=order)

    def new(self) -> list[Group]:
        """The causes that the baseline does not hold."""
        return [group for group in self.groups() if not group.known]

    def accepted(self) -> Baseline:
        """A baseline that holds all of them, and what the one before held."""
        return Baseline(tuple(sorted({*self._known, *self._groups})))


def _all(replayed: Iterator[Replayed]) -> Iterator[Replayed]:
    return replayed


def diff_recorded(name: str, reel: Reel, report: Report, passing: Passing = _all) -> None:
    """Hold what a reel has recorded against what today's code gives."""
    is_first = True
    before: Outcome | None = None
    report.reels += 1
    for replayed in passing(iter(Cursor(reel))):
        report.records += 1
        recorded, divergence, step = replayed.recorded, replayed.divergence, replayed.step
        if recorded is not None and divergence is not None and (is_first or differs_alone(before, replayed)):
            ours, moves = given_by(step), tuple(recorded.transitions)
            told = [told_move(move) for move in ours.moves], [told_move(move) for move in moves]
            what = {"digest": "messages or deadline", "state digest": "state"}.get(divergence.what, divergence.what)
            report.add(
                Difference(
                    reel=name,
                    seq=ours.seq,
                    input=told_input(step),
                    what=what,
                    rule=blamed(ours, moves),
                    is_first=is_first,
                    missing=tuple(line for line in told[1] if line not in told[0]),
                    unexpected=tuple(line for line in told[0] if line not in told[1]),
                    told="" if what == "transitions" else "recorded as a digest alone; today: " + _joined(ours),
                )
            )
            is_first = False
        before = recorded


def diff_code(name: str, reel: Reel, other: OtherCode, report: Report, passing: Passing = _all) -> None:
    """Hold what another code gives for the records of a reel against what this one gives."""
    cursor = Cursor(reel)
    report.reels += 1
    is_first = True
    for replayed, theirs in zip(passing(iter(cursor)), other.steps(reel), strict=False):
        report.records += 1
        ours = given_by(replayed.step)
        if not is_alike(ours, theirs):
            report.add(_between(name, told_input(replayed.step), ours, theirs, is_first=is_first))
            is_first = False
    tree = other.state(cursor.position)
    if tree is not None:
        _add_state(report, name, difference(tree, state_of(cursor.engine)))


def diff_reels(name: str, reel: Reel, other: Reel, report: Report, passing: Passing = _all) -> None:
    """Hold two reels against each other, record by record, as today's code applies them.

    Where one of them begins later (it is a segment), they are held against each other from there on. Raises
    `NothingInCommon` when one ends before the other begins.
    """
    start, shorter = max(reel.first_seq, other.first_seq), min(reel.last_seq, other.last_seq)
    if shorter < start and start > 1:
        raise NothingInCommon((reel.first_seq, reel.last_seq), (other.first_seq, other.last_seq))
    one, two = Cursor(reel), Cursor(other)
    two.seek(start - 1)
    report.reels += 1
    is_first = True
    for mine in passing(iter(one)):
        if mine.step.record.seq < start:
            continue
        report.records += 1
        yours = two.step()
        if yours is None:
            break
        ours, theirs = given_by(mine.step), given_by(yours.step)
        if mine.step.record != yours.step.record:
            told = f"the other reel has {told_input(yours.step)}"
            report.add(_between(name, told_input(mine.step), ours, theirs, is_first=is_first, what="input", told=told))
            is_first = False
        elif not is_alike(ours, theirs):
            report.add(_between(name, told_input(mine.step), ours, theirs, is_first=is_first))
            is_first = False
    if reel.last_seq != other.last_seq:
        told = f"this reel ends at record {reel.last_seq}, the other one at {other.last_seq}"
        report.add(Difference(reel=name, seq=shorter, input="", what="length", rule="", is_first=is_first, told=told))
    for _ in two:
        pass
    _add_state(report, name, difference(state_of(two.engine), state_of(one.engine)))


def _between(
    name: str, input: str, ours: Given, theirs: Given, *, is_first: bool, what: str = "", told: str = ""
) -> Difference:
    mine, yours = told_given(ours), told_given(theirs)
    missing = tuple(line for line in yours if line not in mine)
    unexpected = tuple(line for line in mine if line not in yours)
    is_hidden = not (missing or unexpected or told)
    hidden = "they differ in what is not shown: a description, a candidate or a detail" if is_hidden else ""
    return Difference(
        reel=name,
        seq=ours.seq,
        input=input,
        what=what or ("transitions" if ours.moves != theirs.moves else "messages or deadline"),
        rule=blamed(ours, theirs.moves, theirs),
        is_first=is_first,
        missing=missing,
        unexpected=unexpected,
        told=told or hidden,
    )


def _add_state(report: Report, name: str, changes: Iterable[Change]) -> None:
    found = tuple(changes)[:_STATE_CHANGES_MAX]
    if found:
        report.states.append(FinalState(name, found))


def _joined(given: Given) -> str:
    return "; ".join(told_given(given)) or "nothing"
