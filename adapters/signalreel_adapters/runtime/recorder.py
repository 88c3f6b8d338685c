"""What stands between the inbox and the engine: stamping, appending, committing, applying, concluding.

The order is the point. A batch of inputs gets its seqs and its time, is appended and committed; only then is each
record applied. So a reel that fails leaves the engine where the disk is. Outcomes follow with the next commit: a
record without one is whole, because replaying it gives the outcome.
"""

from typing import Final

import anyio.lowlevel
from msgspec import structs

from signalreel.commands import ids_wanted
from signalreel.engine import Engine
from signalreel.errors import ReelError, ReelUnavailable
from signalreel.events import ClockAdjusted, DeadlineReached
from signalreel.header import Header
from signalreel.record import Grant, Record, encode_record, input_name
from signalreel.reel import Entry
from signalreel.replay import apply_entry, compare, restore_seam
from signalreel.snapshot import encode_snapshot
from signalreel.step import Step, outcome_of
from signalreel_adapters.ports import Clock, DurableReel, Ids, RollingReel
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.watching import Watching

__all__ = ("DRIFT_MAX", "Recorder", "Written")

DRIFT_MAX: Final = 1_000_000
"""How far the wall clock may be from where the engine takes it to be, in microseconds: dates are planned in seconds."""

_REPLAY_PAUSE_RECORDS: Final = 256
"""Records replayed at a start before other tasks get a turn."""

_log: Final = Log("signalreel.reel")


class Written:
    """What became of a batch."""

    __slots__ = ("records", "rejected", "rest")

    def __init__(self) -> None:
        self.records: list[tuple[Pending, Record]] = []  #: safe on the reel, to be applied in this order
        self.rejected: list[Pending] = []  #: cannot be encoded: an adapter's mistake, or a text that has no UTF-8
        self.rest: list[Pending] = []  #: not written, because the reel failed in between


