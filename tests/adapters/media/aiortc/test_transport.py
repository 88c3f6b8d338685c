"""A peer's transport over aioice: packets both ways, and what strangers cannot do to it."""

import asyncio
import socket
import struct

import pytest
from aioice import stun
from aiortc import RTCCertificate
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket
from msgspec import structs

from signalreel_adapters.media.aiortc.errors import DescriptionImpossible, TransportFailed
from signalreel_adapters.media.aiortc.filter import Candidate, parse_candidate
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.sdp import Fingerprint, LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS, AioicePeer, fingerprint_of
from tests.adapters.media.aiortc.fakes import junk, rtp
from tests.adapters.media.aiortc.peers import SETTINGS, eventually, free_port

pytestmark = pytest.mark.anyio

CERTIFICATE = RTCCertificate.generateCertificate()
CLIENT_HELLO = b"\x16\xfe\xff" + bytes(8) + b"\x00\x0c\x01" + bytes(11)


def candidates(local: LocalTransport) -> tuple[Candidate, ...]:
    """Read the candidates of a description."""
    return tuple(found for line in local.candidates if (found := parse_candidate(line)) is not None)


def remote(local: LocalTransport, *, dtls_client: bool, with_candidates: bool = True) -> Remote:
    """See a transport from the other end."""
    return Remote(
        local.user_fragment,
        local.password,
        local.ice_lite,
        (local.fingerprint,),
        dtls_client,
        candidates(local) if with_candidates else (),
    )


class Pair:
    """Two transports of one call."""

    def __init__(self, *, raw: bool = True, settings: AiortcSettings = SETTINGS) -> None:
        self.server = AioicePeer(settings, CERTIFICATE, controlling=False, raw=raw)
        self.client = AioicePeer(SETTINGS, CERTIFICATE, controlling=True)
        self.at_server: list[bytes] = []
        self.at_client: list[bytes] = []
        self.rtcp: list[AnyRtcpPacket] = []
        self.lost: list[str] = []
        self.server.on_rtp = self.at_server.append
        self.client.on_rtp = self.at_client.append
        self.server.on_rtcp = self.rtcp.extend
        self.server.on_lost = self.lost.append

    async def connect(self) -> None:
        """Connect both ends."""
        ours, theirs = await self.server.gather(), await self.client.gather()
        async with asyncio.timeout(10):
            await asyncio.gather(
                self.server.connect(remote(theirs, dtls_client=True)),
                self.client.connect(remote(ours, dtls_client=False)),
            )

    def server_address(self) -> tuple[str, int]:
        """Where the server listens."""
        address = self.server._connection._protocols[0].transport.get_extra_info("sockname")
        return address[0], address[1]

    async def close(self) -> None:
        """Close both ends."""
        await asyncio.gather(self.server.close(), self.client.close())


@pytest.mark.parametrize("raw", [True, False])
async def test_packets_cross_in_both_directions(raw: bool) -> None:
    """The polite way carries what the raw way carries, RTP and RTCP."""
    pair = Pair(raw=raw)
    await pair.connect()
    assert (pair.server.egress is not None) is raw
    assert pair.server.send_rtp(rtp(1, payload=b"to the client"))
    assert pair.client.send_rtp(rtp(2, payload=b"to the server"))
    pair.client.send_rtcp([RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2)] * 3)
    await eventually(lambda: pair.at_server and pair.at_client and len(pair.rtcp) == 3, "everything arrives")

    assert pair.at_client == [rtp(1, payload=b"to the client")]
    assert pair.at_server == [rtp(2, payload=b"to the server")]
    await pair.close()


async def test_a_peer_without_candidates_is_found_by_its_checks() -> None:
    """Browsers that hide their addresses connect, and so do those whose candidates were refused."""
    pair = Pair()
    ours, theirs = await pair.server.gather(), await pair.client.gather()
    async with asyncio.timeout(10):
        await asyncio.gather(
            pair.server.connect(remote(theirs, dtls_client=True, with_candidates=False)),
            pair.client.connect(remote(ours, dtls_client=False)),
        )

    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_nothing_is_sent_before_and_after() -> None:
    """A packet for a peer that is not connected is dropped, without a word."""
    pair = Pair()
    assert not pair.server.send_rtp(rtp(1))
    await pair.connect()
    await pair.close()

    assert not pair.server.send_rtp(rtp(1))
    assert pair.server.egress is None
    assert pair.server.socket is None
    await pair.close()


async def test_a_goodbye_is_noticed_once() -> None:
    """The peer's end of DTLS is reported, our own is not."""
    pair = Pair()
    await pair.connect()
    await pair.client.close()
    await eventually(lambda: pair.lost, "the loss is noticed")
    await pair.server.close()

    assert len(pair.lost) == 1


