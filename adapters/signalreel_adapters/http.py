"""One POST at a time, for webhooks: HTTP/1.1 (RFC 9112) as far as a status goes, on asyncio and trio.

The answer's body is never read and a redirect never followed, so there is nothing in them to be afraid of. A name is
resolved once, every address of it must be a public one, and the connection goes to the address that was looked at: a
name that resolves differently a moment later (DNS rebinding) gains nothing.
"""

import socket
import ssl
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSStream
from msgspec import Struct

from signalreel.errors import SignalreelError

__all__ = ("HttpPost", "HttpTimes", "Unreachable", "is_public")

_HEAD_BYTES_MAX: Final = 16_384
_STATUS_DIGITS: Final = 3
_PORTS: Final = {"http": 80, "https": 443}
_TRANSLATED: Final = ip_network("64:ff9b::/96")


class HttpTimes(Struct, frozen=True):
    """How long to wait, in milliseconds. What real servers wait for a webhook."""

    connect_ms: int = 2_000  #: until connected, resolving and TLS included
    read_ms: int = 5_000  #: until the status is there, counted from when the question was sent


class Unreachable(SignalreelError):
    """There was no answer: refused, too slow, not understood, or an address that may not be called. `why` says which.

    It names no address and quotes nothing, so that it may stand in a log.
    """

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class _Target(Struct, frozen=True):
    secure: bool
    host: str
    port: int
    authority: str
    path: str


class HttpPost:
    """Posts JSON to the given addresses and to no other. Raises `ValueError` at once when one of them is none."""

    def __init__(
        self,
        *urls: str,
        allow_private: bool = False,
        times: HttpTimes | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._targets = {url: _target(url) for url in urls}
        self._allow_private = allow_private
        self._times = times if times is not None else HttpTimes()
        # Made once: reading the authorities' certificates takes longer than many a question.
        self._tls = tls if tls is not None else ssl.create_default_context()

    async def __call__(self, url: str, body: bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> int:
        """Post, and give the status of the answer. Raises `Unreachable`. Header fields are sent as they are given."""
        target = self._targets[url]
        try:
            with anyio.fail_after(self._times.connect_ms / 1_000):
                stream = await self._connect(target)
            try:
                with anyio.fail_after(self._times.read_ms / 1_000):
                    await stream.send(_request(target, body, headers))
                    return await _status(stream)
            finally:
                await anyio.aclose_forcefully(stream)
        except TimeoutError:
            raise Unreachable("no answer in time") from None
        except (OSError, UnicodeError, anyio.BrokenResourceError, anyio.EndOfStream):
            raise Unreachable("no connection, or it was lost") from None

    async def _connect(self, target: _Target) -> ByteStream:
        found = await anyio.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise Unreachable("the address is not a public one")
        stream = await _first_that_connects(addresses, target.port)
        if not target.secure:
            return stream
        try:
            return await TLSStream.wrap(stream, hostname=target.host, ssl_context=self._tls, standard_compatible=False)
        except BaseException:
            await anyio.aclose_forcefully(stream)
            raise


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, also when it is an IPv4 address in the clothes of IPv6."""
    try:
        inner = _unwrapped(ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Give the IPv4 address that an IPv6 address leads to: mapped, 6to4, Teredo, or translated (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo is not None else address)


async def _first_that_connects(addresses: list[str], port: int) -> ByteStream:
    for address in addresses:
        try:
            return await anyio.connect_tcp(address, port)
        except OSError:
            continue
    raise Unreachable("no connection, or it was lost")


def _request(target: _Target, body: bytes, headers: tuple[tuple[str, str], ...]) -> bytes:
    more = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = (
        f"POST {target.path} HTTP/1.1\r\nHost: {target.authority}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nAccept: */*\r\nConnection: close\r\n{more}\r\n"
    )
    return head.encode("ascii") + body


async def _status(stream: ByteStream) -> int:
    """Read as far as the status line; what follows is not ours to know."""
    head = b""
    while b"\n" not in head:
        if len(head) > _HEAD_BYTES_MAX:
            raise Unreachable("the answer is no HTTP")
        head += await stream.receive(1_024)
    version, _, rest = head.partition(b"\n")[0].partition(b" ")
    digits = rest[:_STATUS_DIGITS]
    if not version.startswith(b"HTTP/1.") or len(digits) != _STATUS_DIGITS or not digits.isdigit():
        raise Unreachable("the answer is no HTTP")
    return int(digits)


def _target(url: str) -> _Target:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or not url.isascii():
        raise ValueError("the address of a webhook is http or https, with a host, without a user, in ASCII")
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("the address of a webhook holds a blank or a control character")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Target(parts.scheme == "https", parts.hostname, parts.port or _PORTS[parts.scheme], parts.netloc, path)
