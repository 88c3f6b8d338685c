"""ICE servers for clients: what `getIceServerConfig` is answered with, credentials included.

    Runtime(ice=TurnRest.from_file("turn:turn.example.org:3478", Path("turn.secret")))

A TURN server relays for whoever knows a password, so a password that every client is given is nobody's secret. With a
secret that only the two servers share, each session gets a username that says until when it is good, and the password
that goes with it (the "TURN REST API" of coturn's `use-auth-secret`, and of most others).

The engine knows nothing of any of this: credentials are put into the message on its way out, after it was recorded.
"""

import base64
import hashlib
import hmac
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from signalreel_adapters.ports import Clock, IceServer, IceServers, SessionInfo
from signalreel_adapters.runtime.clock import SystemClock

__all__ = ("LIFETIME_S", "LIFETIME_S_MAX", "SECRET_BYTES_MIN", "SpreadIceServers", "StaticIceServers", "TurnRest")

LIFETIME_S: Final = 300
"""How long a password is good to begin with. A relay that is in use goes on; only a new one needs another password."""

LIFETIME_S_MAX: Final = 86_400
"""The longest that a password may be good: a day."""

SECRET_BYTES_MIN: Final = 16
"""A shorter secret could be found by trying, because its username and password are told to clients."""

_URI: Final = re.compile(
    r"(?P<scheme>stun|turn):(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(\?transport=(udp|tcp))?"
)
"""RFC 7064 and RFC 7065, of which clients know these two schemes: they leave out whatever begins otherwise."""

_MICROSECONDS: Final = 1_000_000
_TAG_CHARACTERS: Final = 16


class StaticIceServers:
    """The same server for everybody. A credential given here is told to every client: it keeps nobody out."""

    def __init__(self, uri: str, *, username: str = "", credential: str = "") -> None:
        _check(uri)
        self._server = IceServer(uri, username, credential)

    def for_session(self, session: SessionInfo) -> IceServer:
        """Give the server."""
        return self._server


class TurnRest:
    """A TURN server that shares a secret with this one. Each session gets a password of its own, for a while.

    The username is the time at which it ends (seconds since 1970), a colon, and a tag of the session: the TURN server
    can count and limit what one session takes, and learns nothing else. Raises `ValueError` for an address that is
    none, a lifetime out of bounds, and a secret that is too short.
    """

    __slots__ = ("_clock", "_lifetime_s", "_secret", "_uri")

    def __init__(
        self, uri: str, secret: bytes | str, *, lifetime_s: int = LIFETIME_S, clock: Clock | None = None
    ) -> None:
        if _check(uri) != "turn":
            raise ValueError("passwords are for TURN servers; the address begins with turn:")
        if not 1 <= lifetime_s <= LIFETIME_S_MAX:
            raise ValueError(f"the lifetime of a password is 1 to {LIFETIME_S_MAX} seconds")
        octets = secret.encode() if isinstance(secret, str) else secret
        if len(octets) < SECRET_BYTES_MIN:
            raise ValueError(f"the secret of the TURN server has fewer than {SECRET_BYTES_MIN} bytes")
        self._uri = uri
        self._secret = octets
        self._lifetime_s = lifetime_s
        self._clock: Clock = clock if clock is not None else SystemClock()

    @classmethod
    def from_file(cls, uri: str, path: Path, *, lifetime_s: int = LIFETIME_S, clock: Clock | None = None) -> Self:
        """Read the secret from a file; white space around it is not part of it. Raises `OSError` as well."""
        return cls(uri, path.read_bytes().strip(), lifetime_s=lifetime_s, clock=clock)

    def for_session(self, session: SessionInfo) -> IceServer:
        """Make a username and a password."""
        ends = self._clock.wall() // _MICROSECONDS + self._lifetime_s
        username = f"{ends}:{self._tag(session.session)}"
        # SHA-1 is what TURN servers compute here; as an HMAC nothing is known against it.
        password = hmac.new(self._secret, username.encode(), hashlib.sha1).digest()
        return IceServer(self._uri, username, base64.b64encode(password).decode())

    def _tag(self, session: str) -> str:
        # A session's id is no business of the TURN server's, whose log holds every username.
        keyed = hmac.new(self._secret, b"session\0" + session.encode(), hashlib.sha256)
        return keyed.hexdigest()[:_TAG_CHARACTERS]


class SpreadIceServers:
    """Several servers, over which sessions are spread: the protocol's answer names one. A session keeps to its own.

    Raises `ValueError` without any.
    """

    def __init__(self, servers: Sequence[IceServers]) -> None:
        if not servers:
            raise ValueError("there is no server to choose from")
        self._servers = tuple(servers)

    def for_session(self, session: SessionInfo) -> IceServer:
        """Give the server of a session."""
        chosen = zlib.crc32(session.session.encode()) % len(self._servers)
        return self._servers[chosen].for_session(session)


def _check(uri: str) -> str:
    """Give the scheme of an address, or say that it is none."""
    found = _URI.fullmatch(uri)
    if found is None:
        raise ValueError("the address of an ICE server is stun:host:port or turn:host:port")
    return found["scheme"]
