"""Records taken out, put in or moved, and the numbers made right again.

    kept = without(records, {812, 813})
    reel = remade(header, renumber(kept))

A reel counts its records from 1 without a gap, and its events refer to records by these numbers: an event about a
machine names the record that created that life of it (`born`), a deadline names the record that set the timer. Whoever
changes a list of records leaves the old numbers on them; `renumber` then counts anew and follows every reference. A
reference to a record that is no longer there becomes 0, which is the birth of nothing: such an event is inert.

A record that is put in has a number of its own below 0, so that others that are put in can refer to it.
"""

from collections.abc import Container, Iterable, Sequence
from typing import Final, cast

from msgspec.structs import replace

from signalreel.events import AnyEvent, DeadlineReached, MediaEvent
from signalreel.header import Header
from signalreel.identifiers import Reference
from signalreel.notes import Note
from signalreel.record import Record, encode_record
from signalreel.reel import MemoryReel
from signalreel.replay import engine_at_start
from signalreel.step import outcome_of

__all__ = (
    "NOTHING",
    "followed",
    "inserted",
    "inserted_by_time",
    "moved",
    "numbers_of",
    "orphans_of",
    "remade",
    "renumber",
    "renumber_notes",
    "without",
)

NOTHING: Final = 0
"""What a reference to a record that is gone becomes: no record has this number, so nothing was born with it."""


def without(records: Iterable[Record], seqs: Container[int]) -> list[Record]:
    """Take out the records with these numbers."""
    return [record for record in records if record.seq not in seqs]


def inserted(records: Sequence[Record], after: int, new: Iterable[Record]) -> list[Record]:
    """Put records in behind the one with the number `after`; 0 puts them in front of all."""
    place = next((place for place, record in enumerate(records, 1) if record.seq == after), 0)
    return [*records[:place], *new, *records[place:]]


def inserted_by_time(records: Sequence[Record], new: Iterable[Record]) -> list[Record]:
    """Put records in by their times, each behind what comes at the same time."""
    return sorted([*records, *new], key=lambda record: record.time)


def moved(records: Iterable[Record], seq: int, time: int) -> list[Record]:
    """Have the record with this number come at another time, behind what comes at the same time."""
    rest: list[Record] = []
    one: list[Record] = []
    for record in records:
        (one if record.seq == seq else rest).append(record)
    place = next((place for place, record in enumerate(rest) if record.time > time), len(rest))
    return [*rest[:place], *(replace(record, time=time) for record in one), *rest[place:]]


def orphans_of(records: Iterable[Record], gone: Container[int]) -> set[int]:
    """Say which events are about what records that are gone had created or set: without those they mean nothing."""
    found: set[int] = set()
    for record in records:
        event = record.event
        if isinstance(event, MediaEvent | DeadlineReached):
            about = (event.machine.born, event.timer) if isinstance(event, DeadlineReached) else (event.machine.born,)
            if any(seq in gone for seq in about):
                found.add(record.seq)
    return found


def numbers_of(records: Iterable[Record], first: int = 1) -> dict[int, int]:
    """Give the new number of each record by its old one. Raises `ValueError` when two records have the same."""
    numbers: dict[int, int] = {}
    for number, record in enumerate(records, first):
        if numbers.setdefault(record.seq, number) != number:
            raise ValueError(f"two records have the number {record.seq}")
    return numbers


def renumber(records: Sequence[Record], first: int = 1) -> list[Record]:
    """Count the records anew from `first`, in the order in which they stand, and follow their references.

    What lies before `first` keeps its number: it stands in the seam that the records begin with. A time that lies
    before that of the record ahead becomes equal to it. Raises `ValueError` when two records have the same number.
    """
    numbers = numbers_of(records, first)
    is_same = all(old == new for old, new in numbers.items())
    made: list[Record] = []
    time = 0
    for number, record in enumerate(records, first):
        follows = record.time >= time
        time = record.time if follows else time
        if is_same and follows:
            made.append(record)
        else:
            made.append(replace(record, seq=number, time=time, event=followed(record.event, numbers, first)))
    return made


def renumber_notes(notes: Iterable[Note], numbers: dict[int, int], first: int = 1) -> list[Note]:
    """Have notes stand beside their records; those of records that are gone go with them."""
    made: list[Note] = []
    for note in notes:
        if note.seq not in numbers:
            continue
        machine = getattr(note.body, "machine", None)
        body = note.body
        if isinstance(machine, Reference):
            body = replace(note.body, machine=_reference(machine, numbers, first))
        made.append(replace(note, seq=numbers[note.seq], body=body))
    return made


def remade(
    header: Header, records: Sequence[Record], notes: Iterable[Note] = (), *, seam: bytes | None = None
) -> MemoryReel:
    """Make a reel of records that are numbered right, each with the outcome that this code gives it.

    With a `seam`, the records go on from the state that it holds. Raises `OutOfOrder` when the records do not follow
    one another, `InvalidRecord` when one is not whole.
    """
    reel = MemoryReel(header, seam=seam, first_seq=records[0].seq if seam is not None and records else 1)
    engine = engine_at_start(reel)
    for record in records:
        step = engine.apply(record)
        reel.append(record.seq, encode_record(record))
        reel.conclude(record.seq, outcome_of(step))
    for note in notes:
        reel.note(note)
    return reel


def followed(event: AnyEvent | None, numbers: dict[int, int], first: int) -> AnyEvent | None:
    """Give an event with its references followed, by the new number of each record."""
    if isinstance(event, DeadlineReached):
        timer = _number(event.timer, numbers, first)
        return DeadlineReached(_reference(event.machine, numbers, first), timer)
    if isinstance(event, MediaEvent):
        return cast(AnyEvent, replace(event, machine=_reference(event.machine, numbers, first)))
    return event


def _reference(reference: Reference, numbers: dict[int, int], first: int) -> Reference:
    return Reference(reference.kind, reference.app, reference.id, _number(reference.born, numbers, first))


def _number(old: int, numbers: dict[int, int], first: int) -> int:
    return old if 0 < old < first else numbers.get(old, NOTHING)
