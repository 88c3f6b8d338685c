"""The path between a client and the server: order, cuts, and datagrams."""

from random import Random

from signalreel.simulation.agenda import MS, SECOND, Agenda
from signalreel.simulation.luck import Luck
from signalreel.simulation.paths import DOWN, UP, Path


def test_order_is_kept_however_much_the_latency_varies() -> None:
    """As TCP keeps it."""
    agenda, seen = Agenda(), list[int]()
    path = Path(agenda, Luck(Random(1), {}), 10 * MS, jitter=50 * MS)
    for number in range(50):
        path.send(UP, seen.append, number)
    agenda.run_until(SECOND)

    assert seen == list(range(50))


def test_what_is_sent_over_a_cut_path_arrives_once_it_is_mended() -> None:
    """One way at a time; what was under way arrives all the same."""
    agenda, seen = Agenda(), list[str]()
    path = Path(agenda, Luck(Random(1), {}), 10 * MS)
    path.send(UP, seen.append, "before")
    path.sever(UP)
    path.send(UP, seen.append, "meanwhile")
    path.send(DOWN, seen.append, "back")
    agenda.run_until(SECOND)
    assert seen == ["before", "back"]
    assert path.held(UP) == 1
    path.mend()
    agenda.run_until(2 * SECOND)

    assert seen == ["before", "back", "meanwhile"]


def test_datagrams_are_lost_doubled_and_reordered() -> None:
    """By the odds of each, and not at all once healed."""
    agenda, seen = Agenda(), list[int]()
    luck = Luck(Random(3), {"loss": 0.2, "duplication": 0.2, "reordering": 0.2})
    path = Path(agenda, luck, 10 * MS, is_lossy=True)
    for number in range(100):
        path.throw(UP, seen.append, number)
        agenda.run_until(agenda.now + MS)
    agenda.run_until(agenda.now + SECOND)
    assert set(seen) < set(range(100))
    assert len(seen) > len(set(seen))
    assert seen != sorted(seen)
    path.heal()
    seen.clear()
    path.throw(UP, seen.append, 1)
    agenda.run_until(agenda.now + SECOND)

    assert seen == [1]
