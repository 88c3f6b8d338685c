"""How fast a reel is replayed: `signalreel bench replay`.

What is timed is a whole `Cursor`: records read, their chain checked, decoded, applied, held against their outcomes, and
the snapshots for going back. CPU time of this process, medians of runs in which this and the others take turns. The
background of the mix is replayed before the clock runs. Records that a machine ignores do not count.
"""

import gc
import tempfile
from pathlib import Path
from typing import Final

from msgspec import Struct

from signalreel.errors import SignalreelError
from signalreel.reel import MemoryReel, Reel
from signalreel.replay import Cursor
from signalreel_adapters.bench.peers.loading import Turns, prepare
from signalreel_adapters.bench.source import Peer, Progress, Source, cpu_of, rate, source_of, write_reel
from signalreel_adapters.reels import SqliteReel

__all__ = ("RECORDS", "RUNS", "ReplayFigures", "bench_replay")

RECORDS: Final = 50_000
RUNS: Final = 5


class ReplayFigures(Struct, frozen=True):
    """What `signalreel bench replay --json` prints."""

    records_per_s: int  #: from a file
    us_per_record: float
    memory_records_per_s: int  #: from a reel in memory
    records: int  #: that counted
    runs: int
    peers: dict[str, Peer]


def bench_replay(
    progress: Progress, *, reel: Reel | None = None, records: int = RECORDS, runs: int = RUNS
) -> ReplayFigures:
    """Measure the fixed mix, or the records of a reel. Raises `Divergence` when a replay gives something else."""
    progress("preparing the records" if reel is not None else f"making a mix of {records} records")
    source = source_of(reel, records)
    with tempfile.TemporaryDirectory(prefix="signalreel-bench-") as folder:
        file = reel
        if file is None:
            write_reel(Path(folder) / "mix.reel", source)
            file = SqliteReel.read(Path(folder) / "mix.reel")
        memory = _in_memory(file)
        others: dict[str, Turns | Peer] = {
            "eventsourcing": prepare("eventsourcing", "Replay", Path(folder) / "other.db", source.measured),
            "temporal": prepare("temporalio", "Replay", source.measured),
        }
        return _measure(progress, source, file, memory, others, runs)


def _measure(
    progress: Progress,
    source: Source,
    file: Reel,
    memory: Reel,
    others: dict[str, Turns | Peer],
    runs: int,
) -> ReplayFigures:
    """Let everybody take turns."""
    from_file: list[float] = []
    from_memory: list[float] = []
    for run in range(1, runs + 1):
        progress(f"replay, run {run} of {runs}")
        from_file.append(_replay(file, len(source.background)))
        from_memory.append(_replay(memory, len(source.background)))
        for name, other in others.items():
            if not isinstance(other, Peer):
                progress(f"{name}, run {run} of {runs}")
                other.run()
    per_second = rate(source.counted, from_file)
    return ReplayFigures(
        records_per_s=per_second,
        us_per_record=round(1e6 / max(per_second, 1), 3),
        memory_records_per_s=rate(source.counted, from_memory),
        records=source.counted,
        runs=runs,
        peers={name: other if isinstance(other, Peer) else other.figures() for name, other in others.items()},
    )


def _replay(reel: Reel, background: int) -> float:
    """CPU seconds of replaying what follows the background."""
    cursor = Cursor(reel)
    if background:
        cursor.seek(background)

    def go() -> None:
        for replayed in cursor:
            if replayed.divergence is not None:
                raise replayed.divergence

    gc.collect()
    gc.freeze()
    try:
        return cpu_of(go)
    finally:
        gc.unfreeze()


def _in_memory(reel: Reel) -> MemoryReel:
    """Copy a reel into memory."""
    copy = MemoryReel(reel.header, seam=reel.seam, first_seq=reel.first_seq)
    for entry in reel.entries(reel.first_seq):
        copy.append(entry.seq, entry.record)
        if entry.outcome is not None:
            copy.conclude(entry.seq, entry.outcome)
    if copy.last_seq < copy.first_seq:
        raise SignalreelError("there is no record to measure")
    return copy
