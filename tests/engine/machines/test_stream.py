"""The stream: publishing as the protocol page has it, and everything that may come between."""

from collections.abc import Callable
from typing import Final

import pytest

from signalreel.commands import (
    EnableTrack,
    GetStreamInfo,
    GetTrackList,
    Join,
    JoinRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.events import (
    CandidateFound,
    DescriptionCreated,
    DescriptionFailed,
    LicenceChanged,
    MediaConnected,
    MediaLost,
    ResourcesMeasured,
    Track,
    TracksFound,
)
from signalreel.host import EndStream
from signalreel.messages import (
    Candidate,
    Description,
    Notification,
    RenditionInformation,
    Start,
    StreamInformation,
    TrackList,
)
from signalreel.record import Grant
from signalreel.refusals import (
    ALREADY_PUBLISHING,
    HIGH_RESOURCE_USAGE,
    LICENSE_SUSPENDED,
    MAIN_TRACK_IS_FULL,
    NO_CODEC_ENABLED,
    NO_STREAM_EXIST,
    NOT_SET_LOCAL_DESCRIPTION,
    NOT_SET_REMOTE_DESCRIPTION,
    PUBLISH_TIMEOUT_ERROR,
    STREAM_ID_IN_USE,
    UNAUTHORIZED_ACCESS,
    USER_BLOCKED,
    Refusal,
)
from signalreel.settings import DEFAULT_CODECS, Settings
from signalreel.step import PublishTerms, Step, TrackSwitched
from tests.engine.world import MS, World, moves, refusal, told

DENIED: Final = Grant(allowed=False)
BLOCKED: Final = Grant(allowed=False, refusal=USER_BLOCKED.definition)


def world_of(settings: Settings | None = None) -> World:
    """A world in which three sessions are open."""
    world = World(settings)
    world.open("alice", "bob", "carol")
    return world


def started(stream_id: str = "s1") -> Notification:
    """What a publisher is told when media flows."""
    return Notification("publish_started", stream_id=stream_id, subscriber_id="")


def finished(stream_id: str = "s1") -> Notification:
    """What a publisher is told when it is over."""
    return Notification("publish_finished", stream_id=stream_id, subscriber_id="")


# ---------------------------------------------------------------- publishing


def test_publishing_goes_as_the_page_has_it() -> None:
    """Publish, start, offer, answer, candidates both ways, media, stop: message by message and state by state."""
    world = world_of()
    steps: list[Step] = [
        world.say("alice", Publish("s1", subscriber_id="alice@example.org", video=True, audio=False)),
        world.say("alice", TakeConfiguration("s1", "offer", "the offer")),
        world.say("alice", TakeCandidate("s1", 0, "0", "hers")),
    ]
    stream = world.stream("s1")
    steps += [
        world.report(DescriptionCreated(stream, "answer", "the answer")),
        world.report(CandidateFound(stream, 0, "0", "ours")),
        world.report(MediaConnected(stream)),
        world.say("alice", Stop("s1")),
    ]

    assert [message for step in steps for message in step.messages] == [
        ("alice", Start("s1", "alice@example.org")),
        ("alice", Description("s1", "answer", "the answer")),
        ("alice", Candidate("s1", 0, "0", "ours")),
        ("alice", Notification("publish_started", stream_id="s1", subscriber_id="alice@example.org")),
        ("alice", Notification("publish_finished", stream_id="s1", subscriber_id="alice@example.org")),
    ]
    assert [move for step in steps for move in moves(step)] == [
        ("stream", "s1", "idle", "preparing"),
        ("stream", "s1", "preparing", "negotiating"),
        ("stream", "s1", "negotiating", "negotiating"),
        ("stream", "s1", "negotiating", "connecting"),
        ("stream", "s1", "connecting", "broadcasting"),
        ("stream", "s1", "broadcasting", "finished"),
    ]
    assert steps[1].transitions[0].detail == PublishTerms(video=True, audio=False, codecs=DEFAULT_CODECS)
    assert world.lives() == []


def test_a_stream_can_be_renegotiated_while_it_is_live() -> None:
    """A second offer on the same connection is handed to media and answered; the stream stays live."""
    world = world_of()
    stream = world.publish("alice", "s1")

    offered = world.say("alice", TakeConfiguration("s1", "offer", "another"))
    answered = world.report(DescriptionCreated(stream, "answer", "another answer"))

    assert moves(offered) == [("stream", "s1", "broadcasting", "broadcasting")]
    assert offered.transitions[0].detail == PublishTerms(video=True, audio=True, codecs=DEFAULT_CODECS)
    assert answered.messages == [("alice", Description("s1", "answer", "another answer"))]
    assert moves(answered) == []


@pytest.mark.parametrize(
    ("side", "entry"), [("remote", NOT_SET_REMOTE_DESCRIPTION), ("local", NOT_SET_LOCAL_DESCRIPTION)]
)
def test_a_description_that_failed_is_told_and_may_be_tried_again(side: str, entry: Refusal) -> None:
    """The publisher may offer again while its timer runs, which no failure restarts; a live stream stays so."""
    world = world_of()
    world.say("alice", Publish("s1"))
    deadline = world.engine.deadline()
    world.say("alice", TakeConfiguration("s1", "offer", "bad"))

    failed = world.report(DescriptionFailed(world.stream("s1"), side))

    assert failed.messages == [("alice", refusal(entry, stream_id="s1"))]
    assert moves(failed) == [("stream", "s1", "negotiating", "preparing")]
    assert failed.deadline == deadline
    world.say("alice", TakeConfiguration("s1", "offer", "good"))
    world.report(DescriptionCreated(world.stream("s1"), "answer", "a"))
    world.report(MediaConnected(world.stream("s1")))
    again = world.report(DescriptionFailed(world.stream("s1"), side))
    assert (again.messages, moves(again)) == ([("alice", refusal(entry, stream_id="s1"))], [])


def test_only_an_offer_of_its_turn_is_taken() -> None:
    """While an answer is made, further descriptions are let pass, and an answer never is one from a publisher."""
    world = world_of()
    world.say("alice", Publish("s1"))
    world.say("alice", TakeConfiguration("s1", "offer", "first"))

    ignored = [
        world.say("alice", TakeConfiguration("s1", "offer", "second")),
        world.say("alice", TakeConfiguration("s1", "pranswer", "what")),
    ]

    assert [(step.messages, step.transitions, step.refused) for step in ignored] == [([], [], "")] * 2


def test_media_that_is_early_or_repeated_changes_nothing() -> None:
    """Media connects after the answer, once; nothing else makes a stream live."""
    world = world_of()
    world.say("alice", Publish("s1"))
    stream = world.stream("s1")

    early = world.report(MediaConnected(stream))
    world.say("alice", TakeConfiguration("s1", "offer", "o"))
    still_early = world.report(MediaConnected(stream))
    world.report(DescriptionCreated(stream, "answer", "a"))
    late_answer = world.report(DescriptionCreated(stream, "answer", "a"))
    live = world.report(MediaConnected(stream))
    repeated = world.report(MediaConnected(stream))

    assert [told(step, "alice") for step in (early, still_early, late_answer, live, repeated)] == [
        [],
        [],
        [],
        [started()],
        [],
    ]


# ---------------------------------------------------------------- refusals, and which one wins


def test_the_first_check_that_fails_is_the_answer() -> None:
    """The order of checks of publish. Everything is wrong at once; as each is mended, the next one shows."""
    crowded = Settings(codecs=(), room_streams_max=0, streams_max=1)
    world = world_of(crowded)
    world.say("bob", Join("s1"))
    world.set(Settings())
    world.publish("alice", "other")
    world.set(crowded)
    world.report(LicenceChanged(suspended=True))
    world.report(ResourcesMeasured(cpu_percent=85, free_memory_mb=1_000))
    ask = Publish("s1", main_track="r")
    definitions = [
        world.say("alice", Publish("a b"), grant=DENIED).refused,
        world.say("alice", ask, grant=DENIED).refused,
    ]

    world.report(LicenceChanged(suspended=False))
    definitions.append(world.say("alice", ask, grant=DENIED).refused)
    world.report(ResourcesMeasured(cpu_percent=84, free_memory_mb=1_000))
    definitions.append(world.say("alice", ask, grant=DENIED).refused)
    definitions.append(world.say("alice", ask, grant=BLOCKED).refused)
    definitions.append(world.say("alice", ask).refused)
    world.close("bob")
    definitions.append(world.say("alice", ask).refused)
    definitions.append(world.say("carol", ask).refused)
    world.set(Settings(room_streams_max=0, streams_max=1))
    definitions.append(world.say("carol", ask).refused)
    world.set(Settings(streams_max=1))
    definitions.append(world.say("carol", ask).refused)
    world.set(Settings())
    definitions.append(world.say("carol", ask).refused)

    assert definitions == [
        "invalidStreamName",
        LICENSE_SUSPENDED.definition,
        HIGH_RESOURCE_USAGE.definition,
        UNAUTHORIZED_ACCESS.definition,
        USER_BLOCKED.definition,
        STREAM_ID_IN_USE.definition,
        ALREADY_PUBLISHING.definition,
        NO_CODEC_ENABLED.definition,
        MAIN_TRACK_IS_FULL.definition,
        HIGH_RESOURCE_USAGE.definition,
        "",
    ]


def test_an_id_is_in_use_from_the_start() -> None:
    """streamIdInUse: another session's stream, preparing or publishing; one's own is already_publishing."""
    world = world_of()
    brought: tuple[Callable[[], Step], ...] = (
        lambda: world.say("alice", Publish("s1")),
        lambda: world.say("alice", TakeConfiguration("s1", "offer", "o")),
        lambda: world.report(DescriptionCreated(world.stream("s1"), "answer", "a")),
        lambda: world.report(MediaConnected(world.stream("s1"))),
    )
    for bring in brought:
        bring()
        for session, entry in (("bob", STREAM_ID_IN_USE), ("alice", ALREADY_PUBLISHING)):
            step = world.say(session, Publish("s1"))
            assert step.messages == [(session, refusal(entry, stream_id="s1"))]
            assert (step.refused, moves(step)) == (entry.definition, [])


def test_a_session_publishes_one_stream() -> None:
    """already_publishing: a second id on the same session is refused while the first lives, then accepted."""
    world = world_of()
    world.say("alice", Publish("s1"))

    refused = world.say("alice", Publish("s2"))
    world.say("alice", Stop("s1"))
    accepted = world.say("alice", Publish("s2"))

    assert refused.messages == [("alice", refusal(ALREADY_PUBLISHING, stream_id="s2"))]
    assert accepted.messages == [("alice", Start("s2"))]


def test_an_id_is_one_thing() -> None:
    """Routing. In one app a live id is a stream, a pair or a room; and one publishes in rooms only."""
    world = world_of()
    world.say("bob", Join("pair"))
    world.say("bob", JoinRoom("room"))
    world.publish("carol", "stream")

    refused = [
        world.say("alice", Publish("pair")),
        world.say("alice", Publish("room")),
        world.say("alice", Publish("s1", main_track="pair")),
        world.say("alice", Publish("s1", main_track="stream")),
        world.say("alice", Publish("s1", main_track="s1")),
    ]

    assert [step.refused for step in refused] == ["streamIdInUse"] * 5
    assert world.say("alice", Publish("s1", main_track="room")).refused == ""


def test_a_limit_counts_what_is_about_to_be_live() -> None:
    """Streams of an app and of a room count from `start`, so that no limit can be passed by being quick."""
    world = world_of(Settings(room_streams_max=1, streams_max=2))
    world.say("alice", Publish("s1", main_track="r"))

    full_room = world.say("bob", Publish("s2", main_track="r"))
    world.say("bob", Publish("s2"))
    full_app = world.say("carol", Publish("s3"))
    world.say("alice", Stop("s1"))
    free_again = world.say("carol", Publish("s3", main_track="r"))

    assert full_room.messages == [("bob", refusal(MAIN_TRACK_IS_FULL, stream_id="s2"))]
    assert full_app.messages == [("carol", refusal(HIGH_RESOURCE_USAGE, stream_id="s3"))]
    assert free_again.refused == ""


# ---------------------------------------------------------------- the end


def test_nobody_waits_for_media_for_ever() -> None:
    """publishTimeoutError: 5 000 ms after `start`, which neither an offer nor an answer restarts."""
    world = world_of()
    begun = world.say("alice", Publish("s1"))
    world.wait(2_000)
    offered = world.say("alice", TakeConfiguration("s1", "offer", "o"))
    world.report(DescriptionCreated(world.stream("s1"), "answer", "a"))

    late = world.wake()

    assert begun.deadline is not None
    assert offered.deadline == begun.deadline
    assert late.record.time - begun.record.time == 5_000 * MS
    assert late.messages == [("alice", refusal(PUBLISH_TIMEOUT_ERROR, stream_id="s1"))]
    assert moves(late) == [("stream", "s1", "connecting", "finished")]
    assert late.deadline is None
    assert world.say("bob", Publish("s1")).refused == ""


def test_a_running_timer_keeps_the_time_it_was_set_for() -> None:
    """A change of the settings is for what starts after it."""
    world = world_of()
    before = world.say("alice", Publish("s1"))
    changed = world.set(Settings(publish_timeout_ms=1_000))
    after = world.say("bob", Publish("s2"))

    assert before.deadline is not None
    assert before.deadline.at == before.record.time + 5_000 * MS
    assert changed.deadline == before.deadline
    assert after.deadline is not None
    assert after.deadline.at == after.record.time + 1_000 * MS


@pytest.mark.parametrize("answered", [False, True])
def test_media_that_is_lost_ends_the_stream(answered: bool) -> None:
    """Before it was live that is a publishTimeoutError, after that a publish_finished; viewers are told."""
    world = world_of()
    world.say("alice", Publish("s1"))
    world.say("alice", TakeConfiguration("s1", "offer", "o"))
    if answered:
        world.report(DescriptionCreated(world.stream("s1"), "answer", "a"))
        world.report(MediaConnected(world.stream("s1")))
        world.say("bob", Play("s1"))

    lost = world.report(MediaLost(world.stream("s1"), "consent expired"))

    if answered:
        assert lost.messages == [
            ("alice", finished()),
            ("bob", Notification("play_finished", stream_id="s1", subscriber_id="")),
        ]
    else:
        assert lost.messages == [("alice", refusal(PUBLISH_TIMEOUT_ERROR, stream_id="s1"))]
    assert world.lives() == []


def test_a_stream_that_has_not_started_stops_without_a_word() -> None:
    """publish_finished follows publish_started; before that there is nothing to finish. A second stop is harmless."""
    world = world_of()
    world.say("alice", Publish("s1"))

    stops = [world.say("alice", Stop("s1")), world.say("alice", Stop("s1"))]

    assert [step.messages for step in stops] == [[], []]
    assert [moves(step) for step in stops] == [[("stream", "s1", "preparing", "finished")], []]


def test_only_its_publisher_stops_a_stream() -> None:
    """A stop by anyone else concerns nothing of theirs."""
    world = world_of()
    world.publish("alice", "s1")

    step = world.say("bob", Stop("s1"))

    assert (step.messages, moves(step)) == ([], [])


def test_a_stream_ends_with_its_session() -> None:
    """Contract 14: the id is free the moment the session closes; viewers are told, the publisher is not."""
    world = world_of()
    world.publish("alice", "s1")
    world.play("bob", "s1")

    step = world.close("alice")

    assert step.messages == [("bob", Notification("play_finished", stream_id="s1", subscriber_id=""))]
    assert moves(step) == [
        ("stream", "s1", "broadcasting", "finished"),
        ("playback", "bob/s1", "playing", "finished"),
    ]
    assert world.say("carol", Publish("s1")).messages == [("carol", Start("s1"))]


def test_the_host_ends_a_stream() -> None:
    """A live one finishes for its publisher and viewers; one that has not started times out; none is refused."""
    world = world_of()
    world.publish("alice", "s1")
    world.play("bob", "s1")
    world.say("carol", Publish("s2"))

    live = world.order(EndStream(app="live", stream_id="s1"))
    starting = world.order(EndStream(app="live", stream_id="s2"))
    none = world.order(EndStream(app="live", stream_id="s1"))
    elsewhere = world.order(EndStream(app="another", stream_id="s2"))

    assert live.messages == [
        ("alice", finished()),
        ("bob", Notification("play_finished", stream_id="s1", subscriber_id="")),
    ]
    assert starting.messages == [("carol", refusal(PUBLISH_TIMEOUT_ERROR, stream_id="s2"))]
    assert [(step.refused, step.messages) for step in (none, elsewhere)] == [("no_stream_exist", [])] * 2


# ---------------------------------------------------------------- questions and switches

VIDEO: Final = Track("v", "video", "VP8", 1280, 720, 1_500_000)
SMALL: Final = Track("w", "video", "VP8", 640, 360, 400_000)
AUDIO: Final = Track("a", "audio", "opus", bitrate=64_000)


@pytest.mark.parametrize(
    ("tracks", "lines"),
    [
        ((), ()),
        ((AUDIO,), (RenditionInformation(0, 0, 0, 64_000, ""),)),
        ((VIDEO, AUDIO), (RenditionInformation(1280, 720, 1_500_000, 64_000, "VP8"),)),
        (
            (VIDEO, SMALL, AUDIO),
            (
                RenditionInformation(1280, 720, 1_500_000, 64_000, "VP8"),
                RenditionInformation(640, 360, 400_000, 64_000, "VP8"),
            ),
        ),
    ],
)
def test_stream_information_is_a_line_for_each_rendition(
    tracks: tuple[Track, ...], lines: tuple[RenditionInformation, ...]
) -> None:
    """getStreamInfo: what media found last, asked by anyone; sound alone is one line without a picture."""
    world = world_of()
    stream = world.publish("alice", "s1")
    world.report(TracksFound(stream, (SMALL,)))
    world.report(TracksFound(stream, tracks))

    step = world.say("bob", GetStreamInfo("s1"))

    assert step.messages == [("bob", StreamInformation("s1", lines))]
    assert step.transitions == []


def test_what_is_not_live_does_not_exist() -> None:
    """no_stream_exist with error_code 404: for an unknown id, and for one that is about to be live."""
    world = world_of()
    world.say("alice", Publish("starting"))

    for id in ("unknown", "starting"):
        for command in (GetStreamInfo(id), GetTrackList(id)):
            step = world.say("bob", command)
            assert step.messages == [("bob", refusal(NO_STREAM_EXIST, stream_id=id))]


def test_a_stream_has_tracks_by_the_names_in_offers() -> None:
    """getTrackList of a stream that is no room, under the grant that play would need."""
    world = world_of()
    world.publish("alice", "s1")

    steps = [world.say("bob", GetTrackList("s1"), grant=grant) for grant in (None, DENIED, BLOCKED)]

    assert [step.messages for step in steps] == [
        [("bob", TrackList("s1", ("ARDAMSvs1", "ARDAMSas1")))],
        [("bob", refusal(UNAUTHORIZED_ACCESS, stream_id="s1"))],
        [("bob", refusal(USER_BLOCKED, stream_id="s1"))],
    ]


@pytest.mark.parametrize("enabled", [False, True])
def test_a_publisher_switches_its_stream_for_everyone(enabled: bool) -> None:
    """enableTrack (protocol page): a transition of the stream, for the media adapter; nobody is answered."""
    world = world_of()
    world.publish("alice", "s1")

    step = world.say("alice", EnableTrack("s1", "s1", enabled=enabled))

    assert step.messages == []
    assert [(m.target, m.detail) for m in step.transitions] == [
        ("broadcasting", TrackSwitched("s1", "", enabled=enabled))
    ]
