"""A peer with sockets of its own: where it is offered, and what strangers cannot do to it."""

import asyncio
import socket
import struct

import pytest
from aioice import stun
from msgspec import structs

from signalreel_adapters.media.aiortc.errors import DescriptionImpossible
from signalreel_adapters.media.aiortc.filter import Candidate
from signalreel_adapters.media.aiortc.full import AioicePeer
from tests.adapters.media.aiortc.fakes import junk, rtp
from tests.adapters.media.aiortc.pairs import CERTIFICATE, Pair, remote
from tests.adapters.media.aiortc.peers import SETTINGS, eventually, free_port

pytestmark = pytest.mark.anyio

CLIENT_HELLO = b"\x16\xfe\xff" + bytes(8) + b"\x00\x0c\x01" + bytes(11)


async def test_a_peer_without_candidates_is_found_by_its_checks() -> None:
    """Browsers that hide their addresses connect, and so do those whose candidates were refused."""
    pair = Pair()
    await pair.gather()
    await pair.connect(with_candidates=False)

    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_strangers_cannot_disturb_the_handshake() -> None:
    """A stream of forged ClientHellos and alerts from other ports, before and during it: set-up succeeds every time."""
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for _ in range(5):
        pair = Pair()
        await pair.gather()
        address = pair.address

        async def flood(address: tuple[str, int] = address) -> None:
            while True:
                stranger.sendto(CLIENT_HELLO, address)
                stranger.sendto(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", address)
                await asyncio.sleep(0.001)

        flooding = asyncio.ensure_future(flood())
        await pair.connect()
        flooding.cancel()
        await asyncio.gather(flooding, return_exceptions=True)
        assert pair.full._filter.dropped > 0
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
    await pair.gather()
    count = 2 * SETTINGS.receive_queue_max
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(count):
            stranger.sendto(data, pair.address)
        await asyncio.sleep(0.1)
    assert pair.full._connection._queue.qsize() == 0
    await pair.connect()

    assert pair.full._filter.dropped == count
    await pair.close()


async def test_checks_are_heard_while_the_queue_is_full() -> None:
    """What waits to be read keeps no check out, because it is a check that lets the reading begin."""
    pair = Pair()
    await pair.gather()
    for _ in range(2 * SETTINGS.receive_queue_max):
        pair.full._connection.data_received(b"junk", 1)
    await pair.connect()

    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_a_flood_of_junk_is_not_kept() -> None:
    """Ten thousand datagrams, before there is a path and after: nothing queues, and the call goes on."""
    pair = Pair()
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    await pair.gather()
    address = pair.address
    for data in junk(5_000):
        stranger.sendto(data, address)
    await asyncio.sleep(0.1)
    assert pair.full._connection._queue.qsize() <= SETTINGS.receive_queue_max
    await pair.close()

    pair = Pair()
    await pair.connect()
    for data in junk(5_000):
        stranger.sendto(data, pair.address)
    await asyncio.sleep(0.1)
    pair.client.send_rtp(rtp(1))
    await eventually(lambda: pair.at_server, "the call goes on")
    assert pair.full._connection._queue.qsize() <= SETTINGS.receive_queue_max
    stranger.close()
    await pair.close()


async def test_junk_from_the_peers_own_address_is_counted() -> None:
    """A peer that sends what is no SRTP of its call, SRTCP, DTLS or STUN harms nobody."""
    pair = Pair()
    await pair.connect()
    for data in junk(500):
        if data:
            pair.send_from_client(data)
    for first in (0x80, 0x00, 0x01):
        pair.send_from_client(bytes((first, 200)) + bytes(20))
    pair.client.send_rtp(rtp(1))
    await eventually(lambda: pair.at_server, "the call goes on")

    assert pair.server.junk > 0
    await pair.close()


async def test_a_check_with_a_broken_attribute_is_dropped() -> None:
    """aioice's parser raises more than it says; a check must not end in the event loop's error handler."""
    pair = Pair()
    ours, _ = await pair.gather()
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
    stranger.sendto(header + body, pair.address)
    await eventually(lambda: pair.full._filter.dropped == 1, "it is counted")

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
    assert pair.full.socket is not None
    assert pair.full.socket.getsockname() == ("127.0.0.1", port)
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


async def test_a_goodbye_that_fails_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library raises while it ends DTLS, the peer's sockets are closed behind it."""
    pair = Pair()
    await pair.connect()
    server = pair.full
    opened = [protocol.transport for protocol in server._connection._protocols]

    async def fail() -> None:
        raise ConnectionError

    with monkeypatch.context() as failing:
        failing.setattr(server._dtls, "stop", fail)
        await server.close()

    assert opened
    assert all(transport.is_closing() for transport in opened)
    await server._dtls.stop()
    await pair.client.close()
