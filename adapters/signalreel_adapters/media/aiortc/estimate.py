"""What the path to one viewer carries, by all that the viewer says back.

Three signs, of which none will do alone:

* REMB, the browser's own estimate. It falls soon after a queue has begun to grow, but to a number that is an average
  of the last second; and any hiccup makes it fall. It grows by some 8 % a second, and never beyond one and a half times
  what is sent.
* The queue: for how much longer than at best the first packet that a receiver report does not know of is on its way.
* Loss. A few percent of it are what a radio link does; it says something about the rate only when it is heavy.

While a queue grows, what arrived between two reports is just what the path carries, and it is known a second before
REMB has come down to it.

Pure code, told the time.
"""

from typing import Final

from msgspec import Struct

__all__ = ("Estimate", "Heard", "Lowest")

_FALL: Final = 0.95
"""A REMB below so much of the one before has fallen."""

_FALL_HOLDS: Final = 0.5
"""Seconds for which a fall is news: the report that confirms it comes with it, or 0.2 s later."""

_QUEUE_CONFIRMS: Final = 0.08
"""Seconds of queue that make a fall of REMB believed. A busy machine delays packets by half as much."""

_QUEUE_ALONE: Final = 0.15
"""Seconds of queue that are believed without REMB, when they have grown twice in a row."""

_QUEUE_CALM: Final = 0.05
_QUEUE_STEEP: Final = 0.1
"""Seconds of queue that are believed alone when they have come in a single step, ..."""

_STEEP: Final = 0.5
"""... which is when the queue has grown by this share of the time: more than twice as much is sent as is carried."""

_ENOUGH: Final = 0.95
"""A queue is no reason to send less while this share of what is sent arrives."""

_LOSS_ALONE: Final = 0.2
"""A share of packets lost that is believed without a queue: a path that drops instead of queueing."""

_LOSS_CALM: Final = 0.1
_LOSS_WEIGHT: Final = 0.25  # of the newest report: they come five times a second while there is video
_AFTERMATH: Final = 1.0
"""Seconds after less is sent for which REMB goes on falling, if there was a reason."""

_CALM_AFTER: Final = 1.0
"""Seconds without a sign of congestion before more may be sent."""

_REPORT_INTERVAL_MIN: Final = 0.1
"""Reports that are closer together say too little: a picture alone is a burst of packets."""

_PROOF_HOLDS: Final = 5.0
"""Seconds for which a rate that was tried is believed."""

_UNLIMITED: Final = 1 << 40  # bit/s
_LOWEST_WINDOW: Final = 15.0


class Heard(Struct, frozen=True):
    """One block of a receiver report, in the words of whoever sent what it is about."""

    sequence: int  #: the highest that has arrived, 32 bits
    lost: float  #: share of packets since the last report
    packet_bits: int  #: how large packets are on average
    age: float | None = None  #: seconds since the next one was sent: for so long it has been on its way, or lost
    in_flight: bool = True  #: whether a next one has been sent; when it has and its age is not known, that is `None`
    way: float | None = None  #: seconds since this one was sent: it has been on its way for no longer


class Lowest:
    """The lowest value of the last one or two windows."""

    def __init__(self, window: float = _LOWEST_WINDOW) -> None:
        self._window = window
        self._since = float("-inf")
        self._before = self._now = float("inf")

    def note(self, value: float, now: float) -> float:
        """Take one value; gives the lowest."""
        if now - self._since >= self._window:
            self._before, self._now, self._since = self._now, float("inf"), now
        self._now = min(self._now, value)
        return min(self._now, self._before)


class _Flow:
    """What arrives of one outgoing stream."""

    def __init__(self, sequence: int, at: float) -> None:
        self.sequence = sequence
        self.at = at
        self.rate = 0  #: bit/s that arrived between the last two reports


