"""The server that is measured is the product's own engine and adapter."""

import asyncio
import gc

import pytest
from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.measuring.clip import Clip
from signalreel_adapters.media.aiortc.measuring.peers import LoadPublisher
from signalreel_adapters.media.aiortc.measuring.servers.ours import Forwarder, media_settings
from signalreel_adapters.media.aiortc.settings import LOOPBACK

pytestmark = pytest.mark.anyio

CLIP = Clip(pictures=((b"\x90\x80\x80\x00first",),), sounds=(b"sound one",))


def test_the_settings_are_those_of_production() -> None:
    """One port for everybody, and the fan-out that the self-test chooses."""
    settings = media_settings(LOOPBACK, "auto", "one-port")

    assert (settings.hosts, settings.transport, settings.fan_out) == ((LOOPBACK,), "one-port", "auto")
    with pytest.raises(ValueError, match="some way"):
        media_settings(LOOPBACK, "some way", "one-port")


async def test_a_publisher_is_answered_by_the_engine_and_heard_by_the_adapter() -> None:
    """It is live once its media has come; then viewers are offered it."""
    forwarder = Forwarder(media_settings(LOOPBACK, "auto", "one-port"))
    assert (await forwarder.settle({}))["fan_out"] in {"gso", "raw", "polite"}
    gc.unfreeze()
    async with forwarder.media:
        publisher = LoadPublisher(LOOPBACK, RTCCertificate.generateCertificate(), CLIP)
        answer = await forwarder.publish({"sdp": await publisher.offer()})
        await publisher.connect(answer["sdp"])
        sending = asyncio.create_task(publisher.send(20.0))
        await forwarder.live({})
        played = await forwarder.play({})
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await publisher.close()

    assert played["viewer"] == "viewer-1"
    assert "m=video" in played["sdp"]
