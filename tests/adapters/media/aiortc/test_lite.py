"""Every peer on one port: told apart by their checks, and deaf to everybody else."""

import asyncio
import socket
import time

import pytest
from aioice import stun
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket

from signalreel_adapters.media.aiortc.errors import DescriptionImpossible, TransportFailed
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.lite import LitePeer, UdpMux
from tests.adapters.media.aiortc.fakes import junk, rtp
from tests.adapters.media.aiortc.pairs import CERTIFICATE, remote
from tests.adapters.media.aiortc.peers import SETTINGS, eventually

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1"
CLIENT_HELLO = b"\x16\xfe\xff" + bytes(8) + b"\x00\x0c\x01" + bytes(11)


class LaterClock:
    """The wall clock, or some time after it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return time.time() + self.ahead


def check(peer: LitePeer, *, password: bytes | None = None, nominate: bool = False) -> bytes:
    """A connectivity check for a peer."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{peer.user_fragment}:theirs"
    request.attributes["PRIORITY"] = 1
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password if password is not None else peer.password)
    return bytes(request)


async def connect(mux: UdpMux, *, raw: bool = True) -> tuple[LitePeer, AioicePeer, list[bytes], list[bytes]]:
    """Connect a client to the shared port."""
    server = LitePeer(mux, SETTINGS, CERTIFICATE, raw=raw)
    client = AioicePeer(SETTINGS, CERTIFICATE, controlling=True)
    at_server, at_client = list[bytes](), list[bytes]()
    server.on_rtp, client.on_rtp = at_server.append, at_client.append
    ours, theirs = await server.gather(), await client.gather()
    async with asyncio.timeout(10):
        await asyncio.gather(
            server.connect(remote(theirs, dtls_client=True)), client.connect(remote(ours, dtls_client=False))
        )
    return server, client, at_server, at_client


@pytest.mark.parametrize("raw", [True, False])
async def test_several_peers_share_one_port(raw: bool) -> None:
    """Each hears what was meant for it."""
    mux = UdpMux([HOST], 0)
    calls = [await connect(mux, raw=raw) for _ in range(3)]
    for number, (server, client, _, _) in enumerate(calls):
        server.send_rtp(rtp(number, payload=b"down"))
        client.send_rtp(rtp(number, payload=b"up"))
    await eventually(lambda: all(call[2] and call[3] for call in calls), "everything arrives")

    assert [call[2] for call in calls] == [[rtp(number, payload=b"up")] for number in range(3)]
    assert [call[3] for call in calls] == [[rtp(number, payload=b"down")] for number in range(3)]
    for server, client, _, _ in calls:
        await asyncio.gather(server.close(), client.close())
    assert (mux._by_address, mux._by_fragment) == ({}, {})
    mux.close()


async def test_strangers_are_not_heard() -> None:
    """Junk, a handshake, and checks with a wrong password from elsewhere: dropped, and never answered."""
    mux = UdpMux([HOST], 0)
    server, client, at_server, _ = await connect(mux)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((HOST, 0))
        stranger.setblocking(False)
        for data in [*junk(500), CLIENT_HELLO, rtp(1), check(server, password=b"guess"), b"\x00\x01" + bytes(18)]:
            stranger.sendto(data, mux.addresses[0])
        client.send_rtp(rtp(9))
        await eventually(lambda: at_server, "the call goes on")

        assert at_server == [rtp(9)]
        assert mux.dropped > 0
        with pytest.raises(BlockingIOError):
            stranger.recv(100)
    await asyncio.gather(server.close(), client.close())
    mux.close()


async def test_an_authentic_check_is_answered_and_moves_the_peer_when_it_nominates() -> None:
    """A peer that changes networks is followed; its old address is forgotten."""
    mux = UdpMux([HOST], 0)
    server, client, _, _ = await connect(mux)
    before = server.address
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as moved:
        moved.bind((HOST, 0))
        moved.settimeout(5)
        moved.sendto(check(server), mux.addresses[0])
        answer = stun.parse_message(await asyncio.to_thread(moved.recv, 1_000))
        assert answer.attributes["XOR-MAPPED-ADDRESS"] == moved.getsockname()
        assert answer.check_message_integrity(server.password)
        assert server.address == before

        moved.sendto(check(server, nominate=True), mux.addresses[0])
        await eventually(lambda: server.address == moved.getsockname(), "the peer has moved")
        assert server.egress is not None
        assert server.egress.address == moved.getsockname()
        assert list(mux._by_address) == [moved.getsockname()]
    await asyncio.gather(server.close(), client.close())
    mux.close()


async def ask(mux: UdpMux, asking: socket.socket, *checks: bytes) -> set[bytes]:
    """Send checks, of which the last is answered; gives the transaction ids of those that were."""
    answered = set[bytes]()
    for data in checks:
        asking.sendto(data, mux.addresses[0])
    while checks[-1][8:20] not in answered:
        answered.add((await asyncio.to_thread(asking.recv, 1_000))[8:20])
    return answered