class Estimate:
    """One viewer's path. Bitrates are in bit/s, and of everything that is sent."""

    def __init__(self) -> None:
        self.remb = 0  #: 0 before the viewer said anything
        self.queue = 0.0  #: seconds
        self._fell_at = self._troubled_at = self._proven_at = float("-inf")
        self._proven = 0
        self._limit = _UNLIMITED
        self._settled, self._settled_at = 0, float("-inf")
        self._doubtful = False
        self._growths = 0
        self._growth = 0.0  # seconds of queue a second, in the last report
        self._lost = 0.0
        self._shortest = Lowest()
        self._flows: dict[int, _Flow] = {}

    def take_remb(self, bitrate: int, now: float) -> None:
        """Take the viewer's own estimate."""
        if bitrate < _FALL * self.remb:
            self._fell_at = self._troubled_at = now
            if now - self._settled_at < _AFTERMATH:
                self._limit = self._settled
        self.remb = bitrate

    def take_report(self, key: int, heard: Heard, now: float) -> None:
        """Take what a receiver report says of one picture; the key tells it from others."""
        flow = self._flows.get(key)
        if flow is None:
            self._flows[key] = _Flow(heard.sequence, now)
            return
        if now - flow.at < _REPORT_INTERVAL_MIN:
            return
        arrived = max(0, heard.sequence - flow.sequence) * (1 - heard.lost)
        interval = now - flow.at
        flow.rate = int(arrived * heard.packet_bits / interval)
        flow.sequence, flow.at = heard.sequence, now
        self._lost += (heard.lost - self._lost) * _LOSS_WEIGHT
        self._take_queue(heard, interval, now)
        if self.queue > _QUEUE_CALM or self._lost > _LOSS_CALM:
            self._troubled_at = now

    def _take_queue(self, heard: Heard, interval: float, now: float) -> None:
        if heard.way is not None:  # Or the first queue would be taken for the way itself.
            self._shortest.note(heard.way, now)
        if not heard.in_flight:  # the path is empty, and how long it is cannot be told
            queue = 0.0
        elif heard.age is not None:
            queue = max(0.0, heard.age - self._shortest.note(heard.age, now))
        else:
            return
        self._growths = self._growths + 1 if queue > self.queue else 0
        self._growth = (queue - self.queue) / interval
        self.queue = queue

    def forget(self, key: int) -> None:
        """A picture is sent no more."""
        self._flows.pop(key, None)

    def short(self, total: int, sound: int, now: float) -> int:
        """Give what gets through when that is less than the `total` that is sent; 0 while all is well."""
        if not self._flows:
            return 0
        fell = now - self._fell_at <= _FALL_HOLDS and self.remb < total
        confirmed = fell and self._growths > 0 and self.queue >= _QUEUE_CONFIRMS
        grows = self._growths > 1 and self.queue >= _QUEUE_ALONE
        steep = self._growth >= _STEEP and self.queue >= _QUEUE_STEEP
        agreed = confirmed or grows or self._lost >= _LOSS_ALONE
        if not agreed and not steep:
            return 0
        self._doubtful = not agreed
        arrives = sum(flow.rate for flow in self._flows.values()) + sound
        if steep:  # the line has become narrow since the last report: what arrived is partly from before
            arrives = min(arrives, int(total * (1 - self._growth)))
        if arrives > _ENOUGH * total:
            return 0  # a burst: a keyframe, or a machine that was busy for a moment
        return max(1, min(arrives, self.remb) if fell else arrives)

    def settle(self, carried: int, now: float) -> None:
        """Less is sent from now on, because no more was carried: what has been heard was about something else.

        REMB is an average, and stays where it is as soon as less is sent: it may be far above what is carried. But when
        the queue alone was the reason, and REMB does not fall after it, all had only stood still for a moment.
        """
        self._settled, self._settled_at = carried, now
        if not self._doubtful:
            self._limit = carried
        self._fell_at = float("-inf")
        self._growths = self._proven = 0
        self._growth = self._lost = 0.0

    def prove(self, bitrate: int, now: float) -> None:
        """Take note that so much has been carried, if only for a moment."""
        self._proven, self._proven_at = bitrate, now
        self._limit = max(self._limit, bitrate)

    def calm(self, now: float) -> bool:
        """Whether nothing speaks against sending more."""
        return now - self._troubled_at >= _CALM_AFTER

    def room(self, now: float) -> int:
        """Give what may be sent."""
        return max(min(self.remb, self._limit), self._proven if now - self._proven_at <= _PROOF_HOLDS else 0)
