"""A what-if: a reel that goes another way from some record on. Nothing is performed.

    forked = fork(reel, 812, drop={813}, delay={820: 2_000_000})
    forked.reel                 # the records up to 812 as they were, then what would have come
    forked.differences          # what each record causes now, and caused before

Clients and media say what they said, only that some of it is left out, comes later, or something is put in. What is
theirs to say cannot be known: an event about a life that never came to be is inert. What is the engine's own is worked
out anew: a deadline fires where its timer is still set when it was recorded to fire; a timer that is set otherwise than
before fires when it is due.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from signalreel.debug.renumber import followed, inserted_by_time, moved, renumber_notes, without
from signalreel.debug.telling import short_id, short_session, told_input, told_message, told_transition
from signalreel.engine import Engine
from signalreel.errors import InvalidFork, InvalidRecord, OutOfOrder
from signalreel.events import DeadlineReached, RunStarted
from signalreel.header import Header, Parent
from signalreel.record import Record, encode_record
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor
from signalreel.step import Deadline, Step, outcome_of

__all__ = ("DELAY_US_MAX", "Difference", "Forked", "Lives", "fork")

DELAY_US_MAX: Final = 366 * 24 * 3_600 * 1_000_000
"""By how much a record can be delayed."""

_UNNUMBERED: Final = -1_000_000
"""Deadlines that come anew are numbered from here down until they have their place."""

Lives = tuple[tuple[str, str], ...]
"""Every machine that lives, and its state."""


class Difference(Struct, frozen=True):
    """What one record causes in the one reel and in the other. Nothing in it may not be shown."""

    was: int  #: its seq in the original; 0: it is new
    now: int  #: its seq in the fork; 0: it is gone
    told: str  #: the input, in the original where it is there
    only_before: tuple[str, ...]  #: transitions, messages and refusal that are no more
    only_now: tuple[str, ...]  #: and those that are new


class Forked(Struct, frozen=True):
    """The fork, and how it differs from the original."""

    reel: MemoryReel
    at: int  #: the last record that both have
    dropped: tuple[int, ...]
    delayed: tuple[int, ...]
    inserted: tuple[int, ...]  #: seqs in the fork
    fired: tuple[int, ...]  #: deadlines that fire when they are due, seqs in the fork
    retired: tuple[int, ...]  #: deadlines that fire no more, seqs in the original
    differences: tuple[Difference, ...]
    ended_before: Lives  #: machines at the end that are not so in the fork
    ended_now: Lives  #: and those that are so in the fork alone


def fork(
    reel: Reel,
    at: int,
    *,
    drop: Collection[int] = (),
    delay: Mapping[int, int] | None = None,
    insert: Sequence[Record] = (),
    id: str = "",
) -> Forked:
    """Make the fork: up to record `at` as it was; then without some records, with some so much later, with some new.

    `delay` is in microseconds, by seq; what is put in has numbers below 0 and times of the reel. `id` is drawn by the
    caller, for the header. Raises `InvalidFork` when something is asked for that cannot be.
    """
    delay = delay if delay is not None else {}
    _check(reel, at, drop, delay, insert)
    before = list(Cursor(reel))
    making = _Making(reel, at, id)
    tail = without([replayed.step.record for replayed in before if replayed.step.record.seq > at], drop)
    for seq, by in delay.items():
        tail = moved(tail, seq, next(record.time for record in tail if record.seq == seq) + by)
    making.apply(inserted_by_time(tail, insert), kept=[one.step for one in before if one.step.record.seq <= at])
    cursor = Cursor(reel)
    cursor.seek(reel.last_seq)
    were, are = _lives(cursor.engine), _lives(making.engine)
    return Forked(
        making.reel,
        at,
        tuple(sorted(drop)),
        tuple(sorted(delay)),
        tuple(making.numbers[record.seq] for record in insert if record.seq in making.numbers),
        tuple(making.fired),
        tuple(making.retired),
        tuple(_differences([one.step for one in before], making.steps, making.numbers)),
        tuple(sorted((were - are).elements())),
        tuple(sorted((are - were).elements())),
    )


def _check(reel: Reel, at: int, drop: Collection[int], delay: Mapping[int, int], insert: Sequence[Record]) -> None:
    if not reel.first_seq - 1 <= at <= reel.last_seq:
        raise InvalidFork(f"the reel has the records {reel.first_seq} to {reel.last_seq}; it cannot go on from {at}")
    for what, seqs in (("dropped", drop), ("delayed", delay)):
        early = [seq for seq in seqs if not at < seq <= reel.last_seq]
        if early:
            raise InvalidFork(f"record {min(early)} cannot be {what}: it is not among {at + 1} to {reel.last_seq}")
    both = set(drop) & set(delay)
    if both:
        raise InvalidFork(f"record {min(both)} is dropped, so it cannot be delayed")
    if any(not 0 <= by <= DELAY_US_MAX for by in delay.values()):
        raise InvalidFork("a record can be delayed by nothing to a year")
    if any(record.seq >= 0 for record in insert):
        raise InvalidFork("what is put in has a number below 0")


class _Making:
    """The fork while it is made."""

    def __init__(self, reel: Reel, at: int, id: str) -> None:
        cursor = Cursor(reel)
        cursor.seek(at)
        chain = next((entry.chain for entry in reel.entries(at)), b"") if at >= reel.first_seq else b""
        parent = Parent(reel.header.id, at, chain, cursor.engine.digest)
        header: Header = replace(reel.header, id=id, parent=parent)
        self.engine: Final = cursor.engine
        self.reel: Final = MemoryReel(header, seam=reel.seam, first_seq=reel.first_seq)
        self.original: Final = reel
        self.steps: list[tuple[int, Step]] = []
        self.numbers: dict[int, int] = {}  #: the new one by the old one
        self.old: dict[int, int] = {}
        self.fired: list[int] = []
        self.retired: list[int] = []

    def apply(self, tail: Iterable[Record], kept: list[Step]) -> None:
        """Keep what was, and apply what is to come, with the deadlines that are due."""
        for step in kept:
            self._keep(step.record.seq, step)
        records = list(tail)
        awaited = Counter(_timer(record) for record in records if isinstance(record.event, DeadlineReached))
        for record in records:
            if not isinstance(record.event, RunStarted):  # Between two runs nobody was there to fire anything.
                self._fire_due(record.time, awaited)
            if isinstance(record.event, DeadlineReached):
                awaited[_timer(record)] -= 1
                if not self._is_set(record):
                    self.retired.append(record.seq)
                    continue
            self._apply(record)
        self._fire_due(self.engine.time, Counter())
        for note in renumber_notes(self.original.notes(), self.numbers):
            self.reel.note(note)

    def _keep(self, was: int, step: Step) -> None:
        record = step.record
        self.numbers[was] = record.seq
        self.old[record.seq] = was
        self.steps.append((was, step))
        self.reel.append(record.seq, encode_record(record))
        self.reel.conclude(record.seq, outcome_of(step))

    def _apply(self, record: Record) -> None:
        seq = self.engine.seq + 1
        time = max(record.time, self.engine.time)
        event = followed(record.event, self.numbers, self.original.first_seq)
        try:
            step = self.engine.apply(replace(record, seq=seq, time=time, event=event))
        except (InvalidRecord, OutOfOrder) as error:
            raise InvalidFork(f"what is put in cannot be applied: {error}") from None
        self._keep(record.seq, step)

    def _is_set(self, record: Record) -> bool:
        """Whether the timer of a recorded deadline is still set as it was, and due."""
        event = followed(record.event, self.numbers, self.original.first_seq)
        if not isinstance(event, DeadlineReached):
            return False
        reference = event.machine
        machine = self.engine.find(reference.kind, reference.id, app=reference.app)
        return (
            machine is not None
            and (machine.born, machine.timer) == (reference.born, event.timer)
            and 0 < machine.wake_at <= max(record.time, self.engine.time)
        )

    def _fire_due(self, until: int, awaited: "Counter[tuple[object, ...]]") -> None:
        """Fire what is due by then, unless a record that is still to come says when it was."""
        while (due := self.engine.deadline()) is not None and due.at <= until:
            if awaited[_timer_of(due, self.old)] > 0:
                return
            self.fired.append(self.engine.seq + 1)
            number = _UNNUMBERED - len(self.fired)
            step = self.engine.apply(
                Record(
                    self.engine.seq + 1,
                    max(due.at, self.engine.time),
                    "",
                    event=DeadlineReached(due.machine, due.timer),
                )
            )
            self._keep(number, step)


def _timer(record: Record) -> tuple[object, ...]:
    """Say which timer a deadline is of, in the numbers of the original."""
    event = record.event
    return (event.machine, event.timer) if isinstance(event, DeadlineReached) else ()


def _timer_of(due: Deadline, old: Mapping[int, int]) -> tuple[object, ...]:
    """Say which timer is due, in the numbers of the original."""
    return (replace(due.machine, born=old.get(due.machine.born, due.machine.born)), old.get(due.timer, due.timer))


# ---------------------------------------------------------------- what is different


def _differences(
    before: Sequence[Step], now: Sequence[tuple[int, Step]], numbers: Mapping[int, int]
) -> Iterable[Difference]:
    """Give what differs in the order of the original, with what is new behind what it comes after."""
    were = {step.record.seq: step for step in before}
    found: list[tuple[int, int, Difference]] = [
        (seq, 0, Difference(seq, 0, told_input(step), _caused(step), ()))
        for seq, step in were.items()
        if seq not in numbers
    ]
    last = 0
    for was, step in now:
        origin = were.get(was)
        last = was if origin is not None else last
        gone, new = _compared(origin, step)
        if gone or new or origin is None:
            told = told_input(origin if origin is not None else step)
            seq = step.record.seq
            found.append((last, seq, Difference(was if origin is not None else 0, seq, told, gone, new)))
    return [difference for *_, difference in sorted(found, key=lambda one: one[:2])]


def _compared(before: Step | None, now: Step) -> tuple[tuple[str, ...], tuple[str, ...]]:
    were, are = Counter(_caused(before)) if before is not None else Counter[str](), Counter(_caused(now))
    return tuple((were - are).elements()), tuple((are - were).elements())


def _caused(step: Step) -> tuple[str, ...]:
    """Tell what a record caused, each in a line that names no seq."""
    refused = (f"refused: {step.refused}",) if step.refused else ()
    transitions = tuple(" ".join(told_transition(made).split()) for made in step.transitions)
    messages = tuple(f"to {short_session(to)} {told_message(message)}" for to, message in step.messages)
    return (*refused, *transitions, *messages)


def _lives(engine: Engine) -> "Counter[tuple[str, str]]":
    return Counter((f"{kind} {short_id(id)}", str(machine.state)) for (kind, _, id), machine in engine.machines())
