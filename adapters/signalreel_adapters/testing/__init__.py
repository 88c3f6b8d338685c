"""For tests, ours and those of whoever builds on the ports or speaks to the server.

The fixtures are in `plugin`. What they give can be had without pytest: clients in memory, an engine that records, a
server in a thread, a clock under the test's thumb. And contracts that whoever implements a port can hold it against.
"""

from typing import TYPE_CHECKING

from signalreel_adapters.faces import offer as _offer

if TYPE_CHECKING:
    from signalreel_adapters.testing.calls import play, publish
    from signalreel_adapters.testing.clients import Clients
    from signalreel_adapters.testing.clock import ManualClock
    from signalreel_adapters.testing.engines import RecordedEngine
    from signalreel_adapters.testing.failing import FailingReel
    from signalreel_adapters.testing.gates import Asked, check_gate
    from signalreel_adapters.testing.leaving import leave_reel, load_reel
    from signalreel_adapters.testing.reels import FailingPlace, LastingPlace, ReelPlace, check_reel
    from signalreel_adapters.testing.servers import ServerThread
    from signalreel_adapters.testing.transports import ClientEnd, TransportPair, check_transport

__all__ = (
    "Asked",
    "ClientEnd",
    "Clients",
    "FailingPlace",
    "FailingReel",
    "LastingPlace",
    "ManualClock",
    "RecordedEngine",
    "ReelPlace",
    "ServerThread",
    "TransportPair",
    "check_gate",
    "check_reel",
    "check_transport",
    "leave_reel",
    "load_reel",
    "play",
    "publish",
)

_offer(
    __name__,
    {
        "signalreel_adapters.testing.calls": ("play", "publish"),
        "signalreel_adapters.testing.clients": ("Clients",),
        "signalreel_adapters.testing.clock": ("ManualClock",),
        "signalreel_adapters.testing.engines": ("RecordedEngine",),
        "signalreel_adapters.testing.failing": ("FailingReel",),
        "signalreel_adapters.testing.gates": ("Asked", "check_gate"),
        "signalreel_adapters.testing.leaving": ("leave_reel", "load_reel"),
        "signalreel_adapters.testing.reels": ("FailingPlace", "LastingPlace", "ReelPlace", "check_reel"),
        "signalreel_adapters.testing.servers": ("ServerThread",),
        "signalreel_adapters.testing.transports": ("ClientEnd", "TransportPair", "check_transport"),
    },
)
