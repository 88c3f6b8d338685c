"""The engine's benchmark measures what it says; its figures themselves are nobody's business here."""

from signalreel.engine import Engine
from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel_adapters.bench.engine import bench_engine
from signalreel_adapters.bench.mix import make_mix


def test_it_counts_only_records_that_did_something() -> None:
    """Figures agree with one another, and the background is not measured."""
    told: list[str] = []

    figures = bench_engine(told.append, records=2_000, runs=2)

    assert 0 < figures.records <= 2_000
    assert figures.runs == 2
    assert figures.machines >= 1_000
    assert abs(figures.us_per_record * figures.records_per_s / 1e6 - 1) < 0.01
    assert told[0] == "making a mix of 2000 records"


def test_it_measures_any_reel() -> None:
    """A reel takes the place of the mix, from its first record on."""
    background, records = make_mix(500)
    reel, engine = MemoryReel(), Engine()
    for record in [*background, *records]:
        reel.append(record.seq, encode_record(record))
        engine.apply(record)

    figures = bench_engine(lambda _: None, reel=reel, runs=1)

    assert figures.records <= reel.last_seq
    assert figures.machines == len(list(engine.machines()))