async def test_another_certificate_than_the_described_one_fails() -> None:
    """The fingerprint of the description is what the handshake is checked against."""
    pair = Pair()
    ours, theirs = await pair.server.gather(), await pair.client.gather()
    forged = structs.replace(theirs, fingerprint=Fingerprint("sha-256", ":".join(["00"] * 32)))
    connecting = asyncio.ensure_future(pair.client.connect(remote(ours, dtls_client=False)))
    with pytest.raises(TransportFailed):
        async with asyncio.timeout(10):
            await pair.server.connect(remote(forged, dtls_client=True))
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await pair.close()


async def test_strangers_cannot_disturb_the_handshake() -> None:
    """A stream of forged ClientHellos and alerts from other ports, before and during it: set-up succeeds every time."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(5):
        pair = Pair()
        ours, theirs = await pair.server.gather(), await pair.client.gather()
        address = pair.server_address()

        async def flood(address: tuple[str, int] = address) -> None:
            while True:
                stranger.sendto(CLIENT_HELLO, address)
                stranger.sendto(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", address)
                await asyncio.sleep(0.001)

        flooding = asyncio.ensure_future(flood())
        async with asyncio.timeout(10):
            await asyncio.gather(
                pair.server.connect(remote(theirs, dtls_client=True)),
                pair.client.connect(remote(ours, dtls_client=False)),
            )
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        assert pair.server._filter.dropped > 0
        await pair.close()
    stranger.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x01" + bytes(30),
        b"\x01\x01" + bytes(60),
        b"\x01\x01\x00\x00" + struct.pack("!I", stun.COOKIE) + bytes(12),
        b"\x00\x01\x00\x08" + bytes(24),
    ],
    ids=["cut off", "of a wrong length", "an answer to nothing", "a check of nobody"],
)
async def test_datagrams_that_look_like_checks_stop_no_set_up(data: bytes) -> None:
    """More of them than may wait, before the peer's own checks arrive: none waits, and the set-up succeeds."""
    pair = Pair()
    ours, theirs = await pair.server.gather(), await pair.client.gather()
    count = 2 * SETTINGS.receive_queue_max
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(count):
            stranger.sendto(data, pair.server_address())
        await asyncio.sleep(0.1)
    assert pair.server._connection._queue.qsize() == 0
    async with asyncio.timeout(10):
        await asyncio.gather(
            pair.server.connect(remote(theirs, dtls_client=True)),
            pair.client.connect(remote(ours, dtls_client=False)),
        )

    assert pair.server._filter.dropped == count
    await pair.close()


async def test_checks_are_heard_while_the_queue_is_full() -> None:
    """What waits to be read keeps no check out, because it is a check that lets the reading begin."""
    pair = Pair()
    ours, theirs = await pair.server.gather(), await pair.client.gather()
    for _ in range(2 * SETTINGS.receive_queue_max):
        pair.server._connection.data_received(b"junk", 1)
    async with asyncio.timeout(10):
        await asyncio.gather(
            pair.server.connect(remote(theirs, dtls_client=True)),
            pair.client.connect(remote(ours, dtls_client=False)),
        )

    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_a_flood_of_junk_is_not_kept() -> None:
    """Ten thousand datagrams, before there is a path and after: nothing queues, and the call goes on."""
    pair = Pair()
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    await pair.server.gather()
    address = pair.server_address()
    for data in junk(5_000):
        stranger.sendto(data, address)
    await asyncio.sleep(0.1)
    assert pair.server._connection._queue.qsize() <= SETTINGS.receive_queue_max
    await pair.close()

    pair = Pair()
    await pair.connect()
    for data in junk(5_000):
        stranger.sendto(data, pair.server_address())
    await asyncio.sleep(0.1)
    pair.client.send_rtp(rtp(1))
    await eventually(lambda: pair.at_server, "the call goes on")
    assert pair.server._connection._queue.qsize() <= SETTINGS.receive_queue_max
    stranger.close()
    await pair.close()


async def test_junk_from_the_peers_own_address_is_counted() -> None:
    """A peer that sends what is no SRTP of its call, SRTCP, DTLS or STUN harms nobody."""
    pair = Pair()
    await pair.connect()
    socket_of_client = pair.client.socket
    assert socket_of_client is not None
    for data in junk(500):
        if data:
            socket_of_client.sendto(data, pair.server_address())
    for first in (0x80, 0x00, 0x01):
        socket_of_client.sendto(bytes((first, 200)) + bytes(20), pair.server_address())
    pair.client.send_rtp(rtp(1))
    await eventually(lambda: pair.at_server, "the call goes on")

    assert pair.server.junk > 0
    await pair.close()


