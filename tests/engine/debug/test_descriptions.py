"""`signalreel.debug.descriptions`."""

import re
from typing import Final

from signalreel.debug.descriptions import (
    DESCRIPTION_LINES_MAX,
    redacted_candidate,
    redacted_description,
    redacted_mid,
)
from signalreel.debug.pseudonyms import Pseudonyms
from tests.engine.debug.canaries import CANDIDATES, DESCRIPTION, canaries_in

PSEUDONYMS: Final = Pseudonyms(b"a key for these tests")

OFFER: Final = "\r\n".join(
    (
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS 7f3a",
        "m=audio 50321 UDP/TLS/RTP/SAVPF 111 63 9",
        "c=IN IP4 203.0.113.7",
        "a=rtcp:9 IN IP4 0.0.0.0",
        (
            "a=candidate:842163049 1 udp 1677729535 203.0.113.7 50321 typ srflx raddr 192.168.1.4 rport 50321"
            " network-cost 999"
        ),
        "a=ice-ufrag:Ab3d",
        "a=ice-pwd:0123456789abcdefghijklmn",
        "a=ice-options:trickle",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=sendrecv",
        "a=msid:7f3a 9c1b",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=ssrc:3735928559 cname:Tq7/xyz",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:1",
        "a=rtpmap:96 H264/90000",
        "a=rtcp-fb:96 ccm fir",
        "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;sprop-parameter-sets=Z0LAHtkDxWhAAAAD,aMuMsg",
        "a=rid:h send",
        "a=rid:custom send max-width=1280",
        "a=simulcast:send h;~custom",
        "a=ssrc-group:FID 1 2",
        "a=x-camera:Front door",
        "",
    )
)

STAYS: Final = (
    *("v=0", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=extmap-allow-mixed", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9"),
    *("c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", "a=ice-options:trickle", "a=setup:actpass", "a=mid:0"),
    *("a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level", "a=sendrecv", "a=rtcp-mux"),
    *("a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1"),
    *("a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1"),
    *("a=rtpmap:96 H264/90000", "a=rtcp-fb:96 ccm fir", "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1"),
    "a=rid:h send",
)
GOES: Final = (
    *("4611731400430051336", "203.0.113.7", "192.168.1.4", "50321", "842163049", "Ab3d", "0123456789abc", "AB:AB"),
    *("7f3a", "9c1b", "3735928559", "Tq7", "sprop", "Z0LA", "custom", "Front door", "x-camera", "1280"),
)


def test_what_media_needs_stays_and_what_tells_who_goes() -> None:
    """Line by line, in the same order and as many of them."""
    redacted = redacted_description(OFFER, PSEUDONYMS)

    assert [line for line in STAYS if line not in redacted.split("\r\n")] == []
    assert [text for text in GOES if text in redacted] == []
    assert len(redacted.split("\r\n")) == len(OFFER.split("\r\n"))


def test_what_was_equal_is_equal() -> None:
    """A candidate that comes by itself has the ufrag and the address of the description, and so has the next one."""
    redacted = redacted_description(OFFER, PSEUDONYMS)
    alone = redacted_candidate(
        "candidate:842163049 1 udp 1677729535 203.0.113.7 50321 typ srflx raddr 192.168.1.4 rport 50321 ufrag Ab3d",
        PSEUDONYMS,
    )
    said, ufrag = alone.rsplit(" ufrag ", 1)

    assert f"a={said} network-cost 999" in redacted.split("\r\n")
    assert f"a=ice-ufrag:{ufrag}" in redacted.split("\r\n")
    assert redacted_description(OFFER, PSEUDONYMS) == redacted
    assert redacted_description(OFFER, Pseudonyms(b"another key altogether")) != redacted


def test_a_redacted_description_has_the_shape_of_one() -> None:
    """A password is long enough, a fingerprint has its bytes, an ICE restart is seen by another ufrag."""
    redacted = redacted_description(OFFER, PSEUDONYMS)
    restarted = redacted_description(OFFER.replace("Ab3d", "Zz9z"), PSEUDONYMS)
    changed = set(restarted.split("\r\n")) - set(redacted.split("\r\n"))

    assert re.search(r"^a=ice-pwd:[a-z2-7]{24}\r$", redacted, re.MULTILINE)
    assert re.search(r"^a=fingerprint:sha-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}\r$", redacted, re.MULTILINE)
    assert [line.partition(":")[0] for line in changed] == ["a=ice-ufrag"]