class Recorder:
    """Writes the one order and applies it."""

    def __init__(
        self, reel: DurableReel, engine: Engine, clock: Clock, ids: Ids, counters: Counters, *, monitored: bool = False
    ) -> None:
        self.engine = engine
        self._monitored = monitored
        self._watching: Watching | None = None
        self._reel = reel
        self._rolling = reel if isinstance(reel, RollingReel) else None
        self._clock = clock
        self._ids = ids
        self._counters = counters
        self._time = 0
        self._origin = 0
        self._segment_began: int | None = None  # when the first record of the segment was made

    async def resume(self) -> bool:
        """Bring the engine to the end of the reel; give whether it held anything.

        Raises `Divergence` when this version does not give the recorded outcomes, and `ReelDamaged` when a record
        cannot be read: going on would make a reel that nobody can replay.
        """
        restore_seam(self.engine, self._reel)
        self._time = self.engine.time
        for replayed, entry in enumerate(self._reel.entries(), start=1):
            self._replay(entry)
            if replayed % _REPLAY_PAUSE_RECORDS == 0:
                await anyio.lowlevel.checkpoint()
        started_at = self._reel.header.started_at
        elapsed = self._clock.wall() - started_at if started_at else 0
        self._origin = self._clock.now() - max(self._time, elapsed)
        if self._monitored:  # What an older version recorded is not what this one is watched for.
            self._watching = Watching(self.engine, self._counters)
        return self._reel.last_seq > 0

    def _replay(self, entry: Entry) -> None:
        step = apply_entry(self.engine, entry)
        self._time = step.record.time
        if self._segment_began is None:
            self._segment_began = self._time
        if entry.outcome is None:
            self._conclude(step)
        divergence = compare(entry.outcome, step)
        if divergence is not None:
            raise divergence

    def now(self) -> int:
        """Give the reel's time: microseconds since its header, never less than the last record's."""
        return max(self._time, self._clock.now() - self._origin)

    def wake_at(self) -> int | None:
        """Give the clock's time at which the engine next wants to be woken."""
        deadline = self.engine.deadline()
        return None if deadline is None else deadline.at + self._origin

    def due(self) -> Pending | None:
        """Give the wake-up that is due, if one is."""
        deadline = self.engine.deadline()
        if deadline is None or deadline.at > self.now():
            return None
        return Pending(event=DeadlineReached(deadline.machine, deadline.timer))

    def adjustment(self) -> Pending | None:
        """Give the report that the wall clock is elsewhere than the engine takes it to be, if it is."""
        offset = self._clock.wall() - self.now()
        if abs(offset - self.engine.environment.clock_offset) <= DRIFT_MAX:
            return None
        return Pending(event=ClockAdjusted(offset))

    async def write(self, batch: list[Pending]) -> Written:
        """Append a batch and commit it; give the records, in order, to be applied.

        Raises `ReelUnavailable` when nothing of it was written.
        """
        self._time = self.now()
        written = Written()
        for number, pending in enumerate(batch):
            record = self._stamp(pending, self._reel.last_seq + 1)
            try:
                data = encode_record(record)
            except (ValueError, TypeError, OverflowError, RecursionError) as error:
                self._counters.reject("not_recordable")
                _log.error("input cannot be recorded", input=input_name(record), error=type(error).__name__)
                written.rejected.append(pending)
                continue
            try:
                self._reel.append(record.seq, data)
            except ReelUnavailable:
                if not written.records:
                    raise
                written.rest.extend(batch[number:])
                break
            written.records.append((pending, record))
        await self._reel.commit()
        if self._segment_began is None:
            self._segment_began = self._time
        return written

    def _stamp(self, pending: Pending, seq: int) -> Record:
        wanted = ids_wanted(pending.command) if pending.command is not None else 0
        return Record(
            seq,
            self._time,
            pending.session,
            command=pending.command,
            event=pending.event,
            host=pending.host,
            grant=self._in_reel_time(pending.grant) if pending.grant is not None else None,
            ids=tuple([self._ids.draw() for _ in range(wanted)]) if wanted else (),
        )

    def _in_reel_time(self, grant: Grant) -> Grant:
        """Give the grant as it is recorded: a gate knows the wall clock only, the engine the reel's time only."""
        if not grant.until:
            return grant
        return structs.replace(grant, until=max(1, self._time + grant.until - self._clock.wall()))

    def apply(self, record: Record) -> Step:
        """Apply a written record and put its outcome beside it."""
        step = self.engine.apply(record)
        self._counters.records += 1
        self._counters.transitions += len(step.transitions)
        if step.refused:
            self._counters.refuse(step.refused)
        for _, fired in step.fired:
            if fired.is_unreachable:
                self._counters.unreachable += 1
                _log.error("unreachable", kind=fired.kind, state=fired.state, input=fired.input, seq=record.seq)
        self._conclude(step)
        if self._watching is not None:
            self._watching.look(step)
        return step

    def _conclude(self, step: Step) -> None:
        try:
            self._reel.conclude(step.record.seq, outcome_of(step))
        except ReelError as error:
            # The record is safe and the outcome can be computed again, so this ends nothing.
            self._counters.reel_failures += 1
            _log.error("outcome not kept", seq=step.record.seq, error=type(error).__name__)

    async def roll(self) -> None:
        """Begin a new segment when the reel wants one. Call it when every written record is applied."""
        reel = self._rolling
        age = 0 if self._segment_began is None else self._time - self._segment_began
        if reel is None or not reel.wants_to_roll(age, self._nothing_lives):
            return
        engine, header = self.engine, reel.header
        try:
            snapshot = encode_snapshot(engine.snapshot())
            successor = Header(
                engine.settings, started_at=header.started_at, logic=engine.environment.logic, seed=header.seed
            )
            rolled = await reel.roll(snapshot, successor, engine.digest)
        except (ReelUnavailable, ValueError) as error:
            self._counters.reel_failures += 1
            _log.warning("the segment is gone on with", error=str(error))
            return
        self._segment_began = None
        _log.info("segment closed", name=rolled.closed, seq=engine.seq, removed=list(rolled.removed))
        if rolled.not_removed:
            _log.warning("closed segments cannot be removed", error=rolled.not_removed)

    def _nothing_lives(self) -> bool:
        return not self.engine.machines()

    async def flush(self) -> None:
        """Commit the outcomes of the last batch, and wait until everything is on the disk."""
        try:
            await (self._rolling.flush() if self._rolling is not None else self._reel.commit())
        except ReelUnavailable as error:
            self._counters.reel_failures += 1
            _log.error("last outcomes not kept", error=str(error))
