"""Figures of a measurement."""

from signalreel_adapters.media.aiortc.measuring.load import MediaRun, _percentile


def test_percentiles_are_of_the_ordered_list() -> None:
    """In milliseconds; an empty list has none."""
    latencies = [each * 1_000_000 for each in range(1, 101)]

    assert (_percentile(latencies, 0.5), _percentile(latencies, 0.99), _percentile([], 0.5)) == (51.0, 100.0, 0.0)


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
