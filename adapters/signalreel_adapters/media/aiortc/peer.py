"""What the adapter asks of one peer's transport, whichever kind it is. No library's private name is known here."""

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from aiortc import RTCSctpTransport
from aiortc.rtp import AnyRtcpPacket
from msgspec import Struct

from signalreel_adapters.media.aiortc.datagrams import SocketAddress
from signalreel_adapters.media.aiortc.filter import Address, Candidate
from signalreel_adapters.media.aiortc.sdp import Fingerprint, LocalTransport

__all__ = ("NO_RUNS", "Egress", "PeerTransport", "Remote")

NO_RUNS: Final = -1
"""In place of a number of bytes: the way to this peer takes single packets only."""


class Remote(Struct, frozen=True):
    """The other end, as its description says."""

    user_fragment: str
    password: str
    ice_lite: bool
    fingerprints: tuple[Fingerprint, ...]
    dtls_client: bool  #: whether it starts the handshake
    candidates: tuple[Candidate, ...] = ()


class Egress:
    """What it takes to send a packet without asking anybody: the SRTP context, the socket, the address.

    Keeps the context's owner alive, the SRTP session: the context is a bare pointer into it.
    """

    __slots__ = ("_owner", "_peer", "address", "context", "growth", "name", "send", "through")

    def __init__(self, context: object, owner: object, through: socket.socket, address: Address) -> None:
        self._owner = owner
        self.context = context
        self.move(through, address)

    def move(self, through: socket.socket, address: Address) -> None:
        """Send from this socket to this address from now on. The address is numeric."""
        self.growth = 0  #: bytes that SRTP adds to a packet, once that is known; `NO_RUNS` when each goes alone
        self.through = through
        self.send: Callable[[Any, Any], object] = through.sendto
        self.address = address
        self._peer = SocketAddress(*address)
        self.name = self._peer.name  #: the address as the kernel reads it


class PeerTransport(Protocol):
    """Carries plain RTP and RTCP to one peer and from it. Packets may be lost and reordered; none is changed."""

    on_rtp: Callable[[bytes], None]  #: called for every authenticated RTP packet
    on_rtcp: Callable[[list[AnyRtcpPacket]], None]
    on_lost: Callable[[str], None]  #: called at most once, with a reason; never after `close`
    last_heard: float  #: loop time of the last packet that was authenticated, or connectivity check
    egress: Egress | None  #: set while packets can be sent the raw way

    async def gather(self) -> LocalTransport:
        """Open the sockets and say how we can be reached. Raises `DescriptionImpossible` without any address."""
        ...

    def add_candidate(self, candidate: Candidate) -> None:
        """Take one more address of the peer, before or after `connect`."""
        ...

    async def connect(self, remote: Remote) -> None:
        """Connect, or raise `TransportFailed`. Waits without limit for a peer that never checks: bound it."""
        ...

    def send_rtp(self, packet: bytes) -> bool:
        """Send one plain RTP packet; false when it was dropped, as it is when the socket's buffer is full."""
        ...

    def send_rtcp(self, packets: Sequence[AnyRtcpPacket]) -> None:
        """Send RTCP packets as compounds."""
        ...

    def refresh(self) -> None:
        """Follow the peer to the address it uses now. To be called about once a second."""
        ...

    def open_sctp(self) -> RTCSctpTransport:
        """Give the transport of the data channels."""
        ...

    async def close(self) -> None:
        """Say goodbye and free everything. Never raises; harmless the second time."""
        ...
