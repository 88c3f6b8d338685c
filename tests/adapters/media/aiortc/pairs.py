"""Both ends of one transport, over each of the ways that there are; the server's end is what a test looks at."""

import asyncio

from aiortc import RTCCertificate
from aiortc.rtp import AnyRtcpPacket

from signalreel_adapters.media.aiortc.filter import Candidate, parse_candidate
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.lite import LitePeer, UdpMux
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.sdp import LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.peers import SETTINGS

__all__ = ("CERTIFICATE", "TRANSPORTS", "Pair", "remote")

CERTIFICATE = RTCCertificate.generateCertificate()
TRANSPORTS = ("port-each", "one-port")


def remote(local: LocalTransport, *, dtls_client: bool, with_candidates: bool = True) -> Remote:
    """See a transport from the other end."""
    return Remote(
        local.user_fragment,
        local.password,
        local.ice_lite,
        (local.fingerprint,),
        dtls_client,
        _candidates(local) if with_candidates else (),
    )


def _candidates(local: LocalTransport) -> tuple[Candidate, ...]:
    return tuple(found for line in local.candidates if (found := parse_candidate(line)) is not None)


class Pair:
    """Two ends of one call. A shared port that a test brings along stays open."""

    def __init__(
        self,
        transport: str = "port-each",
        *,
        raw: bool = True,
        settings: AiortcSettings = SETTINGS,
        theirs: AiortcSettings = SETTINGS,
        mux: UdpMux | None = None,
    ) -> None:
        self._own_mux: UdpMux | None = None
        if transport == "one-port" and mux is None:
            mux = self._own_mux = UdpMux(settings.hosts, 0)
        self.mux = mux
        self.server: LitePeer | AioicePeer = (
            AioicePeer(settings, CERTIFICATE, controlling=False, raw=raw)
            if mux is None
            else LitePeer(mux, settings, CERTIFICATE, raw=raw)
        )
        self.client = AioicePeer(theirs, CERTIFICATE, controlling=True)
        self.at_server: list[bytes] = []
        self.at_client: list[bytes] = []
        self.rtcp: list[AnyRtcpPacket] = []
        self.lost: list[str] = []
        self._described: tuple[LocalTransport, LocalTransport] | None = None
        self.server.on_rtp = self.at_server.append
        self.client.on_rtp = self.at_client.append
        self.server.on_rtcp = self.rtcp.extend
        self.server.on_lost = self.lost.append

    @property
    def full(self) -> AioicePeer:
        """The server's end, with sockets of its own."""
        assert isinstance(self.server, AioicePeer)
        return self.server

    @property
    def lite(self) -> LitePeer:
        """The server's end, on the shared port."""
        assert isinstance(self.server, LitePeer)
        return self.server

    async def gather(self) -> tuple[LocalTransport, LocalTransport]:
        """Open the sockets of both ends; gives the server's description and the client's."""
        if self._described is None:
            self._described = await self.server.gather(), await self.client.gather()
        return self._described

    async def connect(self, *, with_candidates: bool = True) -> None:
        """Connect both ends."""
        ours, theirs = await self.gather()
        async with asyncio.timeout(10):
            await asyncio.gather(
                self.server.connect(remote(theirs, dtls_client=True, with_candidates=with_candidates)),
                self.client.connect(remote(ours, dtls_client=False)),
            )

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens; both ends have gathered."""
        assert self._described is not None
        candidate = _candidates(self._described[0])[0]
        return candidate.address, candidate.port

    def send_from_client(self, data: bytes) -> None:
        """Send a datagram from the very socket that the client's end was verified with."""
        assert self.client.socket is not None
        self.client.socket.sendto(data, self.address)

    async def close(self) -> None:
        """Close both ends."""
        await asyncio.gather(self.server.close(), self.client.close())
        if self._own_mux is not None:
            self._own_mux.close()
