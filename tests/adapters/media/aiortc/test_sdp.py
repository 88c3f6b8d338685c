"""Descriptions are read strictly and written so that others can read them."""

import contextlib
import random

import pytest
from aiortc.sdp import SessionDescription

from signalreel_adapters.media.aiortc.errors import DescriptionRefused
from signalreel_adapters.media.aiortc.sdp import (
    Codec,
    Description,
    Fingerprint,
    LocalSection,
    LocalTransport,
    parse,
    render,
)
from tests.adapters.media.aiortc.fakes import SEED

FINGERPRINT = ":".join(["AB"] * 32)
OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1 2",
        "a=extmap-allow-mixed",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 9",
        "c=IN IP4 0.0.0.0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdefghijkl",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=sendrecv",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:9 G722/8000",
        "a=ssrc:11 cname:x",
        "a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdefghijkl",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:1",
        "a=sendonly",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rid:q send",
        "a=rid:f send",
        "a=simulcast:send q;f",
        "a=ssrc-group:FID 21 22",
        "a=ssrc:21 cname:x",
        "a=ssrc:22 cname:x",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdefghijkl",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:2",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "",
    ]
)


def read(text: str) -> Description:
    """Read a description with ordinary limits."""
    return parse(text, size_max=81_920, sections_max=8, codecs_max=80)


def test_an_offer_is_read() -> None:
    """Everything that is used later stands in the sections."""
    audio, video, data = read(OFFER).sections

    assert (audio.kind, audio.mid, audio.direction, audio.setup) == ("audio", "0", "sendrecv", "actpass")
    assert audio.codecs[0] == Codec(111, "opus", 48_000, 2, "minptime=10;useinbandfec=1")
    assert audio.extensions == ((1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"),)
    assert audio.fingerprints == (Fingerprint("sha-256", FINGERPRINT),)
    assert len(audio.candidates) == 1
    assert (video.ssrcs, video.repairs, video.layers) == ((21,), ((21, 22),), ("q", "f"))
    assert video.codecs[1].parameter("apt") == "96"
    assert (data.sctp_port, data.message_bytes_max) == (5_000, 262_144)


def test_attributes_of_the_session_count_for_every_section() -> None:
    """Firefox writes the fingerprint once, at the top."""
    text = OFFER.replace(f"a=fingerprint:sha-256 {FINGERPRINT}\r\n", "")
    text = text.replace("t=0 0\r\n", f"t=0 0\r\na=fingerprint:sha-256 {FINGERPRINT}\r\n")

    assert read(text).transport.fingerprints == (Fingerprint("sha-256", FINGERPRINT),)


def test_lines_may_end_in_a_line_feed_alone() -> None:
    """Some clients write no carriage return."""
    assert read(OFFER.replace("\r\n", "\n")) == read(OFFER)


def test_a_section_may_be_rejected() -> None:
    """Port 0 turns it down, unless it only waits for its BUNDLE."""
    assert read(OFFER.replace("m=video 9", "m=video 0")).sections[1].rejected
    assert not read(OFFER.replace("m=video 9", "m=video 0").replace("a=sendonly", "a=bundle-only")).sections[1].rejected


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("v=0", "v=1", "v=0"),
        ("UDP/TLS/RTP/SAVPF 111", "RTP/AVP 111", "DTLS"),
        ("UDP/TLS/RTP/SAVPF 96", "RTP/SAVPF 96", "DTLS"),
        ("UDP/DTLS/SCTP", "UDP/TLS/RTP/SAVPF", "DTLS"),
        ("m=video 9", "m=video nine", "malformed"),
        ("m=video 9", "m=video 65536", "malformed"),
        ("m=application 9", "m=application 99999", "malformed"),
        ("m=video", "m=text", "unknown kind"),
        (f"a=fingerprint:sha-256 {FINGERPRINT}\r\n", "", "fingerprint"),
        ("sha-256", "md5", "fingerprint"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:a b", "ice-ufrag"),
        ("a=ice-ufrag:abcd\r\n", "", "ice-ufrag"),
        ("a=ice-pwd:0123456789abcdefghijkl", "a=ice-pwd:short", "ice-pwd"),
        ("a=setup:actpass", "a=setup:holdconn", "setup"),
        ("a=mid:1", "a=mid:0", "same mid"),
        ("a=mid:1", "a=mid:<script>", "mid"),
        ("a=mid:1\r\n", "", "mid"),
        ("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0 1", "BUNDLE"),
        ("a=group:BUNDLE 0 1 2\r\n", "", "BUNDLE"),
        ("a=ssrc:21", "a=ssrc:99999999999", "ssrc"),
        ("a=ssrc-group:FID 21 22", "a=ssrc-group:FID 21 -2", "ssrc"),
        ("SAVPF 96 97", "SAVPF 96 300", "payload type"),
        ("SAVPF 96 97", "SAVPF " + " ".join(["96"] * 90), "payload types"),
        ("a=sctp-port:5000", "a=sctp-port:99999", "sctp-port"),
        ("webrtc-datachannel", "5000", "data channel"),
        ("a=max-message-size:262144", "a=max-message-size:" + "9" * 99, "max-message-size"),
    ],
)
def test_what_we_cannot_work_with_is_refused(old: str, new: str, reason: str) -> None:
    """One fault in an otherwise good offer; the reason says which, and quotes nothing."""
    changed = OFFER.replace(old, new)
    assert changed != OFFER
    with pytest.raises(DescriptionRefused, match=reason):
        read(changed)


def test_the_number_of_sections_is_bounded() -> None:
    """A description cannot make us work without end."""
    with pytest.raises(DescriptionRefused, match="too many media sections"):
        parse(OFFER, size_max=81_920, sections_max=2, codecs_max=80)


def test_rejecting_everything_is_refused() -> None:
    """There is no transport in such a description."""
    with pytest.raises(DescriptionRefused, match="rejected"):
        read(OFFER.replace(" 9 UDP", " 0 UDP"))


def test_hostile_descriptions_are_read_or_refused() -> None:
    """A thousand mutilated offers: nothing but a refusal ever comes out."""
    chance = random.Random(SEED)
    lines = OFFER.split("\r\n")
    for _ in range(1_000):
        changed = list(lines)
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(changed))
            match chance.randrange(5):
                case 0:
                    del changed[at]
                case 1:
                    changed.insert(at, chance.choice(lines))
                case 2:
                    changed[at] = changed[at][: chance.randrange(len(changed[at]) + 1)]
                case 3:
                    changed[at] = changed[at].replace(
                        chance.choice("0123456789"), chance.choice(["", "-1", "9" * 30, "é"])
                    )
                case _:
                    changed[at] += chance.choice([" ", ":", "\t", "a=", "\0", "\u2028", " 1"])
            changed = changed or ["v=0"]
        text = "\r\n".join(changed)
        with contextlib.suppress(DescriptionRefused):
            assert read(text).sections, f"seed {SEED}"


