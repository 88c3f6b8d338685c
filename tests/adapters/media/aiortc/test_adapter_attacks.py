"""What a peer with a call of its own can do to the others, and to the server: nothing. Its packets are authentic.

Each test has an honest publisher and player beside the hostile one, and none of what is sent may raise anywhere.
"""

import asyncio
import random
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from aiortc.rtcsctptransport import serialize_packet
from msgspec import structs

from signalreel.identifiers import Reference
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.side import Side
from signalreel_adapters.media.aiortc.transport import DtlsPeer
from tests.adapters.media.aiortc.attackers import BURST, hostile_rtcp, rss, turns
from tests.adapters.media.aiortc.fakes import SEED, junk, rtp, vp8
from tests.adapters.media.aiortc.pairs import TRANSPORTS
from tests.adapters.media.aiortc.peers import (
    AUDIO,
    REPAIR,
    SETTINGS,
    VIDEO,
    Call,
    Peer,
    PlayingPeer,
    PublishingPeer,
    closing,
    eventually,
)

pytestmark = [pytest.mark.anyio, pytest.mark.threat("T15"), pytest.mark.parametrize("transport", TRANSPORTS)]

PACKETS = 5_000
GROWTH_MAX = 16 << 20
"""Bytes by which this process may grow while a hostile peer sends what it likes."""


class Scene:
    """A hostile publisher and player, and honest ones."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.raised: list[object] = []
        self.publisher, self.player = PublishingPeer("bad", seed=2), PlayingPeer()
        self.honest_publisher, self.honest_player = PublishingPeer("s1"), PlayingPeer()

    async def start(self) -> None:
        """Have all of them connected."""
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.raised.append(context))
        self.call.open("a", "b", "c", "d")
        await self.call.publish("a", "s1", self.honest_publisher)
        await self.call.publish("c", "bad", self.publisher)
        self.call.play("b", "s1", self.honest_player)
        self.call.play("d", "s1", self.player)
        players = (self.honest_player, self.player)
        await eventually(lambda: all(each.offer and each.arrived("video") for each in players), "pictures arrive")

    def stream(self, name: str) -> StreamSide:
        """The server's side of a stream."""
        return next(side for machine, side in self.call.media._streams.items() if machine.id == name)

    def transport_of(self, name: str) -> DtlsPeer:
        """The server's end of a stream or a playback."""
        sides: dict[Reference, Side] = {**self.call.media._streams, **self.call.media._playbacks}
        transport = next(side._transport for machine, side in sides.items() if machine.id == name)
        return cast(DtlsPeer, transport)

    async def all_is_well(self) -> None:
        """See that nothing was raised and that the honest ones go on."""
        before = len(self.honest_player.arrived("video"))
        await eventually(lambda: len(self.honest_player.arrived("video")) > before + 5, "the honest ones go on")
        assert (self.raised, self.call.failures) == ([], 0)


@asynccontextmanager
async def scene(transport: str) -> AsyncIterator[Scene]:
    """Two publishers and two players."""
    async with Call(structs.replace(SETTINGS, transport=transport)) as call:
        opened = Scene(call)
        async with closing(opened.publisher, opened.player, opened.honest_publisher, opened.honest_player):
            await opened.start()
            yield opened


def send_rtcp(peer: Peer, plain: bytes) -> None:
    """Send what is no RTCP as if it were, encrypted."""
    egress = peer.transport.egress
    assert egress is not None
    egress.send(peer.transport._dtls._tx_srtp.protect_rtcp(plain), egress.address)


