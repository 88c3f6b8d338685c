"""The stock relay: it answers as a server does. What it costs is for the measurement to say."""

from pathlib import Path

import pytest
from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.measuring.clip import Clip
from signalreel_adapters.media.aiortc.measuring.peers import LoadPublisher
from signalreel_adapters.media.aiortc.measuring.servers.relay import Relay, StockRelay
from signalreel_adapters.media.aiortc.measuring.servers.server import ServerFailed, Setting
from signalreel_adapters.media.aiortc.settings import LOOPBACK

pytestmark = pytest.mark.anyio

CLIP = Clip(pictures=((b"\x90\x80\x80\x00first",),), sounds=(b"sound one",))


async def test_a_publisher_is_answered_and_a_viewer_offered_its_tracks() -> None:
    """Pictures and sound, each of them."""
    relay = StockRelay()
    publisher = LoadPublisher(LOOPBACK, RTCCertificate.generateCertificate(), CLIP)
    answer = await relay.publish({"sdp": await publisher.offer()})
    played = await relay.play({})
    await relay.hello({})
    await relay.close()
    await publisher.close()

    assert "VP8/90000" in answer["sdp"]
    assert played["viewer"] == "1"
    assert played["sdp"].count("a=sendrecv") + played["sdp"].count("a=sendonly") == 2


def test_it_is_not_there_before_it_is_started(tmp_path: Path) -> None:
    """A process that does not exist has no id."""
    with pytest.raises(ServerFailed, match="was not started"):
        assert Relay(Setting(LOOPBACK, None, tmp_path)).process
