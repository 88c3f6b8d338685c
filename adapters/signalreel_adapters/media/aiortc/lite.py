"""Every peer on one UDP port: an ICE-lite agent under aiortc's DTLS.

A server with addresses of its own need not look for a path: it answers the peers' checks, and sends to where the last
nominated one came from (RFC 8445, section 2.5). One port to open in a firewall, one socket for each address instead of
one for each peer, no checks of our own, and nobody's candidates are ever sent to. What it cannot do is TURN, which a
server with a public address does not need.

A peer is found by the user fragment in its checks, which only it was told, and from then on by its address. So whatever
comes from an address that no authenticated check came from is dropped, DTLS included.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Final

from aioice import stun
from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.addresses import reached_at
from signalreel_adapters.media.aiortc.errors import DescriptionImpossible, TransportFailed
from signalreel_adapters.media.aiortc.filter import Address, Arrival, Candidate, SeenChecks, classify
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.rtp import is_rtcp
from signalreel_adapters.media.aiortc.sdp import LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.transport import (
    RAW_WAY_WORKS,
    DtlsPeer,
    fingerprint_of,
)

__all__ = ("LitePeer", "UdpMux")

_logger: Final = logging.getLogger(__name__)

_DATAGRAM_MAX: Final = 2_048
_TURN: Final = 0.01
"""Seconds for which one socket is read before everything else has its turn."""

_LATE: Final = 0.25
"""Seconds between a packet's arrival and our reading it: more is late."""

_LATE_FOR: Final = 1.0
"""Seconds for which every turn may find its packets late; after that we are overloaded, and media is shed."""

_SHED_MAX: Final = 4_096
"""Datagrams looked at in one go while shedding: about what a receive buffer holds."""

_HELD_FOR: Final = 6.0
"""Seconds after a peer was last heard for which its address is nobody else's. No browser checks less often (RFC 7675,
section 5.1: every 5 s, a fifth more or less), and no NAT gives an address to another so soon (RFC 4787, 4.3)."""

_SO_TIMESTAMPNS: Final = 35  # asm-generic/socket.h; Python does not name it
_TIMESPEC: Final = struct.Struct("@ll")
_ANCILLARY_MAX: Final = 64  # bytes; one time needs 32
_NANOSECONDS: Final = 1e9

_SOCKET_BUFFER: Final = 4 << 20
"""Bytes asked for in each direction; the kernel gives what it allows."""

_HOST_PRIORITY: Final = 2_130_706_431  # type preference 126, local preference 65 535 (RFC 8445, section 5.1.2.1)
_LOCAL_PREFERENCE: Final = 256


