"""`signalreel.debug.dumps`."""

import gzip
import json
from typing import Final

import pytest

from signalreel.debug.dumps import (
    CONNECTIONS_MAX,
    DUMP_BYTES_MAX,
    EVENTS_MAX,
    DumpEvent,
    DumpUnreadable,
    marks_of,
    read_dump,
)
from tests.engine.debug.dumped import INTERNALS, RTCSTATS

SDP: Final = "v=0\r\no=- 4711 2 IN IP4 127.0.0.1\r\na=ice-ufrag:Ab3d\r\na=fingerprint:sha-256 " + ":".join(["AB"] * 32)


STRANGE: Final[tuple[object, ...]] = (
    *("<script>", {"sdp": 7, "type": ["offer"]}, None, 7, [], {"candidate": {"candidate": {}}}),
)


def of_log(*entries: dict[str, object]) -> bytes:
    """A webrtc-internals dump of one connection."""
    return json.dumps({"PeerConnections": {"7-1": {"updateLog": entries}}}).encode()


def test_both_kinds_of_dump_tell_the_same() -> None:
    """What Chrome saved, packed or not, and what a wrapper wrote of the same connections."""
    internals = read_dump(INTERNALS.read_bytes())
    rtcstats = read_dump(RTCSTATS.read_bytes())
    told = [[(event.what, event.word) for event in one.events if event.what.startswith("set")] for one in internals]

    assert [one.name for one in internals] == ["6-1", "6-2"]
    assert told == [[("set local", "offer"), ("set remote", "answer")], [("set local", "offer")]]
    assert [
        [(event.what, event.word) for event in one.events if event.what.startswith("set")] for one in rtcstats
    ] == told
    assert read_dump(gzip.compress(INTERNALS.read_bytes())) == internals
    assert all(ours.events[0].marks == theirs.events[0].marks for ours, theirs in zip(internals, rtcstats, strict=True))


def test_older_spellings_are_understood() -> None:
    """Lines of text instead of JSON, times as text, names of events without `on`."""
    [connection] = read_dump(
        of_log(
            {"time": "1700000000000.5", "type": "setLocalDescription", "value": f"type: offer, sdp: {SDP}"},
            {"time": "1700000000100", "type": "signalingstatechange", "value": "have-local-offer"},
            {
                "time": "1700000000200",
                "type": "icecandidate",
                "value": "sdpMid: 0, candidate: candidate:1 1 udp 7 h 5 typ",
            },
            {"time": "yesterday", "type": "iceconnectionstatechange", "value": "connected"},
        )
    )

    assert connection.events == (
        DumpEvent(0, "ice", "connected"),
        DumpEvent(1_700_000_000_000_500, "set local", "offer", marks_of(SDP)),
        DumpEvent(1_700_000_000_100_000, "signaling", "have-local-offer"),
        DumpEvent(1_700_000_000_200_000, "candidate found", "", frozenset({"candidate 1 1 udp 7 h 5"})),
    )
    assert connection.ended == 1_700_000_000_200_000


def test_what_is_not_known_is_left_out() -> None:
    """Strange states, other methods, values of another type: nothing of them comes through."""
    kinds = ("onsignalingstatechange", "oniceconnectionstatechange", "setLocalDescription", "onicecandidate", "x")
    entries: list[dict[str, object]] = [
        {"timestamp": 1, "type": kind, "value": one} for kind in kinds for one in STRANGE
    ]
    [connection] = read_dump(of_log(*entries))

    assert {(event.what, event.word, event.marks) for event in connection.events} == {("set local", "", frozenset())}
    [strange] = read_dump(json.dumps(["create", "<b>7\u202e", None, float(10**17)]).encode() + b"\n[1]\n{}\n")
    assert (strange.name, strange.events) == ("b7", ())


def test_a_mark_is_what_tells_two_connections_apart() -> None:
    """The ufrag, the session of the `o=` line, the fingerprint; of a candidate everything but its type."""
    assert {mark.split(" ")[0] for mark in marks_of(SDP)} == {"session", "ufrag", "print"}
    assert marks_of("") == frozenset()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no line of it"),
        (b"\xff\xfe", "line 1 is no JSON"),
        (b"hello", "line 1 is no JSON"),
        (b"{}", "no PeerConnections"),
        (b"[" * 100_000, "line 1 is no JSON"),
        (b'{"PeerConnections": []}', "no PeerConnections"),
        (b"\x1f\x8b nothing", "cannot be unpacked"),
        (gzip.compress(b"0" * (DUMP_BYTES_MAX + 1), 9), "when it is unpacked"),
        (b"0" * (DUMP_BYTES_MAX + 1), "at most"),
        (b"[]\n" * (EVENTS_MAX + 1), "lines"),
        (json.dumps({"PeerConnections": {str(n): {} for n in range(CONNECTIONS_MAX + 1)}}).encode(), "connections"),
    ],
    ids=["empty", "bytes", "text", "object", "deep", "list", "packed", "bomb", "large", "lines", "connections"],
)
def test_a_hostile_dump_is_refused(data: bytes, why: str) -> None:
    """Whatever it is, it is said what is wrong, and nothing of its contents."""
    with pytest.raises(DumpUnreadable, match=why):
        read_dump(data)
