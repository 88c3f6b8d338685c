"""How often somebody may guess: a few free failures, then a wait that doubles with each further one.

Six digits with three codes valid at a time would be found after some hundred thousand tries, which is a matter of
minutes without this.
"""

from collections import OrderedDict

from msgspec import Struct

from signalreel_adapters.access.times import SECOND
from signalreel_adapters.ports import Clock

__all__ = ("Backoff", "BackoffLimits")


class BackoffLimits(Struct, frozen=True):
    """How patient to be. Times in seconds."""

    failures_max: int = 5  #: free of any wait
    first_s: int = 1  #: the wait after one more
    longest_s: int = 300  #: what doubling ends with; failures twice as old no longer count
    entries_max: int = 65_536  #: of whom failures are remembered; beyond that the oldest are forgotten


class _Failures(Struct):
    count: int
    last: int
    closed_until: int


class Backoff:
    """Remembers failures by key: whom a guess was about, and where it came from."""

    def __init__(self, limits: BackoffLimits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._failures: OrderedDict[tuple[str, ...], _Failures] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def is_closed(self, key: tuple[str, ...]) -> bool:
        """Whether no guess is heard now. An attempt in that time is not looked at, and does not prolong it."""
        failures = self._failures.get(key)
        return failures is not None and self._clock.now() < failures.closed_until

    def fail(self, key: tuple[str, ...]) -> None:
        """Take note of a wrong guess."""
        limits, now = self._limits, self._clock.now()
        failures = self._failures.pop(key, None)
        if failures is None or now - failures.last > 2 * limits.longest_s * SECOND:
            failures = _Failures(0, now, 0)
        failures.count += 1
        failures.last = now
        beyond = failures.count - limits.failures_max
        if beyond > 0:
            wait_s = min(limits.longest_s, limits.first_s << min(beyond - 1, limits.longest_s.bit_length()))
            failures.closed_until = now + wait_s * SECOND
        self._failures[key] = failures
        while len(self._failures) > limits.entries_max:
            self._failures.popitem(last=False)

    def succeed(self, key: tuple[str, ...]) -> None:
        """Forget the failures: whoever it is has shown that they know."""
        self._failures.pop(key, None)
