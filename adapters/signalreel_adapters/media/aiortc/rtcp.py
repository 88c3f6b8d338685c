"""The bookkeeping behind RTCP: what arrived and what is missing, what was sent and may be asked for again, how often.

Pure classes, told the time. They decide; sending is the publisher's and the viewer's business.
RFC 3550 (reports), RFC 4585 (NACK, PLI), RFC 5104 (FIR).
"""

import struct
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final

from aiortc.rtp import RtcpReceiverInfo

from signalreel_adapters.media.aiortc.rtp import SEQUENCE_HALF, SEQUENCE_MASK, TIMESTAMP_MASK

__all__ = (
    "APPLICATION",
    "NACK",
    "NACK_TRIES_MAX",
    "PLI",
    "Budget",
    "Order",
    "RateWindow",
    "Reception",
    "SenderClock",
    "Throttle",
    "fir_targets",
)

PLI: Final = 1
"""The format of a feedback packet on a payload that asks for a keyframe (RFC 4585, section 6.3.1)."""

APPLICATION: Final = 15
"""The format of one that is an application's own, as the bitrate to stay below is (RFC 4585, section 6.4)."""

NACK: Final = 1
"""The format of a feedback packet on transport that asks for lost packets (RFC 4585, section 6.2.1)."""

NACK_TRIES_MAX: Final = 6
"""Times one packet is asked for again. With the interval, it is given up after 0.6 s: later it is of no use."""

_NACK_INTERVAL: Final = 0.1
"""Seconds between two requests for one packet: a round trip and some."""

_MISSING_MAX: Final = 512
"""Packets remembered as missing. A longer gap is not worth filling; a keyframe is cheaper."""

_NACKS_PER_PACKET_MAX: Final = 128
_JUMP: Final = 3_000
"""A step of the sequence number by more starts a new run (MAX_DROPOUT of RFC 3550, appendix A.1)."""

_FRACTION_ONE: Final = 256
_LOST_MAX: Final = 0x7F_FFFF


class Order(Enum):
    """Where a packet stands among those that came before it."""

    NEXT = "next"  #: newer than every other
    LATE = "late"  #: one that was missing
    REPEATED = "repeated"  #: seen before, or given up
    JUMPED = "jumped"  #: so far ahead that a new run starts


