"""The names of tracks, and what a stream without picture or sound says of itself."""

import pytest

from signalreel.commands import EnableTrack, GetStreamInfo, GetTrackList, Play, Publish, ToggleVideo
from signalreel.events import MediaConnected, Track, TracksFound
from signalreel.host import RegisterStream
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Stream, StreamState
from signalreel.machines.tracks import kinds_of, left_out, names_of, resolved, wanted_of
from signalreel.messages import RenditionInformation, StreamInformation, TrackList
from signalreel.registered import RegisteredStream
from signalreel.step import Roster, Source, TrackSwitched
from tests.engine.world import World

PICTURE = Track("v", "video", "VP8", 640, 480, 500_000)
SOUND = Track("a", "audio", "opus", bitrate=32_000)
DATA = Track("d", "data")


@pytest.mark.parametrize(
    ("video", "audio", "names", "lines"),
    [
        (True, True, ("ARDAMSvs1", "ARDAMSas1"), (RenditionInformation(640, 480, 500_000, 32_000, "VP8"),)),
        (True, False, ("ARDAMSvs1",), (RenditionInformation(640, 480, 500_000, 0, "VP8"),)),
        (False, True, ("ARDAMSas1",), (RenditionInformation(0, 0, 0, 32_000, ""),)),
        (False, False, (), (RenditionInformation(0, 0, 0, 0, ""),)),
    ],
)
def test_what_was_not_to_be_sent_is_no_track(
    video: bool, audio: bool, names: tuple[str, ...], lines: tuple[RenditionInformation, ...]
) -> None:
    """Publish with video or audio false: that kind is in no list, even when media reports it all the same."""
    world = World()
    world.open("alice", "bob")
    world.say("alice", Publish("s1", video=video, audio=audio))
    world.go_live("alice", "s1")
    before = world.say("bob", GetTrackList("s1"))
    world.report(TracksFound(world.stream("s1"), (PICTURE, SOUND, DATA)))

    assert before.messages == [("bob", TrackList("s1", names))]
    assert world.say("bob", GetTrackList("s1")).messages == [("bob", TrackList("s1", names))]
    assert world.say("bob", GetStreamInfo("s1")).messages == [("bob", StreamInformation("s1", lines))]


def test_what_was_not_found_is_no_track() -> None:
    """A publisher that said it would send both and sends only sound."""
    stream = Stream("live", "s1", StreamState.BROADCASTING, tracks=(SOUND, DATA))

    assert (kinds_of(stream), names_of(stream)) == (("audio",), ("ARDAMSas1",))
    assert wanted_of((PICTURE, SOUND, DATA), video=False, audio=True) == (SOUND, DATA)


@pytest.mark.parametrize(
    ("name", "streams", "meant"),
    [
        ("s1", (), ("s1", "")),
        ("ARDAMSvs1", (), ("s1", "video")),
        ("ARDAMSas1", ("s1",), ("s1", "audio")),
        ("ARDAMSvs1", ("ARDAMSvs1",), ("ARDAMSvs1", "")),
        ("ARDAMSv", (), ("ARDAMSv", "")),
        ("", (), ("", "")),
    ],
)
def test_a_name_is_of_a_stream_or_of_one_of_its_tracks(
    name: str, streams: tuple[str, ...], meant: tuple[str, str]
) -> None:
    """A stream that is called like a track is still a stream."""
    assert resolved(name, streams) == meant


@pytest.mark.parametrize("switched_off", [True, False])
def test_a_player_may_begin_without_any_track(*, switched_off: bool) -> None:
    """`disableTracksByDefault` goes to media with everything that is shown, what comes later included."""
    world = World()
    world.open("alice", "bob", "carol")
    world.publish("alice", "s1", room="r")
    world.say("bob", Play("r", room="r", disable_tracks_by_default=switched_off))
    first = world.steps[-1].transitions[-1].detail
    world.offer_and_answer("bob", "r")
    world.report(MediaConnected(world.playback("bob", "r")))
    world.publish("carol", "s2", room="r")
    later = next(m.detail for m in world.steps[-1].transitions if m.machine.kind is Kind.PLAYBACK)

    assert isinstance(first, Roster)
    assert isinstance(later, Roster)
    assert (first.switched_off, later.switched_off, len(later.sources)) == (switched_off, switched_off, 2)


def test_whoever_waits_for_a_stream_may_begin_without_any_track() -> None:
    """What was asked when it began to wait counts when the stream is live."""
    world = World()
    world.open("alice", "bob")
    world.order(RegisterStream(app="live", stream=RegisteredStream("s1", waits=True)))
    world.say("bob", Play("s1", disable_tracks_by_default=True))
    born = world.publish("alice", "s1").born

    assert world.steps[-1].transitions[-1].detail == Roster((Source("s1", born),), switched_off=True)


def test_tracks_are_switched_by_either_name() -> None:
    """By the stream's id, and by the name in offers: of the publisher for all, of a player for itself."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1", room="r")
    world.play("bob", "r")
    details = [
        world.say(session, command).transitions[0].detail
        for session, command in (
            ("alice", EnableTrack("s1", "ARDAMSas1", enabled=False)),
            ("alice", EnableTrack("r", "ARDAMSvs1", enabled=False)),
            ("bob", EnableTrack("r", "ARDAMSvs1", enabled=False)),
            ("bob", EnableTrack("r", "s1", enabled=False)),
            ("bob", ToggleVideo("r", "ARDAMSvs1", enabled=False)),
        )
    ]

    assert details == [
        TrackSwitched("s1", "audio", enabled=False),
        TrackSwitched("s1", "video", enabled=False),
        TrackSwitched("s1", "video", enabled=False),
        TrackSwitched("s1", "", enabled=False),
        TrackSwitched("s1", "video", enabled=False),
    ]


@pytest.mark.parametrize(
    ("track_list", "kind"),
    [
        ((), ""),
        (("s1",), ""),
        (("ARDAMSvs1", "ARDAMSas1"), ""),
        (("ARDAMSvs1",), "audio"),
        (("ARDAMSas1",), "video"),
        (("!ARDAMSas1",), "audio"),
        (("!s1",), ""),
        (("s2", "!s3"), ""),
    ],
)
def test_a_player_chooses_among_the_tracks_of_one_stream(track_list: tuple[str, ...], kind: str) -> None:
    """By the names that `trackList` gave it; what it did not ask for is switched off when it plays."""
    world = World()
    world.open("alice", "bob")
    world.publish("alice", "s1")
    world.play("bob", "s1", tracks=track_list)
    detail = world.steps[-1].transitions[0].detail

    assert left_out(track_list, "s1") == kind
    assert detail == (TrackSwitched("s1", kind, enabled=False) if kind else None)
