"""What the transports of all peers share: DTLS, SRTP and SCTP above whichever ICE, through aiortc's ORTC objects.

aiortc's own RTP path makes an object and several coroutines of every packet; here plain bytes go in and out. For that
a few names are used that aiortc, aioice and pylibsrtp do not promise: `RAW_WAY_WORKS` says whether they are all there
and do what they did. When not, packets take `RTCDtlsTransport`'s own way (`polite`): slower, and nothing else changes.

Besides this module, `full` knows private names of ICE, and `sctp` those of SCTP.
"""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# The private names are what this module is for, and pylibsrtp is not typed.

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Protocol, cast

import aioice.ice
import pylibsrtp
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceTransport,
    RTCSctpTransport,
)
from aiortc.rtcsctptransport import Chunk
from aiortc.rtp import AnyRtcpPacket, RtcpPacket
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.filter import Address
from signalreel_adapters.media.aiortc.peer import Egress, Remote
from signalreel_adapters.media.aiortc.rtp import is_rtcp
from signalreel_adapters.media.aiortc.sctp import admits_packet
from signalreel_adapters.media.aiortc.sdp import Fingerprint
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = (
    "RAW_WAY_WORKS",
    "DtlsPeer",
    "IceLike",
    "ffi",
    "fingerprint_of",
    "protect_in_place",
    "run_now",
)

# The library exports them without saying so.
_srtp: Final[Any] = pylibsrtp
ffi: Final[Any] = _srtp.ffi
protect_in_place: Final[Any] = _srtp.lib.srtp_protect
"""`(context, buffer, length *) -> 0 or an error`: encrypts an RTP packet where it stands."""

_logger: Final = logging.getLogger(__name__)

_RTCP_BYTES_MAX: Final = 1_200
_FINGERPRINT_ALGORITHM: Final = "sha-256"


def fingerprint_of(certificate: RTCCertificate) -> Fingerprint:
    """Give the hash of our certificate that our descriptions carry."""
    found = next(each for each in certificate.getFingerprints() if each.algorithm == _FINGERPRINT_ALGORITHM)
    return Fingerprint(found.algorithm, found.value)


def run_now(coroutine: Coroutine[Any, Any, object]) -> bool:
    """Run a coroutine that has nothing to wait for. False when it failed, or wanted to wait after all."""
    try:
        coroutine.send(None)
    except StopIteration:
        return True
    except (ConnectionError, OSError, SrtpError, ValueError):
        return False
    coroutine.close()
    return False


def _ignore(*_: object) -> None:
    """Stand in for a callback that nobody has set."""


def _raw_way_works() -> bool:
    """Whether the private names are there, and protecting in place gives what the library itself gives."""
    dtls = ("_handle_rtp_data", "_handle_rtcp_data", "_send_rtp", "_set_role")
    connection = ("get_component_candidates", "data_received")
    if not all(hasattr(RTCDtlsTransport, name) for name in dtls):
        return False
    if not all(hasattr(aioice.ice.Connection, name) for name in connection):
        return False
    with contextlib.suppress(Exception):
        return _protects_in_place()
    return False


def _protects_in_place() -> bool:
    policy = Policy(
        key=bytes(range(44)), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM
    )
    policy.allow_repeat_tx = True
    plain = bytes((0x80, 96)) + bytes(range(200))
    expected = Session(policy).protect(plain)
    session = Session(policy)
    buffer, length = ffi.new("char[]", 512), ffi.new("int *")
    ffi.buffer(buffer)[0 : len(plain)] = plain
    length[0] = len(plain)
    failed = protect_in_place(session._srtp[0], buffer, length)  # noqa: SLF001
    return not failed and ffi.buffer(buffer)[0 : length[0]] == expected


RAW_WAY_WORKS: Final = _raw_way_works()
"""The result of the self-test, made when this module is imported."""


class IceLike(Protocol):
    """All that aiortc's DTLS asks of the transport below it, in its own names."""

    @property
    def role(self) -> str:
        """`controlling` or `controlled`."""
        ...

    async def _recv(self) -> bytes: ...

    async def _send(self, data: bytes) -> None: ...


