"""What is agreed on with publishers, and one map of payload types for each player."""

import pytest

from signalreel_adapters.media.aiortc.errors import DescriptionRefused
from signalreel_adapters.media.aiortc.negotiation import (
    Answer,
    Plan,
    PublishedTrack,
    answer,
    setup_of_answer,
    track_name,
)
from signalreel_adapters.media.aiortc.sdp import Codec
from tests.adapters.media.aiortc.fakes import published
from tests.adapters.media.aiortc.test_sdp import OFFER, read

CODECS = ("VP8", "H264", "VP9", "AV1", "opus")


def agree(
    text: str = OFFER,
    codecs: tuple[str, ...] = CODECS,
    wanted: tuple[str, ...] = ("video", "audio"),
    tracks_max: int = 4,
) -> Answer:
    """Answer an offer."""
    return answer(read(text), codecs=codecs, wanted=wanted, tracks_max=tracks_max, message_bytes_max=65_536)


def plan(sections_max: int = 128) -> Plan:
    """A player's plan."""
    return Plan(sections_max=sections_max, message_bytes_max=65_536)


def test_an_offer_is_agreed_on() -> None:
    """The first usable codec of each section, its retransmissions, and the data channel."""
    agreed = agree()
    audio, video = agreed.tracks

    assert (audio.codec.name, audio.repair_type, audio.audio_level_id) == ("opus", 0, 1)
    assert (video.codec.name, video.repair_type, video.layers) == ("VP8", 97, ("q", "f"))
    assert agreed.data is not None
    assert [(section.kind, section.direction) for section in agreed.sections] == [
        ("audio", "recvonly"),
        ("video", "recvonly"),
        ("application", "inactive"),
    ]
    assert agreed.sections[1].layers == ("q", "f")


def test_kinds_that_were_not_announced_are_turned_down() -> None:
    """A publish of audio alone takes no video, whatever is offered."""
    agreed = agree(wanted=("audio",))

    assert [track.kind for track in agreed.tracks] == ["audio"]
    assert agreed.sections[1].formats == "96 97"


def test_nothing_in_common_is_refused() -> None:
    """Neither a codec nor a data channel to agree on."""
    text = OFFER.partition("m=application")[0].replace(" 1 2", " 1")
    with pytest.raises(DescriptionRefused, match="codec"):
        agree(text, codecs=("AV1",))


@pytest.mark.parametrize(
    ("rtpmap", "fmtp", "usable"),
    [
        ("H264/90000", "packetization-mode=1;profile-level-id=42e01f", True),
        ("H264/90000", "packetization-mode=0;profile-level-id=42e01f", False),
        ("VP9/90000", "profile-id=0", True),
        ("VP9/90000", "profile-id=2", False),
        ("VP9/48000", "profile-id=0", False),
        ("AV1/90000", "level-idx=5", True),
        ("AV1/90000", "profile=0", True),
        ("AV1/90000", "profile=1", False),
        ("VP8/0", "x=1", False),
        ("VP8/1", "x=1", False),
        ("VP8/999999", "x=1", False),
        ("VP8/90000/9", "x=1", False),
        ("H264/90000", "packetization-mode=1", True),
        ("H264/90000", "packetization-mode=1;profile-level-id=640C1F", True),
        ("H264/90000", "packetization-mode=1;profile-level-id=f4001f", False),
        ("H264/90000", "packetization-mode=1;profile-level-id=42e01", False),
        ("H264/90000", "packetization-mode=1;profile-level-id=zzzzzz", False),
        ("vp8/90000", "x=1", True),
        ("H265/90000", "x=1", False),
    ],
)
def test_flavors_that_players_cannot_decode_are_not_taken(rtpmap: str, fmtp: str, usable: bool) -> None:
    """Pictures that must fit one packet, more than eight bits, clocks that a codec does not have, unknown codecs."""
    text = OFFER.replace("VP8/90000", rtpmap).replace("a=rtpmap:97", f"a=fmtp:96 {fmtp}\r\na=rtpmap:97")

    assert ([track.kind for track in agree(text).tracks] == ["audio", "video"]) is usable


def test_we_wait_for_the_handshake_unless_the_client_does() -> None:
    """One side must be active (RFC 8842)."""
    assert [setup_of_answer(offered) for offered in ("actpass", "active", "passive")] == [
        "passive",
        "passive",
        "active",
    ]


