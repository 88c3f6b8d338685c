"""What is measured is what was asked for."""

from pathlib import Path

from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel_adapters.bench.source import Peer, counts, cpu_of, median, rate, source_of, write_reel
from signalreel_adapters.reels import SqliteReel


def test_the_mix_written_to_a_file_is_replayed_without_a_difference(tmp_path: Path) -> None:
    """The file holds background and measured records, with their outcomes; most of the measured ones count."""
    source = source_of(None, 300)
    write_reel(tmp_path / "mix.reel", source)
    cursor = Cursor(SqliteReel.read(tmp_path / "mix.reel"))

    replayed = list(cursor)

    assert [one.step.record for one in replayed] == source.records
    assert all(one.recorded is not None and one.divergence is None for one in replayed)
    assert sum(counts(one.step) for one in replayed[len(source.background) :]) == source.counted > 200


def test_a_reel_takes_the_place_of_the_mix() -> None:
    """All its records are measured, with its own settings."""
    reel = MemoryReel()
    for record in source_of(None, 10).records[:40]:
        reel.append(record.seq, encode_record(record))

    source = source_of(reel, 300)

    assert source.background == []
    assert len(source.measured) == 40
    assert source.settings == reel.header.settings


def test_figures_are_medians() -> None:
    """One slow run changes nothing."""
    assert median([1.0, 100.0, 2.0]) == 2.0
    assert rate(100, [1.0, 100.0, 2.0]) == 50
    assert cpu_of(lambda: None) >= 0
    assert Peer(missing="why").records_per_s == 0