class DtlsPeer:
    """What both kinds of transport share: everything above ICE."""

    def __init__(self, ice: "IceLike", settings: AiortcSettings, certificate: RTCCertificate, *, raw: bool) -> None:
        self.on_rtp: Callable[[bytes], None] = _ignore
        self.on_rtcp: Callable[[list[AnyRtcpPacket]], None] = _ignore
        self.on_lost: Callable[[str], None] = _ignore
        self.last_heard = 0.0
        self.egress: Egress | None = None
        self.junk = 0  #: packets that were no SRTP of this peer
        self._settings = settings
        self._certificate = certificate
        self._raw = raw
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._sctp: RTCSctpTransport | None = None
        self._receiving: Session | None = None
        self._dtls = RTCDtlsTransport(cast(RTCIceTransport, ice), [certificate])
        self._dtls._handle_rtp_data = self._take_rtp  # type: ignore[method-assign]  # noqa: SLF001
        self._dtls._handle_rtcp_data = self._take_rtcp  # type: ignore[method-assign]  # noqa: SLF001
        self._dtls.on("statechange", self._dtls_changed)

    async def _secure(self, remote: Remote) -> None:
        """Do the DTLS handshake over a connected ICE."""
        self._dtls._set_role("server" if remote.dtls_client else "client")  # noqa: SLF001
        fingerprints = [RTCDtlsFingerprint(each.algorithm, each.value) for each in remote.fingerprints]
        try:
            await self._dtls.start(RTCDtlsParameters(fingerprints=fingerprints))
        except (ConnectionError, OSError, ValueError, AssertionError, IndexError) as error:
            raise TransportFailed("the DTLS handshake failed", "dtls") from error
        if self._dtls.state != "connected":
            raise TransportFailed("the DTLS handshake failed", "dtls")
        self.last_heard = self._loop.time()
        if self._raw:
            self._receiving = self._dtls._rx_srtp  # noqa: SLF001

    def _open_egress(self, through: socket.socket, address: Address) -> None:
        """Send the raw way from now on; DTLS must be connected."""
        session = self._dtls._tx_srtp  # noqa: SLF001
        self.egress = Egress(session._srtp[0], session, through, address)  # noqa: SLF001

    def _close_egress(self) -> None:
        """Send the polite way from now on."""
        self.egress = None

    def _take_media(self, data: bytes) -> None:
        """The raw way in: one SRTP or SRTCP datagram from a verified address."""
        session = self._receiving
        if session is None:
            return
        try:
            if is_rtcp(data):
                plain = session.unprotect_rtcp(data)
                self.last_heard = self._loop.time()
                self._dispatch_rtcp(plain)
            else:
                plain = session.unprotect(data)
                self.last_heard = self._loop.time()
                self.on_rtp(plain)
        except (SrtpError, ValueError):
            self.junk += 1

    async def _take_rtp(self, data: bytes, arrival_time_ms: int) -> None:
        """The polite way in, and that of packets which were queued before the raw way was open."""
        self.last_heard = self._loop.time()
        self.on_rtp(data)

    async def _take_rtcp(self, data: bytes) -> None:
        self.last_heard = self._loop.time()
        self._dispatch_rtcp(data)

    def _dispatch_rtcp(self, data: bytes) -> None:
        try:
            packets = RtcpPacket.parse(data)
        except (ValueError, IndexError, ArithmeticError):
            self.junk += 1
        else:
            self.on_rtcp(packets)

    def send_rtp(self, packet: bytes) -> bool:
        """Send one plain RTP packet; false when it was dropped."""
        return self._send(packet, rtcp=False)

    def send_rtcp(self, packets: Sequence[AnyRtcpPacket]) -> None:
        """Send RTCP packets as compounds that fit a datagram."""
        compound = b""
        for packet in packets:
            encoded = bytes(packet)
            if compound and len(compound) + len(encoded) > _RTCP_BYTES_MAX:
                self._send(compound, rtcp=True)
                compound = b""
            compound += encoded
        if compound:
            self._send(compound, rtcp=True)

    def _send(self, packet: bytes, *, rtcp: bool) -> bool:
        if self._closed or self._dtls.state != "connected":
            return False
        egress = self.egress
        if egress is None:
            return run_now(self._dtls._send_rtp(packet))  # noqa: SLF001
        session = self._dtls._tx_srtp  # noqa: SLF001
        try:
            egress.send(session.protect_rtcp(packet) if rtcp else session.protect(packet), egress.address)
        except (OSError, SrtpError, ValueError):
            return False
        return True

    def open_sctp(self) -> RTCSctpTransport:
        """Give the transport of the data channels. It ignores what it cannot make sense of, instead of ending DTLS."""
        if self._sctp is None:
            sctp = self._sctp = RTCSctpTransport(self._dtls)
            handle, send = sctp._handle_data, sctp._send_chunk  # noqa: SLF001

            async def handle_guarded(data: bytes) -> None:
                if not admits_packet(sctp, data, self._settings):
                    self.junk += 1
                    return
                try:
                    await handle(data)
                except ConnectionError:
                    raise
                except Exception as error:  # noqa: BLE001 - asserts, decoding errors and worse, all at a peer's will
                    self.junk += 1
                    _logger.debug("an SCTP packet was dropped: %s", type(error).__name__)

            # Its timers go off after the peer has said goodbye, too, and nobody waits for what they send.
            async def send_guarded(chunk: Chunk) -> None:
                with contextlib.suppress(ConnectionError):
                    await send(chunk)

            sctp._handle_data = handle_guarded  # type: ignore[method-assign]  # noqa: SLF001
            sctp._send_chunk = send_guarded  # type: ignore[method-assign]  # noqa: SLF001
        return self._sctp

    def _dtls_changed(self) -> None:
        if self._dtls.state == "closed":
            self._lose("the peer closed the transport")

    def _lose(self, reason: str) -> None:
        if not self._closed:
            callback, self.on_lost = self.on_lost, _ignore
            callback(reason)

    async def _bounded(self, closing: Awaitable[object], seconds_max: float) -> None:
        """Wait for something to close, not for ever and whatever comes of it."""
        try:
            async with asyncio.timeout(seconds_max):
                await closing
        except TimeoutError:
            _logger.warning("a transport did not close in time")
        except (ConnectionError, OSError, AssertionError) as error:
            _logger.debug("a transport did not close cleanly: %s", type(error).__name__)

    async def _close_secure(self) -> None:
        self._closed = True
        self.egress = None
        self.on_rtp = self.on_rtcp = self.on_lost = _ignore
        if self._sctp is not None:
            await self._sctp.stop()
        await self._dtls.stop()
        self._dtls.remove_all_listeners()
