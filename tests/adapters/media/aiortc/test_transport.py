"""What every peer's transport does, whichever ICE is below it: packets both ways, and an end that is noticed."""

import asyncio

import pytest
from aiortc.rtcsctptransport import CookieAckChunk
from aiortc.rtp import RtcpPsfbPacket
from msgspec import structs

from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.sdp import Fingerprint
from signalreel_adapters.media.aiortc.transport import RAW_WAY_WORKS, fingerprint_of
from tests.adapters.media.aiortc.fakes import junk, rtp
from tests.adapters.media.aiortc.pairs import CERTIFICATE, TRANSPORTS, Pair, remote
from tests.adapters.media.aiortc.peers import eventually

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_packets_cross_in_both_directions(transport: str, raw: bool) -> None:
    """The polite way carries what the raw way carries, RTP and RTCP."""
    pair = Pair(transport, raw=raw)
    await pair.connect()
    assert (pair.server.egress is not None) is raw
    assert pair.server.send_rtp(rtp(1, payload=b"to the client"))
    assert pair.client.send_rtp(rtp(2, payload=b"to the server"))
    pair.client.send_rtcp([RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2)] * 3)
    await eventually(lambda: pair.at_server and pair.at_client and len(pair.rtcp) == 3, "everything arrives")

    assert pair.at_client == [rtp(1, payload=b"to the client")]
    assert pair.at_server == [rtp(2, payload=b"to the server")]
    await pair.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nothing_is_sent_before_and_after(transport: str) -> None:
    """A packet for a peer that is not connected is dropped, without a word."""
    pair = Pair(transport)
    assert not pair.server.send_rtp(rtp(1))
    await pair.connect()
    await pair.close()

    assert not pair.server.send_rtp(rtp(1))
    assert pair.server.egress is None
    await pair.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_goodbye_is_noticed_once(transport: str) -> None:
    """The peer's end of DTLS is reported, our own is not."""
    pair = Pair(transport)
    await pair.connect()
    await pair.client.close()
    await eventually(lambda: pair.lost, "the loss is noticed")
    await pair.close()

    assert len(pair.lost) == 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_another_certificate_than_the_described_one_fails(transport: str) -> None:
    """The fingerprint of the description is what the handshake is checked against."""
    pair = Pair(transport)
    ours, theirs = await pair.gather()
    forged = structs.replace(theirs, fingerprint=Fingerprint("sha-256", ":".join(["00"] * 32)))
    connecting = asyncio.ensure_future(pair.client.connect(remote(ours, dtls_client=False)))
    with pytest.raises(TransportFailed):
        async with asyncio.timeout(10):
            await pair.server.connect(remote(forged, dtls_client=True))
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await pair.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_sctp_junk_ends_nothing(transport: str) -> None:
    """The data channel's stack asserts what a peer can violate; DTLS must not end by it."""
    pair = Pair(transport)
    await pair.connect()
    sctp = pair.server.open_sctp()
    for data in junk(300):
        await sctp._handle_data(data)
    await sctp._handle_data(b"\x13\x88\x13\x88" + bytes(4) + bytes(4) + b"\x01\x00\x00\x04" * 3)

    assert sctp is pair.server.open_sctp()
    assert pair.server.send_rtp(rtp(1))
    await pair.close()


async def test_the_timers_of_sctp_go_off_harmlessly_after_a_goodbye() -> None:
    """What they would send goes nowhere, and is no exception that nobody waits for."""
    pair = Pair()
    await pair.connect()
    sctp = pair.server.open_sctp()
    await pair.client.close()
    await eventually(lambda: pair.lost, "the peer has said goodbye")

    sctp._remote_port, sctp._remote_verification_tag = 5_000, 1
    await sctp._send_chunk(CookieAckChunk())
    await pair.close()


async def test_the_self_test_passes() -> None:
    """With the libraries that are installed every private name is there, and protecting in place works."""
    assert RAW_WAY_WORKS


async def test_the_fingerprint_is_sha_256() -> None:
    """What every browser understands."""
    fingerprint = fingerprint_of(CERTIFICATE)

    assert fingerprint.algorithm == "sha-256"
    assert len(fingerprint.value.split(":")) == 32
