"""The debugger's benchmark does what it measures; its figures themselves are nobody's business here."""

from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel_adapters.bench.debug import bench_debug
from signalreel_adapters.bench.mix import make_failing


def test_the_planted_failure_is_found_and_made_small() -> None:
    """Both are really done: the record is the planted one, and four records are enough to show it."""
    told: list[str] = []

    figures = bench_debug(told.append, records=6_000, shrink_records=5_500, runs=1)

    assert (figures.records, figures.shrink_records) == (6_000, 5_500)
    assert 4_500 < figures.found_at < 5_100
    assert 2 <= figures.shrunk_records <= 4
    assert 0 < figures.scrub_ms <= figures.scrub_max_ms
    assert told[1:] == [f"{what}, run 1 of 1" for what in ("open and scrub", "bisect", "shrink")]


def test_any_reel_and_condition_can_be_measured() -> None:
    """The condition must hold somewhere on it."""
    reel = MemoryReel()
    for record in make_failing(5_000)[:30]:
        reel.append(record.seq, encode_record(record))

    figures = bench_debug(lambda _: None, reel=reel, condition="input == 'publish'", runs=1)

    assert figures.found_at == 2
    assert figures.records == 30
    assert figures.shrunk_records == 1
