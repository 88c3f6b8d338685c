"""Every operation, in the order in which their paths are tried: a word that is fixed goes before a parameter."""

from typing import Final

from signalreel_adapters.server.rest.broadcasts import BROADCASTS
from signalreel_adapters.server.rest.rooms import ROOMS
from signalreel_adapters.server.rest.status import STATUS
from signalreel_adapters.server.rest.subscribers import SUBSCRIBERS
from signalreel_adapters.server.rest.table import Operation
from signalreel_adapters.server.rest.tokens import TOKENS
from signalreel_adapters.server.rest.tracks import TRACKS

__all__ = ("OPERATIONS",)

OPERATIONS: Final[tuple[Operation, ...]] = (*STATUS, *ROOMS, *TOKENS, *TRACKS, *SUBSCRIBERS, *BROADCASTS)
"""The whole interface."""
