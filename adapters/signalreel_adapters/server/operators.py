"""Who may operate the server: whoever shows the operator's key or, where there is none, a program on the same machine.

What counts as the same machine is narrow, because two strangers look much like it. A page from elsewhere can have its
own name resolve to this machine, and can post to it from a browser on it; so the server must be addressed by a name of
the loopback interface, and a browser must not say that another site asks. And behind a proxy on this machine everybody
comes from it; so whatever shows a trace of a proxy is none.

A key ends that guessing: where one is set, it is asked of everyone. It is never logged, and compared in constant time.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import JSONResponse

__all__ = ("KEY_CHARACTERS", "Objection", "Operators", "is_local")

KEY_CHARACTERS: Final = "printable ASCII without blanks"
"""What a key is made of, because it travels in a header."""

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_SCHEME: Final = "bearer"
_PROXY_HEADERS: Final = (
    "cf-",
    "fastly-client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-forwarded",
    "x_forwarded",
    "x-real-ip",
)
"""What the names of headers begin with that proxies add; a client on the machine itself sends none."""
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
"""What a browser says of the site that asks when it is the server's own page, or somebody's own typing."""
_HTTP: Final = "1.1"
"""What clients on the machine speak; 1.0 is what common proxies speak that say nothing else of themselves."""
_FIRST_VISIBLE: Final = 0x21
_LAST_VISIBLE: Final = 0x7E


class Objection(Struct, frozen=True):
    """Why a request is not answered: a status, and a sentence for whoever asked."""

    status: int
    why: str

    def response(self) -> JSONResponse:
        """Give the answer, in the shape of every answer of the operator's interfaces."""
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if self.status == _UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"success": False, "message": self.why, "dataId": None, "errorId": 0}, self.status, headers)


class Operators:
    """Tells operators from everybody else. `key` is what they show as `Authorization: Bearer KEY`."""

    def __init__(self, key: bytes | None = None) -> None:
        if key is not None and not _is_sendable(key):
            raise ValueError(f"the operator's key is {KEY_CHARACTERS}: it is sent in a header")
        # Only this is kept and compared: of one length whatever is shown, and no key to print by accident.
        self._digest = hashlib.sha256(key).digest() if key is not None else None

    @property
    def have_a_key(self) -> bool:
        """Whether there is a key, which is asked of everyone then."""
        return self._digest is not None

    def objection(self, request: Request) -> Objection | None:
        """Give what stands against a request, None when nothing does."""
        if self._digest is None:
            return _why_not_local(request)
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != _SCHEME:
            return Objection(_UNAUTHORIZED, "Show the operator's key, as `Authorization: Bearer KEY`.")
        if not hmac.compare_digest(hashlib.sha256(shown.strip().encode("latin-1")).digest(), self._digest):
            return Objection(_UNAUTHORIZED, "This is not the operator's key.")
        return None


def is_local(client: str, host: str) -> bool:
    """Whether the client is on this machine and asked for it by a name of the loopback interface."""
    name, _, port = (host, "", "") if host.endswith("]") else host.rpartition(":") if ":" in host else (host, "", "")
    if port and not (port.isascii() and port.isdigit()):
        return False
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_loopback and name.lower() in _LOCAL_NAMES


def _why_not_local(request: Request) -> Objection | None:
    headers: Mapping[str, str] = request.headers
    host = headers.get("host", "")
    origin = headers.get("origin")
    if not is_local(request.client.host if request.client else "", host):
        return Objection(_FORBIDDEN, "Only for clients on the machine itself, or with an operator's key.")
    if any(name.startswith(_PROXY_HEADERS) for name in headers) or request.scope.get("http_version") != _HTTP:
        return Objection(_FORBIDDEN, "Not through a proxy without an operator's key: nothing says who asks.")
    if origin is not None and origin != f"{request.url.scheme}://{host}":
        return Objection(_FORBIDDEN, "Not for pages of another origin.")
    if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        return Objection(_FORBIDDEN, "Not for pages of another site.")
    return None


def _is_sendable(key: bytes) -> bool:
    return key != b"" and all(_FIRST_VISIBLE <= octet <= _LAST_VISIBLE for octet in key)
