"""Taking notes: what an explanation wants to know of the world beside the records, and a replay does not.

Notes decide nothing, so they must cost next to nothing: what is of one session and one kind is counted together and
written at most once a second; what waits is bounded, the oldest goes first and is counted. Where no reel keeps them
there is no `Noting` at all.

A note never holds a description, a candidate, an address or a token. Texts that others wrote are cut, and lose whatever
does not print.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from signalreel.errors import ReelError
from signalreel.notes import (
    NOTE_TEXT_MAX,
    AnyNote,
    Closed,
    Correlation,
    Delivered,
    Dropped,
    Note,
    OffReel,
)
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.limits import Limits

__all__ = ("CORRELATION_CHARACTERS", "NOTED_EVERY_US", "NoteKeeper", "Noting", "checked_correlation")

NOTED_EVERY_US: Final = 1_000_000
"""Microseconds between two writings of what was counted."""

CORRELATION_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@")
"""What the host's id of a session may be made of. Anything else is not taken over, not even in part."""


class NoteKeeper(Protocol):
    """Where notes go: a reel."""

    def note(self, note: Note) -> None:
        """Keep a note. It need not be safe at once, and may be lost with a crash."""
        ...


class Noting:
    """Gathers notes and hands them to a reel now and then. Everything but `write` is cheap and never raises."""

    def __init__(
        self,
        reel: NoteKeeper,
        *,
        seq: Callable[[], int],
        now: Callable[[], int],
        wake: Callable[[], None],
        limits: Limits,
        counters: Counters,
    ) -> None:
        self._reel = reel
        self._seq = seq
        self._now = now
        self._wake = wake
        self._limits = limits
        self._counters = counters
        self._waiting: deque[Note] = deque()
        self._counted: dict[tuple[str, str, str], list[int]] = {}  # (session, kind, reason) -> [seq, count]
        self._written_at = 0

    def delivered(self, session: str, messages: int = 1) -> None:
        """Count messages that were handed to a session's transport."""
        self._count(session, "delivered", "", messages)

    def dropped(self, session: str, messages: int, reason: str) -> None:
        """Count messages that were not."""
        if messages:
            self._count(session, "dropped", reason, messages)

    def off_reel(self, session: str, reason: str) -> None:
        """Count an input of a session that is on no record."""
        self._count(session, "off reel", reason, 1)

    def closed(self, session: str, code: int, reason: str, by: str) -> None:
        """Note how a session's transport ended, after what was counted of it."""
        for key in [key for key in self._counted if key[0] == session] if self._counted else ():
            self._put_counted(key)
        self.note(Closed(code, _cut(reason), by), session)

    def correlated(self, session: str, id: str) -> None:
        """Note under which id the host knows a session."""
        self.note(Correlation(id), session)

    def note(self, body: AnyNote, session: str = "") -> None:
        """Note something beside the record that was applied last."""
        self._put(Note(self._seq(), self._now(), session, body))

    @property
    def is_urgent(self) -> bool:
        """Whether so many wait that they should be written even if nothing else is."""
        return 2 * len(self._waiting) > self._limits.notes_max

    def write(self, *, everything: bool = False) -> None:
        """Hand what waits to the reel; what is counted only once a second, or when `everything` is to go."""
        now = self._now()
        if everything or now - self._written_at >= NOTED_EVERY_US:
            self._written_at = now
            for key in list(self._counted):
                self._put_counted(key)
        waiting, self._waiting = self._waiting, deque()
        for note in waiting:
            try:
                self._reel.note(note)
            except (ReelError, ValueError):
                self._counters.dropped_notes += 1

    def _count(self, session: str, kind: str, reason: str, count: int) -> None:
        counted = self._counted.get((session, kind, reason))
        if counted is None:
            if len(self._counted) >= self._limits.notes_max:
                self._put_counted(next(iter(self._counted)))
            self._counted[session, kind, reason] = [self._seq(), count]
        else:
            counted[0] = self._seq()
            counted[1] += count

    def _put_counted(self, key: tuple[str, str, str]) -> None:
        session, kind, reason = key
        seq, count = self._counted.pop(key)
        body: AnyNote = (
            Delivered(count)
            if kind == "delivered"
            else Dropped(count, _cut(reason))
            if kind == "dropped"
            else OffReel(_cut(reason), count)
        )
        self._put(Note(seq, self._now(), session, body))

    def _put(self, note: Note) -> None:
        if len(self._waiting) >= self._limits.notes_max:
            self._waiting.popleft()
            self._counters.dropped_notes += 1
        self._waiting.append(note)
        if 2 * len(self._waiting) == self._limits.notes_max + 2:
            self._wake()


def checked_correlation(id: str) -> str:
    """Give the host's id of a session as it may be noted; nothing when it is too long or holds what it may not."""
    return id if len(id) <= NOTE_TEXT_MAX and CORRELATION_CHARACTERS.issuperset(id) else ""


def _cut(text: str) -> str:
    """Give as much of a text as a note holds, without what does not print."""
    return "".join(character if character.isprintable() else " " for character in text[:NOTE_TEXT_MAX])
