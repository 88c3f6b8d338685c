"""What strangers can do to a call: nothing. Each attack is made on real ICE, DTLS and SRTP, over both transports.

The rules themselves are tested one by one where they are made: `test_filter`, `test_full`, `test_lite`, `test_sctp`.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from aioice import stun
from msgspec import structs

from signalreel_adapters.media.aiortc.filter import CandidateGate
from tests.adapters.media.aiortc.attackers import BURST, HANDSHAKES, Sinks, Strangers, check, datagrams, rss, turns
from tests.adapters.media.aiortc.fakes import rtp
from tests.adapters.media.aiortc.pairs import TRANSPORTS, Pair, remote
from tests.adapters.media.aiortc.peers import SETTINGS, Call, PublishingPeer, closing, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("transport", TRANSPORTS)]

TIMES = 10
"""How often in a row an attack must come to nothing."""

FLOOD = 100_000
"""Datagrams of a flood."""

FLOOD_BYTES_MAX = 16 << 20
"""By how much a flood may make this process grow. Kept whole, it would be some 60 MB."""


def queued(pair: Pair) -> int:
    """How many datagrams wait for the server's DTLS."""
    queue = pair.full._connection._queue if pair.mux is None else pair.lite._ice.queue
    return int(queue.qsize())


@contextmanager
def stranger() -> Iterator[socket.socket]:
    """A socket of somebody else's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.setblocking(False)
        yield opened


def heard(opened: socket.socket) -> list[bytes]:
    """What a socket has received."""
    found = []
    while True:
        try:
            found.append(opened.recv(2_000))
        except BlockingIOError:
            return found


@asynccontextmanager
async def connected(transport: str) -> AsyncIterator[Pair]:
    """A call between two peers."""
    pair = Pair(transport)
    try:
        await pair.connect()
        yield pair
    finally:
        await pair.close()


async def goes_on(pair: Pair, number: int) -> None:
    """See that the call carries packets in both directions."""
    pair.at_server.clear()
    pair.at_client.clear()
    pair.client.send_rtp(rtp(number, payload=b"up"))
    pair.server.send_rtp(rtp(number, payload=b"down"))
    await eventually(lambda: pair.at_server and pair.at_client, "the call goes on")
    assert (pair.at_server, pair.at_client) == ([rtp(number, payload=b"up")], [rtp(number, payload=b"down")])


@pytest.mark.threat("T14")
async def test_no_stranger_stops_a_set_up(transport: str) -> None:
    """Forged ClientHellos and alerts from ever new ports, all the time: ten set-ups of ten succeed."""
    for _ in range(TIMES):
        pair = Pair(transport)
        await pair.gather()
        with Strangers(pair.address, HANDSHAKES) as strangers:
            await eventually(strangers.began, "the attack has begun")
            await pair.connect()
        await goes_on(pair, 1)
        await pair.close()


@pytest.mark.threat("T15")
async def test_a_flood_costs_no_memory_and_ends_no_call(transport: str) -> None:
    """A hundred thousand datagrams of every kind, half of them from the peer's own address."""
    async with connected(transport) as pair:
        user = (await pair.gather())[0].user_fragment
        with stranger() as other:
            before = await _flood(pair, other, user, FLOOD // 10)
            after = await _flood(pair, other, user, FLOOD)
        assert after - before < FLOOD_BYTES_MAX
        assert pair.server.junk > FLOOD // 20
        assert pair.lost == []
        await goes_on(pair, 20_000)


async def _flood(pair: Pair, other: socket.socket, user: str, count: int) -> int:
    """Send datagrams by turns as a stranger and as the peer; gives the memory that this process has then."""
    waiting = 0
    for number, data in enumerate(datagrams(count, user)):
        if number % 2:
            other.sendto(data, pair.address)
        else:
            pair.send_from_client(data)
        if number % BURST == 0:
            await turns()
            waiting = max(waiting, queued(pair))
    await asyncio.sleep(0.05)
    assert waiting <= SETTINGS.receive_queue_max
    return rss()


@pytest.mark.threat("T15")
async def test_a_flood_before_there_is_a_path_costs_no_memory(transport: str) -> None:
    """Nobody reads the queue of DTLS then, so nothing may reach it; the set-up succeeds all the same."""
    pair = Pair(transport)
    user = (await pair.gather())[0].user_fragment
    with stranger() as other:
        before = rss()
        for number, data in enumerate(datagrams(FLOOD // 5, user)):
            other.sendto(data, pair.address)
            if number % BURST == 0:
                await turns()
        assert heard(other) == []
    assert queued(pair) == 0
    assert rss() - before < FLOOD_BYTES_MAX
    await pair.connect()
    await goes_on(pair, 1)
    await pair.close()


@pytest.mark.threat("T14")
async def test_forged_checks_are_neither_answered_nor_followed(transport: str) -> None:
    """Right names and a wrong password, more of them than addresses are listened to: no answer, no path, no harm."""
    pair = Pair(transport)
    user = (await pair.gather())[0].user_fragment
    with stranger() as other:
        for number in range(2 * SETTINGS.sources_max):
            with stranger() as another:
                another.sendto(check(user, b"guess", nominate=True), pair.address)
            other.sendto(check(user, b"guess%d" % number, nominate=True), pair.address)
        await asyncio.sleep(0.05)
        other.sendto(HANDSHAKES[0], pair.address)
        await pair.connect()
        await goes_on(pair, 1)
        assert heard(other) == []
    await pair.close()


@pytest.mark.threat("T14")
async def test_a_replayed_check_moves_nobody(transport: str) -> None:
    """A nominating check, seen on the wire and sent again from elsewhere: the call stays where it is."""
    pair = Pair(transport)
    await pair.gather()
    seen = list[bytes]()
    protocol = pair.client._connection._protocols[0]
    send = protocol.send_stun

    def watched(message: stun.Message, target: tuple[str, int]) -> None:
        if "USE-CANDIDATE" in message.attributes or message.message_class is stun.Class.REQUEST:
            seen.append(bytes(message))
        send(message, target)

    protocol.send_stun = watched
    await pair.connect()
    assert any(b"\x00\x25\x00\x00" in data for data in seen), "a check that nominates"
    with stranger() as other:
        for data in seen:
            other.sendto(data, pair.address)
        await asyncio.sleep(0.05)
        pair.server.refresh()
        assert heard(other) == []
        assert pair.server.egress is not None
        assert pair.server.egress.address != other.getsockname()
        if pair.mux is None:
            assert other.getsockname() not in pair.full._filter.verified
    await goes_on(pair, 1)
    await pair.close()


@pytest.mark.threat("T15")
async def test_a_replayed_packet_is_heard_once(transport: str) -> None:
    """What was seen on the wire and is sent again, even from the peer's own address, is dropped by SRTP."""
    async with connected(transport) as pair:
        seen = list[bytes]()
        egress = pair.client.egress
        assert egress is not None
        send = egress.send

        def watched(data: bytes, target: tuple[str, int]) -> object:
            seen.append(bytes(data))
            return send(data, target)

        egress.send = watched
        for number in range(3):
            pair.client.send_rtp(rtp(number))
        await eventually(lambda: len(pair.at_server) == 3, "the packets arrive")
        for data in seen * 5:
            pair.send_from_client(data)
        await goes_on(pair, 3)
        assert pair.server.junk == 15


DENIED = [
    *("127.0.0.1", "127.1.2.3", "127.255.255.254", "::1", "0.0.0.0", "::", "0", "localhost", "localhost."),
    *("::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "0:0:0:0:0:0:0:1"),
    *("0177.0.0.1", "0x7f.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "127.0.1", "127.0.0.01"),
    *("169.254.169.254", "169.254.1.1", "fe80::1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"),
    *("224.0.0.1", "239.255.255.250", "ff02::1", "255.255.255.255", "240.0.0.1", "fec0::1", "::ffff:a9fe:a9fe"),
    *("example.local", "8e1f3f0a-1c1d-4c3e-9d39-0d3b1f0c0a77.local", "127.0.0.1.example.org"),
]
"""Forty ways to name what no candidate may name."""


def named(hosts: list[str], port: int) -> list[str]:
    """Candidates that name these hosts."""
    return [f"candidate:{at} 1 udp {2_000_000_000 - at} {host} {port} typ host" for at, host in enumerate(hosts)]


async def trickle(call: Call, source: PublishingPeer, lines: list[str]) -> None:
    """Publish with half of the candidates in the offer, and trickle the others."""
    half = len(lines) // 2
    offer = await source.offer(with_candidates=False)
    given = "".join(f"a={line}\r\n" for line in lines[:half])
    at = offer.index("m=video")
    call.publish_offer("a", "s1", offer[:at] + given + offer[at:])
    for line in lines[half:]:
        call.candidate("a", "s1", line)


@pytest.mark.threat("T13")
async def test_no_candidate_makes_the_server_send_to_denied_addresses(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty candidates, and not one datagram, neither to sockets that wait there nor to anywhere else."""
    sent = list[object]()
    real = asyncio.selector_events._SelectorDatagramTransport.sendto  # type: ignore[attr-defined]

    def watched(self: object, data: bytes, target: object = None) -> None:
        sent.append(target)
        real(self, data, target)

    sinks = Sinks("127.0.0.1", "127.1.2.3", "127.255.255.254", "::1")
    settings = structs.replace(
        SETTINGS, transport=transport, allow_loopback=False, allowed_networks=("127.9.9.9",), candidates_max=99
    )
    allowed = Sinks("127.9.9.9")
    source = PublishingPeer()
    async with Call(settings) as call, closing(source):
        call.open("a")
        monkeypatch.setattr(asyncio.selector_events._SelectorDatagramTransport, "sendto", watched)  # type: ignore[attr-defined]
        await trickle(call, source, [*named(DENIED, sinks.port), *named(["127.9.9.9"], allowed.port)])
        if transport == "port-each":
            await eventually(lambda: sent, "the one that is allowed has been checked, after all others")
        await asyncio.sleep(0.3)
        assert set(sent) <= {("127.9.9.9", allowed.port)}
    assert len(DENIED) == 40
    assert sinks.got() == []
    sinks.close()
    allowed.close()


@pytest.mark.threat("T13")
async def test_a_client_has_a_bounded_number_of_candidates(transport: str) -> None:
    """Forty that could all be used, at forty sockets: the first thirty hear of it, and nobody else."""
    targets = [Sinks("127.0.0.1") for _ in range(40)]
    source = PublishingPeer()
    gate = CandidateGate(count_max=SETTINGS.candidates_max, allow_loopback=True)
    lines = [line for target in targets for line in named(["127.0.0.1"], target.port)]
    assert sum(gate.admit(line) is not None for line in lines) == 30
    settings = structs.replace(SETTINGS, transport=transport, unasked_checks_max=1_000)
    reached = set[int]()

    def all_reached() -> bool:
        reached.update(at for at, target in enumerate(targets) if target.got())
        return len(reached) >= (30 if transport == "port-each" else 0)

    async with Call(settings) as call, closing(source):
        call.open("a")
        await trickle(call, source, lines)
        await eventually(all_reached, "the first thirty are checked")
        await asyncio.sleep(0.3)
        all_reached()
    assert reached == (set(range(30)) if transport == "port-each" else set())
    for target in targets:
        target.close()


@pytest.mark.threat("T12")
async def test_no_password_of_a_description_connects_another_peer(transport: str) -> None:
    """Who knows a call's address and name, and no more, gets no path; the set-up that waits is ended by its bound."""
    pair = Pair(transport)
    ours, theirs = await pair.gather()
    forged = structs.replace(ours, password="0" * len(ours.password))
    connecting = asyncio.ensure_future(pair.client.connect(remote(forged, dtls_client=False)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await pair.server.connect(remote(theirs, dtls_client=True, with_candidates=False))
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    assert pair.server.egress is None
    await pair.close()
