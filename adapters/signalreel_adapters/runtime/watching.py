"""Watching the engine while it serves: after each step its invariants are checked, and what is broken is told.

Nothing is done about it: a call goes on as it would, whatever is found, and the reel has all that it takes to find it
again. A mistake of the watching itself ends the watching and nothing else.
"""

from typing import Final

from signalreel.engine import Engine
from signalreel.step import Step
from signalreel.verify import Monitor
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.log import Log

__all__ = ("TOLD_MAX", "Watching")

TOLD_MAX: Final = 10
"""Lines in the log for each invariant that is broken; more are only counted."""

_log: Final = Log("signalreel.monitor")


class Watching:
    """Holds one engine against the invariants, step by step."""

    def __init__(self, engine: Engine, counters: Counters) -> None:
        self._engine = engine
        self._counters = counters
        self._monitor: Monitor | None = Monitor(engine)

    def look(self, step: Step) -> None:
        """Check the step that was just applied. Never raises."""
        if self._monitor is None:
            return
        try:
            violations = self._monitor.observe(self._engine, step)
        except Exception as error:  # noqa: BLE001 - whoever watches must not disturb what is watched
            self._monitor = None
            _log.failure("the monitor failed and watches no more", error, seq=step.record.seq)
            return
        for violation in violations:
            name = violation.invariant
            count = self._counters.broken.get(name, 0) + 1
            self._counters.broken[name] = count
            if count <= TOLD_MAX:
                _log.error(
                    "invariant broken",
                    invariant=name,
                    seq=violation.seq,
                    subject=violation.subject,
                    told=violation.told,
                )
