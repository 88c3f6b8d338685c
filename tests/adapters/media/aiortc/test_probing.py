"""Clusters: how much is asked of a path at once, what the answer is worth, and how long the pauses are."""

import pytest

from signalreel_adapters.media.aiortc.probing import Prober

SENT, NEEDED = 200_000, 1_600_000


def test_a_cluster_asks_for_twice_what_is_known_and_adds_a_short_queue_at_worst() -> None:
    """On a line that carries only what is known, the padding takes less than a tenth of a second to drain."""
    cluster = Prober().plan(SENT, 400_000, NEEDED, 0.0)

    assert cluster is not None
    assert cluster.bits == pytest.approx(800_000 * cluster.seconds, abs=1)
    assert cluster.bits / 400_000 - cluster.seconds == pytest.approx(0.08, abs=0.001)


def test_nothing_is_asked_for_that_is_known() -> None:
    """And nothing while nothing is sent, from which padding could be made."""
    assert Prober().plan(SENT, NEEDED, NEEDED, 0.0) is None
    assert Prober().plan(0, 100, NEEDED, 0.0) is None


def test_an_empty_queue_is_followed_by_a_larger_cluster_at_once() -> None:
    """Each success is known, and doubles what the next one asks for; three of them climb from 250 kbit/s to the top."""
    prober, now, carried, clusters = Prober(), 0.0, 0, 0
    while (cluster := prober.plan(SENT, 250_000, NEEDED, now)) is not None:
        clusters += 1
        now += cluster.seconds
        prober.ended(cluster.bits, cluster.seconds, now)
        assert prober.plan(SENT, 250_000, NEEDED, now) is None
        now += 0.2
        carried = prober.heard(0.01, SENT, now)

    assert carried == pytest.approx(1.1 * NEEDED, rel=0.01)
    assert clusters == 3


def test_a_queue_is_what_the_path_did_not_carry() -> None:
    """The rate is of the time that it took to send and to drain; then there is a pause."""
    prober = Prober()
    cluster = prober.plan(SENT, 400_000, NEEDED, 0.0)
    assert cluster is not None
    prober.ended(60_000, 0.1, 0.1)
    assert prober.heard(0.1, SENT, 0.3) == 300_000

    assert prober.plan(SENT, 400_000, NEEDED, 1.2) is None
    assert prober.plan(SENT, 400_000, NEEDED, 3.4) is not None


def test_the_pause_grows_with_every_failure() -> None:
    """The first may have met a machine that was busy; what a success was followed by is a first one again."""
    prober, now = Prober(), 0.0
    pauses: list[float] = []
    for queue in (0.2, 0.2, 0.2, 0.2, 0.0, 0.2):
        since = now
        while (cluster := prober.plan(2 * SENT, 400_000, NEEDED, now)) is None:
            now += 0.05
        pauses.append(now - since)
        now += cluster.seconds
        prober.ended(cluster.bits, cluster.seconds, now)
        prober.heard(queue, 2 * SENT, now)

    assert pauses == pytest.approx([0, 1, 2, 3, 3, 0], abs=0.11)


def test_an_answer_that_nothing_was_asked_for_says_nothing() -> None:
    """The cluster was given up in between."""
    assert Prober().heard(0.0, SENT, 1.0) == 0


def test_a_cluster_without_an_answer_has_failed() -> None:
    """The report may have been lost, and the queue may be why."""
    prober = Prober()
    assert prober.plan(SENT, 400_000, NEEDED, 0.0) is not None
    assert prober.plan(SENT, 400_000, NEEDED, 1.7) is None
    assert prober.plan(SENT, 400_000, NEEDED, 2.6) is None
    assert prober.plan(SENT, 400_000, NEEDED, 4.8) is not None


def test_congestion_ends_a_cluster_and_brings_a_pause() -> None:
    """Whatever it would have said."""
    prober = Prober()
    prober.plan(SENT, 400_000, NEEDED, 0.0)
    prober.cancel(SENT, 0.05)

    assert prober.heard(0.0, SENT, 0.2) == 0
    assert prober.plan(SENT, 400_000, NEEDED, 1.0) is None


def test_failing_clusters_are_a_small_share_of_what_is_sent() -> None:
    """The pause after a large one is longer, but never so long that a lifted cap is noticed late."""
    prober, now, padding = Prober(), 0.0, 0
    while now < 120:
        now += 0.1
        cluster = prober.plan(SENT, 480_000, NEEDED, now)
        if cluster is not None:
            padding += cluster.bits - int(SENT * cluster.seconds)
            prober.ended(cluster.bits, cluster.seconds, now)
            prober.heard(0.2, SENT, now)

    assert 0 < padding < 0.15 * SENT * 120


def test_the_queue_of_a_cluster_is_its_own_doing_for_a_moment() -> None:
    """Nobody is to take it for congestion."""
    prober = Prober()
    assert not prober.disturbs(0.0)
    prober.plan(SENT, 400_000, NEEDED, 0.0)

    assert prober.disturbs(0.05)
    assert not prober.disturbs(1.0)
