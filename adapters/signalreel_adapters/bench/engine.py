"""How fast the engine applies records: `signalreel bench engine`.

What is timed is `Engine.apply` with everything it always does, outcome digests and state digests included; and, beside
it, the same with each record decoded from its bytes first, which is what a replay does. CPU time of this process, the
median of several runs: on a machine that others use, wall time tells about the others.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from signalreel.engine import Engine
from signalreel.record import Record, decode_record, encode_record
from signalreel.reel import Reel
from signalreel.settings import Settings
from signalreel.snapshot import Snapshot
from signalreel_adapters.bench.mix import make_mix

__all__ = (
    "RECORDS",
    "RUNS",
    "EngineFigures",
    "Progress",
    "bench_engine",
)

RECORDS: Final = 50_000
"""Records in a run, of which those that a machine ignores do not count."""

RUNS: Final = 5

Progress = Callable[[str], None]


class EngineFigures(Struct, frozen=True):
    """What `signalreel bench engine --json` prints."""

    records_per_s: int
    us_per_record: float
    records: int  #: that counted
    machines: int  #: alive at the end
    decode_and_apply_records_per_s: int
    decode_and_apply_us_per_record: float
    runs: int


def bench_engine(
    progress: Progress, *, reel: Reel | None = None, records: int = RECORDS, runs: int = RUNS
) -> EngineFigures:
    """Measure the fixed mix, or the records of a reel from its first one on."""
    if reel is None:
        progress(f"making a mix of {records} records")
        background, measured = make_mix(records)
        settings = Settings()
    else:
        background, measured = [], [decode_record(entry.record) for entry in reel.entries()]
        settings = reel.header.settings
    base = Engine(settings)
    for record in background:
        base.apply(record)
    start = base.snapshot()
    blobs = [encode_record(record) for record in measured]
    counted, machines = _count(settings, start, measured)
    gc.collect()
    gc.freeze()
    try:
        applied = [_time(settings, start, measured, progress, f"apply, run {run + 1} of {runs}") for run in range(runs)]
        decoded = [
            _time(settings, start, map(decode_record, blobs), progress, f"decode and apply, run {run + 1} of {runs}")
            for run in range(runs)
        ]
    finally:
        gc.unfreeze()
    apply_s, decode_s = statistics.median(applied), statistics.median(decoded)
    return EngineFigures(
        records_per_s=round(counted / apply_s),
        us_per_record=round(apply_s / counted * 1e6, 3),
        records=counted,
        machines=machines,
        decode_and_apply_records_per_s=round(counted / decode_s),
        decode_and_apply_us_per_record=round(decode_s / counted * 1e6, 3),
        runs=runs,
    )


def _at(settings: Settings, start: Snapshot) -> Engine:
    engine = Engine(settings)
    engine.restore(start)
    return engine


def _count(settings: Settings, start: Snapshot, records: list[Record]) -> tuple[int, int]:
    """Count the records that did something, and the machines alive after the last."""
    engine = _at(settings, start)
    counted = sum(
        any(not fired.what.startswith(("ignore", "unreachable")) for _, fired in step.fired) or not step.fired
        for step in map(engine.apply, records)
    )
    return counted, len(list(engine.machines()))


def _time(settings: Settings, start: Snapshot, records: Iterable[Record], progress: Progress, what: str) -> float:
    """CPU seconds of applying the records."""
    progress(what)
    engine = _at(settings, start)
    apply = engine.apply
    began = time.process_time()
    for record in records:
        apply(record)
    return time.process_time() - began
