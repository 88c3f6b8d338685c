"""`signalreel_adapters.media.workers.messages`: every message arrives as it was sent."""

import pytest

from signalreel.commands import TakeConfiguration
from signalreel.events import BitrateMeasured, DescriptionCreated, MediaLost, Track, TracksFound
from signalreel.identifiers import Kind, Reference
from signalreel.notes import MediaFailed, MediaStatistics
from signalreel.step import PublishTerms, Transition
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.moves import Move
from signalreel_adapters.media.workers.messages import (
    Alive,
    Begin,
    CloseEdge,
    End,
    Failed,
    FollowMove,
    FromWorker,
    Noted,
    OpenEdge,
    OpenOrigin,
    Ready,
    Reported,
    ToWorker,
    Unable,
    encode,
    from_worker,
    to_worker,
)

STREAM = Reference(Kind.STREAM, "live", "s1", 3)
TERMS = PublishTerms(video=True, audio=False, codecs=("VP8",))


@pytest.mark.parametrize(
    "message",
    [
        Begin(AiortcSettings(hosts=("192.0.2.1",), transport="one-port", port=5_080)),
        Begin(AiortcSettings(), notes=True),
        FollowMove(
            Move(Transition(STREAM, "preparing", "negotiating", TERMS), TakeConfiguration("s1", "offer", "v=0\r\n"))
        ),
        OpenOrigin(STREAM),
        OpenEdge(STREAM),
        CloseEdge(STREAM),
        End(),
    ],
)
def test_what_workers_are_told(message: ToWorker) -> None:
    """Settings, moves with their causes, and relays."""
    assert to_worker.decode(encode(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        Ready((5_081,)),
        Unable("port 9 is taken"),
        Reported(MediaLost(STREAM, "gone", True)),
        Reported(DescriptionCreated(STREAM, "offer", "v=0\r\n", {"0": "ARDAMSvs1"})),
        Reported(TracksFound(STREAM, (Track("ARDAMSvs1", "video", "VP8", 640, 360, 9),))),
        Reported(BitrateMeasured(STREAM, 1, 2, 3)),
        Failed(),
        Noted(MediaFailed("dtls", "the DTLS handshake failed", STREAM)),
        Noted(MediaStatistics(STREAM, packets_received=3, bytes_received=2_700)),
        Alive(),
    ],
)
def test_what_workers_say(message: FromWorker) -> None:
    """How they are, and every event."""
    assert from_worker.decode(encode(message)) == message
