"""One peer's transport: ICE, DTLS, SRTP and SCTP, through aiortc's ORTC objects. The one room that knows private names.

aiortc's own RTP path makes an object and several coroutines of every packet; here plain bytes go in and out. For that
a few names are used that aiortc, aioice and pylibsrtp do not promise: `RAW_WAY_WORKS` says whether they are all there
and do what they did. When not, packets take `RTCDtlsTransport`'s own way (`polite`): slower, and nothing else changes.

What a datagram must pass before it gets anywhere is in `filter`; this module puts the filter in front of aioice.
"""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# The libraries' private names are what this module is for, and pylibsrtp is not typed.

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import struct
from collections.abc import Callable, Container, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, cast

import aioice.ice
import pylibsrtp
from aioice import stun
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceTransport,
    RTCSctpTransport,
)
from aiortc.rtp import AnyRtcpPacket, RtcpPacket
from aiortc.sdp import candidate_to_sdp
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from signalreel_adapters.media.aiortc.addresses import bind_in_range, machine_hosts, reached_at
from signalreel_adapters.media.aiortc.errors import DescriptionImpossible, TransportFailed
from signalreel_adapters.media.aiortc.filter import Address, Candidate, SourceFilter
from signalreel_adapters.media.aiortc.peer import Egress, Remote
from signalreel_adapters.media.aiortc.sdp import Fingerprint, LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = (
    "RAW_WAY_WORKS",
    "AioicePeer",
    "DtlsPeer",
    "IceLike",
    "ffi",
    "fingerprint_of",
    "is_rtcp",
    "protect_in_place",
)

# The library exports them without saying so.
_srtp: Final[Any] = pylibsrtp
ffi: Final[Any] = _srtp.ffi
protect_in_place: Final[Any] = _srtp.lib.srtp_protect
"""`(context, buffer, length *) -> 0 or an error`: encrypts an RTP packet where it stands."""

_logger: Final = logging.getLogger(__name__)

_RTCP_TYPES: Final = range(192, 209)  # the second byte of an RTCP packet behind rtcp-mux (RFC 5761, section 4)
_RTCP_BYTES_MAX: Final = 1_200
_FINGERPRINT_ALGORITHM: Final = "sha-256"


def fingerprint_of(certificate: RTCCertificate) -> Fingerprint:
    """Give the hash of our certificate that our descriptions carry."""
    found = next(each for each in certificate.getFingerprints() if each.algorithm == _FINGERPRINT_ALGORITHM)
    return Fingerprint(found.algorithm, found.value)


def is_rtcp(data: bytes) -> bool:
    """Whether a packet of the range of RTP is RTCP (RFC 5761, section 4)."""
    return len(data) > 1 and data[1] in _RTCP_TYPES


def _run_now(coroutine: Coroutine[Any, Any, object]) -> bool:
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

    def __init__(self, ice: "IceLike", certificate: RTCCertificate, *, raw: bool) -> None:
        self.on_rtp: Callable[[bytes], None] = _ignore
        self.on_rtcp: Callable[[list[AnyRtcpPacket]], None] = _ignore
        self.on_lost: Callable[[str], None] = _ignore
        self.last_heard = 0.0
        self.egress: Egress | None = None
        self.junk = 0  #: packets that were no SRTP of this peer
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
            raise TransportFailed("the DTLS handshake failed") from error
        if self._dtls.state != "connected":
            raise TransportFailed("the DTLS handshake failed")
        self.last_heard = self._loop.time()
        if self._raw:
            self._receiving = self._dtls._rx_srtp  # noqa: SLF001

    def _open_egress(self, send: Callable[[Any, Any], object], address: Address) -> None:
        """Send the raw way from now on; DTLS must be connected."""
        session = self._dtls._tx_srtp  # noqa: SLF001
        self.egress = Egress(session._srtp[0], session, send, address)  # noqa: SLF001

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
            return _run_now(self._dtls._send_rtp(packet))  # noqa: SLF001
        session = self._dtls._tx_srtp  # noqa: SLF001
        try:
            egress.send(session.protect_rtcp(packet) if rtcp else session.protect(packet), egress.address)
        except (OSError, SrtpError, ValueError):
            return False
        return True

    def open_sctp(self) -> RTCSctpTransport:
        """Give the transport of the data channels. It ignores what it cannot make sense of, instead of ending DTLS."""
        if self._sctp is None:
            self._sctp = RTCSctpTransport(self._dtls)
            handle = self._sctp._handle_data  # noqa: SLF001

            async def handle_guarded(data: bytes) -> None:
                try:
                    await handle(data)
                except ConnectionError:
                    raise
                except Exception as error:  # noqa: BLE001 - asserts, decoding errors and worse, all at a peer's will
                    self.junk += 1
                    _logger.debug("an SCTP packet was dropped: %s", type(error).__name__)

            self._sctp._handle_data = handle_guarded  # type: ignore[method-assign]  # noqa: SLF001
        return self._sctp

    def _dtls_changed(self) -> None:
        if self._dtls.state == "closed":
            self._lose("the peer closed the transport")

    def _lose(self, reason: str) -> None:
        if not self._closed:
            callback, self.on_lost = self.on_lost, _ignore
            callback(reason)

    async def _close_secure(self) -> None:
        self._closed = True
        self.egress = None
        self.on_rtp = self.on_rtcp = self.on_lost = _ignore
        if self._sctp is not None:
            await self._sctp.stop()
        await self._dtls.stop()
        self._dtls.remove_all_listeners()


