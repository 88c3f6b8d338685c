"""The media benchmark runs, in little, and prints what figures are compared by."""

import msgspec

from signalreel_adapters.bench.media import bench_media


def test_a_small_measurement_gives_every_figure() -> None:
    """Three viewers for half a second. How good the figures are is not a test's to say: machines differ."""
    said: list[str] = []
    figures = bench_media(said.append, viewers=(3,), window=0.5)
    run = figures.runs[0]

    assert said == ["starting the server", "3 viewers"]
    assert run.viewers == 3
    assert 0 <= run.loss < 1
    assert run.packets_per_s > 0
    assert run.cpu_us_per_packet > 0
    assert 0 < run.p50_ms <= run.p99_ms
    printed = msgspec.json.decode(msgspec.json.encode(figures))
    assert set(printed["peers"]) == {"janus", "pion", "aiortc_relay"}
    assert all(peer["missing"] for peer in printed["peers"].values())
