"""How long a debugger waits: `signalreel bench debug`.

A reel of 100 000 records, the fixed mix with a failure planted in it: someone publishes an id that is taken, and is
refused. `open_s` is from the file to its last record, everything checked and snapshots taken; `scrub_ms` the median of
seeking to places all over the reel after that; `bisect_s` finding the record after which the failure shows, opening
included. `shrink_s` is for a reel of 10 000 records with the same failure, and `shrunk_records` what is left of it.
CPU time of this process, medians of several runs.
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from signalreel.debug.bisect import bisect
from signalreel.debug.failing import Holds
from signalreel.debug.predicates import Predicate, compile_predicate
from signalreel.debug.shrink import shrink
from signalreel.reel import Reel
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel_adapters.bench.mix import PLANTED, make_failing
from signalreel_adapters.bench.source import Progress, Source, cpu_of, median, write_reel
from signalreel_adapters.reels import SqliteReel

__all__ = ("RECORDS", "RUNS", "SCRUBS", "SHRINK_RECORDS", "DebugFigures", "bench_debug")

RECORDS: Final = 100_000
SHRINK_RECORDS: Final = 10_000
RUNS: Final = 3

SCRUBS: Final = 50
"""Places that are gone to in each run."""


class DebugFigures(Struct, frozen=True):
    """What `signalreel bench debug --json` prints."""

    open_s: float
    scrub_ms: float
    scrub_max_ms: float
    bisect_s: float
    found_at: int  #: the record that bisecting gave, 0 when the condition never held
    shrink_s: float
    shrunk_records: int
    records: int
    shrink_records: int
    runs: int


def bench_debug(
    progress: Progress,
    *,
    reel: Reel | None = None,
    condition: str = PLANTED,
    records: int = RECORDS,
    shrink_records: int = SHRINK_RECORDS,
    runs: int = RUNS,
) -> DebugFigures:
    """Measure on the mix with its planted failure, or on a reel in which `condition` holds somewhere."""
    with tempfile.TemporaryDirectory(prefix="signalreel-bench-") as folder:
        if reel is None:
            progress(f"making reels of {records} and {shrink_records} records")
            large: Reel = _written(Path(folder) / "large.reel", records)
            small: Reel = _written(Path(folder) / "small.reel", shrink_records)
        else:
            large = small = reel
        return _measure(progress, large, small, compile_predicate(condition), runs)


def _written(path: Path, records: int) -> SqliteReel:
    write_reel(path, Source(Settings(), [], make_failing(records), records))
    return SqliteReel.read(path)


def _measure(progress: Progress, large: Reel, small: Reel, predicate: Predicate, runs: int) -> DebugFigures:
    opened: list[float] = []
    scrubbed: list[float] = []
    bisected: list[float] = []
    shrunk: list[float] = []
    found = left = 0
    for run in range(1, runs + 1):
        progress(f"open and scrub, run {run} of {runs}")
        cursor = Cursor(large)
        opened.append(cpu_of(lambda: cursor.seek(large.last_seq)))  # noqa: B023 -- called at once
        scrubbed += _scrub(cursor, large, run)
        progress(f"bisect, run {run} of {runs}")
        began = time.process_time()
        found = _bisect(large, predicate)
        bisected.append(time.process_time() - began)
        progress(f"shrink, run {run} of {runs}")
        began = time.process_time()
        left = len(shrink(small, Holds(predicate)).records)
        shrunk.append(time.process_time() - began)
    return DebugFigures(
        open_s=round(median(opened), 3),
        scrub_ms=round(median(scrubbed) * 1e3, 2),
        scrub_max_ms=round(max(scrubbed) * 1e3, 2),
        bisect_s=round(median(bisected), 3),
        found_at=found,
        shrink_s=round(median(shrunk), 3),
        shrunk_records=left,
        records=large.last_seq - large.first_seq + 1,
        shrink_records=small.last_seq - small.first_seq + 1,
        runs=runs,
    )


def _scrub(cursor: Cursor, reel: Reel, seed: int) -> list[float]:
    """CPU seconds of each jump to somewhere on the reel."""
    draw = random.Random(seed)  # noqa: S311 -- places to look at, nothing secret
    places = [draw.randint(reel.first_seq, reel.last_seq) for _ in range(SCRUBS)]
    return [cpu_of(lambda: cursor.seek(place)) for place in places]  # noqa: B023 -- called at once


def _bisect(reel: Reel, predicate: Predicate) -> int:
    """Find the first record after which the condition holds, opening the reel as whoever asks does."""
    found = bisect(reel, predicate).found
    return found.seq if found is not None else 0
