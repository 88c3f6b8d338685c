"""How a viewer's path is tried for more, before anything better is sent over it.

A cluster is a tenth of a second in which more than the media is sent: packets that the viewer has already, as
retransmissions, which it counts and throws away. A sender report is sent behind the last of them. The round trip that
the viewer's next receiver report tells of (RFC 3550, section 6.4.1) then contains the queue that the cluster has made;
and what was sent, divided by the time that it took to send it and to drain, is what the path carries.

A cluster asks for at most twice the rate that is known to be carried, so that it makes a queue of a tenth of a second
at worst, which no viewer sees. Its success doubles what the next one may ask for; after a failure there is a pause.

Pure code, told the time; nothing here sends.
"""

from typing import Final

from msgspec import Struct

__all__ = ("Cluster", "Prober")

_STEP: Final = 2.0
"""A cluster asks for at most so many times what is known to be carried."""

_SPARE: Final = 1.1
"""A cluster asks for so many times what is needed: how much media falls into its time is chance."""

_QUEUE: Final = 0.08
"""Seconds of queue that a cluster may make where no more is carried than what is known."""

_LONGEST: Final = 0.2
"""Seconds of the longest cluster."""

_NOISE: Final = 0.015
"""Seconds of a round trip that are no queue: what busy machines make of it."""

_PASSED: Final = 0.85
"""A path that carried so much of what was asked for is asked for more at once."""

_ANSWER: Final = 1.5
"""Seconds after which a cluster that no report has told of has failed."""

_ECHO: Final = 0.5
"""Seconds after a cluster for which its queue may still be heard of."""

_PAUSE: Final = 1.0
"""Seconds of rest after a cluster that failed. The first one may have met a machine that was busy for a moment; with
every further failure the pause doubles."""

_PAUSE_LONG: Final = 3.0
"""Seconds of the longest rest that failures alone lead to."""

_FAILURES_COUNTED: Final = 8
_PAUSE_MAX: Final = 5.0
_SHARE: Final = 0.15
"""Padding is at most this share of what is sent, as long as clusters fail; the pause is longer if need be."""


class Cluster(Struct, frozen=True):
    """What to send, evenly in its time. Padding makes up what the pictures leave of it."""

    bits: int  #: of pictures and padding
    seconds: float


class Prober:
    """One viewer's clusters, one after the other."""

    def __init__(self) -> None:
        self._asked: Cluster | None = None
        self._sent = (0, 0.0)  # bits and seconds of it, as it was
        self._padding = 0  # about so many bits of it
        self._carried = 0  # bit/s that the last cluster found
        self._ended_at = float("-inf")
        self._failures = 0  # in a row
        self._next_at = float("-inf")

    def plan(self, sent: int, known: int, needed: int, now: float) -> Cluster | None:
        """Ask for a cluster: `sent` is the bitrate of the media, `known` what is carried, `needed` what should be."""
        if self._asked is not None and now - self._ended_at > _ANSWER:
            self._fail(sent, now)
        known = max(sent, known, self._carried)
        if self._asked is not None or now < self._next_at or not sent or known >= needed:
            return None
        rate = int(min(_SPARE * needed, _STEP * known))
        seconds = min(_QUEUE * known / (rate - known), _LONGEST)
        self._padding = int((rate - sent) * seconds)
        self._asked = Cluster(int(rate * seconds), seconds)
        self._sent = self._asked.bits, seconds
        self._ended_at = now + seconds
        return self._asked

    def ended(self, bits: int, seconds: float, now: float) -> None:
        """The last packet of the cluster has been sent: so many bits of media and padding, in so many seconds."""
        self._sent = bits, seconds
        self._ended_at = now

    def heard(self, queue: float, sent: int, now: float) -> int:
        """Take the queue that the cluster has made, in seconds. Gives the bit/s that the path carries."""
        if self._asked is None:
            return 0
        bits, seconds = self._sent
        longer = max(0.0, queue - _NOISE)
        if longer <= (1 / _PASSED - 1) * seconds:
            self._asked, self._carried, self._failures = None, int(bits / seconds), 0
            return self._carried
        self._fail(sent, now)
        return int(bits / (seconds + queue))

    def cancel(self, sent: int, now: float) -> None:
        """There is congestion: no clusters for a while, and one that is being sent has failed."""
        self._fail(sent, now)

    def disturbs(self, now: float) -> bool:
        """Whether a queue may be a cluster's doing."""
        return now - self._ended_at < _ECHO

    def _fail(self, sent: int, now: float) -> None:
        asked, self._asked, self._carried = self._asked, None, 0
        spent = self._padding / (_SHARE * sent) if asked is not None and sent else 0.0
        pause = min(_PAUSE * 2.0**self._failures, _PAUSE_LONG)
        self._failures = min(self._failures + 1, _FAILURES_COUNTED)
        self._next_at = now + min(max(pause, spent), _PAUSE_MAX)
