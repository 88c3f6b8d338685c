"""`signalreel_adapters.media.workers.relay`: what one end says the other hears, and junk is none of it."""

import pytest
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket, RtcpReceiverInfo, RtcpSenderInfo, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from signalreel_adapters.media.aiortc.data import Message
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.sdp import Codec
from signalreel_adapters.media.workers.relay import (
    FORMAT,
    Standing,
    data_message,
    hear,
    keyframe_request,
    report_message,
    standing_message,
)
from tests.adapters.media.aiortc.fakes import junk, published, rtp, vp8

SR = RtcpSrPacket(ssrc=7, sender_info=RtcpSenderInfo(1 << 33, 90_000, 4, 5))


class Heard:
    """What was heard, in order."""

    def __init__(self) -> None:
        self.all: list[object] = []

    def take_rtp(self, data: bytes) -> None:
        """Hear a packet."""
        self.all.append(("rtp", data))

    def take_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """Hear RTCP."""
        self.all += packets

    def take_standing(self, told: Standing) -> None:
        """Hear what is published."""
        self.all.append(told)

    def take_data(self, message: Message) -> None:
        """Hear somebody speak."""
        self.all.append(message)


def heard(message: bytes) -> list[object]:
    """What an end hears of a message; it must be one."""
    ear = Heard()
    assert hear(message, ear)
    return ear.all


def test_a_packet_is_its_own_message() -> None:
    """RTP goes as it is, with its extensions and whatever padding."""
    packet = rtp(5, ssrc=9, extensions=b"\x40\x31", payload=vp8(5, key=True))

    assert heard(packet) == [("rtp", packet)]


def test_reports_go_without_what_they_say_of_others() -> None:
    """A sender report arrives with its clock; the receiver reports in it are between publisher and origin."""
    info = RtcpReceiverInfo(ssrc=1, fraction_lost=2, packets_lost=3, highest_sequence=4, jitter=5, lsr=6, dlsr=7)

    assert heard(report_message(RtcpSrPacket(SR.ssrc, SR.sender_info, [info]))) == [SR]


def test_a_keyframe_is_asked_for_by_a_picture_loss_indication() -> None:
    """With the publisher's own SSRC, whichever it is."""
    assert heard(keyframe_request(0xFFFF_FFFF)) == [RtcpPsfbPacket(fmt=1, ssrc=0, media_ssrc=0xFFFF_FFFF)]


codecs = st.builds(
    Codec, st.integers(0, 127), st.text(max_size=9), st.integers(0, 1 << 20), st.integers(0, 2), st.text(max_size=30)
)
ssrcs = st.integers(0, 0xFFFF_FFFF)
tracks = st.builds(
    PublishedTrack,
    kind=st.sampled_from(("video", "audio")),
    mid=st.text(max_size=5),
    codec=codecs,
    repair_type=st.integers(0, 127),
    mid_id=st.integers(0, 14),
    rid_id=st.integers(0, 14),
    repaired_rid_id=st.integers(0, 14),
    audio_level_id=st.integers(0, 14),
    orientation_id=st.integers(0, 14),
    layers=st.tuples(st.text(max_size=3)),
    ssrcs=st.lists(ssrcs, max_size=3).map(tuple),
    repairs=st.lists(st.tuples(ssrcs, ssrcs), max_size=3).map(tuple),
)
standings = st.builds(
    Standing,
    is_here=st.booleans(),
    tracks=st.lists(tracks, max_size=3).map(tuple),
    layers=st.lists(st.tuples(st.integers(0, 3), ssrcs, st.text(max_size=3)), max_size=4).map(tuple),
    disabled=st.sampled_from(((), ("audio",), ("audio", "video"))),
    carries_data=st.booleans(),
)


@given(standings)
def test_whatever_is_published_arrives_as_it_is(told: Standing) -> None:
    """Every standing is heard as it was said."""
    assert heard(standing_message(told)) == [told]


@given(st.text() | st.binary())
def test_whatever_is_said_arrives_as_it_is(said: Message) -> None:
    """Text stays text, and bytes stay bytes."""
    assert heard(data_message(said)) == [said]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00",
        b"\x04what",
        b"\xff",
        b"\x01",
        b"\x01\xc1",
        b"\x02\xff\xfe",
        b"\x80\xc8",
        b"\x81\xce\x00\x09shrt",
        standing_message(Standing(True, (), (), format=FORMAT + 1)),
    ],
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    """Nothing is heard of it, and whoever asked is told."""
    ear = Heard()

    assert not hear(message, ear)
    assert ear.all == []


def test_junk_raises_nothing() -> None:
    """Whatever comes over a relay, hearing it does not fail."""
    ear = Heard()
    whole = standing_message(Standing(True, (published(),), ((0, 1, ""),)))
    cut = [whole[:end] for end in range(len(whole))]

    for message in [*junk(), *cut]:
        hear(message, ear)
    assert not any(isinstance(each, Standing) for each in ear.all)
