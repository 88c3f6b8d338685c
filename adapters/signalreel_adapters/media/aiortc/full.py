"""A peer with sockets of its own: a full ICE agent, by aioice.

aioice trusts whatever arrives; the filter of `filter` is put in front of it here, and behind it.
"""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# aioice keeps to itself what has to be checked; `transport` says who else knows private names.

import logging
import os
import secrets
import socket
import struct
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import Any, Final

import aioice.ice
from aioice import stun
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import (
    RTCCertificate,
    RTCIceCandidate,
    RTCIceGatherer,
    RTCIceParameters,
    RTCIceServer,
    RTCIceTransport,
    RTCIceTransportPolicy,
)
from aiortc.sdp import candidate_to_sdp

from signalreel_adapters.media.aiortc.addresses import bind_in_range, machine_hosts, reached_at
from signalreel_adapters.media.aiortc.errors import DescriptionImpossible, TransportFailed
from signalreel_adapters.media.aiortc.filter import Address, Candidate, SourceFilter
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.sdp import LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings, TurnServer
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS, DtlsPeer, fingerprint_of, run_now

__all__ = ("AioicePeer",)

_logger: Final = logging.getLogger(__name__)

_UNPARSABLE: Final = (ValueError, struct.error, IndexError, KeyError, AssertionError)
"""All that aioice raises about a STUN message, promised or not."""


def _relays(turn: TurnServer | None) -> list[RTCIceServer]:
    if turn is None:
        return []
    try:
        return [RTCIceServer(urls=turn.uri, username=turn.username, credential=turn.credential())]
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptionImpossible("the credential of the TURN server cannot be read") from error


def _policy(turn: TurnServer | None) -> RTCIceTransportPolicy:
    return RTCIceTransportPolicy.RELAY if turn is not None and turn.only else RTCIceTransportPolicy.ALL


def _reached_at(candidates: Sequence[RTCIceCandidate], advertised: Sequence[str]) -> list[RTCIceCandidate]:
    """Name other addresses for our own; a relay's address is as it is."""
    own = {each.port: each for each in candidates if each.type == "host"}
    found = reached_at([(each.ip, each.port) for each in own.values()], advertised)
    relayed = [each for each in candidates if each.type != "host"]
    return [*(replace(own[port], ip=host) for host, port in found), *relayed]


class AioicePeer(DtlsPeer):
    """A peer over aioice: sockets of its own, one for each address offered."""

    def __init__(
        self, settings: AiortcSettings, certificate: RTCCertificate, *, controlling: bool, raw: bool = RAW_WAY_WORKS
    ) -> None:
        self._user_fragment, password = secrets.token_hex(8), secrets.token_hex(16)
        self._password = password.encode()  # the key of the checks
        self._gatherer = RTCIceGatherer(
            iceServers=_relays(settings.turn),  # not given, it would ask a public STUN server, and wait for it
            iceTransportPolicy=_policy(settings.turn),
            local_username=self._user_fragment,
            local_password=password,
        )
        self._ice = RTCIceTransport(self._gatherer)
        super().__init__(self._ice, settings, certificate, raw=raw)
        self._connection: Any = self._ice._connection  # noqa: SLF001
        self._connection.ice_controlling = controlling
        self._filter = SourceFilter(
            self._user_fragment,
            self._is_authentic,
            sources_max=settings.sources_max,
            unasked_max=settings.unasked_checks_max,
            remembered_max=settings.checks_remembered_max,
        )
        self._pair: Any = None
        self.socket: socket.socket | None = None  #: a duplicate of the nominated one, for sending
        self._ice.on("statechange", self._ice_changed)

    async def gather(self) -> LocalTransport:
        """Open one socket for each address to offer."""
        turn = self._settings.turn
        hosts = (self._settings.hosts or machine_hosts()) if turn is None or not turn.only else ()
        own = self._connection.get_component_candidates

        # aioice leaves loopback out, and lets nobody choose; this instance gets its addresses from us.
        async def chosen(**options: Any) -> object:
            if self._settings.ports is not None:
                bound = [await self._bind(host, self._settings.ports) for host in hosts]
                relayed = await own(**(options | {"addresses": []}))
                return [*(candidate for candidate in bound if candidate is not None), *relayed]
            return await own(**(options | {"addresses": list(hosts)}))

        self._connection.get_component_candidates = chosen
        await self._gatherer.gather()
        candidates = self._gatherer.getLocalCandidates()
        if not candidates:
            raise DescriptionImpossible("none of the addresses to offer can be bound, or no port is left in the range")
        if turn is not None and all(candidate.type != "relay" for candidate in candidates):
            _logger.warning("the TURN server relays nothing: it is not there, or does not take our credential")
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
        except _UNPARSABLE:
            self.junk += 1
            return
        if address in self._filter.verified:
            self.last_heard = self._loop.time()

    def _is_authentic(self, data: bytes) -> bool:
        try:
            request = stun.parse_message(data)
        except _UNPARSABLE:
            return False
        return "MESSAGE-INTEGRITY" in request.attributes and request.check_message_integrity(self._password)

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
        run_now(
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
        self._open_egress(self.socket, pair.remote_addr)

    def _ice_changed(self) -> None:
        if self._ice.state in {"failed", "closed"}:
            self._lose("the path to the peer was lost")

    async def close(self) -> None:
        """Say goodbye and free everything."""
        if self._closed:
            return
        try:
            await self._bounded(self._close_secure(), self._settings.close_timeout)
        finally:
            if self.socket is not None:
                self.socket.close()
                self.socket = None
            # The sockets are closed with it, however the goodbye went.
            await self._bounded(self._ice.stop(), self._settings.close_timeout)