async def test_a_check_with_a_broken_attribute_is_dropped() -> None:
    """aioice's parser raises more than it says; a check must not end in the event loop's error handler."""
    pair = Pair()
    ours = await pair.server.gather()
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    name = f"{ours.user_fragment}:x".encode()
    body = (
        struct.pack("!HH", 0x0006, len(name))
        + name
        + bytes(-len(name) % 4)
        + struct.pack("!HHH", 0x0024, 2, 7)
        + b"\0\0"
    )
    header = struct.pack("!HHI12s", 1, len(body), stun.COOKIE, bytes(12))
    stranger.sendto(header + body, pair.server_address())
    await eventually(lambda: pair.server.junk == 1, "it is counted")

    stranger.close()
    await pair.close()


async def test_a_client_does_not_choose_how_many_packets_strangers_get() -> None:
    """Thirty candidates, each checked up to seven times, would be two hundred packets to whom the client names."""
    settings = structs.replace(SETTINGS, unasked_checks_max=10)
    server = AioicePeer(settings, CERTIFICATE, controlling=False)
    ours = await server.gather()
    got = list[bytes]()

    class Target(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            got.append(data)

    loop = asyncio.get_running_loop()
    targets = [(await loop.create_datagram_endpoint(Target, local_addr=("127.0.0.1", 0)))[0] for _ in range(20)]
    named = tuple(
        Candidate(str(number), 1 + number, "127.0.0.1", target.get_extra_info("sockname")[1], "host")
        for number, target in enumerate(targets)
    )
    connecting = asyncio.ensure_future(
        server.connect(structs.replace(remote(ours, dtls_client=True), candidates=named))
    )
    await eventually(lambda: server._filter.withheld >= 10, "every target has had its turn")
    await asyncio.sleep(0.05)

    assert len(got) == 10
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    for target in targets:
        target.close()
    await server.close()


async def test_a_call_is_set_up_when_all_checks_to_strangers_are_used_up() -> None:
    """The peer's own checks say where it is."""
    pair = Pair(settings=structs.replace(SETTINGS, unasked_checks_max=0))
    await pair.connect()

    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_addresses_that_cannot_be_bound_are_no_description() -> None:
    """There is nothing to offer, and that is our fault."""
    peer = AioicePeer(structs.replace(SETTINGS, hosts=("203.0.113.7",)), CERTIFICATE, controlling=False)
    with pytest.raises(DescriptionImpossible):
        await peer.gather()
    await peer.close()


async def test_ports_come_from_the_range_until_it_is_used_up() -> None:
    """A pair connects over them; who finds none left is given none, and that is our fault."""
    port = free_port()
    pair = Pair(settings=structs.replace(SETTINGS, ports=(port, port)))
    await pair.connect()
    assert pair.server.egress is not None
    assert pair.server.socket is not None
    assert pair.server.socket.getsockname() == ("127.0.0.1", port)
    late = AioicePeer(structs.replace(SETTINGS, ports=(port, port)), CERTIFICATE, controlling=False)
    with pytest.raises(DescriptionImpossible, match="no port"):
        await late.gather()
    await late.close()
    await pair.close()

    again = AioicePeer(structs.replace(SETTINGS, ports=(port, port)), CERTIFICATE, controlling=False)
    assert f" {port} typ host" in (await again.gather()).candidates[0]
    await again.close()


async def test_advertised_addresses_are_offered_and_the_bound_ones_are_not() -> None:
    """Behind a NAT, others come by its address."""
    port = free_port()
    settings = structs.replace(SETTINGS, ports=(port, port), advertised=("192.0.2.1",))
    peer = AioicePeer(settings, CERTIFICATE, controlling=False)

    assert [line.split()[4:6] for line in (await peer.gather()).candidates] == [["192.0.2.1", str(port)]]
    await peer.close()


async def test_sctp_junk_ends_nothing() -> None:
    """The data channel's stack asserts what a peer can violate; DTLS must not end by it."""
    pair = Pair()
    await pair.connect()
    sctp = pair.server.open_sctp()
    for data in junk(300):
        await sctp._handle_data(data)
    await sctp._handle_data(b"\x13\x88\x13\x88" + bytes(4) + bytes(4) + b"\x01\x00\x00\x04" * 3)

    assert sctp is pair.server.open_sctp()
    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_the_self_test_passes() -> None:
    """With the libraries that are installed every private name is there, and protecting in place works."""
    assert RAW_WAY_WORKS


async def test_the_fingerprint_is_sha_256() -> None:
    """What every browser understands."""
    fingerprint = fingerprint_of(CERTIFICATE)

    assert fingerprint.algorithm == "sha-256"
    assert len(fingerprint.value.split(":")) == 32
