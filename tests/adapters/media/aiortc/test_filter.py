"""What may reach the transport, and what may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel_adapters.media.aiortc.errors import DescriptionRefused
from signalreel_adapters.media.aiortc.filter import (
    Arrival,
    Candidate,
    CandidateGate,
    SeenChecks,
    SourceFilter,
    check_text,
    classify,
    parse_candidate,
)

HOST = "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag abcd"


def line(address: str, port: int = 50_000) -> str:
    """A candidate attribute with this address."""
    return f"candidate:1 1 udp 2122260223 {address} {port} typ host"


def gate(**options: object) -> CandidateGate:
    """A gate for thirty candidates."""
    return CandidateGate(count_max=30, **options)  # type: ignore[arg-type]


def test_a_candidate_is_read() -> None:
    """With or without its prefix, extension attributes left out."""
    expected = Candidate("1", 2_122_260_223, "192.0.2.1", 50_000, "host")

    assert parse_candidate(HOST) == expected
    assert parse_candidate(HOST.removeprefix("candidate:")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        HOST.replace("udp", "tcp"),
        HOST.replace(" 1 udp", " 2 udp"),
        HOST.replace("50000", "53"),
        HOST.replace("50000", "0"),
        HOST.replace("50000", "70000"),
        HOST.replace("host", "prflx"),
        HOST.replace("typ host", "typ banana"),
        HOST.replace("2122260223", "4294967295"),
        HOST + "\r\na=evil",
        HOST + "\0",
        HOST + " x" * 1_000,
    ],
)
def test_what_is_no_usable_candidate_is_dropped(text: str) -> None:
    """TCP, RTCP, privileged ports, names of unknown kinds, and lines in lines."""
    assert parse_candidate(text) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "10.1.2.3", "192.168.1.7", "2001:db8::7", "fd12:3456::1"])
def test_ordinary_addresses_are_admitted(address: str) -> None:
    """Public ones and those of private networks, where most calls are."""
    assert gate().admit(line(address)) is not None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "169.254.169.254",
        "169.254.1.1",
        "224.0.0.251",
        "255.255.255.255",
        "240.0.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "::1",
        "::",
        "fe80::1",
        "ff02::fb",
        "fd00:ec2::254",
        "::ffff:127.0.0.1",
        "::ffff:192.0.2.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "b6a2f7f0-3c1c-4b6e-9f6e-0d6f0a1c2b3d.local",
        "localhost",
        "2130706433",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
    ],
)
def test_denied_addresses_are_never_sent_to(address: str) -> None:
    """Loopback, link-local, metadata, multicast, IPv4 in disguise, names, and numbers in odd spellings."""
    checked = gate()

    assert checked.admit(line(address)) is None
    assert checked.refused == 1


def test_loopback_is_admitted_when_it_is_allowed() -> None:
    """For clients on this machine; mapped spellings stay denied."""
    checked = gate(allow_loopback=True)

    assert checked.admit(line("127.0.0.1")) is not None
    assert checked.admit(line("::1")) is not None
    assert checked.admit(line("::ffff:127.0.0.1")) is None


def test_a_network_may_be_allowed_by_name() -> None:
    """The configuration overrules the kinds that are denied."""
    checked = gate(allowed_networks=("169.254.7.0/24",))

    assert checked.admit(line("169.254.7.9")) is not None
    assert checked.admit(line("169.254.8.9")) is None


def test_only_so_many_candidates_are_taken() -> None:
    """Refused ones count as well: a flood ends after the bound."""
    checked = CandidateGate(count_max=2)

    assert [checked.admit(each) is not None for each in ("junk", HOST, HOST)] == [False, True, False]


@given(st.text(max_size=200))
def test_no_text_makes_the_gate_raise(text: str) -> None:
    """Whatever a client trickles is a candidate or nothing."""
    gate().admit(text)
    gate().admit(line(text))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \r\n", "empty"),
        ("v=0\r\n" + "x" * 5_000, "long"),
        ("v=0\r\n" + "a=x\r\n" * 4_500, "many"),
        ("v=0\r\na=\0\r\n", "control"),
        ("v=0\r\na=x\ra=y\r\n", "control"),
        ("v=0\r\na=x\x0ba=y\r\n", "control"),
        ("v=0\r\na=x\x85a=y\r\n", "control"),
        ("v=0\r\na=x\u2028a=y\r\n", "control"),
        ("v=0\r\na=\x1b[31m\r\n", "control"),
        ("v=0\r\n" + "a=" + "é" * 50_000, "large"),
    ],
)
def test_text_is_refused_by_its_characters_and_size(text: str, reason: str) -> None:
    """Before anything parses it; the reason never quotes it."""
    with pytest.raises(DescriptionRefused, match=reason):
        check_text(text, 81_920)


@pytest.mark.parametrize("text", ["v=0\r\ns=-\r\n", "v=0\ns=-\n", "v=0\r\ns=Gespräch\r\n"])
def test_ordinary_text_passes(text: str) -> None:
    """Both line ends in use, and names in any language."""
    check_text(text, 81_920)


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (0, Arrival.STUN),
        (3, Arrival.STUN),
        (4, Arrival.JUNK),
        (20, Arrival.DTLS),
        (63, Arrival.DTLS),
        (64, Arrival.JUNK),
        (127, Arrival.JUNK),
        (128, Arrival.MEDIA),
        (191, Arrival.MEDIA),
        (192, Arrival.JUNK),
    ],
)
def test_a_datagram_is_told_by_its_first_byte(first: int, kind: Arrival) -> None:
    """The ranges of RFC 7983."""
    assert classify(bytes((first,))) is kind


def test_an_empty_datagram_is_junk() -> None:
    """It has no first byte."""
    assert classify(b"") is Arrival.JUNK


def source_filter(**limits: int) -> SourceFilter:
    """A filter that takes what does not say `forged` for authentic."""
    found = {"sources_max": 4, "unasked_max": 0, "remembered_max": 8} | limits
    return SourceFilter("ours", lambda data: b"forged" not in data, **found)


def request(name: str, transaction: int = 0) -> bytes:
    """A binding request with a user name, as far as the filter looks."""
    return b"\x00\x01\x00\x08" + bytes(4) + transaction.to_bytes(12, "big") + name.encode()


def test_checks_that_do_not_name_us_are_dropped() -> None:
    """A stranger knows our port, not our user fragment."""
    sources = source_filter()

    assert sources.admits_check(request("ours:theirs"), ("192.0.2.1", 5_000), ())
    assert not sources.admits_check(request("theirs:ours"), ("192.0.2.1", 5_001), ())
    assert not sources.admits_check(b"\x00\x01", ("192.0.2.1", 5_002), ())
    assert sources.dropped == 1


def test_checks_are_heard_from_a_bounded_number_of_addresses() -> None:
    """Each one costs aioice a candidate; those that are verified always count."""
    sources = source_filter(sources_max=2)
    heard = [sources.admits_check(request("ours:x", port), ("192.0.2.1", 5_000 + port), ()) for port in range(4)]
    sources.verified.add(("192.0.2.1", 5_003))

    assert heard == [True, True, False, False]
    assert sources.admits_check(request("ours:x", 9), ("192.0.2.1", 5_003), ())


def test_forged_checks_use_up_no_addresses() -> None:
    """The user fragment can be read off the wire; who knows nothing but it keeps nobody out."""
    sources = source_filter(sources_max=1)
    assert not sources.admits_check(request("ours:forged"), ("192.0.2.1", 5_000), ())

    assert sources.admits_check(request("ours:x"), ("192.0.2.1", 5_001), ())


def test_a_check_that_comes_again_from_elsewhere_is_a_replay() -> None:
    """Its sender may repeat it; nobody else may."""
    sources = source_filter()
    first = request("ours:x", 1)

    assert sources.admits_check(first, ("192.0.2.1", 5_000), ())
    assert not sources.admits_check(first, ("192.0.2.2", 5_000), ())
    assert sources.admits_check(first, ("192.0.2.1", 5_000), ())


def test_a_bounded_number_of_checks_is_remembered() -> None:
    """The oldest is forgotten first."""
    seen = SeenChecks(2)
    here, there = ("192.0.2.1", 5_000), ("192.0.2.2", 5_000)
    for name in (b"a", b"b", b"c"):
        assert not seen.is_replay(name, here)

    assert seen.is_replay(b"b", there)
    assert not seen.is_replay(b"a", there)


def test_answers_to_our_own_checks_pass() -> None:
    """By their transaction id, from wherever; any other answer is junk, even from a verified address."""
    sources = source_filter(sources_max=0)
    sources.verified.add(("192.0.2.1", 5_000))
    ours, others = bytes(12), b"\x01" * 12

    assert sources.admits_check(b"\x01\x01" + bytes(6) + ours, ("192.0.2.2", 5_000), {ours})
    assert not sources.admits_check(b"\x01\x01" + bytes(6) + others, ("192.0.2.1", 5_000), {ours})
    assert sources.dropped == 1


def test_checks_of_our_own_to_strangers_are_bounded() -> None:
    """A client says where they go; those to addresses that it has checked us from, or that are verified, are free."""
    sources = source_filter(unasked_max=3)
    checking, verified = ("192.0.2.1", 5_000), ("192.0.2.1", 5_001)
    sources.verified.add(verified)
    sources.admits_check(request("ours:x"), checking, ())
    asked = [("192.0.2.9", 5_000 + port) for port in range(5)]

    assert [sources.may_check(target) for target in asked] == [True, True, True, False, False]
    assert sources.withheld == 2
    assert all(sources.may_check(target) for target in (checking, verified))
