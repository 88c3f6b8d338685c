"""Where flows are performed: what a performance asks of a place, and nothing about any one place."""

from collections.abc import Mapping
from typing import Any, Protocol

from signalreel.errors import SignalreelError
from signalreel_adapters.flows.script import ServerStep

__all__ = ("Decoded", "FlowClient", "Host", "Stage", "Unable")

Decoded = dict[str, Any]
"""A message of the server as a client sees it."""


class Unable(SignalreelError):
    """The server cannot do now what a flow asks of it. The message says why."""


class FlowClient(Protocol):
    """One connection of one client."""

    async def send(self, message: object) -> None:
        """Send an object as JSON, or a text as it is. Raises `TransportClosed`."""
        ...

    async def receive(self) -> Decoded:
        """Wait for the next message, or give it at once when it is there. Raises `TransportClosed` at the end."""
        ...

    async def close(self) -> None:
        """Close in good order, and wait until it is done. Closing what has ended is harmless."""
        ...


class Host(Protocol):
    """A hand on the server, for the lines of a flow that begin with `server`."""

    async def perform(self, step: ServerStep, app: str) -> Mapping[str, str]:
        """Make it happen; give the names that are known from now on, with what they stand for. Raises `Unable`."""
        ...


class Stage(Protocol):
    """A server, or what stands for one."""

    @property
    def host(self) -> Host | None:
        """The hand on the server, where there is one."""
        ...

    async def connect(self, app: str) -> FlowClient:
        """Connect another client. Raises `TransportClosed` when there is no server or it does not want to."""
        ...

    async def settle(self) -> None:
        """Return when all that was said so far has had its effect, or as good as: what comes now, comes unasked."""
        ...
