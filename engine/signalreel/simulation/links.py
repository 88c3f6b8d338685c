"""A link: one connection between a client and the server, with what is under way on it.

It is like a WebSocket: what one end sends arrives whole and in order, or the connection ends; only a path of datagrams
does otherwise. Each end has its own view of whether it stands. What a client does not read waits on the server's side,
up to a bound.
"""

from typing import Final, Protocol

from signalreel.commands import AnyCommand
from signalreel.messages import AnyMessage
from signalreel.simulation.agenda import SECOND, Agenda
from signalreel.simulation.paths import DOWN, UP, Path

__all__ = (
    "CLOSE_MAX",
    "GOING_AWAY",
    "KEEPALIVE",
    "NORMAL",
    "OUTBOX_MAX",
    "SEND_MAX",
    "TRY_AGAIN_LATER",
    "VANISHED",
    "WINDOW",
    "ClientEnd",
    "Link",
    "ServerEnd",
)

NORMAL: Final = 1000
"""The close code of an end that was meant (RFC 6455, section 7.4.1)."""

GOING_AWAY: Final = 1001
"""Likewise of a page that was left."""

VANISHED: Final = 1006
"""The code that stands for a connection that ended without one."""

TRY_AGAIN_LATER: Final = 1013
"""The code for a client that does not read what it is sent."""

KEEPALIVE: Final = 40 * SECOND
"""After which the server ends a connection that has fallen silent: it pings every 20 s, and waits 20 s for the pong."""

CLOSE_MAX: Final = 2 * SECOND
"""How long the server waits for the other end to close as well."""

SEND_MAX: Final = 10 * SECOND
"""How long the server tries to hand one message over."""

WINDOW: Final = 32
"""Messages that the network takes from the server while the client reads none of them."""

OUTBOX_MAX: Final = 1_024
"""Messages that wait beyond that, at most."""


class ClientEnd(Protocol):
    """What stands at a link's one end."""

    app: str  #: that it attaches to
    identity: str  #: who the host says it is
    tag: str  #: who the gate finds it to be
    is_thief: bool  #: it brings tokens of others

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

    __slots__ = ("_agenda", "_path", "_server", "_stuck", "client", "client_open", "server_open", "session")

    def __init__(self, agenda: Agenda, path: Path, client: ClientEnd, server: ServerEnd) -> None:
        self.session = ""  #: drawn by the server when it accepts
        self.client: Final = client
        self.client_open = True
        self.server_open = False
        self._agenda: Final = agenda
        self._path: Final = path
        self._server: Final = server
        self._stuck = 0  #: since when a message cannot be handed over
        path.send(UP, self._accept)

    # ---- the client's end

    def say(self, command: AnyCommand) -> None:
        """Send a command to the server."""
        if self.client_open:
            self._path.throw(UP, self._arrive, command)

    def leave(self, code: int = NORMAL) -> None:
        """Close the connection from the client's end, after what it has sent."""
        if self.client_open:
            self.client_open = False
            self._path.send(UP, self._end_server, code)

    def vanish(self) -> None:
        """End the client's end without a word: the server notices when nothing comes for long."""
        if self.client_open:
            self.client_open = False
            self._agenda.after(KEEPALIVE, self._end_server, VANISHED)

    def reset(self) -> None:
        """Break the connection: both ends notice at once, and what was under way is lost."""
        self._end_server(VANISHED)
        self._end_client(VANISHED)

    # ---- the server's end

    def tell(self, message: AnyMessage) -> None:
        """Send a message to the client. One that does not read for too long is sent away."""
        if not self.server_open:
            return
        path = self._path
        path.throw(DOWN, self._hear, message)
        if path.cut[DOWN] and path.held(DOWN) > WINDOW:
            if not self._stuck:
                self._stuck = self._agenda.now
                self._agenda.after(SEND_MAX, self._give_up, self._stuck)
            elif path.held(DOWN) > WINDOW + OUTBOX_MAX:
                self._agenda.after(0, self._give_up, self._stuck)

    def dismiss(self, code: int) -> None:
        """Close the connection from the server's end, after what it has sent."""
        if self.server_open:
            self._path.send(DOWN, self._end_client, code)
            self._agenda.after(CLOSE_MAX, self._end_server, code)

    def end(self, code: int) -> None:
        """Close the connection from the server's end, which waits for nothing."""
        if self.server_open:
            self._path.send(DOWN, self._end_client, code)
            self._end_server(code)

    def drop(self, *, is_seen: bool) -> None:
        """The server's end is gone, and knows nothing of it. The client sees that, or finds its pings not answered."""
        self.server_open = False
        if is_seen:
            self._path.send(DOWN, self._end_client, VANISHED)

    # ---- on arrival

    def _accept(self) -> None:
        if not self.client_open:
            return  # The handshake finds nobody who answers, so the server never has this connection.
        if not self._server.accept(self, self.client):
            self._path.send(DOWN, self._end_client, VANISHED)

    def _arrive(self, command: AnyCommand) -> None:
        if self.server_open:
            self._server.receive(self, command)

    def _hear(self, message: AnyMessage) -> None:
        if self.client_open:
            self.client.hear(message)

    def _give_up(self, since: int) -> None:
        """End a connection over which a message could not be handed over in time."""
        if self._stuck == since and self._path.held(DOWN) > WINDOW:
            self._end_server(TRY_AGAIN_LATER)
        self._stuck = 0

    def _end_server(self, code: int) -> None:
        if self.server_open:
            self.server_open = False
            self._server.closed(self, code)

    def _end_client(self, code: int) -> None:
        if self.client_open:
            self.client_open = False
            self._path.send(UP, self._end_server, code)
            self.client.lost(self, code)
