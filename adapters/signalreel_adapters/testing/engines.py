"""An engine that records what is applied to it, for tests without any runtime."""

from signalreel.commands import Command
from signalreel.engine import Engine
from signalreel.events import Event, SessionOpened
from signalreel.record import Grant, Input, Record, encode_record
from signalreel.reel import MemoryReel
from signalreel.replay import apply_entry, restore_seam
from signalreel.step import Step, outcome_of

__all__ = ("TICK_US", "RecordedEngine")

TICK_US = 1_000
"""Microseconds that pass from one input to the next, unless the test lets more pass."""


class RecordedEngine(Engine):
    """An engine in the state after all that stands on a reel; what it applies stands there too.

        engine.open("ann")
        step = engine.enter(Publish("stream"), session="ann")

    Nothing is random: seqs count up, time moves by `TICK_US`, ids are made of the seq.
    """

    def __init__(self, reel: MemoryReel) -> None:
        header = reel.header
        super().__init__(header.settings, started_at=header.started_at, logic=header.logic)
        self._reel: MemoryReel | None = None
        restore_seam(self, reel)
        for entry in reel.entries(reel.first_seq):
            apply_entry(self, entry)
        self._reel = reel

    def apply(self, record: Record) -> Step:
        """Apply a record as every engine does, and put it with its outcome on the reel."""
        step = super().apply(record)
        if self._reel is not None:
            self._reel.append(record.seq, encode_record(record))
            self._reel.conclude(record.seq, outcome_of(step))
        return step

    def open(self, *sessions: str, app: str = "live", identity: str = "") -> None:
        """Have sessions attach to an app."""
        for session in sessions:
            self.enter(SessionOpened(app, identity), session=session)

    def enter(self, input: Input, *, session: str = "", grant: Grant | None = None, after_us: int = TICK_US) -> Step:
        """Put any input on the next record, so long after the last one, and apply it."""
        seq, time, ids = self.seq + 1, self.time + after_us, (f"fresh-{self.seq + 1}",)
        if isinstance(input, Command):
            return self.apply(Record(seq, time, session, command=input, grant=grant, ids=ids))
        if isinstance(input, Event):
            return self.apply(Record(seq, time, session, event=input, ids=ids))
        return self.apply(Record(seq, time, session, host=input, ids=ids))
