"""`signalreel_adapters.runtime.rates`; what comes of it for a session is in `test_session`."""

from msgspec import structs

from signalreel.identifiers import App, SessionId
from signalreel_adapters.ports import Peer, SessionInfo
from signalreel_adapters.runtime.limits import UNLIMITED, Limits
from signalreel_adapters.runtime.rates import Bucket, Rates, SharedRates
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


def of(identity: str = "", address: str = "") -> SessionInfo:
    """A session of this identity and address."""
    return SessionInfo(SessionId("s"), App("live"), identity, Peer("websocket", address))


class TestSharedRates:
    """What sessions of one identity, or from one address, share."""

    LIMITS = Limits(
        messages_per_s_max=100,
        messages_burst_max=100,
        identity_messages_per_s_max=1,
        identity_messages_burst_max=3,
        address_messages_per_s_max=1,
        address_messages_burst_max=4,
    )

    def test_what_one_takes_the_others_lack(self) -> None:
        """Two sessions of an identity have one burst between them; a third of another is served."""
        shared = SharedRates(self.LIMITS)
        one, two, other = (Rates(self.LIMITS, 0, shared.join(of(name), 0)) for name in ("ann", "ann", "ben"))
        heeded = [rates.allow_message(0) for rates in (one, two, one, two, other)]

        assert heeded == [True, True, True, False, True]

    def test_an_address_is_another_bucket(self) -> None:
        """Whoever claims many identities has one address."""
        shared = SharedRates(self.LIMITS)
        sessions = [Rates(self.LIMITS, 0, shared.join(of(str(number), "192.0.2.1"), 0)) for number in range(6)]

        assert [rates.allow_message(0) for rates in sessions] == [True] * 4 + [False] * 2

    def test_coming_back_gains_nothing(self) -> None:
        """A bucket outlives its sessions until it is full; then it is forgotten, so that they do not pile up."""
        shared = SharedRates(self.LIMITS)
        first = Rates(self.LIMITS, 0, shared.join(of("ann"), 0))
        assert all(first.allow_message(0) for _ in range(3))
        shared.leave(of("ann"), 0)
        again = Rates(self.LIMITS, 0, shared.join(of("ann"), 0))
        heeded = [again.allow_message(0)]
        shared.leave(of("ann"), 0)
        kept = len(shared)
        shared.join(of("ben"), 3 * SECOND)

        assert (heeded, kept, len(shared)) == ([False], 1, 1)

    def test_those_that_are_idle_are_bounded(self) -> None:
        """Whoever comes from ever new addresses takes no more memory: the oldest is forgotten, full or not."""
        shared = SharedRates(structs.replace(self.LIMITS, idle_rates_max=2))
        for name in ("ann", "ben", "cem", "dan"):
            (bucket,) = shared.join(of(name), 0)
            assert bucket.take(3, 0)
            shared.leave(of(name), 0)
        kept = len(shared)
        heeded = {name: shared.join(of(name), 0)[0].take(1, 0) for name in ("cem", "dan", "ann")}

        assert (kept, heeded) == (2, {"cem": False, "dan": False, "ann": True})

    def test_who_is_nobody_shares_nothing(self) -> None:
        """Without an identity, an address, or a limit there is no bucket."""
        unlimited = Limits(identity_messages_per_s_max=UNLIMITED, address_messages_per_s_max=UNLIMITED)
        assert SharedRates(self.LIMITS).join(of(), 0) == ()
        assert SharedRates(unlimited).join(of("ann", "192.0.2.1"), 0) == ()

    def test_a_bucket_lives_as_long_as_any_of_its_sessions(self) -> None:
        """One that leaves does not take it away from the others."""
        shared = SharedRates(self.LIMITS)
        (bucket,) = shared.join(of("ann"), 0)
        shared.join(of("ann"), 0)
        shared.leave(of("ann"), 0)

        assert shared.join(of("ann"), 9 * SECOND) == (bucket,)
