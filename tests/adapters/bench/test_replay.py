"""The replay's benchmark measures what it says; its figures themselves are nobody's business here."""

import sys

import msgspec
import pytest

from signalreel.engine import Engine
from signalreel.errors import Divergence, SignalreelError
from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel.step import Outcome, outcome_of
from signalreel_adapters.bench.mix import make_mix
from signalreel_adapters.bench.peers.loading import PACKAGES
from signalreel_adapters.bench.replay import bench_replay
from signalreel_adapters.bench.source import Peer


def test_everybody_takes_turns_on_the_mix() -> None:
    """Both reels and both other programs are measured, in each run."""
    told: list[str] = []

    figures = bench_replay(told.append, records=200, runs=2)
    printed = msgspec.json.decode(msgspec.json.encode(figures))

    assert 0 < figures.records <= 200
    assert figures.records_per_s > 0
    assert figures.memory_records_per_s > 0
    assert told == [
        "making a mix of 200 records",
        *(f"{who}, run {run} of 2" for run in (1, 2) for who in ("replay", "eventsourcing", "temporal")),
    ]
    assert printed["peers"]["eventsourcing"]["records_per_s"] > 0
    assert printed["peers"]["temporal"]["records_per_s"] > 0
    assert "missing" not in printed["peers"]["temporal"]


def test_who_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, and nothing else; a reel is measured all the same, and one that diverges is not."""
    for module in PACKAGES.values():
        monkeypatch.setitem(sys.modules, f"signalreel_adapters.bench.peers.{module}", None)
    reel, engine = MemoryReel(), Engine()
    for record in make_mix(1)[0][:50]:
        reel.append(record.seq, encode_record(record))
        reel.conclude(record.seq, outcome_of(engine.apply(record)))

    figures = bench_replay(lambda _: None, reel=reel, runs=1)

    assert figures.records == 50
    assert figures.peers["temporal"] == Peer(missing="temporalio is not installed (pip install temporalio)")
    assert "missing" in msgspec.to_builtins(figures.peers["eventsourcing"])
    reel.conclude(7, Outcome(bytes(16), []))
    with pytest.raises(Divergence):
        bench_replay(lambda _: None, reel=reel, runs=1)


def test_an_empty_reel_cannot_be_measured() -> None:
    """Which is told."""
    with pytest.raises(SignalreelError, match="no record"):
        bench_replay(lambda _: None, reel=MemoryReel())