async def test_the_address_of_a_live_peer_is_not_taken_over() -> None:
    """A check is authentic by its password; where it came from anybody can forge, who has a call of their own."""
    mux = UdpMux([HOST], 0)
    victim, thief = LitePeer(mux, SETTINGS, CERTIFICATE), LitePeer(mux, SETTINGS, CERTIFICATE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as home:
        home.bind((HOST, 0))
        home.settimeout(5)
        first, forged, last = check(victim), check(thief, nominate=True), check(victim)
        answered = await ask(mux, home, first, forged, last)

        assert answered == {first[8:20], last[8:20]}
        assert thief.address is None
        assert mux._by_address == {home.getsockname(): victim}
    await asyncio.gather(victim.close(), thief.close())
    mux.close()


async def test_an_address_that_was_taken_over_comes_back() -> None:
    """A silent peer's address goes to who checks from it, and back when it checks again and the other is silent."""
    mux = UdpMux([HOST], 0)
    silent, other = LitePeer(mux, SETTINGS, CERTIFICATE), LitePeer(mux, SETTINGS, CERTIFICATE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as home:
        home.bind((HOST, 0))
        home.settimeout(5)
        await ask(mux, home, check(silent, nominate=True))
        silent.last_heard -= 60
        await ask(mux, home, check(other, nominate=True))
        assert mux._by_address == {home.getsockname(): other}

        other.last_heard -= 60
        await ask(mux, home, check(silent))
        assert mux._by_address == {home.getsockname(): silent}
        await other.close()
        assert mux._by_address == {home.getsockname(): silent}
    await silent.close()
    assert mux._by_address == {}
    mux.close()


async def overloaded(late_for: float) -> tuple[int, int, list[AnyRtcpPacket]]:
    """Read sixty packets that are two seconds late, in turns over some time; gives how many arrived and were shed."""
    clock = LaterClock()
    mux = UdpMux([HOST], 0, clock=clock)
    server, client, at_server, _ = await connect(mux)
    opened = mux._sockets[0]
    heard: list[AnyRtcpPacket] = []
    server.on_rtcp = heard.extend
    asyncio.get_running_loop().remove_reader(opened.fileno())
    client.send_rtp(rtp(1))
    clock.ahead = 2.0
    mux._read(opened)
    for number in range(60):
        client.send_rtp(rtp(2 + number))
    client.send_rtcp([RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2)])
    clock.ahead += late_for
    for _ in range(5):
        mux._read(opened)
    await asyncio.gather(server.close(), client.close())
    mux.close()
    return len(at_server), mux.shed, heard


async def test_an_overloaded_server_sheds_media_and_nothing_else() -> None:
    """A backlog is thrown away instead of being worked off late; what keeps connections alive is heard."""
    arrived, shed, heard = await overloaded(1.1)

    assert (arrived, shed) == (2, 59)
    assert heard == [RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2)]


async def test_a_moments_delay_sheds_nothing() -> None:
    """Others had the machine; what came meanwhile is still of use."""
    arrived, shed, heard = await overloaded(0.5)

    assert (arrived, shed, len(heard)) == (61, 0, 1)


async def test_a_port_for_this_machine_answers_nobody_else() -> None:
    """A check from none of the addresses that it was opened at is dropped, however right it is."""
    mux = UdpMux([HOST], 0, this_machine_only=True)
    peer = LitePeer(mux, SETTINGS, CERTIFICATE)
    for host, counts in (("127.0.0.2", False), (HOST, True)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as browser:
            browser.bind((host, 0))
            browser.sendto(check(peer), mux.addresses[0])
            await eventually(lambda: mux.dropped or peer.address, "it is looked at")

        assert (peer.address is not None, mux.dropped) == (counts, 1 - counts)
        mux.dropped = 0
    await peer.close()
    mux.close()


async def test_two_lite_agents_do_not_connect() -> None:
    """Nobody would check."""
    mux = UdpMux([HOST], 0)
    one, two = LitePeer(mux, SETTINGS, CERTIFICATE), LitePeer(mux, SETTINGS, CERTIFICATE)
    with pytest.raises(TransportFailed, match="ICE-lite"):
        await one.connect(remote(await two.gather(), dtls_client=True))
    await asyncio.gather(one.close(), two.close())
    mux.close()


async def test_a_port_in_use_is_said() -> None:
    """There is nothing to offer then."""
    mux = UdpMux([HOST], 0)
    with pytest.raises(DescriptionImpossible, match="port"):
        UdpMux([HOST], mux.addresses[0][1])
    mux.close()


async def test_addresses_are_offered_in_their_order() -> None:
    """The first one has the highest priority."""
    mux = UdpMux([HOST, "::1"], 0)
    peer = LitePeer(mux, SETTINGS, CERTIFICATE)
    lines = [line.split() for line in (await peer.gather()).candidates]

    assert [(line[4], int(line[5])) for line in lines] == mux.addresses
    assert int(lines[0][3]) > int(lines[-1][3]) or len(lines) == 1
    await peer.close()
    mux.close()


async def test_any_free_port_is_one_for_all_addresses() -> None:
    """One number to open in a firewall, also when nobody chose it."""
    mux = UdpMux([HOST, "127.0.0.2"], 0)

    assert [host for host, _ in mux.addresses] == [HOST, "127.0.0.2"]
    assert len({port for _, port in mux.addresses}) == 1
    mux.close()


async def test_advertised_addresses_are_offered_and_the_bound_ones_are_not() -> None:
    """Behind a NAT, others come by its address."""
    mux = UdpMux([HOST], 0, advertised=["192.0.2.1"])
    peer = LitePeer(mux, SETTINGS, CERTIFICATE)
    port = mux.addresses[0][1]

    assert [line.split()[4:6] for line in (await peer.gather()).candidates] == [["192.0.2.1", str(port)]]
    await peer.close()
    mux.close()
