"""The steps of the last while, kept in memory, so that the inspector can tell of a session without reading the disk.

They are kept as they are and told only when somebody asks, so nobody pays for a page that is not looked at.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from signalreel.debug.story import ToldNote, ToldRecord, told_record
from signalreel.debug.telling import told_note
from signalreel.events import SessionOpened
from signalreel.identifiers import Kind
from signalreel.notes import Note
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed
from signalreel.step import Step
from signalreel_adapters.runtime import Overflow, Runtime

__all__ = ("RECENT_STEPS_MAX", "TOLD_RECORDS_MAX", "Recent", "Told", "told_from_reel")

RECENT_STEPS_MAX: Final = 2_000
"""Steps that are kept in memory: the newest."""

TOLD_RECORDS_MAX: Final = 1_000
"""Records of one session that are told: the newest."""


class Told(Struct, frozen=True, rename="camel"):
    """One session's part of the reel."""

    session: str
    records: tuple[ToldRecord, ...]
    is_whole: bool  #: whether it begins with the session's own beginning
    source: str  #: `memory` or `reel`


class Recent:
    """The newest steps of a runtime, from when this was made."""

    def __init__(self, runtime: Runtime) -> None:
        self._subscription = runtime.steps(overflow=Overflow.FORGET_OLDEST, steps_max=RECENT_STEPS_MAX)

    def told(self, session: str) -> Told:
        """Tell what a session said and was told, and the machines that it moved."""
        steps = self._subscription.waiting()
        return _told(session, ((step, None) for step in steps), {}, "memory")


def told_from_reel(reel: Reel, session: str, *, records_max: int) -> Told:
    """Tell the same by replaying a reel from its beginning. Raises `ReelDamaged` where it cannot be read."""
    cursor = Cursor(reel)
    notes: dict[int, list[Note]] = {}
    for note in reel.notes(reel.first_seq):
        if note.session == session:
            notes.setdefault(note.seq, []).append(note)
    return _told(session, _replayed(cursor, records_max), notes, "reel")


def _replayed(cursor: Cursor, records_max: int) -> Iterator[tuple[Step, Replayed | None]]:
    for count, replayed in enumerate(cursor, start=1):
        yield replayed.step, replayed
        if count >= records_max:
            return


def _told(
    session: str, steps: Iterable[tuple[Step, Replayed | None]], notes: dict[int, list[Note]], source: str
) -> Told:
    found: deque[tuple[Step, Replayed | None]] = deque(maxlen=TOLD_RECORDS_MAX)
    own: set[tuple[Kind, str, str]] = set()
    for step, replayed in steps:
        if _concerns(step, session, own) or step.record.seq in notes:
            found.append((step, replayed))
    is_whole = bool(found) and isinstance(found[0][0].record.event, SessionOpened)
    records = tuple(
        told_record(
            step,
            replayed.divergence if replayed is not None else None,
            notes=[ToldNote(told_note(note), note.session, note.time) for note in notes.get(step.record.seq, ())],
        )
        for step, replayed in found
    )
    return Told(session, records, is_whole, source)


def _concerns(step: Step, session: str, own: set[tuple[Kind, str, str]]) -> bool:
    """Whether a step is about a session: its input, a message to it, or a machine that it moved before."""
    keys = {
        (made.machine.kind, made.machine.app, made.machine.id)
        for made in step.transitions
        if made.machine.kind is not Kind.ROOM
    }
    is_its = step.record.session == session
    if is_its:
        own |= keys
    return is_its or bool(keys & own) or any(to == session for to, _ in step.messages)
