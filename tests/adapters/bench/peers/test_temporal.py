"""The replayer takes the history that is made for it."""

from signalreel_adapters.bench.mix import make_mix
from signalreel_adapters.bench.peers.temporal import Replay


def test_the_history_is_replayed() -> None:
    """A history that did not fit the workflow would raise; one with many signals in a task is measured beside it."""
    replay = Replay(make_mix(1)[0][:70])

    replay.run()
    figures = replay.figures()

    assert figures.records == 70
    assert figures.records_per_s > 0
    assert figures.batched_records_per_s > 0
