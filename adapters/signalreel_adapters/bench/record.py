"""How fast inputs are recorded: `signalreel bench record`.

What is timed is the server's own `Recorder` on a file: inputs are stamped, encoded, appended, committed as a group in
the writer's thread, applied, and their outcomes put beside them. As soon as one is applied the next one waits, and all
that wait are the next batch. How long inputs wait is measured with 64 of them in flight; how many are recorded, with as
many as the runtime takes at once. Every durability takes turns with the other program.

`records_per_s` is by the clock, because a commit waits for the disk; `cpu_us_per_record` is the time of all threads.
"""

import tempfile
import time
from pathlib import Path
from typing import Final

import anyio
from msgspec import Struct

from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import engine_at_start
from signalreel_adapters.bench.peers.loading import prepare
from signalreel_adapters.bench.source import BATCH, Peer, Progress, Source, median, rate, source_of
from signalreel_adapters.reels.sqlite import Durability, SqliteReel
from signalreel_adapters.runtime.clock import SystemClock
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.ids import RandomIds
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.runtime.limits import Limits
from signalreel_adapters.runtime.recorder import Recorder

__all__ = ("DURABILITIES", "RECORDS", "RUNS", "DurabilityFigures", "RecordFigures", "bench_record")

RECORDS: Final = 30_000
RUNS: Final = 5

DURABILITIES: Final[tuple[Durability, ...]] = ("synced", "buffered")
"""What a commit waits for; the first is what a server does when nobody says."""


class DurabilityFigures(Struct, frozen=True):
    """What recording takes under one durability."""

    records_per_s: int
    cpu_us_per_record: float
    p50_ms: float  #: from an input's arrival until it is applied
    p99_ms: float


class RecordFigures(Struct, frozen=True):
    """What `signalreel bench record --json` prints. The figures at its top are those of `durability`."""

    records_per_s: int
    p99_ms: float
    durability: Durability
    durabilities: dict[Durability, DurabilityFigures]
    records: int
    in_flight: int  #: where waits are measured
    in_flight_most: int  #: where records are counted
    runs: int
    peers: dict[str, Peer]


class _Run(Struct, frozen=True):
    """One run: seconds by the clock, CPU seconds, and every input's milliseconds."""

    wall: float
    cpu: float
    waits: list[float]


_MOST: Final = Limits().batch_records_max


def bench_record(
    progress: Progress, *, reel: Reel | None = None, records: int = RECORDS, runs: int = RUNS
) -> RecordFigures:
    """Measure the fixed mix, or the inputs of a reel."""
    progress("preparing the records" if reel is not None else f"making a mix of {records} records")
    source = source_of(reel, records)
    taken: dict[Durability, list[_Run]] = {name: [] for name in DURABILITIES}
    waited: dict[Durability, list[_Run]] = {name: [] for name in DURABILITIES}
    with tempfile.TemporaryDirectory(prefix="signalreel-bench-") as folder:
        other = prepare("eventsourcing", "Recording", Path(folder), source.measured, _MOST)
        for run in range(1, runs + 1):
            for name, all_of_it in taken.items():
                progress(f"record, {name}, run {run} of {runs}")
                file = Path(folder) / f"{name}-{run}.reel"
                all_of_it.append(anyio.run(_record, file, source, name, _MOST))
                waited[name].append(anyio.run(_record, file.with_suffix(".waits.reel"), source, name, BATCH))
            if not isinstance(other, Peer):
                progress(f"eventsourcing, run {run} of {runs}")
                other.run()
    figures: dict[Durability, DurabilityFigures] = {
        name: _figures(source.counted, all_of_it, waited[name]) for name, all_of_it in taken.items()
    }
    first = DURABILITIES[0]
    return RecordFigures(
        records_per_s=figures[first].records_per_s,
        p99_ms=figures[first].p99_ms,
        durability=first,
        durabilities=figures,
        records=source.counted,
        in_flight=BATCH,
        in_flight_most=_MOST,
        runs=runs,
        peers={"eventsourcing": other if isinstance(other, Peer) else other.figures()},
    )


def _figures(counted: int, runs: list[_Run], waited: list[_Run]) -> DurabilityFigures:
    waits = sorted(wait for run in waited for wait in run.waits)
    return DurabilityFigures(
        records_per_s=rate(counted, [run.wall for run in runs]),
        cpu_us_per_record=round(median(run.cpu for run in runs) / max(counted, 1) * 1e6, 3),
        p50_ms=round(waits[len(waits) // 2], 3),
        p99_ms=round(waits[len(waits) * 99 // 100], 3),
    )


async def _record(path: Path, source: Source, durability: Durability, in_flight: int) -> _Run:
    """Record everything once; the background before the clock runs."""
    reel = SqliteReel(path, settings=source.settings, durability=durability)
    recorder = Recorder(reel, engine_at_start(reel), SystemClock(), RandomIds(), Counters())
    try:
        await recorder.resume()
        await _feed(recorder, source.background, in_flight)
        began, cpu = time.perf_counter(), time.process_time()
        waits = await _feed(recorder, source.measured, in_flight)
        await recorder.flush()
        await reel.flush()
        return _Run(time.perf_counter() - began, time.process_time() - cpu, waits)
    finally:
        reel.close()


async def _feed(recorder: Recorder, records: list[Record], in_flight: int) -> list[float]:
    """Record batch after batch; give how long each input waited, in milliseconds."""
    waits: list[float] = []
    arrived = [time.perf_counter()] * in_flight
    for start in range(0, len(records), in_flight):
        batch = [
            Pending(record.session, command=record.command, event=record.event, host=record.host, grant=record.grant)
            for record in records[start : start + in_flight]
        ]
        written = await recorder.write(batch)
        for place, (_, record) in enumerate(written.records):
            recorder.apply(record)
            now = time.perf_counter()
            waits.append((now - arrived[place]) * 1e3)
            arrived[place] = now
    return waits
