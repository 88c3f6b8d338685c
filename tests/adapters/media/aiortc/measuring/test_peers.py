"""The load's peers describe themselves so that a server can work with them, and recognise what comes back."""

from collections.abc import AsyncIterator

import pytest
from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.measuring.clip import Clip
from signalreel_adapters.media.aiortc.measuring.peers import LoadPublisher, LoadViewer, SendLog
from signalreel_adapters.media.aiortc.negotiation import Plan, answer
from signalreel_adapters.media.aiortc.sdp import Fingerprint, LocalTransport, render
from signalreel_adapters.media.aiortc.settings import LOOPBACK
from tests.adapters.media.aiortc.fakes import published, rtp
from tests.adapters.media.aiortc.test_sdp import FINGERPRINT, read

pytestmark = pytest.mark.anyio

CERTIFICATE = RTCCertificate.generateCertificate()
CLIP = Clip(pictures=((b"\x90\x80\x80\x00first", b"\x80\x80\x80\x00second"),), sounds=(b"sound one",))


def an_offer() -> str:
    """What this server offers to a player: sound, pictures and a data channel."""
    plan = Plan(sections_max=8, message_bytes_max=1)
    plan.show([("load", [published("audio"), published()])])
    local = LocalTransport("ours", "p" * 24, Fingerprint("sha-256", FINGERPRINT), ())
    return render(local, "actpass", plan.sections(), session_id=1, version=1)


@pytest.fixture
async def probe() -> AsyncIterator[LoadViewer]:
    """A probe that has answered the offer."""
    log = SendLog()
    log.packets[b"payload"] = 1
    viewer = LoadViewer(LOOPBACK, CERTIFICATE, log, probe=True)
    await viewer.answer(an_offer())
    yield viewer
    await viewer.close()


async def test_the_publisher_offers_what_is_forwarded() -> None:
    """VP8 and Opus, and nothing else."""
    publisher = LoadPublisher(LOOPBACK, CERTIFICATE, CLIP)
    agreed = answer(
        read(await publisher.offer()),
        codecs=("VP8", "opus"),
        wanted=("video", "audio"),
        tracks_max=2,
        message_bytes_max=1,
    )

    assert [track.codec.name for track in agreed.tracks] == ["opus", "VP8"]
    await publisher.close()


async def test_the_publisher_keeps_when_it_sent_what() -> None:
    """By the payload without its descriptor, and by the number of the picture."""
    publisher = LoadPublisher(LOOPBACK, CERTIFICATE, CLIP)
    await publisher.offer()
    await publisher.send(0.001)

    assert set(publisher.log.packets) == {b"first", b"second", b"d one"}
    assert set(publisher.log.pictures) == {0}
    assert publisher.sent == 3
    await publisher.close()


async def test_a_viewer_accepts_the_media_and_no_data_channel() -> None:
    """SCTP would be measured too. What a browser would agree on besides is agreed on: extensions and feedback."""
    viewer = LoadViewer(LOOPBACK, CERTIFICATE, SendLog(), probe=True)
    text = await viewer.answer(an_offer())
    sections = read(text).sections

    assert [(section.kind, section.rejected, section.direction) for section in sections][:2] == [
        ("audio", False, "recvonly"),
        ("video", False, "recvonly"),
    ]
    assert (sections[2].kind, sections[2].rejected) == ("application", True)
    assert "abs-send-time" in text
    assert " nack pli\r\n" in text
    await viewer.close()


async def test_a_probe_counts_what_was_sent_to_it(probe: LoadViewer) -> None:
    """Lost packets are in the numbers, over the wrap as well."""
    for sequence in (65_534, 65_535, 1, 2):
        probe.transport.on_rtp(rtp(sequence, payload=b"desc" + b"payload"))

    assert (probe.packets, probe.numbered()) == (4, 5)
    probe.recount()
    assert (probe.packets, probe.numbered()) == (0, 0)


async def test_a_probe_times_what_it_recognises(probe: LoadViewer) -> None:
    """By the payload behind the descriptor, which servers may write anew; what nobody sent has no time."""
    for payload in (b"desc" + b"payload", b"DESC" + b"payload", b"desc" + b"strange", b""):
        probe.transport.on_rtp(rtp(1, payload=payload))
    probe.transport.on_rtp(b"\x80")

    assert len(probe.latencies) == 2
    assert min(probe.latencies) > 0
    probe.forget_times()
    assert probe.latencies == []


async def test_nothing_can_be_done_before_a_description() -> None:
    """The order of calls is part of the interface."""
    viewer = LoadViewer(LOOPBACK, CERTIFICATE, SendLog(), probe=False)
    with pytest.raises(RuntimeError, match="describe first"):
        viewer.report()
    with pytest.raises(RuntimeError, match="answer first"):
        await viewer.connect()
    await viewer.close()
