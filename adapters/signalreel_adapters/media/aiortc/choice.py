"""One viewer's automatic choice of layers: what it says back, what is chosen by that, and the trials in between.

Pure code, told the time: `Viewer` translates RTCP into its words and follows what comes of it, and a test can put a
simulated line in between.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from signalreel_adapters.media.aiortc.estimate import Estimate, Heard, Lowest
from signalreel_adapters.media.aiortc.probing import Cluster, Prober
from signalreel_adapters.media.aiortc.quality import Chooser, Picture

__all__ = ("Change", "Choice")

_LONG_QUEUE: Final = 0.1
"""Seconds of queue behind which a smaller layer would come too late: nothing is sent until it begins."""

_DRAINED: Final = 0.75
"""The share of such a queue that is let drain before. It stands in front of that layer's first picture in any case, and
a queue that is full drops the picture."""

_REST_MAX: Final = 0.3
"""Seconds of the longest time in which nothing is sent: a longer queue is no full one."""


class Change(Struct, frozen=True):
    """Which picture is to have which height from now on."""

    key: int
    height: int
    rest: float  #: seconds without either layer, from now on; 0: the former one goes on until the new one begins


class Choice:
    """The choice for one viewer. The pictures are those that are sent, by a key of the caller's."""

    def __init__(self) -> None:
        self.estimate = Estimate()
        self._chooser = Chooser()
        self._prober = Prober()
        self._round_trips = Lowest()
        self._total = self._sound = 0
        self._answered = False  # a cluster has been, since the last look

    def restart(self) -> None:
        """Forget what was tried: the viewer has begun to choose itself, or has handed the choice back."""
        self._chooser, self._prober = Chooser(), Prober()

    def take_report(self, key: int, heard: Heard, now: float) -> None:
        """Take what a receiver report says of one picture."""
        self.estimate.take_report(key, heard, now)

    def take_round_trip(self, seconds: float, now: float, *, behind_cluster: bool) -> None:
        """Take a measured round trip; of what was sent right behind a cluster it tells what the path carries."""
        queue = seconds - self._round_trips.note(seconds, now)
        if behind_cluster:
            carried = self._prober.heard(queue, self._total, now)
            if carried:
                self._answered = True
                self.estimate.prove(carried, now)

    def urgent(self, now: float) -> bool:
        """Whether to look now, and not only when a second has passed."""
        return self._answered or bool(self.estimate.short(self._total, self._sound, now))

    def look(self, pictures: Mapping[int, Picture], sound: int, now: float, *, blind: bool = False) -> Change | None:
        """Say what is to change. `sound` is the bitrate of all that is no picture.

        `blind` says that the path cannot be tried by clusters: the viewer understands no retransmissions.
        """
        self._answered = False
        self._sound = sound
        self._total = sound + sum(picture.bitrate for picture in pictures.values())
        short = self.estimate.short(self._total, sound, now)
        if short:
            change = None if self._prober.disturbs(now) else self._chooser.lower(pictures, short, sound, now)
            if change is None:
                return None
            queue = self.estimate.queue
            rest = min(_DRAINED * queue, _REST_MAX) if queue >= _LONG_QUEUE else 0.0
            self.estimate.settle(short, now)
            self._prober.cancel(self._total, now)
            return self._changed(pictures, Change(*change, rest))
        if not self.estimate.calm(now):
            return None
        change = self._chooser.higher(pictures, self.estimate.room(now), sound, now, blind=blind)
        return None if change is None else self._changed(pictures, Change(*change, rest=0.0))

    def _changed(self, pictures: Mapping[int, Picture], change: Change) -> Change:
        picture = pictures[change.key]
        new = next(rung.bitrate for rung in picture.rungs if rung.height == change.height)
        self._total += new - picture.bitrate
        return change

    def cluster(self, pictures: Mapping[int, Picture], now: float) -> Cluster | None:
        """Say how the path is to be tried now, if at all; to be asked after `look`."""
        wish = self._chooser.wish(pictures, self._sound)
        if not wish or not self.estimate.calm(now):
            return None
        planned = self._prober.plan(self._total, self.estimate.room(now), wish, now)
        if planned is None:
            return None
        return Cluster(planned.bits - int(self._sound * planned.seconds), planned.seconds)

    def cluster_ended(self, bits: int, seconds: float, now: float) -> None:
        """The last packet of the cluster has been sent: so many bits of pictures and padding, in so many seconds."""
        if seconds > 0:
            self._prober.ended(bits + int(self._sound * seconds), seconds, now)
