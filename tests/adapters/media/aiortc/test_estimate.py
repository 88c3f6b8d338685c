"""What one path carries, from what its viewer says: which signs count, and what they are worth."""

from signalreel_adapters.media.aiortc.estimate import Estimate, Heard, Lowest

PACKET_BITS = 10_000
SOUND = 32_000


class Path:
    """A picture of a hundred packets a second, 1 Mbit/s, that is reported on every quarter of a second."""

    def __init__(self) -> None:
        self.estimate = Estimate()
        self.now = 100.0
        self.sequence = 1_000
        self.estimate.take_remb(1_500_000, self.now)
        self.report()

    def report(self, *, arrived: int = 25, queue: float = 0.0, lost: float = 0.0) -> None:
        """Hear that so many packets have come, and how long the next one is on its way."""
        self.now += 0.25
        self.sequence += arrived
        self.estimate.take_report(1, Heard(self.sequence, lost, PACKET_BITS, 0.02 + queue), self.now)

    def short(self, total: int = 1_000_000 + SOUND) -> int:
        """Ask what gets through of what is sent."""
        return self.estimate.short(total, SOUND, self.now)


def test_the_lowest_of_the_last_windows_is_remembered() -> None:
    """And forgotten one window later: a path may become longer."""
    lowest = Lowest(10.0)

    assert [lowest.note(value, at) for value, at in ((5, 0.0), (3, 1.0), (9, 9.0), (9, 12.0))] == [5, 3, 3, 3]
    assert lowest.note(9, 22.0) == 9


def test_a_fall_of_remb_counts_when_the_queue_grows_and_less_arrives() -> None:
    """What arrived in between is what is carried, long before REMB says so."""
    path = Path()
    path.report()
    path.report(arrived=10, queue=0.1)
    assert path.short() == 0
    path.estimate.take_remb(1_000_000, path.now)

    assert path.short() == 400_000 + SOUND


def test_a_fall_of_remb_alone_is_a_hiccup() -> None:
    """A busy machine makes it, and so does a keyframe that arrives in whole."""
    path = Path()
    path.report()
    path.estimate.take_remb(600_000, path.now)
    assert path.short() == 0
    path.report(queue=0.1)

    assert path.short() == 0


def test_an_old_fall_is_no_news() -> None:
    """REMB that has stayed low for a while says nothing of the queue that comes now."""
    path = Path()
    path.report()
    path.estimate.take_remb(600_000, path.now)
    path.now += 1
    path.report(arrived=50, queue=0.1)

    assert path.short() == 0


def test_a_queue_that_goes_on_growing_counts_without_remb() -> None:
    """Where REMB is far below what is sent it cannot fall."""
    path = Path()
    for queue in (0.0, 0.1, 0.2):
        assert path.short() == 0
        path.report(arrived=10, queue=queue)

    assert path.short() == 400_000 + SOUND


def test_a_queue_that_comes_in_one_step_counts_at_once() -> None:
    """It says more of what is carried than what has arrived, some of which came before the line was narrow."""
    path = Path()
    path.report()
    path.report(arrived=15, queue=0.15)

    assert path.short() == int(0.4 * (1_000_000 + SOUND))


def test_a_step_of_the_queue_that_remb_does_not_follow_was_a_moment_of_standing_still() -> None:
    """The room is what it was, unless REMB falls after all."""
    for falls, room in ((False, 1_500_000), (True, 412_800)):
        path = Path()
        path.report()
        path.report(arrived=15, queue=0.15)
        path.estimate.settle(path.short(), path.now)
        if falls:
            path.estimate.take_remb(1_200_000, path.now + 0.2)

        assert path.estimate.room(path.now + 0.2) == room


def test_the_first_packet_that_is_known_to_wait_waits_in_a_queue() -> None:
    """How long the way is without one is known from those that had arrived by the time of a report, all of them."""
    estimate = Estimate()
    for at, heard in (
        (0.0, Heard(1_000, 0.0, PACKET_BITS, None, in_flight=False, way=0.01)),
        (0.2, Heard(1_020, 0.0, PACKET_BITS, None, in_flight=False, way=0.01)),
        (0.4, Heard(1_025, 0.0, PACKET_BITS, 0.16, way=0.2)),
    ):
        estimate.take_report(1, heard, 100.0 + at)

    assert round(estimate.queue, 3) == 0.15


def test_a_queue_that_drains_is_no_reason_to_send_less() -> None:
    """It was made by what is sent no more."""
    path = Path()
    for queue in (0.4, 0.3, 0.2):
        path.report(arrived=10, queue=queue)
        path.estimate.take_remb(int(path.estimate.remb * 0.9), path.now)
        path.short()

    assert path.short() == 0


def test_heavy_loss_counts_alone_and_light_loss_never() -> None:
    """A line without a queue drops what is too much."""
    path = Path()
    for _ in range(20):
        path.report(lost=0.1)
        assert path.short() == 0
    for _ in range(10):
        path.report(lost=0.4)

    assert path.short() == 600_000 + SOUND


def test_without_reports_nothing_is_short() -> None:
    """Nothing has arrived yet, and nothing is known to be missing."""
    estimate = Estimate()
    estimate.take_remb(2_000_000, 1.0)
    estimate.take_remb(100_000, 1.1)

    assert estimate.short(1_000_000, SOUND, 1.1) == 0


def test_reports_close_together_are_taken_as_one() -> None:
    """A picture is a burst of packets: the rate in between two of them says nothing."""
    path = Path()
    path.report()
    path.now -= 0.2
    path.report(arrived=0, queue=0.5)

    assert path.estimate.queue == 0


def test_a_queue_needs_something_on_its_way() -> None:
    """When all has arrived there is none; when it is not known how long, what was known stands."""
    path = Path()
    path.report()
    path.report(queue=0.2)
    path.now += 0.2
    path.estimate.take_report(1, Heard(path.sequence + 1, 0.0, PACKET_BITS, None), path.now)
    assert round(path.estimate.queue, 3) == 0.2
    path.now += 0.2
    path.estimate.take_report(1, Heard(path.sequence + 2, 0.0, PACKET_BITS, None, in_flight=False), path.now)

    assert path.estimate.queue == 0


def test_calm_comes_a_second_after_the_last_sign() -> None:
    """Of a fall, of a queue, of much loss."""
    path = Path()
    for _ in range(6):
        path.report()
    assert path.estimate.calm(path.now)
    path.report(queue=0.1)
    assert not path.estimate.calm(path.now + 0.9)
    assert path.estimate.calm(path.now + 1.0)
    path.now += 2
    path.estimate.take_remb(100_000, path.now)
    assert not path.estimate.calm(path.now + 0.9)


def test_the_room_is_remb_until_it_was_too_much_and_then_what_was_carried_or_proven() -> None:
    """REMB stays where it is when less is sent: after congestion only a trial says that there is more."""
    estimate = Estimate()
    assert estimate.room(0.0) == 0
    estimate.take_remb(800_000, 0.0)
    assert estimate.room(0.0) == 800_000
    estimate.settle(500_000, 0.0)
    assert estimate.room(0.0) == 500_000
    estimate.prove(700_000, 1.0)
    estimate.prove(600_000, 2.0)
    assert estimate.room(2.0) == 700_000
    estimate.prove(900_000, 3.0)
    assert (estimate.room(3.0), estimate.room(8.1)) == (900_000, 800_000)


def test_a_picture_that_is_sent_no_more_carries_nothing() -> None:
    """What arrives is counted without it."""
    path = Path()
    path.report()
    path.estimate.forget(1)
    path.estimate.forget(1)

    assert path.short() == 0
