"""Replay: a cursor over a reel, with an engine that is where the cursor is.

    cursor = Cursor(reel)
    for replayed in cursor:
        print(replayed.step.transitions, replayed.divergence)
    cursor.seek(812)            # back or forth; the engine is as it was after record 812

Nothing is performed: the cursor owns an engine and a reel to read, and no transport, no media and no clock. Every
record applied is held against the outcome that the reel recorded; a difference is a `Divergence`, which says what was
recorded and what was computed.

Snapshots are taken every so often (the square root of the reel's length by default) and kept in memory, so that going
back costs at most that many records. A reel with a seam starts from there.
"""

from collections.abc import Iterator
from math import isqrt
from typing import Final

from msgspec import Struct

from signalreel.engine import STATE_DIGEST_EVERY, Engine
from signalreel.errors import Divergence, InvalidRecord, OutOfOrder, ReelDamaged
from signalreel.record import Record, decode_record, input_name
from signalreel.reel import Entry, Reel, chain_before, chain_record
from signalreel.snapshot import SEQ_MAX, Snapshot, decode_snapshot
from signalreel.step import Outcome, Step, outcome_of

__all__ = (
    "SNAPSHOT_EVERY_MIN",
    "Cursor",
    "Replayed",
    "apply_entry",
    "compare",
    "decode_entry",
    "engine_at_start",
    "restore_seam",
)

SNAPSHOT_EVERY_MIN: Final = 64
"""Records between two snapshots at least; below that, applying again is cheaper than keeping."""


class Replayed(Struct, frozen=True, gc=False):
    """A record that was applied: what it caused now, and how that differs from then."""

    step: Step
    recorded: Outcome | None  #: None when the run ended before it could be written
    divergence: Divergence | None


class _Mark(Struct, frozen=True, gc=False):
    """Where a replay can start from without going back to the first record."""

    snapshot: Snapshot
    chain: bytes


class Cursor:
    """A position on a reel and the engine that is in the state after it. It starts before the first record.

    Raises `ReelDamaged` when the seam cannot be read.
    """

    def __init__(
        self,
        reel: Reel,
        *,
        snapshot_every: int | None = None,
        state_digest_every: int = STATE_DIGEST_EVERY,
    ) -> None:
        self._reel = reel
        self._every = snapshot_every or max(SNAPSHOT_EVERY_MIN, isqrt(reel.last_seq))
        self.engine: Final = engine_at_start(reel, state_digest_every=state_digest_every)
        self._chain = chain_before(reel.header, reel.seam)
        self._start = self.engine.seq
        self._marks: dict[int, _Mark] = {self._start: _Mark(self.engine.snapshot(), self._chain)}
        self._entries: Iterator[Entry] | None = None

    @property
    def position(self) -> int:
        """The seq of the last record applied."""
        return self.engine.seq

    def __iter__(self) -> Iterator[Replayed]:
        """Go forward to the end of the reel, giving each record as it is applied."""
        while (replayed := self.step()) is not None:
            yield replayed

    def step(self) -> Replayed | None:
        """Apply the next record; None at the end. Raises `ReelDamaged` when it cannot be read or applied."""
        opened = self._entries is None
        if self._entries is None:
            self._entries = self._reel.entries(self.position + 1)
        entry = next(self._entries, None)
        if entry is None:
            self._entries = None
            return None
        try:
            if opened:
                self._check_chain(entry)  # What follows, the reel holds against the record before.
            step = apply_entry(self.engine, entry)
        except ReelDamaged:
            self._entries = None
            raise
        self._chain = entry.chain
        if step.record.seq % self._every == 0:
            self._marks.setdefault(step.record.seq, _Mark(self.engine.snapshot(), self._chain))
        return Replayed(step, entry.outcome, compare(entry.outcome, step))

    def _check_chain(self, entry: Entry) -> None:
        if chain_record(self._chain, entry.record) != entry.chain:
            raise ReelDamaged(f"record {entry.seq}", "its bytes, or those of a record before it, are not as written")

    def seek(self, seq: int) -> Replayed | None:
        """Go to just after a record, back or forth, and give that record as applied.

        None before the first record and past the end.
        """
        # At the nearest mark there is less to apply again than here, unless here is nearer still.
        before = max(self._start, seq - 1)
        if seq <= self.position or self._nearest(before) > self.position:
            self._rewind(before)
        replayed: Replayed | None = None
        while self.position < seq:
            replayed = self.step()
            if replayed is None:
                return None
        return replayed

    def at(self, seq: int) -> Engine:
        """Give an engine of its own in the state just after a record; the cursor goes there too."""
        self.seek(seq)
        engine = Engine(self.engine.settings)
        engine.restore(self.engine.snapshot())
        return engine

    def _nearest(self, seq: int) -> int:
        """Give where the nearest mark is that is not past `seq`."""
        return max(marked for marked in self._marks if marked <= seq)

    def _rewind(self, seq: int) -> None:
        """Go to the nearest mark that is not past `seq`."""
        mark = self._marks[self._nearest(seq)]
        self.engine.restore(mark.snapshot)
        self._chain = mark.chain
        self._entries = None


