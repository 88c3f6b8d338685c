"""The other program keeps every record and gives all of them back."""

from pathlib import Path

from signalreel_adapters.bench.mix import make_mix
from signalreel_adapters.bench.peers.eventsourced import Recording, Replay


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    """A replay that lost a record would fail; the figures say how many there were."""
    records = make_mix(1)[0][:100]
    replay = Replay(tmp_path / "replay.db", records)
    recording = Recording(tmp_path, records, 32)

    replay.run()
    recording.run()

    assert replay.figures().records == recording.figures().records == 100
    assert replay.figures().records_per_s > 0
