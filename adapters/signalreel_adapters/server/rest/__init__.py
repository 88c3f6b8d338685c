"""The REST interface of the server's operators, beneath `/{app}/rest/v2`, with the familiar paths and fields.

`operations` is the one table of what can be asked for; requests are dispatched by it and `openapi` is written from it.
Reads look at the engine's state. Writes go on the reel as host commands, so that what an operator did is part of the
record like everything else.
"""

from signalreel_adapters.server.rest.bitrates import Bitrates
from signalreel_adapters.server.rest.interface import Rest
from signalreel_adapters.server.rest.services import Services

__all__ = ("Bitrates", "Rest", "Services")