def engine_at_start(reel: Reel, *, state_digest_every: int = STATE_DIGEST_EVERY) -> Engine:
    """Give an engine in the state before a reel's first record. Raises `ReelDamaged` when the seam cannot be read."""
    header = reel.header
    engine = Engine(
        header.settings, started_at=header.started_at, logic=header.logic, state_digest_every=state_digest_every
    )
    restore_seam(engine, reel)
    return engine


def restore_seam(engine: Engine, reel: Reel) -> None:
    """Bring an engine to the state at a reel's seam, if it has one. Raises `ReelDamaged` when that cannot be read."""
    if reel.seam is None:
        return
    snapshot = decode_snapshot(reel.seam)
    if snapshot.seq + 1 != reel.first_seq:
        raise ReelDamaged("seam", f"it is of record {snapshot.seq}, and the first record is {reel.first_seq}")
    try:
        engine.restore(snapshot)
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError) as error:
        raise ReelDamaged("seam", f"it is no whole state: {error!r}") from None


def decode_entry(entry: Entry) -> Record:
    """Read a record as a reel keeps it. Raises `ReelDamaged` when it is none, or not the one that should be there."""
    place = f"record {entry.seq}"
    try:
        record = decode_record(entry.record)
    except (ValueError, RecursionError) as error:
        raise ReelDamaged(place, f"cannot be decoded: {error}") from None
    if record.seq != entry.seq:
        raise ReelDamaged(place, f"it says that it is record {record.seq}")
    if record.time > SEQ_MAX:
        raise ReelDamaged(place, f"its time is {record.time}, and no reel lasts so long")
    return record


def apply_entry(engine: Engine, entry: Entry) -> Step:
    """Apply a record as a reel keeps it. Raises `ReelDamaged` when it cannot be decoded, or does not follow."""
    record = decode_entry(entry)
    try:
        return engine.apply(record)
    except InvalidRecord as error:
        raise ReelDamaged(f"record {entry.seq}", error.why) from None
    except OutOfOrder as error:
        raise ReelDamaged(f"record {entry.seq}", str(error)) from None


def compare(recorded: Outcome | None, step: Step) -> Divergence | None:
    """Hold a step against the outcome that was recorded for it; what differs first and says most is told."""
    if recorded is None or _agrees(recorded, step):
        return None
    computed = outcome_of(step)
    cause = input_name(step.record)
    seq = step.record.seq
    if recorded.transitions != computed.transitions:
        return Divergence(seq, "transitions", _told(recorded), _told(computed), cause)
    if recorded.digest != computed.digest:
        return Divergence(seq, "digest", recorded.digest.hex(), computed.digest.hex(), cause)
    if recorded.state_digest and computed.state_digest and recorded.state_digest != computed.state_digest:
        return Divergence(seq, "state digest", recorded.state_digest.hex(), computed.state_digest.hex(), cause)
    return None


def _agrees(recorded: Outcome, step: Step) -> bool:
    """Whether a step is as recorded, which is nearly always: looked at without making an outcome of it."""
    if recorded.digest != step.digest or len(recorded.transitions) != len(step.transitions):
        return False
    if recorded.state_digest and step.state_digest and recorded.state_digest != step.state_digest:
        return False
    for then, now in zip(recorded.transitions, step.transitions, strict=True):
        machine = now.machine
        if then != (machine.kind, machine.app, machine.id, now.source, now.target):
            return False
    return True


def _told(outcome: Outcome) -> str:
    moves = [f"{kind} {app}/{id}: {source} -> {target}" for kind, app, id, source, target in outcome.transitions]
    return "; ".join(moves) or "none"
