"""IPv6 as well as IPv4, each alone and both at once: over both transports, and every way to send.

It is tried on `::1`; a machine without it fails these tests instead of passing them unseen.
"""

import asyncio
import socket
from typing import get_args, get_type_hints

import pytest
from msgspec import structs

from signalreel_adapters.media.aiortc.lite import UdpMux
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from tests.adapters.media.aiortc.attackers import HANDSHAKES, Strangers
from tests.adapters.media.aiortc.fakes import rtp
from tests.adapters.media.aiortc.pairs import TRANSPORTS, Pair
from tests.adapters.media.aiortc.peers import SETTINGS, Call, PlayingPeer, PublishingPeer, closing, eventually

pytestmark = pytest.mark.anyio

OLD, NEW = "127.0.0.1", "::1"
SIX = structs.replace(SETTINGS, hosts=(NEW,))
BOTH = structs.replace(SETTINGS, hosts=(OLD, NEW))
FAN_OUTS = get_args(get_type_hints(AiortcSettings)["fan_out"])


@pytest.fixture(autouse=True)
def _loopback() -> None:
    """See that there is an IPv6 loopback to test with."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind((NEW, 0))
    except OSError as error:
        pytest.fail(f"this machine has no IPv6 loopback address (::1), which these tests need: {error.strerror}")


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_packets_cross_in_both_directions(transport: str, raw: bool) -> None:
    """With nothing but IPv6 at both ends: the description, the checks, the handshake and each way to send."""
    pair = Pair(transport, raw=raw, settings=SIX, theirs=SIX)
    ours, _ = await pair.gather()
    assert [line.split()[4] for line in ours.candidates] == [NEW]
    await pair.connect()
    pair.server.send_rtp(rtp(1, payload=b"down"))
    pair.client.send_rtp(rtp(2, payload=b"up"))
    await eventually(lambda: pair.at_server and pair.at_client, "everything arrives")

    assert (pair.at_server, pair.at_client) == ([rtp(2, payload=b"up")], [rtp(1, payload=b"down")])
    if raw:
        assert pair.server.egress is not None
        assert pair.server.egress.address[0] == NEW
    await pair.close()


@pytest.mark.threat("T14")
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_no_stranger_stops_a_set_up(transport: str) -> None:
    """The filter knows addresses of this kind as well."""
    pair = Pair(transport, settings=SIX, theirs=SIX)
    await pair.gather()
    with Strangers(pair.address, HANDSHAKES) as strangers:
        await eventually(strangers.began, "the attack has begun")
        await pair.connect()

    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_clients_of_both_kinds_share_one_port() -> None:
    """At once; each hears what was meant for it."""
    mux = UdpMux(BOTH.hosts, 0)
    pairs = [Pair("one-port", settings=BOTH, theirs=theirs, mux=mux) for theirs in (SETTINGS, SIX, BOTH)]
    await asyncio.gather(*(pair.connect() for pair in pairs))
    for number, pair in enumerate(pairs):
        pair.server.send_rtp(rtp(number))
    await eventually(lambda: all(pair.at_client for pair in pairs), "everything arrives")

    assert [pair.at_client for pair in pairs] == [[rtp(number)] for number in range(3)]
    assert len({port for _, port in mux.addresses}) == 1
    for pair in pairs:
        await pair.close()
    mux.close()


@pytest.mark.parametrize("fan_out", FAN_OUTS)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_stream_reaches_players_of_both_kinds(transport: str, fan_out: str) -> None:
    """Published over IPv6, played over both at once, whole and in order, whatever the way to send."""
    source, old, new = PublishingPeer(settings=SIX), PlayingPeer(SETTINGS), PlayingPeer(SIX)
    settings = structs.replace(BOTH, transport=transport, fan_out=fan_out)
    async with Call(settings) as call, closing(source, old, new):
        call.open("a", "b", "c")
        await call.publish("a", "s1", source)
        call.play("b", "s1", old)
        call.play("c", "s1", new)
        players = (old, new)
        await eventually(lambda: all(each.offer and len(each.arrived("video")) > 40 for each in players), "pictures")

        for player in players:
            numbers = [int.from_bytes(packet[2:4], "big") for packet in player.arrived("video")]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert call.failures == 0
