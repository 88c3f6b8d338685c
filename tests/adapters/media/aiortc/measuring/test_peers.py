"""The load's peers describe themselves so that a server can work with them."""

import pytest
from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.measuring.peers import PACKETS_PER_SECOND, LoadPublisher, LoadViewer
from signalreel_adapters.media.aiortc.negotiation import Plan, answer
from signalreel_adapters.media.aiortc.sdp import Fingerprint, LocalTransport, render
from tests.adapters.media.aiortc.fakes import published, rtp
from tests.adapters.media.aiortc.test_sdp import FINGERPRINT, read

pytestmark = pytest.mark.anyio

CERTIFICATE = RTCCertificate.generateCertificate()


async def test_the_publisher_offers_what_is_forwarded() -> None:
    """VP8 and Opus, and nothing else."""
    publisher = LoadPublisher(CERTIFICATE)
    agreed = answer(
        read(await publisher.offer()),
        codecs=("VP8", "opus"),
        wanted=("video", "audio"),
        tracks_max=2,
        message_bytes_max=1,
    )

    assert [track.codec.name for track in agreed.tracks] == ["opus", "VP8"]
    await publisher.transport.close()


async def test_a_viewer_accepts_the_media_and_no_data_channel() -> None:
    """SCTP would be measured too."""
    plan = Plan(sections_max=8, message_bytes_max=1)
    plan.show([("load", [published("audio"), published()])])
    local = LocalTransport("ours", "p" * 24, Fingerprint("sha-256", FINGERPRINT), ())
    offer = render(local, "actpass", plan.sections(), session_id=1, version=1)
    viewer = LoadViewer(CERTIFICATE, probe=True)
    sections = read(await viewer.answer(offer)).sections

    assert [(section.kind, section.rejected) for section in sections] == [
        ("audio", False),
        ("video", False),
        ("application", True),
    ]
    await viewer.transport.close()


async def test_a_probe_counts_what_was_sent_to_it() -> None:
    """Lost packets are in the numbers, over the wrap as well."""
    viewer = LoadViewer(CERTIFICATE, probe=True)
    for sequence in (65_534, 65_535, 1, 2):
        viewer.transport.on_rtp(rtp(sequence, payload=bytes(8)))

    assert (viewer.packets, viewer.expected()) == (4, 5)
    viewer.restart()
    assert (viewer.packets, viewer.expected()) == (0, 0)
    await viewer.transport.close()


def test_the_load_is_what_the_documents_say() -> None:
    """Packets that one viewer is sent in a second."""
    assert PACKETS_PER_SECOND == 215