def test_no_canary_of_any_line_comes_through() -> None:
    """One in every place of every kind of line, known or not."""
    assert canaries_in(DESCRIPTION.encode())
    assert canaries_in(redacted_description(DESCRIPTION, PSEUDONYMS).encode()) == []


def test_what_is_no_description_is_replaced_whole() -> None:
    """A text of another sort, an endless one, and none at all."""
    assert redacted_description("", PSEUDONYMS) == ""
    assert redacted_description("alice's offer", PSEUDONYMS).startswith("no description ")
    endless = redacted_description("v=0\n" + "a=sendrecv\n" * 100_000, PSEUDONYMS)
    assert len(endless.split("\n")) == DESCRIPTION_LINES_MAX


def test_a_candidate_keeps_what_it_is_for() -> None:
    """Component, transport, priority, type and how far its address reaches; not the address."""
    for given, wanted in (
        ("candidate:1 1 udp 77 192.168.7.9 5000 typ host", r"candidate:\d+ 1 udp 77 10\.\d+\.\d+\.\d+ \d+ typ host"),
        (
            "1 2 TCP 77 8.8.8.8 9 typ host tcptype active",
            r"\d+ 2 TCP 77 198\.1[89]\.\d+\.\d+ 9 typ host tcptype active",
        ),
        ("candidate:1 1 udp 7 fe80::1 5 typ host", r"candidate:\d+ 1 udp 7 fe80::[0-9a-f:]+ \d+ typ host"),
        ("candidate:1 1 udp 7 fd12::1 5 typ host", r"candidate:\d+ 1 udp 7 fd00::[0-9a-f:]+ \d+ typ host"),
        ("candidate:1 1 udp 7 2a00::1 5 typ relay", r"candidate:\d+ 1 udp 7 2001:db8::[0-9a-f:]+ \d+ typ relay"),
        ("candidate:1 1 udp 7 ::ffff:10.1.2.3 5 typ host", r"candidate:\d+ 1 udp 7 ::ffff:10\.[0-9.]+ \d+ typ host"),
        ("candidate:1 1 udp 7 127.0.0.1 5 typ host", r"candidate:\d+ 1 udp 7 127\.\d+\.\d+\.\d+ \d+ typ host"),
        ("candidate:1 1 udp 7 0.0.0.0 9 typ host", r"candidate:\d+ 1 udp 7 0\.0\.0\.0 9 typ host"),
        ("candidate:1 1 udp 7 a-b-c.local 5 typ host", r"candidate:\d+ 1 udp 7 [a-z2-7]{16}\.local \d+ typ host"),
        (
            "candidate:1 1 udp 7 turn.example.org 5 typ relay",
            r"candidate:\d+ 1 udp 7 [a-z2-7]{16}\.invalid \d+ typ relay",
        ),
    ):
        redacted = redacted_candidate(given, PSEUDONYMS)
        assert re.fullmatch(wanted, redacted), (given, redacted)


def test_what_is_no_candidate_is_replaced_whole() -> None:
    """Whatever it looks like; the empty one, which ends them, stays."""
    assert redacted_candidate("", PSEUDONYMS) == ""
    assert redacted_candidate("alice", PSEUDONYMS).startswith("none ")
    for candidate in CANDIDATES:
        assert canaries_in(redacted_candidate(candidate.replace("@", "Kanari7"), PSEUDONYMS).encode()) == []
    endless = "candidate:1 1 udp 1 192.0.2.1 9 typ host" + " generation 0" * 100
    assert redacted_candidate(endless, PSEUDONYMS).startswith("candidate:none ")


def test_a_mid_that_says_nothing_stays() -> None:
    """Numbers and kinds of media; any other is replaced, by the same wherever it stands."""
    assert [redacted_mid(mid, PSEUDONYMS) for mid in ("", "0", "12", "audio", "video1", "data")] == [
        *("", "0", "12", "audio", "video1", "data")
    ]
    given = redacted_mid("alice", PSEUDONYMS)
    assert given.startswith("mid-")
    assert f"a=mid:{given}" in redacted_description("v=0\r\na=mid:alice\r\n", PSEUDONYMS)