async def test_rtcp_that_lies_is_dropped(transport: str) -> None:
    """Truncated compounds, huge counts, feedback about everything: from a player and from a publisher."""
    async with scene(transport) as world:
        ssrcs = [1, 0xFFFFFFFF, world.player.ssrc("video"), world.player.ssrc("audio"), world.publisher.video_ssrc]
        for number, plain in enumerate(hostile_rtcp(PACKETS, ssrcs)):
            send_rtcp((world.player, world.publisher)[number % 2], plain)
            if number % BURST == 0:
                await turns()
        await world.all_is_well()
        assert all(world.transport_of(name).junk > PACKETS // 10 for name in ("bad", "d/s1"))


async def test_asking_for_everything_again_is_bounded(transport: str) -> None:
    """A player that misses every packet, all the time, gets no more of it than a player may: no amplifier."""
    async with scene(transport) as world:
        player = world.player
        repair, video = player.repair_ssrc(), player.ssrc("video")
        for _ in range(200):
            base = int.from_bytes(player.arrived("video")[-1][2:4], "big")
            lost = b"".join(struct.pack("!HH", (base - 17 * step) & 0xFFFF, 0xFFFF) for step in range(1, 60))
            send_rtcp(player, struct.pack("!BBHII", 0x81, 205, 2 + len(lost) // 4, 1, video) + lost)
            await asyncio.sleep(0.005)
        await world.all_is_well()
        assert len(player.packets.get(repair, [])) < 200 + 400 * 10


async def test_packets_that_lie_are_dropped(transport: str) -> None:
    """Junk, lying lengths, hostile header extensions and retransmissions of nothing, under known and new SSRCs."""
    async with scene(transport) as world:
        bad = world.publisher
        chance = random.Random(SEED)
        ssrcs = (bad.video_ssrc, bad.audio_ssrc, bad.repair_ssrc)
        before = rss()
        for number in range(PACKETS):
            ssrc = chance.choice((*ssrcs, chance.getrandbits(32)))
            kind = chance.choice((VIDEO, AUDIO, REPAIR, chance.randrange(128)))
            noise = chance.randbytes(chance.randrange(40))
            packet = chance.choice(
                (
                    rtp(number, payload_type=kind, ssrc=ssrc, payload=noise),
                    rtp(
                        number * 7, payload_type=kind, ssrc=ssrc, payload=vp8(number, key=True)[: chance.randrange(15)]
                    ),
                    rtp(number, payload_type=kind, ssrc=ssrc, extensions=noise, payload=noise),
                    rtp(number, payload_type=kind, ssrc=ssrc, flags=0x80 | chance.randrange(64), payload=noise),
                    _with_extension(number, kind, ssrc, chance),
                    rtp(number, payload_type=REPAIR, ssrc=bad.repair_ssrc, payload=noise[: chance.randrange(3)]),
                )
            )
            bad.transport.send_rtp(packet)
            if number % BURST == 0:
                await turns()
        await world.all_is_well()
        assert world.stream("bad").publisher.junk > PACKETS // 10
        assert len(world.stream("bad").publisher._sources) <= SETTINGS.streams_per_publisher_max
        assert rss() - before < GROWTH_MAX


def _with_extension(number: int, kind: int, ssrc: int, chance: random.Random) -> bytes:
    """A packet whose extension block says something else than it is."""
    profile = chance.choice((0xBEDE, 0x1000, 0x100F, chance.getrandbits(16)))
    words = chance.choice((0, 1, 2, 0xFFFF, chance.getrandbits(16)))
    block = struct.pack("!HH", profile, words) + bytes((chance.choice((0x4F, 0xF0, 0x00, 0xA3, 0xFF)),)) * 8
    return rtp(number, payload_type=kind, ssrc=ssrc, flags=0x90, payload=block)


async def test_sctp_that_lies_is_dropped(transport: str) -> None:
    """Junk with the right tag and sum, and acknowledgements of what nobody sent; the honest ones' channels go on."""
    async with scene(transport) as world:
        sctp = world.publisher.transport.open_sctp()
        chance = random.Random(SEED)
        for number, noise in enumerate(junk(1_000)):
            await _send_sctp(world.publisher, _Raw(chance.randrange(256), chance.randrange(256), noise))
            if number % 20 == 0:
                gaps = struct.pack("!HH", 1, 0xFFFF) * 250
                await _send_sctp(world.publisher, _Raw(3, 0, struct.pack("!IIHH", sctp._local_tsn, 1, 250, 0) + gaps))
                await turns()
        channel = world.honest_publisher.channel
        assert channel is not None
        channel.send("still here")
        await eventually(lambda: "still here" in world.honest_player.messages, "messages go on")
        await world.all_is_well()
        assert world.transport_of("bad").junk > 50


async def test_a_message_without_an_end_costs_no_memory(transport: str) -> None:
    """Pieces of one message that never ends, in order and out of it, on ever new channels: a bounded part is kept."""
    async with scene(transport) as world:
        sctp = world.publisher.transport.open_sctp()
        before = rss()
        number = sctp._local_tsn
        for step in range(4 * SETTINGS.fragments_max):
            ahead = 2 * step if step % 2 else step
            value = struct.pack("!IHHI", (number + ahead) & 0xFFFFFFFF, step % 4_096, 0, 51) + bytes(1_000)
            await _send_sctp(world.publisher, _Raw(0, 2 if step == 0 else 0, value))
            if step % 20 == 0:
                await turns()
        await world.all_is_well()
        theirs = world.transport_of("bad").open_sctp()
        assert sum(len(stream.reassembly) for stream in theirs._inbound_streams.values()) <= 2 * SETTINGS.fragments_max
        assert len(theirs._inbound_streams) <= SETTINGS.channel_numbers_max
        assert rss() - before < GROWTH_MAX


class _Raw:
    """A chunk as it is serialized."""

    def __init__(self, kind: int, flags: int, value: bytes) -> None:
        self._packed = struct.pack("!BBH", kind, flags, 4 + len(value)) + value + bytes(-len(value) % 4)

    def __bytes__(self) -> bytes:
        return self._packed


async def _send_sctp(peer: Peer, chunk: _Raw) -> None:
    sctp = peer.transport.open_sctp()
    packet = serialize_packet(5_000, 5_000, sctp._remote_verification_tag, chunk)  # type: ignore[arg-type]
    await peer.transport._dtls._send_data(packet)