def test_tracks_are_named_as_the_clients_know_them() -> None:
    """The prefixes of the Ant Media clients."""
    assert (track_name("video", "s1"), track_name("audio", "s1")) == ("ARDAMSvs1", "ARDAMSas1")


def test_an_empty_room_gets_a_data_channel_alone() -> None:
    """An offer must have a section."""
    empty = plan()

    assert empty.show([]) == []
    assert [section.kind for section in empty.sections()] == ["application"]
    assert (empty.data_mid, empty.id_mapping()) == ("0", {})


def test_codecs_of_several_publishers_share_no_payload_type() -> None:
    """Two publishers that use 96 for different codecs are kept apart; the same codec is the same type."""
    h264 = published(codec=Codec(96, "H264", 90_000, parameters="packetization-mode=1"), repair_type=97)
    shown = plan().show([("one", [published()]), ("two", [h264]), ("three", [published()])])

    types = [(each.codec.name, each.codec.payload_type, each.repair_type) for each in shown]
    assert types == [("VP8", 96, 97), ("H264", 102, 103), ("VP8", 96, 97)]
    assert len({ssrc for each in shown for ssrc in (each.ssrc, each.repair_ssrc)}) == 6


def test_sections_keep_their_place_over_renegotiations() -> None:
    """The data channel comes after the first streams; later ones follow, and every mid stays what it was."""
    rooms = plan()
    both = [published("audio"), published()]
    rooms.show([("one", both)])
    first = rooms.id_mapping()
    rooms.show([("one", both), ("two", both)])

    assert first == {"0": "ARDAMSaone", "1": "ARDAMSvone"}
    assert rooms.id_mapping() == first | {"3": "ARDAMSatwo", "4": "ARDAMSvtwo"}
    assert [section.mid for section in rooms.sections()] == ["0", "1", "2", "3", "4"]


def test_a_stream_that_stays_keeps_its_ssrcs() -> None:
    """Renegotiation interrupts nothing."""
    rooms = plan()
    before = rooms.show([("one", [published()])])
    after = rooms.show([("one", [published()]), ("two", [published()])])

    assert after[0] == before[0]


def test_sections_of_streams_that_left_are_used_again() -> None:
    """A hundred streams that come and go need no more sections than one."""
    rooms = plan()
    ssrcs = set[int]()
    for number in range(100):
        ssrcs |= {each.ssrc for each in rooms.show([(f"s{number}", [published("audio"), published()])])}

    assert len(rooms.sections()) == 3
    assert len(ssrcs) == 200


def test_a_section_without_a_stream_is_inactive() -> None:
    """It still lists a codec, under the type that it has on this connection."""
    rooms = plan()
    rooms.show([("one", [published()])])
    rooms.show([])
    section = rooms.sections()[0]

    assert (section.direction, [codec.payload_type for codec in section.codecs]) == ("inactive", [96])
    assert rooms.id_mapping() == {}


def test_what_does_not_fit_is_left_out() -> None:
    """A place is kept for the data channel."""
    small = plan(sections_max=3)
    shown = small.show([(f"s{number}", [published()]) for number in range(5)])

    assert len(shown) == 2
    assert [section.kind for section in small.sections()] == ["video", "video", "application"]


def test_more_tracks_than_one_publisher_may_have_are_turned_down() -> None:
    """The first of its offer are taken, and the others rejected in the answer."""
    agreed = agree(tracks_max=1)

    assert len(agreed.tracks) == 1
    assert [bool(section.formats) for section in agreed.sections if section.kind != "application"] == [False, True]


def test_first_tracks_go_before_second_ones() -> None:
    """Publishers with many pictures keep nobody's first one out, whoever came first."""
    small = plan(sections_max=9)
    greedy = ("greedy", [published() for _ in range(8)])
    assert [each.index for each in small.show([greedy])] == [0, 1, 2, 3]
    assert "application" in {section.kind for section in small.sections()}

    everybody = [greedy, *((f"s{number}", [published()]) for number in range(9))]
    shown = small.show(everybody)

    assert sorted({each.stream_id for each in shown}) == ["greedy", *(f"s{number}" for number in range(7))]
    assert len(shown) == 8
    assert len(small.sections()) == 9


def test_a_second_track_that_gave_way_comes_back_when_there_is_room() -> None:
    """The section of whoever left is used for it."""
    small = plan(sections_max=4)
    greedy = ("greedy", [published(), published()])
    small.show([greedy])
    both = small.show([greedy, ("s1", [published()]), ("s2", [published()])])
    assert [(each.stream_id, each.index) for each in both] == [("greedy", 0), ("s1", 0), ("s2", 0)]

    again = small.show([greedy, ("s2", [published()])])

    assert sorted((each.stream_id, each.index) for each in again) == [("greedy", 0), ("greedy", 1), ("s2", 0)]