class UdpMux:
    """The sockets that all peers share, and who is behind which address."""

    def __init__(
        self,
        hosts: Sequence[str],
        port: int,
        *,
        advertised: Sequence[str] = (),
        this_machine_only: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.dropped = 0  #: datagrams of nobody
        self.shed = 0  #: packets thrown away because we could not keep up
        self._clock = clock
        self._late_since: dict[socket.socket, float] = {}
        self.addresses: list[Address] = []  #: what the sockets are bound to
        self._by_fragment: dict[str, LitePeer] = {}
        self._by_address: dict[Address, LitePeer] = {}
        self._sockets: list[socket.socket] = []
        for host in hosts:
            self._bind(host, self.addresses[0][1] if self.addresses else port)
        if not self._sockets:
            raise DescriptionImpossible(f"port {port} cannot be bound on any of the addresses to offer")
        here = frozenset[str](opened.getsockname()[0] for opened in self._sockets)
        self._sources = here if this_machine_only else None  #: whom checks are taken from
        self.offered = reached_at(self.addresses, advertised)  #: what candidates name

    def _bind(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with contextlib.suppress(OSError):
                opened.setsockopt(socket.SOL_SOCKET, option, _SOCKET_BUFFER)
        with contextlib.suppress(OSError):  # without the time of arrival nothing is ever late, and nothing is shed
            opened.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            opened.bind((host, port))
        except OSError as error:
            _logger.warning("an address to offer cannot be bound: %s", error.strerror)
            opened.close()
            return
        self._sockets.append(opened)
        self.addresses.append((host, opened.getsockname()[1]))
        asyncio.get_running_loop().add_reader(opened.fileno(), self._read, opened)

    def close(self) -> None:
        """Close the sockets. Peers that are left hear nothing more."""
        loop = asyncio.get_running_loop()
        for opened in self._sockets:
            loop.remove_reader(opened.fileno())
            opened.close()
        self._sockets.clear()
        self._by_fragment.clear()
        self._by_address.clear()

    def join(self, peer: "LitePeer") -> None:
        """Listen for a peer's checks."""
        self._by_fragment[peer.user_fragment] = peer

    def leave(self, peer: "LitePeer") -> None:
        """Forget a peer."""
        self._by_fragment.pop(peer.user_fragment, None)
        self._release(peer)

    def _release(self, peer: "LitePeer") -> None:
        """Forget where a peer is, unless somebody else has taken the address over."""
        if peer.address is not None and self._by_address.get(peer.address) is peer:
            del self._by_address[peer.address]

    def _holds(self, source: Address, peer: "LitePeer") -> bool:
        """Whether an address is kept for another peer than this one.

        A check proves who sent it, not from where: whoever forges its source could take the address of a stranger, and
        with it all that the stranger sends.
        """
        holder = self._by_address.get(source)
        if holder is None or holder is peer:
            return False
        return asyncio.get_running_loop().time() - holder.last_heard <= _HELD_FOR

    def _read(self, opened: socket.socket) -> None:
        """Take what has come, for one turn.

        A server that cannot keep up must not work off a buffer of old packets: that makes every packet late, checks and
        handshakes too, until calls end by it. So when packets have been late for a while the backlog is thrown away,
        but for what keeps connections alive; viewers go on from the next keyframe. A backlog that shrinks is kept: it
        says that others had the machine for a moment.
        """
        now = self._clock()
        try:
            data, ancillary, _, source = opened.recvmsg(_DATAGRAM_MAX, _ANCILLARY_MAX)
        except OSError:  # nothing there, or an ICMP error for something that was sent
            return
        self._take(data, source[:2], opened)
        if now - _arrived_at(ancillary, now) <= _LATE:
            self._late_since.pop(opened, None)
        elif now - self._late_since.setdefault(opened, now) > _LATE_FOR:
            del self._late_since[opened]
            for _ in range(_SHED_MAX):
                if not self._read_one(opened, shedding=True):
                    return
        until = now + _TURN
        while self._clock() < until and self._read_one(opened):
            pass

    def _read_one(self, opened: socket.socket, *, shedding: bool = False) -> bool:
        """Take one datagram; false when there is none."""
        try:
            data, source = opened.recvfrom(_DATAGRAM_MAX)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:  # an ICMP error for something that was sent; it says nothing about what comes
            return True
        if shedding and classify(data) is Arrival.MEDIA and not is_rtcp(data):
            self.shed += 1
        else:
            self._take(data, source[:2], opened)
        return True

    def _take(self, data: bytes, source: Address, opened: socket.socket) -> None:
        arrival = classify(data)
        if arrival is Arrival.STUN:
            self._check(data, source, opened)
        elif (peer := self._by_address.get(source)) is None:
            self.dropped += 1
        elif arrival is Arrival.MEDIA:
            peer.take_media(data)
        elif arrival is Arrival.DTLS:
            peer.take_dtls(data)

    def _check(self, data: bytes, source: Address, opened: socket.socket) -> None:
        """Answer a connectivity check that is authentic; say nothing to anything else."""
        if self._sources is not None and source[0] not in self._sources:
            self.dropped += 1
            return
        try:
            request = stun.parse_message(data)
        except (ValueError, struct.error, IndexError):
            self.dropped += 1
            return
        fragment = str(request.attributes.get("USERNAME", "")).partition(":")[0]
        peer = self._by_fragment.get(fragment)
        if (
            peer is None
            or request.message_method != stun.Method.BINDING
            or request.message_class != stun.Class.REQUEST
            or "MESSAGE-INTEGRITY" not in request.attributes
            or not request.check_message_integrity(peer.password)
            or self._holds(source, peer)
            or peer.seen.is_replay(request.transaction_id, source)
        ):
            self.dropped += 1
            return
        response = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        response.attributes["XOR-MAPPED-ADDRESS"] = source
        response.add_message_integrity(peer.password)
        response.add_fingerprint()
        with contextlib.suppress(OSError):
            opened.sendto(bytes(response), source)
        self._release(peer)
        peer.checked(source, opened, nominated="USE-CANDIDATE" in request.attributes)
        # An address is one peer's: a NAT that gives it to another has taken it from the first, which may come back.
        if peer.address is not None and not self._holds(peer.address, peer):
            self._by_address[peer.address] = peer


def _arrived_at(ancillary: list[tuple[int, int, bytes]], now: float) -> float:
    """Give the wall-clock time at which the kernel took a datagram; now, when it did not say."""
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(value) == _TIMESPEC.size:
            fields: tuple[int, int] = _TIMESPEC.unpack(value)
            return fields[0] + fields[1] / _NANOSECONDS
    return now


class _LiteIce:
    """What aiortc's DTLS sees below it."""

    def __init__(self, queue_max: int) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(queue_max)
        self.socket: socket.socket | None = None
        self.address: Address | None = None
        self.closed = False

    @property
    def role(self) -> str:
        """An ICE-lite agent never controls (RFC 8445, section 6.1.1)."""
        return "controlled"

    async def _recv(self) -> bytes:
        data = await self.queue.get() if not self.closed else None
        if data is None:
            raise ConnectionError("the transport is closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self.closed or self.socket is None or self.address is None:
            raise ConnectionError("the transport is not connected")
        with contextlib.suppress(OSError):  # a datagram that is not taken is a datagram that is lost
            self.socket.sendto(data, self.address)

    def put(self, data: bytes | None) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self.queue.put_nowait(data)


class LitePeer(DtlsPeer):
    """A peer on the shared port."""

    def __init__(
        self, mux: UdpMux, settings: AiortcSettings, certificate: RTCCertificate, *, raw: bool = RAW_WAY_WORKS
    ) -> None:
        self._ice = _LiteIce(settings.receive_queue_max)
        super().__init__(self._ice, settings, certificate, raw=raw)
        self.user_fragment = secrets.token_hex(8)
        self._password = secrets.token_hex(16)
        self.password = self._password.encode()  #: the key of the checks
        self.seen = SeenChecks(settings.checks_remembered_max)
        self._mux = mux
        self._checked = asyncio.Event()
        mux.join(self)

    @property
    def address(self) -> Address | None:
        """Where the peer is now; None before its first check."""
        return self._ice.address

    async def gather(self) -> LocalTransport:
        """Say where the shared port is."""
        return LocalTransport(
            user_fragment=self.user_fragment,
            password=self._password,
            fingerprint=fingerprint_of(self._certificate),
            candidates=tuple(
                f"{at + 1} 1 udp {_HOST_PRIORITY - at * _LOCAL_PREFERENCE} {host} {port} typ host"
                for at, (host, port) in enumerate(self._mux.offered)
            ),
            ice_lite=True,
        )

    def add_candidate(self, candidate: Candidate) -> None:
        """Nothing is ever sent to a candidate: the peer's checks say where it is."""

    async def connect(self, remote: Remote) -> None:
        """Wait for the first check, then shake hands. Raises `TransportFailed`."""
        if remote.ice_lite:
            raise TransportFailed("both ends are ICE-lite agents: nobody would check")
        await self._checked.wait()
        await self._secure(remote)
        opened, address = self._ice.socket, self._ice.address
        if self._raw and opened is not None and address is not None:
            self._open_egress(opened, address)

    def checked(self, source: Address, through: socket.socket, *, nominated: bool) -> None:
        """Take note of an authentic check: the peer is alive, and when it says so, it has moved here."""
        self.last_heard = self._loop.time()
        if self._ice.address is None or (nominated and (source, through) != (self._ice.address, self._ice.socket)):
            self._ice.address, self._ice.socket = source, through
            if self.egress is not None:
                self.egress.move(through, source)
        self._checked.set()

    def take_media(self, data: bytes) -> None:
        """Take SRTP or SRTCP from the peer's address."""
        if self._raw:
            self._take_media(data)
        else:
            self._ice.put(data)

    def take_dtls(self, data: bytes) -> None:
        """Take DTLS from the peer's address; what does not fit is lost, as on any network."""
        self._ice.put(data)

    def refresh(self) -> None:
        """Nothing to do: the peer's checks move it."""

    async def close(self) -> None:
        """Say goodbye and free everything."""
        if self._closed:
            return
        try:
            await self._bounded(self._close_secure(), self._settings.close_timeout)
        finally:
            self._mux.leave(self)
            self._ice.closed = True
            self._ice.put(None)