class Reception:
    """What has arrived of one SSRC: loss, jitter, and what to ask for again."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._first = -1
        self._highest = 0
        self._cycles = 0
        self._received = 0
        self._expected_before = 0
        self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._missing: dict[int, tuple[int, float]] = {}  # sequence: tries, time of the last
        self.on_gap: Callable[[], None] = lambda: None  #: called when something more is missing

    def note(self, sequence: int, timestamp: int, now: float) -> Order:
        """Take note of one arrival."""
        if self._first < 0:
            return self._begin(sequence, Order.NEXT)
        ahead = (sequence - self._highest) & SEQUENCE_MASK
        if ahead == 0 or ahead >= SEQUENCE_HALF:
            if self._missing.pop(sequence, None) is None:
                # What is farther behind than anything late could be starts a new run too (RFC 3550, appendix A.1).
                behind = -ahead & SEQUENCE_MASK
                return Order.REPEATED if behind <= _JUMP else self._begin(sequence, Order.JUMPED)
            self._received += 1
            return Order.LATE
        if ahead > _JUMP:
            return self._begin(sequence, Order.JUMPED)
        for step in range(max(1, ahead - _MISSING_MAX), ahead):
            self._missing[(self._highest + step) & SEQUENCE_MASK] = (0, 0.0)
        while len(self._missing) > _MISSING_MAX:
            del self._missing[next(iter(self._missing))]
        if ahead > 1:
            self.on_gap()
        if sequence < self._highest:
            self._cycles += SEQUENCE_MASK + 1
        self._highest = sequence
        self._received += 1
        self._note_jitter(timestamp, now)
        return Order.NEXT

    def _begin(self, sequence: int, order: Order) -> Order:
        self._first = self._highest = sequence
        self._cycles = 0
        self._received = 1
        self._expected_before = self._received_before = 0
        self._missing.clear()
        self._transit = None
        return order

    def _note_jitter(self, timestamp: int, now: float) -> None:
        """RFC 3550, section 6.4.1; in units of the media clock."""
        transit = now * self._clock_rate - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < TIMESTAMP_MASK // 2:  # else the timestamp wrapped
                self._jitter += (difference - self._jitter) / 16
        self._transit = transit

    @property
    def started(self) -> bool:
        """Whether anything has arrived."""
        return self._first >= 0

    @property
    def missing(self) -> int:
        """How many packets are being waited for."""
        return len(self._missing)

    @property
    def lost(self) -> int:
        """How many packets have not come, of those up to the newest; repeated ones do not count against them."""
        return max(0, self._cycles + self._highest - self._first + 1 - self._received) if self.started else 0

    def wanted(self, now: float) -> list[int]:
        """Give the sequence numbers to ask for now, ascending. Those that were asked for often enough are given up."""
        wanted: list[int] = []
        for sequence, (tries, asked) in list(self._missing.items()):
            if tries >= NACK_TRIES_MAX:
                del self._missing[sequence]
            elif now - asked >= _NACK_INTERVAL and len(wanted) < _NACKS_PER_PACKET_MAX:
                self._missing[sequence] = (tries + 1, now)
                wanted.append(sequence)
        return sorted(wanted)

    def report(self, ssrc: int, clock: "SenderClock", now: float) -> RtcpReceiverInfo | None:
        """Make the report block for the time since the last one; `None` before the first packet."""
        if self._first < 0:
            return None
        highest = self._cycles + self._highest
        expected = highest - self._first + 1
        interval = expected - self._expected_before
        lost_in_interval = interval - (self._received - self._received_before)
        self._expected_before, self._received_before = expected, self._received
        fraction = lost_in_interval * _FRACTION_ONE // interval if interval > 0 and lost_in_interval > 0 else 0
        last, delay = clock.last_report(now)
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=min(fraction, _FRACTION_ONE - 1),
            packets_lost=min(self.lost, _LOST_MAX),
            highest_sequence=highest & TIMESTAMP_MASK,
            jitter=min(int(self._jitter), TIMESTAMP_MASK),
            lsr=last,
            dlsr=delay,
        )


class SenderClock:
    """The last sender report of one SSRC: which wall-clock time belongs to which RTP timestamp."""

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self._ntp = 0
        self._rtp = 0
        self._at = -1.0

    def note(self, ntp_timestamp: int, rtp_timestamp: int, now: float) -> None:
        """Take note of a sender report."""
        self._ntp, self._rtp, self._at = ntp_timestamp, rtp_timestamp, now

    def reading(self, now: float) -> tuple[int, int] | None:
        """Give (NTP timestamp, RTP timestamp) for this moment on the sender's clocks; `None` before the first report.

        Reports to viewers are made of it, so that audio and video keep the distance that the sender gave them.
        """
        if self._at < 0:
            return None
        passed = now - self._at
        ntp = (self._ntp + int(passed * (1 << 32))) & ((1 << 64) - 1)
        return ntp, (self._rtp + int(passed * self._clock_rate)) & TIMESTAMP_MASK

    def last_report(self, now: float) -> tuple[int, int]:
        """Give LSR and DLSR for a receiver report (RFC 3550, section 6.4.1)."""
        if self._at < 0:
            return 0, 0
        return self._ntp >> 16 & TIMESTAMP_MASK, min(int((now - self._at) * 65_536), TIMESTAMP_MASK)


class Throttle:
    """Lets one through, then none for an interval.

    What is held back is not made up for: whoever still needs it asks again.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._open_at = float("-inf")

    def passes(self, now: float) -> bool:
        """Whether this one may go."""
        if now < self._open_at:
            return False
        self._open_at = now + self._interval
        return True


class Budget:
    """A token bucket: `rate` a second, `burst` at once. Bounds what one peer's requests can make us send."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = 0.0

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Whether there is so much left; takes it. What is more than the whole bucket is taken when that is full."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        wanted = min(amount, self._burst)
        if self._left < wanted:
            return False
        self._left -= wanted
        return True


class RateWindow:
    """Bit/s over the last whole window; two counters instead of a list of packets."""

    LENGTH: Final = 1.0
    KEPT: Final = 10  #: windows that the peak is looked for in

    def __init__(self) -> None:
        self._bytes = 0
        self._since = 0.0
        self._rate = 0
        self._rates: deque[int] = deque(maxlen=self.KEPT)

    def add(self, size: int, now: float) -> None:
        """Count one packet."""
        if now - self._since >= self.LENGTH:
            self._turn(now)
        self._bytes += size

    def _turn(self, now: float) -> None:
        passed = now - self._since
        # After a pause of more than two windows the old bytes say nothing about now.
        self._rate = int(self._bytes * 8 / passed) if passed < 2 * self.LENGTH else 0
        self._rates.append(self._rate)
        self._bytes, self._since = 0, now

    def rate(self, now: float) -> int:
        """Give the rate in bit/s; 0 after silence."""
        if now - self._since >= self.LENGTH:
            self._turn(now)
        return self._rate

    def peak(self, now: float) -> int:
        """Give the highest rate of the last windows: what it takes to send this when the picture moves."""
        return max(self.rate(now), *self._rates, 0)


def fir_targets(fci: bytes) -> list[int]:
    """Read which SSRCs a full intra request asks for (RFC 5104, section 4.3.1.1): its media SSRC field is not used."""
    return [int(ssrc) for (ssrc,) in struct.iter_unpack("!I4x", fci[: len(fci) // 8 * 8])]
