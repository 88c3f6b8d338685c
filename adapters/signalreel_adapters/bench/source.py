"""What is measured: the fixed mix, or the records of any reel, as a benchmark needs them."""

import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import anyio
from msgspec import Struct

from signalreel.engine import Engine
from signalreel.record import Record, encode_record
from signalreel.reel import Reel
from signalreel.replay import decode_entry, engine_at_start
from signalreel.settings import Settings
from signalreel.step import Step, outcome_of
from signalreel_adapters.bench.mix import make_mix
from signalreel_adapters.reels import SqliteReel

__all__ = ("BATCH", "Peer", "Progress", "Source", "counts", "cpu_of", "median", "rate", "source_of", "write_reel")

BATCH: Final = 64
"""Records in flight: what waits while one commit runs is the next."""

Progress = Callable[[str], None]


class Source(Struct, frozen=True):
    """Records to measure, and those that come before them."""

    settings: Settings
    background: list[Record]
    measured: list[Record]
    counted: int  #: of the measured, those that a machine did not ignore

    @property
    def records(self) -> list[Record]:
        """All of them, in order."""
        return [*self.background, *self.measured]


class Peer(Struct, frozen=True, omit_defaults=True):
    """What another program did with the same input, or why it could not be measured."""

    missing: str = ""
    records_per_s: int = 0
    records: int = 0
    version: str = ""
    setting: str = ""
    cpu_us_per_record: float = 0.0  #: where `records_per_s` is by the clock
    batched_records_per_s: int = 0  #: with many records in each unit of its work, where that is another figure
    messages_per_s: int = 0  #: of a simulation, that came to where they were sent


def counts(step: Step) -> bool:
    """Whether a record did something."""
    return not step.fired or any(not fired.what.startswith(("ignore", "unreachable")) for _, fired in step.fired)


def source_of(reel: Reel | None, records: int) -> Source:
    """Give the records of a reel from its first one on, or the fixed mix with so many."""
    if reel is None:
        background, measured = make_mix(records)
        settings, engine = Settings(), Engine(Settings())
    else:
        background, measured = [], [decode_entry(entry) for entry in reel.entries(reel.first_seq)]
        settings, engine = reel.header.settings, engine_at_start(reel)
    for record in background:
        engine.apply(record)
    return Source(settings, background, measured, sum(counts(engine.apply(record)) for record in measured))


def write_reel(path: Path, source: Source) -> None:
    """Write the records of a source to a file, with their outcomes."""
    reel = SqliteReel(path, settings=source.settings)
    engine = engine_at_start(reel)

    async def write() -> None:
        for record in source.records:
            reel.append(record.seq, encode_record(record))
            reel.conclude(record.seq, outcome_of(engine.apply(record)))
            if record.seq % (4 * BATCH) == 0:
                await reel.commit()
        await reel.commit()

    try:
        anyio.run(write)
    finally:
        reel.close()


def cpu_of(work: Callable[[], object]) -> float:
    """CPU seconds that all threads of this process spend on something."""
    began = time.process_time()
    work()
    return time.process_time() - began


def median(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)


def rate(count: int, seconds: Iterable[float]) -> int:
    """How many a second, by the median of several runs."""
    return round(count / max(median(seconds), 1e-9))