@pytest.mark.parametrize("audio", ["opus/8000/2", "opus/48000", "opus/48000/1", "opus/0/2"])
def test_audio_has_the_one_clock_of_opus(audio: str) -> None:
    """48 000 and two channels, whatever is inside (RFC 7587, section 7)."""
    tracks = agree(OFFER.replace("opus/48000/2", audio)).tracks

    assert [track.kind for track in tracks] == ["video"]


def flavored(name: str, parameters: str) -> PublishedTrack:
    """A track of a video codec with these parameters."""
    return published(codec=Codec(96, name, 90_000, parameters=parameters))


@pytest.mark.parametrize("name", ["VP8", "VP9", "H264", "AV1"])
def test_nobody_uses_up_the_payload_types_of_a_player(name: str) -> None:
    """Whoever publishes in ever new wordings of one codec takes one payload type; the next publisher is offered."""
    rooms = plan()
    rooms.show([("victim", [published()])])
    for number in range(200):
        rooms.show([("evil", [flavored(name, f"packetization-mode=1;x={number}")])])
    for good in ("VP8", "VP9", "H264", "AV1"):
        shown = rooms.show([("good", [flavored(good, ""), published("audio")])])

        assert {each.codec.name: each.repair_type > 0 for each in shown} == {good: True, "opus": False}


def test_every_flavor_that_is_taken_has_types_of_its_own() -> None:
    """All of them in one room at once, every profile and level of H264 among them: nobody is left out."""
    wordings = [
        f"packetization-mode=1;profile-level-id={profile}{level:02x}"
        for profile in ("42e0", "42c0", "4d80", "58c0", "4200", "5880", "4d00", "6400", "640c")
        for level in (10, 31, 52)
    ]
    tracks = [flavored("H264", wording) for wording in wordings]
    tracks += [flavored(name, "") for name in ("VP8", "VP9", "AV1")]
    tracks += [
        published("audio", codec=Codec(111, "opus", 48_000, 2, parameters)) for parameters in ("", "stereo=1", "cbr=1")
    ]
    shown = plan().show([(f"s{number}", [track]) for number, track in enumerate(tracks)])
    types = {each.codec: (each.codec.payload_type, each.repair_type) for each in shown}
    numbers = [number for pair in types.values() for number in pair if number]

    assert len(shown) == len(tracks)
    assert len(types) == 5 + 3 + 2
    assert len(set(numbers)) == len(numbers) == 2 * 8 + 2
    assert all(0 < each < 64 or 96 <= each <= 127 for each in numbers)


@pytest.mark.parametrize(
    ("codec", "parameters"),
    [
        (Codec(96, "VP8", 90_000, parameters="max-fs=1;apt=96"), ""),
        (Codec(96, "VP9", 90_000, parameters="x=1"), "profile-id=0"),
        (Codec(96, "AV1", 90_000, parameters="level-idx=99999999999"), "level-idx=5;profile=0;tier=0"),
        (Codec(96, "opus", 48_000, 2, "maxaveragebitrate=1"), "minptime=10;useinbandfec=1"),
        (Codec(96, "opus", 48_000, 2, "sprop-stereo=1"), "minptime=10;sprop-stereo=1;stereo=1;useinbandfec=1"),
        (
            Codec(96, "H264", 90_000, parameters="profile-level-id=4D0028;sprop-parameter-sets=Z0"),
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Codec) else value,
)
def test_players_are_told_of_a_codec_in_our_words(codec: Codec, parameters: str) -> None:
    """What a decoder must know, and nothing else that a publisher wrote."""
    kind = "audio" if codec.name == "opus" else "video"
    (shown,) = plan().show([("one", [published(kind, codec=codec)])])

    assert shown.codec.parameters == parameters


def test_a_new_wording_changes_nothing_for_players() -> None:
    """A publisher that comes back with other parameters of the same flavor keeps its section and its SSRC."""
    rooms = plan()
    before = rooms.show([("one", [flavored("H264", "packetization-mode=1;profile-level-id=42e01f")])])

    assert rooms.show([("one", [flavored("H264", "packetization-mode=1;profile-level-id=42c028;x=1")])]) == before
