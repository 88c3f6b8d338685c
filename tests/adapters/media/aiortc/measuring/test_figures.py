"""Medians, spreads and ratios."""

from signalreel_adapters.media.aiortc.measuring.figures import (
    MediaRun,
    Spread,
    Window,
    compare,
    percentile,
    summarise,
)


def window(cpu_s: float, *, arrived: int = 1_000, p99_ms: float = 4.0, picture_p50_ms: float = 0.0) -> Window:
    """One window of ten viewers."""
    return Window(
        viewers=10,
        seconds=2.0,
        arrived=arrived,
        expected=1_000,
        cpu_s=cpu_s,
        p50_ms=1.0,
        p99_ms=p99_ms,
        picture_p50_ms=picture_p50_ms,
        picture_p99_ms=picture_p50_ms,
    )


def test_percentiles_are_of_the_ordered_list() -> None:
    """In milliseconds; an empty list has none."""
    latencies = [each * 1_000_000 for each in range(1, 101)]

    assert (percentile(latencies, 0.5), percentile(latencies, 0.99), percentile([], 0.5)) == (51.0, 100.0, 0.0)


def test_several_windows_have_a_median_and_a_spread() -> None:
    """Loss is exact, and CPU time is shared by what arrived."""
    run = summarise([window(0.01), window(0.03), window(0.02, arrived=900)], join_cpu_ms=3.0, kib_per_viewer=200.0)

    assert run.cpu_us_per_packet == 22.22
    assert run.spread["cpu_us_per_packet"] == Spread(22.22, 10.0, 30.0)
    assert run.spread["loss"] == Spread(0.0, 0.0, 0.1)
    assert (run.viewers, run.packets_per_s, run.windows, run.ratio) == (10, 500.0, 3, {})
    assert (run.picture_p50_ms, "picture_p50_ms" in run.spread) == (None, False)


def test_a_window_without_packets_loses_nothing() -> None:
    """Nothing was published in it."""
    empty = Window(viewers=1, seconds=1.0, arrived=0, expected=0, cpu_s=0.0)

    assert (empty.loss, empty.cpu_us_per_packet) == (0.0, 0.0)


def test_ratios_are_taken_pair_by_pair() -> None:
    """What disturbs both windows of a pair is not in their ratio; a round that one of them missed is no pair."""
    ours = [window(0.01, picture_p50_ms=3.0), window(0.1), window(0.02)]
    theirs = [window(0.02, picture_p50_ms=3.0), window(0.2)]
    compared = compare(ours, theirs)

    assert compared["cpu_us_per_packet"] == Spread(0.5, 0.5, 0.5)
    assert "picture_p50_ms" not in compared
    assert compare([], theirs) == {}


def test_a_run_has_the_names_that_figures_are_compared_by() -> None:
    """They must not change."""
    assert MediaRun.__struct_fields__[:6] == (
        "viewers",
        "packets_per_s",
        "cpu_us_per_packet",
        "loss",
        "p50_ms",
        "p99_ms",
    )
