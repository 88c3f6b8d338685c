"""The media benchmark runs, in little, and prints what figures are compared by."""

from pathlib import Path

import msgspec
import pytest

from signalreel_adapters.bench.media import MeasurementFailed, bench_media
from signalreel_adapters.media.aiortc.measuring.figures import Progress


def test_a_small_measurement_gives_every_figure() -> None:
    """One viewer, then three, for a second each. How good the figures are is not a test's to say: machines differ."""
    said: list[Progress] = []
    figures = bench_media(said.append, peers=(), viewers=(3, 1), pairs=1, window=1.0)
    one, three = figures.runs

    assert [progress.text for progress in said] == [
        "making the clip",
        "starting signalreel",
        "1 viewers of signalreel",
        "1 viewers, pair 1 of 1, signalreel",
        "3 viewers of signalreel",
        "3 viewers, pair 1 of 1, signalreel",
    ]
    assert said[-1].done == said[-1].total - 1
    assert (one.viewers, three.viewers) == (1, 3)
    assert all(0 <= run.loss < 1 and run.packets_per_s > 0 and run.cpu_us_per_packet > 0 for run in figures.runs)
    assert all(0 < run.p50_ms <= run.p99_ms for run in figures.runs)
    assert one.picture_p50_ms is not None
    assert one.picture_p50_ms > one.p50_ms
    assert three.picture_p50_ms is None
    printed = msgspec.json.decode(msgspec.json.encode(figures))
    assert printed["peers"] == {name: {"missing": "left out"} for name in ("janus", "pion", "aiortc_relay")}


def test_without_a_network_of_its_own_only_this_server_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over loopback, and each of the others is told with the reason."""
    monkeypatch.setenv("PATH", str(tmp_path))
    figures = bench_media(lambda progress: None, viewers=(1,), pairs=1, window=0.6)

    assert figures.interface == "loopback"
    assert {peer.missing for peer in figures.peers.values()} == {"needs unshare and ip (Debian: util-linux, iproute2)"}
    assert set(figures.peers) == {"janus", "pion", "aiortc_relay"}


def test_a_measurement_that_fails_is_told() -> None:
    """And not taken for one that has no figures."""
    with pytest.raises(MeasurementFailed, match="without figures"):
        bench_media(lambda progress: None, peers=(), viewers=(1,), pairs=1, fan_out="some way")
