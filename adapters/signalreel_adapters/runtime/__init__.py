"""The one loop of the shell and what belongs to it: sessions, outboxes, subscriptions, clocks, ids and limits.

`runtime` is what an embedder holds, `loop` takes the turns; everything else serves them. Nothing here knows a wire, a
disk or a codec of media.
"""

from signalreel_adapters.runtime.clock import SystemClock
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.ids import RandomIds, SeededIds
from signalreel_adapters.runtime.inbox import RuntimeStopped
from signalreel_adapters.runtime.keeping import Unrecorded
from signalreel_adapters.runtime.limits import Limits
from signalreel_adapters.runtime.outbox import Outbox
from signalreel_adapters.runtime.runtime import Runtime, TurnedAway
from signalreel_adapters.runtime.session import Session
from signalreel_adapters.runtime.subscriptions import Overflow, Subscription, SubscriptionLagged

__all__ = (
    "Counters",
    "Limits",
    "Outbox",
    "Overflow",
    "RandomIds",
    "Runtime",
    "RuntimeStopped",
    "SeededIds",
    "Session",
    "Subscription",
    "SubscriptionLagged",
    "SystemClock",
    "TurnedAway",
    "Unrecorded",
)
