"""`signalreel_adapters.runtime.rates`; what comes of it for a session is in `test_session`."""

from signalreel_adapters.runtime.limits import UNLIMITED, Limits
from signalreel_adapters.runtime.rates import Bucket, Rates
from signalreel_adapters.testing.clock import SECOND


class TestBucket:
    """Full at first, filled by time, emptied by use."""

    def test_it_gives_a_burst_and_then_a_rate(self) -> None:
        """So many at once, and then one for each part of a second that it takes to fill."""
        bucket = Bucket(per_s=4, burst=2, now=0)
        taken = [bucket.take(1, now) for now in (0, 0, 0, SECOND // 4 - 1, SECOND // 4, SECOND // 4, SECOND // 2)]

        assert taken == [True, True, False, False, True, False, True]

    def test_it_holds_no_more_than_a_burst(self) -> None:
        """However long nothing was taken, no more than the burst is there."""
        bucket = Bucket(per_s=4, burst=2, now=0)

        assert [bucket.take(1, 3_600 * SECOND) for _ in range(3)] == [True, True, False]

    def test_what_is_not_there_is_not_taken(self) -> None:
        """A large amount that is refused leaves room for a small one."""
        bucket = Bucket(per_s=1, burst=10, now=0)

        assert [bucket.take(amount, 0) for amount in (11, 10, 1)] == [False, True, False]

    def test_time_is_not_lost_to_rounding(self) -> None:
        """Asked every microsecond or once, the same is there in the end."""
        bucket = Bucket(per_s=3, burst=1, now=0)
        taken = sum(bucket.take(1, now * 7) for now in range(SECOND // 7 + 1))

        assert taken == 3

    def test_no_limit(self) -> None:
        """A rate of -1 lets everything through, and is always full."""
        bucket = Bucket(per_s=UNLIMITED, burst=1, now=0)

        assert all(bucket.take(10**9, 0) for _ in range(3))
        assert bucket.is_full(0)


def test_a_record_is_clean_after_a_pause() -> None:
    """What was dropped is forgotten once every bucket is full again, and not before."""
    rates = Rates(Limits(messages_per_s_max=1, messages_burst_max=2, excess_messages_max=2), now=0)
    for _ in range(5):
        rates.allow_message(0)
    flooding = [rates.is_flooding]
    for now in (2 * SECOND - 1, 2 * SECOND):
        rates.allow_bytes(1, now)
        flooding.append(rates.is_flooding)

    assert flooding == [True, True, False]