def _reached_at(candidates: Sequence[RTCIceCandidate], advertised: Sequence[str]) -> list[RTCIceCandidate]:
    by_port = {each.port: each for each in candidates}
    found = reached_at([(each.ip, each.port) for each in candidates], advertised)
    return [replace(by_port[port], ip=host) for host, port in found]


class AioicePeer(DtlsPeer):
    """A peer over aioice: sockets of its own, one for each address offered."""

    def __init__(
        self, settings: AiortcSettings, certificate: RTCCertificate, *, controlling: bool, raw: bool = RAW_WAY_WORKS
    ) -> None:
        self._user_fragment = secrets.token_hex(8)
        self._gatherer = RTCIceGatherer(
            iceServers=[],  # the default asks a public STUN server, and waits for it
            local_username=self._user_fragment,
            local_password=secrets.token_hex(16),
        )
        self._ice = RTCIceTransport(self._gatherer)
        super().__init__(self._ice, certificate, raw=raw)
        self._settings = settings
        self._certificate = certificate
        self._connection: Any = self._ice._connection  # noqa: SLF001
        self._connection.ice_controlling = controlling
        self._filter = SourceFilter(self._user_fragment, settings.sources_max, settings.unasked_checks_max)
        self._pair: Any = None
        self.socket: socket.socket | None = None  #: a duplicate of the nominated one, for sending
        self._ice.on("statechange", self._ice_changed)

    async def gather(self) -> LocalTransport:
        """Open one socket for each address to offer."""
        hosts = self._settings.hosts or machine_hosts()
        own = self._connection.get_component_candidates

        # aioice leaves loopback out, and lets nobody choose; this instance gets its addresses from us.
        async def chosen(**options: Any) -> object:
            if self._settings.ports is not None:
                bound = [await self._bind(host, self._settings.ports) for host in hosts]
                return [candidate for candidate in bound if candidate is not None]
            return await own(**(options | {"addresses": list(hosts)}))

        self._connection.get_component_candidates = chosen
        await self._gatherer.gather()
        candidates = self._gatherer.getLocalCandidates()
        if not candidates:
            raise DescriptionImpossible("none of the addresses to offer can be bound, or no port is left in the range")
        for protocol in self._connection._protocols:  # noqa: SLF001
            self._guard(protocol)
        parameters = self._gatherer.getLocalParameters()
        return LocalTransport(
            user_fragment=str(parameters.usernameFragment),
            password=str(parameters.password),
            fingerprint=fingerprint_of(self._certificate),
            candidates=tuple(map(candidate_to_sdp, _reached_at(candidates, self._settings.advertised))),
        )

    async def _bind(self, host: str, ports: tuple[int, int]) -> aioice.Candidate | None:
        """Open the socket of one address on a port of the range, as aioice itself does on any port."""
        opened = bind_in_range(host, ports)
        if opened is None:
            return None
        _, protocol = await self._loop.create_datagram_endpoint(
            lambda: aioice.ice.StunProtocol(self._connection), sock=opened
        )
        protocol.local_candidate = aioice.Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=1,
            transport="udp",
            priority=candidate_priority(1, "host"),
            host=host,
            port=opened.getsockname()[1],
            type="host",
        )
        self._connection._protocols.append(protocol)  # noqa: SLF001
        return protocol.local_candidate

    def _guard(self, protocol: aioice.ice.StunProtocol) -> None:
        """Put the filter in front of one socket and behind it, and the short way to SRTP into it."""
        deliver, send = protocol.datagram_received, protocol.send_stun
        verified = self._filter.verified
        queue = self._connection._queue  # noqa: SLF001
        queue_max = self._settings.receive_queue_max

        def datagram_received(data: bytes, source: tuple[Any, ...]) -> None:
            address = source[:2]
            first = data[0] if data else 255
            if 127 < first < 192:  # noqa: PLR2004 - RTP and RTCP (RFC 7983, section 7)
                if address in verified:
                    if self._receiving is not None:
                        self._take_media(data)
                    elif not self._raw and queue.qsize() < queue_max:
                        deliver(data, source)
            elif first < 4:  # noqa: PLR2004 - STUN
                self._take_check(data, source, protocol.transactions, deliver)
            elif 19 < first < 64 and self._is_verified(address) and queue.qsize() < queue_max:  # noqa: PLR2004 - DTLS
                deliver(data, source)

        # One that is withheld looks to aioice like one that was lost: it is repeated, and given up in the end.
        def send_stun(message: stun.Message, target: Address) -> None:
            if message.message_class != stun.Class.REQUEST or self._filter.may_check(target):
                send(message, target)

        protocol.datagram_received = datagram_received  # type: ignore[method-assign, assignment]
        protocol.send_stun = send_stun  # type: ignore[method-assign, assignment]

    def _take_check(
        self,
        data: bytes,
        source: tuple[Any, ...],
        asked: Container[bytes],
        deliver: Callable[[bytes, tuple[Any, ...]], None],
    ) -> None:
        """Pass on a check of the peer's, or an answer to one of ours.

        aioice queues what it cannot parse as if it were data, and nobody reads that queue before there is a path. So
        only what parses is passed on, and no bound of the queue concerns it: junk must not keep out the very check
        that would end the waiting.
        """
        address = source[:2]
        if not self._filter.admits_check(data, address, asked):
            return
        try:
            stun.parse_message(data)
            deliver(data, source)
        except (ValueError, struct.error, IndexError, KeyError, AssertionError):
            self.junk += 1
            return
        if address in self._filter.verified:
            self.last_heard = self._loop.time()

    def _is_verified(self, address: Address) -> bool:
        if address in self._filter.verified:
            return True
        if self._ice.state != "completed":
            self._verify()
        if address in self._filter.verified:
            return True
        self._filter.dropped += 1
        return False

    def _verify(self) -> None:
        """Note the addresses that ICE has verified: by our check, or by one of the peer's that nominates."""
        succeeded = aioice.ice.CandidatePair.State.SUCCEEDED
        for pair in self._connection._check_list:  # noqa: SLF001
            if pair.state is succeeded or pair.remote_nominated:
                self._filter.verified.add(pair.remote_addr)

    def add_candidate(self, candidate: Candidate) -> None:
        """Take one more address of the peer. Its end of candidates is never passed on: checks may come without any."""
        _run_now(
            self._ice.addRemoteCandidate(
                RTCIceCandidate(
                    component=1,
                    foundation=candidate.foundation,
                    ip=candidate.address,
                    port=candidate.port,
                    priority=candidate.priority,
                    protocol="udp",
                    type=candidate.type,
                )
            )
        )

    async def connect(self, remote: Remote) -> None:
        """Check, then shake hands. Raises `TransportFailed`."""
        for candidate in remote.candidates:
            self.add_candidate(candidate)
        await self._ice.start(RTCIceParameters(remote.user_fragment, remote.password, iceLite=remote.ice_lite))
        if self._ice.state != "completed":
            raise TransportFailed("no path to the peer was found")
        self._verify()
        await self._secure(remote)
        self.refresh()

    def refresh(self) -> None:
        """Follow the pair that ICE has nominated; peers change networks."""
        self._verify()
        pair = self._connection._nominated.get(1)  # noqa: SLF001
        if pair is None or pair is self._pair or not self._raw or self._closed or self._dtls.state != "connected":
            return
        self._pair = pair
        handle = pair.protocol.transport.get_extra_info("socket")
        if handle is None or pair.local_candidate.type == "relay":  # through TURN there is no socket of its own
            self._close_egress()
            return
        if self.socket is not None:
            self.socket.close()
        self.socket = socket.socket(fileno=os.dup(handle.fileno()))
        self.socket.setblocking(False)
        self._open_egress(self.socket.sendto, pair.remote_addr)

    def _ice_changed(self) -> None:
        if self._ice.state in {"failed", "closed"}:
            self._lose("the path to the peer was lost")

    async def close(self) -> None:
        """Say goodbye and free everything."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(self._settings.close_timeout):
                await self._close_secure()
                await self._ice.stop()
        except TimeoutError:
            _logger.warning("a transport did not close in time")
        except (ConnectionError, OSError, AssertionError) as error:
            _logger.debug("a transport did not close cleanly: %s", type(error).__name__)
        finally:
            if self.socket is not None:
                self.socket.close()
                self.socket = None
