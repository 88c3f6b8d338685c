"""A link: one connection between a client and the server, with what is under way on it.

It is like a WebSocket: what one end sends arrives whole and in order, or the connection ends. Each end has its own view
of whether it stands.
"""

from typing import Final, Protocol

from signalreel.commands import AnyCommand
from signalreel.messages import AnyMessage
from signalreel.simulation.agenda import Agenda

__all__ = ("GOING_AWAY", "NORMAL", "VANISHED", "ClientEnd", "Link", "ServerEnd")

NORMAL: Final = 1000
"""The close code of an end that was meant (RFC 6455, section 7.4.1)."""

GOING_AWAY: Final = 1001
"""Likewise of a page that was left."""

VANISHED: Final = 1006
"""The code that stands for a connection that ended without one."""


class ClientEnd(Protocol):
    """What stands at a link's one end."""

    app: str  #: that it attaches to
    identity: str  #: who the host says it is

    def hear(self, message: AnyMessage) -> None:
        """Take a message."""
        ...

    def lost(self, link: "Link", code: int) -> None:
        """Take note that the connection has ended, and not by this end."""
        ...


class ServerEnd(Protocol):
    """What stands at its other end."""

    def accept(self, link: "Link", client: ClientEnd) -> bool:
        """Take a connection, or turn it away."""
        ...

    def receive(self, link: "Link", command: AnyCommand) -> None:
        """Take a command."""
        ...

    def closed(self, link: "Link", code: int) -> None:
        """Take note that the connection has ended."""
        ...


class Link:
    """One connection. The client's end is open from the beginning, the server's once it was accepted."""

    __slots__ = (
        "_agenda",
        "_client",
        "_down_at",
        "_latency",
        "_server",
        "_up_at",
        "client_open",
        "server_open",
        "session",
    )

    def __init__(self, agenda: Agenda, client: ClientEnd, server: ServerEnd, latency: int) -> None:
        self.session = ""  #: drawn by the server when it accepts
        self.client_open = True
        self.server_open = False
        self._agenda = agenda
        self._client = client
        self._server = server
        self._latency = latency
        self._up_at = self._down_at = 0
        agenda.at(self._upwards(), self._accept)

    def _upwards(self) -> int:
        self._up_at = arrival = max(self._up_at, self._agenda.now + self._latency)
        return arrival

    def _downwards(self) -> int:
        self._down_at = arrival = max(self._down_at, self._agenda.now + self._latency)
        return arrival

    # ---- the client's end

    def say(self, command: AnyCommand) -> None:
        """Send a command to the server."""
        if self.client_open:
            self._agenda.at(self._upwards(), self._arrive, command)

    def leave(self, code: int = NORMAL) -> None:
        """Close the connection from the client's end, after what it has sent."""
        if self.client_open:
            self.client_open = False
            self._agenda.at(self._upwards(), self._end_server, code)

    # ---- the server's end

    def tell(self, message: AnyMessage) -> None:
        """Send a message to the client."""
        if self.server_open:
            self._agenda.at(self._downwards(), self._hear, message)

    def dismiss(self, code: int, reason: str) -> None:
        """Close the connection from the server's end, after what it has sent."""
        if self.server_open:
            self._agenda.at(self._downwards(), self._end_client, code)
            self._agenda.after(2 * self._latency, self._end_server, code)

    # ---- on arrival

    def _accept(self) -> None:
        if not self._server.accept(self, self._client):
            self._agenda.at(self._downwards(), self._end_client, VANISHED)

    def _arrive(self, command: AnyCommand) -> None:
        if self.server_open:
            self._server.receive(self, command)

    def _hear(self, message: AnyMessage) -> None:
        if self.client_open:
            self._client.hear(message)

    def _end_server(self, code: int) -> None:
        if self.server_open:
            self.server_open = False
            self._server.closed(self, code)

    def _end_client(self, code: int) -> None:
        if self.client_open:
            self.client_open = False
            self._client.lost(self, code)
