"""The recording's benchmark measures what it says; its figures themselves are nobody's business here."""

import sys

import pytest

from signalreel_adapters.bench.record import DURABILITIES, bench_record
from signalreel_adapters.bench.source import BATCH


def test_every_durability_takes_its_turn() -> None:
    """The figures at the top are those of the default, and no input waits for less than nothing."""
    told: list[str] = []

    figures = bench_record(told.append, records=300, runs=1)
    first = figures.durabilities[figures.durability]

    assert tuple(figures.durabilities) == DURABILITIES
    assert (figures.records_per_s, figures.p99_ms) == (first.records_per_s, first.p99_ms)
    assert all(0 < one.p50_ms <= one.p99_ms and one.cpu_us_per_record > 0 for one in figures.durabilities.values())
    assert 0 < figures.records <= 300
    assert figures.in_flight == BATCH < figures.in_flight_most
    assert figures.peers["eventsourcing"].setting.endswith("256 records a transaction")
    assert figures.peers["eventsourcing"].records == 300
    assert told[-1] == "eventsourcing, run 1 of 1"


def test_without_the_other_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told to be missing."""
    monkeypatch.setitem(sys.modules, "signalreel_adapters.bench.peers.eventsourced", None)

    assert bench_record(lambda _: None, records=100, runs=1).peers["eventsourcing"].missing
