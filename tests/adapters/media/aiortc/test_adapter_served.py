"""The aiortc adapter behind a real server: what clients are told when media cannot be had, or ends."""

import socket

import pytest
from msgspec import structs

from signalreel.header import Header
from signalreel.reel import MemoryReel
from signalreel.settings import Settings
from signalreel_adapters.media.aiortc import AiortcMedia, AiortcSettings
from tests.adapters.media.aiortc.peers import SETTINGS, PublishingPeer, closing
from tests.adapters.media.aiortc.test_sdp import OFFER
from tests.adapters.servers import served
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """aiortc runs on asyncio."""
    return "asyncio"


async def test_a_client_is_told_that_no_port_is_left(evidence: EvidenceNotes) -> None:
    """The range of UDP ports is used up: no answer can be made. The offer is not to blame, and may come again."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
        media = AiortcMedia(AiortcSettings(hosts=("127.0.0.1",), ports=(port, port)))
        async with served(media=media) as server, server.client() as client:
            await client.send({"command": "publish", "streamId": "s1"})
            await client.expect("start")
            said = {"command": "takeConfiguration", "streamId": "s1", "type": "offer", "sdp": OFFER}
            await client.send(said)
            refused = await client.expect("notSetLocalDescription")

            assert refused["streamId"] == "s1"
            taken.close()
            await client.send(said)
            assert (await client.expect("takeConfiguration"))["type"] == "answer"
    evidence.tick("ERR-7", transport="websocket", captured=refused, said=said)


async def test_a_live_publisher_that_falls_silent_is_told_so(evidence: EvidenceNotes) -> None:
    """Its connection stands, and nothing comes on it for as long as the settings allow: the stream ends."""
    media = AiortcMedia(structs.replace(SETTINGS, silence_timeout=60.0))
    reel = MemoryReel(Header(Settings(silence_timeout_ms=500)))
    peer = PublishingPeer()
    async with closing(peer), served(reel, media=media) as server, server.client() as client:
        await client.send({"command": "publish", "streamId": "s1"})
        await client.expect("start")
        offer = {"command": "takeConfiguration", "streamId": "s1", "type": "offer", "sdp": await peer.offer()}
        await client.send(offer)
        peer.take_answer((await client.expect("takeConfiguration"))["sdp"])
        started = await client.expect("publish_started")
        peer.hush()
        silent = await client.expect("noPacketReceivedForTimeoutDuration")
        finished = await client.expect("publish_finished")
    assert (started["streamId"], silent["streamId"], finished["streamId"]) == ("s1", "s1", "s1")
    evidence.tick("REAL-23", transport="websocket", captured=silent, said=offer)
