"""How much one session may say in a while: buckets that fill with time and are emptied by what a client sends.

A bucket holds a burst and fills at a steady rate, so a client that trickles sixty candidates at once is served, and one
that goes on like that is not. What is over the rate is dropped, without an answer and off the reel (contract item 13);
who does not heed that is ended.

Whoever opens many sessions has a bucket for all of them besides: one for the identity that the host has told, one for
the address. What one of the sessions takes, the others lack.
"""

from signalreel_adapters.ports import SessionInfo
from signalreel_adapters.runtime.limits import UNLIMITED, Limits

__all__ = ("Bucket", "Rates", "SharedRates")

_SECOND = 1_000_000
"""In microseconds. Contents are kept in millionths, so that no time is lost to rounding."""


class Bucket:
    """Fills at a rate per second up to a burst. Full at first. A rate of -1 never runs dry."""

    def __init__(self, per_s: int, burst: int, now: int) -> None:
        self._per_s = per_s
        self._full = burst * _SECOND
        self._content = self._full
        self._since = now

    def take(self, amount: int, now: int) -> bool:
        """Take so much out, and say whether it was there; if not, nothing is taken."""
        if self._per_s == UNLIMITED:
            return True
        self._content = min(self._full, self._content + (now - self._since) * self._per_s)
        self._since = now
        cost = amount * _SECOND
        if cost > self._content:
            return False
        self._content -= cost
        return True

    def is_full(self, now: int) -> bool:
        """Whether as much is in it as can be."""
        return self._per_s == UNLIMITED or self._content + (now - self._since) * self._per_s >= self._full


class Rates:
    """The buckets of one session: bytes of everything, pings, and all other messages, those that are none included."""

    def __init__(self, limits: Limits, now: int, shared: tuple[Bucket, ...] = ()) -> None:
        self._shared = shared
        self._excess_max = limits.excess_messages_max
        self._excess = 0
        self._bytes = Bucket(limits.bytes_per_s_max, limits.bytes_burst_max, now)
        self._pings = Bucket(limits.pings_per_s_max, limits.pings_burst_max, now)
        self._messages = Bucket(limits.messages_per_s_max, limits.messages_burst_max, now)

    def allow_bytes(self, amount: int, now: int) -> bool:
        """Whether a message of this size may be looked at. After a pause that fills all buckets the record is clean."""
        if self._excess and all(bucket.is_full(now) for bucket in (self._bytes, self._pings, self._messages)):
            self._excess = 0
        return self._bytes.take(amount, now) or self._exceed()

    def allow_ping(self, now: int) -> bool:
        """Whether another ping is answered."""
        return self._pings.take(1, now) or self._exceed()

    def allow_message(self, now: int) -> bool:
        """Whether another message is heeded, by this session's bucket and by those that it shares."""
        allowed = self._messages.take(1, now) and all(bucket.take(1, now) for bucket in self._shared)
        return allowed or self._exceed()

    @property
    def is_flooding(self) -> bool:
        """Whether so much was over the rate that the session is to end."""
        return self._excess > self._excess_max

    def _exceed(self) -> bool:
        self._excess += 1
        return False


class SharedRates:
    """The buckets that sessions share. One that nobody uses is kept until it is full: coming back gains nothing.

    But no more than `idle_rates_max` of them: whoever comes from ever new addresses would fill the memory else.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._users: dict[tuple[str, str], int] = {}
        self._idle: dict[tuple[str, str], None] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def join(self, session: SessionInfo, now: int) -> tuple[Bucket, ...]:
        """Give the buckets that a session shares: none where it has no identity or address, or that has no limit."""
        self._forget(now)
        shared: list[Bucket] = []
        for key, per_s, burst in self._keys(session):
            bucket = self._buckets.get(key)
            if bucket is None:
                bucket = self._buckets[key] = Bucket(per_s, burst, now)
            self._idle.pop(key, None)
            self._users[key] = self._users.get(key, 0) + 1
            shared.append(bucket)
        return tuple(shared)

    def leave(self, session: SessionInfo, now: int) -> None:
        """Take note that a session that has joined has ended."""
        for key, _, _ in self._keys(session):
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key]
                self._idle[key] = None
        self._forget(now)

    def _keys(self, session: SessionInfo) -> list[tuple[tuple[str, str], int, int]]:
        limits = self._limits
        keys = (
            (("identity", session.identity), limits.identity_messages_per_s_max, limits.identity_messages_burst_max),
            (("address", session.peer.address), limits.address_messages_per_s_max, limits.address_messages_burst_max),
        )
        return [one for one in keys if one[0][1] and one[1] != UNLIMITED]

    def _forget(self, now: int) -> None:
        """Drop buckets that are full again or too many, those first that have been idle the longest."""
        while self._idle:
            key = next(iter(self._idle))
            if len(self._idle) <= self._limits.idle_rates_max and not self._buckets[key].is_full(now):
                return
            del self._idle[key], self._buckets[key]
