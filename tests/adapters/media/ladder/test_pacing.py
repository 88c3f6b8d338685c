"""When packets are sent: by a clock that the test moves."""

from signalreel_adapters.media.ladder.pacing import Pacer

INTERVAL = 1 / 30


def sent(pacer: Pacer, until: float) -> list[tuple[int, bytes]]:
    """What is sent, with the millisecond, by a loop that comes back when it is told to."""
    found: list[tuple[int, bytes]] = []
    while (now := pacer.next_at) is not None and now <= until:
        found += [(round(now * 1_000), packet) for packet in pacer.due(now)]
    return found


def packets(name: str, count: int) -> list[bytes]:
    """Packets that can be told apart."""
    return [f"{name}{number}".encode() for number in range(count)]


def test_a_small_picture_is_sent_at_once() -> None:
    """Its latency is worth more than its bytes."""
    pacer = Pacer()
    pacer.add(240, packets("a", 3), INTERVAL, 0.0)

    assert pacer.due(0.0) == packets("a", 3)
    assert pacer.next_at is None


def test_a_large_picture_is_spread_over_its_interval() -> None:
    """A few packets every 5 ms, all before the next picture is due."""
    pacer = Pacer()
    pacer.add(480, packets("a", 25), INTERVAL, 0.0)
    found = sent(pacer, 1.0)

    assert [packet for _, packet in found] == packets("a", 25)
    assert [at for at, _ in found] == [0] * 5 + [5] * 5 + [10] * 5 + [15] * 5 + [20] * 5


def test_one_renditions_pictures_never_overtake_each_other() -> None:
    """The next one begins behind the last, and makes up for the time."""
    pacer = Pacer()
    pacer.add(480, packets("a", 25), INTERVAL, 0.0)
    pacer.add(480, packets("b", 4), INTERVAL, 0.010)
    pacer.add(480, packets("c", 2), INTERVAL, 0.012)
    found = sent(pacer, 1.0)

    assert [packet for _, packet in found] == packets("a", 25) + packets("b", 4) + packets("c", 2)
    assert found[-1][0] <= 12 + 1_000 * INTERVAL


def test_renditions_do_not_wait_for_each_other() -> None:
    """A keyframe of one holds up no picture of another."""
    pacer = Pacer()
    pacer.add(480, packets("a", 25), INTERVAL, 0.0)
    pacer.add(240, packets("b", 1), INTERVAL, 0.0)

    assert b"b0" in pacer.due(0.0)


def test_without_an_interval_all_is_sent_at_once() -> None:
    """The first picture has no predecessor to tell it."""
    pacer = Pacer()
    pacer.add(480, packets("a", 25), 0.0, 5.0)

    assert pacer.due(5.0) == packets("a", 25)
