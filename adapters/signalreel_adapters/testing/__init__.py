"""For tests, ours and those of whoever builds on the ports: a clock under the test's thumb, and contracts to pass."""

from signalreel_adapters.testing.clock import ManualClock
from signalreel_adapters.testing.reels import FailingReel
from signalreel_adapters.testing.transports import ClientEnd, TransportPair, check_transport

__all__ = ("ClientEnd", "FailingReel", "ManualClock", "TransportPair", "check_transport")