LOCAL = LocalTransport("ours", "p" * 24, Fingerprint("sha-256", FINGERPRINT), ("1 1 udp 1 127.0.0.1 5000 typ host",))


def test_what_we_write_others_can_read() -> None:
    """aiortc's parser finds in our offer what we put there."""
    video = LocalSection(
        "video",
        "0",
        direction="sendonly",
        codecs=(Codec(96, "VP8", 90_000, feedback=("nack", "nack pli")), Codec(97, "rtx", 90_000, parameters="apt=96")),
        extensions=((2, "urn:3gpp:video-orientation"),),
        stream="s1",
        track="ARDAMSvs1",
        ssrc=7,
        repair_ssrc=8,
    )
    data = LocalSection("application", "1", message_bytes_max=65_536)
    parsed = SessionDescription.parse(render(LOCAL, "actpass", [video, data], session_id=5, version=2))

    assert parsed.origin == "- 5 2 IN IP4 127.0.0.1"
    assert [str(group) for group in parsed.group] == ["BUNDLE 0 1"]
    shown, channel = parsed.media
    assert (shown.direction, shown.msid, shown.rtcp_mux) == ("sendonly", "s1 ARDAMSvs1", True)
    assert [codec.mimeType for codec in shown.rtp.codecs] == ["video/VP8", "video/rtx"]
    assert [each.ssrc for each in shown.ssrc] == [7, 8]
    assert shown.dtls is not None
    assert shown.dtls.role == "auto"
    assert [candidate.ip for candidate in shown.ice_candidates] == ["127.0.0.1"]
    assert (channel.kind, channel.sctp_port) == ("application", 5_000)


def test_a_section_that_we_turn_down_stays_in_its_place() -> None:
    """With port 0, outside of the BUNDLE, and without our transport."""
    text = render(LOCAL, "passive", [LocalSection("video", "0", formats="96 97")], session_id=1, version=1)

    assert "m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\n" in text
    assert "a=group:BUNDLE \r\n" in text
    assert "ice-ufrag" not in text


def test_an_ice_lite_agent_says_so() -> None:
    """Before the first section, where clients look for it."""
    lite = LocalTransport("ours", "p" * 24, LOCAL.fingerprint, (), ice_lite=True)
    text = render(lite, "passive", [LocalSection("application", "0", message_bytes_max=1)], session_id=1, version=1)

    assert "a=ice-lite\r\n" in text.partition("m=")[0]


def test_payload_types_that_look_like_rtcp_are_passed_over() -> None:
    """With the marker their second byte is that of an RTCP packet: 64 to 95 must not be used (RFC 5761, section 4)."""
    text = OFFER.replace("SAVPF 96", "SAVPF 64 95 96", 1).replace(
        "a=rtpmap:96", "a=rtpmap:64 VP8/90000\r\na=rtpmap:95 VP8/90000\r\na=rtpmap:96", 1
    )
    assert "SAVPF 64 95 96" in text
    video = read(text).sections[1]

    assert [codec.payload_type for codec in video.codecs] == [96, 97]
