"""The playback: playing a stream or a whole room as the protocol page has it."""

from typing import Final

import pytest

from signalreel.commands import (
    EnableTrack,
    ForceStreamQuality,
    Join,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
)
from signalreel.events import (
    BitrateMeasured,
    CandidateFound,
    DescriptionCreated,
    DescriptionFailed,
    LicenceChanged,
    MediaConnected,
    MediaLost,
    ResourcesMeasured,
)
from signalreel.host import EndStream
from signalreel.machines.shapes import PlaybackState
from signalreel.messages import Candidate, Description, Notification
from signalreel.record import Grant
from signalreel.refusals import (
    ALREADY_PLAYING,
    HIGH_RESOURCE_USAGE,
    LICENSE_SUSPENDED,
    NO_STREAM_EXIST,
    NOT_SET_LOCAL_DESCRIPTION,
    NOT_SET_REMOTE_DESCRIPTION,
    UNAUTHORIZED_ACCESS,
    USER_BLOCKED,
    VIEWER_LIMIT_REACHED,
    Refusal,
)
from signalreel.settings import Settings
from signalreel.step import HeightForced, Roster, Source, Step, TrackSwitched
from tests.engine.world import MS, World, moves, refusal, told

MAPPING: Final = {"0": "ARDAMSvs1", "1": "ARDAMSas1"}


def world_of(settings: Settings | None = None) -> World:
    """A world with four sessions, one of which publishes `s1` on its own."""
    world = World(settings)
    world.open("alice", "bob", "carol", "dave")
    world.publish("alice", "s1")
    return world


def started(id: str = "s1") -> Notification:
    """What a player is told when it is connected."""
    return Notification("play_started", stream_id=id, subscriber_id="")


def finished(id: str = "s1") -> Notification:
    """What a player is told when it is over."""
    return Notification("play_finished", stream_id=id, subscriber_id="")


# ---------------------------------------------------------------- playing a stream


def test_playing_goes_as_the_page_has_it() -> None:
    """Play, offer with its track names, answer, candidates both ways, media, stop: message by message."""
    world = world_of()
    born = world.stream("s1").born
    steps: list[Step] = [world.say("bob", Play("s1"))]
    playback = world.playback("bob", "s1")
    steps += [
        world.report(DescriptionCreated(playback, "offer", "the offer", MAPPING)),
        world.say("bob", TakeCandidate("s1", 0, "0", "his")),
        world.report(CandidateFound(playback, 0, "0", "ours")),
        world.say("bob", TakeConfiguration("s1", "answer", "the answer")),
        world.report(MediaConnected(playback)),
        world.say("bob", Stop("s1")),
    ]

    assert [message for step in steps for message in step.messages] == [
        ("bob", Description("s1", "offer", "the offer", id_mapping=MAPPING)),
        ("bob", Candidate("s1", 0, "0", "ours")),
        ("bob", started()),
        ("bob", finished()),
    ]
    assert [move for step in steps for move in moves(step)] == [
        ("playback", "bob/s1", "idle", "preparing"),
        ("playback", "bob/s1", "preparing", "offered"),
        ("playback", "bob/s1", "offered", "offered"),
        ("playback", "bob/s1", "offered", "connecting"),
        ("playback", "bob/s1", "connecting", "playing"),
        ("playback", "bob/s1", "playing", "finished"),
    ]
    assert steps[0].transitions[0].detail == Roster((Source("s1", born),))
    assert world.lives() == [("stream", "s1", "broadcasting")]


def test_each_player_has_a_playback_of_its_own() -> None:
    """One stream has many viewers, among them its own publisher; each stops for itself."""
    world = world_of()
    for session in ("alice", "bob", "carol"):
        world.play(session, "s1")

    world.say("bob", Stop("s1"))

    assert world.lives() == [
        ("playback", "alice/s1", "playing"),
        ("playback", "carol/s1", "playing"),
        ("stream", "s1", "broadcasting"),
    ]


def test_one_session_plays_several_streams() -> None:
    """A legacy room is played so: a connection for each other member."""
    world = world_of()
    world.publish("carol", "s2")
    world.play("bob", "s1")
    world.play("bob", "s2")

    assert [id for kind, id, _ in world.lives() if kind == "playback"] == ["bob/s1", "bob/s2"]


def test_the_first_check_that_fails_is_the_answer() -> None:
    """The order of checks of play. Everything is wrong at once; as each is mended, the next one shows."""
    world = world_of()
    denied, blocked = Grant(allowed=False), Grant(allowed=False, refusal=USER_BLOCKED.definition)
    world.report(LicenceChanged(suspended=True))
    world.report(ResourcesMeasured(cpu_percent=1, free_memory_mb=9))
    world.set(Settings(viewers_max=0))
    answers = [world.say("bob", Play("none"), grant=denied).messages]
    world.report(LicenceChanged(suspended=False))
    answers.append(world.say("bob", Play("none"), grant=denied).messages)
    world.report(ResourcesMeasured(cpu_percent=1, free_memory_mb=10))
    answers += [world.say("bob", Play("none"), grant=grant).messages for grant in (denied, blocked, None)]
    answers.append(world.say("bob", Play("s1")).messages)

    assert answers == [
        [("bob", refusal(LICENSE_SUSPENDED, stream_id="none"))],
        [("bob", refusal(HIGH_RESOURCE_USAGE, stream_id="none"))],
        [("bob", refusal(UNAUTHORIZED_ACCESS, stream_id="none"))],
        [("bob", refusal(USER_BLOCKED, stream_id="none"))],
        [("bob", refusal(NO_STREAM_EXIST, stream_id="none"))],
        [("bob", refusal(VIEWER_LIMIT_REACHED, stream_id="s1"))],
    ]


def test_playing_twice_is_refused_before_anything_about_the_stream() -> None:
    """already_playing: while it plays, or is about to, also when the stream could take no other viewer."""
    world = world_of(Settings(viewers_max=1))
    world.say("bob", Play("s1"))

    early = world.say("bob", Play("s1"))
    world.offer_and_answer("bob", "s1")
    world.report(MediaConnected(world.playback("bob", "s1")))
    late = world.say("bob", Play("s1"))

    assert [step.messages for step in (early, late)] == [[("bob", refusal(ALREADY_PLAYING, stream_id="s1"))]] * 2
    assert world.say("carol", Play("s1")).refused == VIEWER_LIMIT_REACHED.definition


def test_what_is_not_live_cannot_be_played() -> None:
    """no_stream_exist: nothing, a stream about to be live, a pair; naming it as a room makes it none."""
    world = world_of()
    world.say("bob", Publish("starting"))
    world.say("bob", Join("pair"))

    refused = [
        world.say("carol", command).refused
        for command in (
            Play("none"),
            Play("none", room="another"),
            Play("starting"),
            Play("starting", room="starting"),
            Play("pair"),
            Play("pair", room="pair"),
        )
    ]

    assert refused == ["no_stream_exist"] * 6


def test_a_viewer_that_goes_makes_place() -> None:
    """viewerLimitReached counts those who connect, too; and only those of this stream."""
    world = world_of(Settings(viewers_max=1))
    world.publish("carol", "s2")
    world.say("bob", Play("s1"))

    limits = [world.say("dave", Play("s1")).refused, world.say("dave", Play("s2")).refused]
    world.say("bob", Stop("s1"))
    limits.append(world.say("dave", Play("s1")).refused)

    assert limits == ["viewerLimitReached", "", ""]


# ---------------------------------------------------------------- what may come between


def test_a_player_answers_once_for_each_offer() -> None:
    """An answer before the offer or a second one, and an offer of a player's own, are let pass."""
    world = world_of()
    world.say("bob", Play("s1"))
    early = world.say("bob", TakeConfiguration("s1", "answer", "a"))
    world.offer_and_answer("bob", "s1")
    passed = [
        early,
        world.say("bob", TakeConfiguration("s1", "answer", "a")),
        world.say("bob", TakeConfiguration("s1", "offer", "o")),
        world.report(DescriptionCreated(world.playback("bob", "s1"), "offer", "o")),
    ]

    assert [(step.messages, step.transitions, step.refused) for step in passed] == [([], [], "")] * 4


@pytest.mark.parametrize(
    ("side", "entry"), [("remote", NOT_SET_REMOTE_DESCRIPTION), ("local", NOT_SET_LOCAL_DESCRIPTION)]
)
def test_a_description_that_failed_ends_the_playback(side: str, entry: Refusal) -> None:
    """The player is told which side could not, and that it is over."""
    world = world_of()
    world.say("bob", Play("s1"))

    step = world.report(DescriptionFailed(world.playback("bob", "s1"), side))

    assert step.messages == [("bob", refusal(entry, stream_id="s1")), ("bob", finished())]
    assert moves(step) == [("playback", "bob/s1", "preparing", "finished")]


def test_nobody_waits_for_a_player_for_ever() -> None:
    """10 000 ms from accepting play until it is connected, then play_finished; no answer restarts the time."""
    world = world_of()
    begun = world.say("bob", Play("s1"))
    world.wait(9_000)
    world.offer_and_answer("bob", "s1")

    late = world.wake()

    assert late.record.time - begun.record.time == 10_000 * MS
    assert late.messages == [("bob", finished())]
    assert moves(late) == [("playback", "bob/s1", "connecting", "finished")]
    assert late.deadline is None
    assert world.say("bob", Play("s1")).refused == ""


def test_a_playback_that_plays_has_no_timer() -> None:
    """Once connected, nothing is left to wait for."""
    world = world_of()
    world.play("bob", "s1")

    assert world.engine.deadline() is None


@pytest.mark.parametrize("how", ["media lost", "publisher stopped", "publisher closed", "host ended"])
def test_a_playback_ends_with_what_carries_it(how: str) -> None:
    """play_finished once, whichever end it was; the id can be played again as soon as it is live again."""
    world = world_of()
    playback = world.play("bob", "s1")

    step = {
        "media lost": lambda: world.report(MediaLost(playback)),
        "publisher stopped": lambda: world.say("alice", Stop("s1")),
        "publisher closed": lambda: world.close("alice"),
        "host ended": lambda: world.order(EndStream(app="live", stream_id="s1")),
    }[how]()

    assert told(step, "bob") == [finished()]
    assert moves(step)[-1] == ("playback", "bob/s1", "playing", "finished")


def test_a_player_that_is_gone_is_told_nothing() -> None:
    """Contract 14: the session closes, its playback with it, and the stream goes on for everyone else."""
    world = world_of()
    world.play("bob", "s1")

    step = world.close("bob")

    assert (step.messages, moves(step)) == ([], [("playback", "bob/s1", "playing", "finished")])
    assert world.lives() == [("stream", "s1", "broadcasting")]


def test_a_player_switches_for_itself() -> None:
    """toggleVideo, toggleAudio, enableTrack, forceStreamQuality: a detail for media, for this player, and no answer."""
    world = world_of()
    world.play("bob", "s1")
    steps = [
        world.say("bob", ToggleVideo("s1", "s1", enabled=False)),
        world.say("bob", ToggleVideo("s1")),
        world.say("bob", ToggleAudio("s1", "s1", enabled=False)),
        world.say("bob", EnableTrack("s1", "s1", enabled=False)),
        world.say("bob", EnableTrack("s1")),
        world.say("bob", ForceStreamQuality("s1", 360)),
        world.say("bob", ForceStreamQuality("s1")),
    ]

    assert [step.messages for step in steps] == [[]] * 7
    assert {move for step in steps for move in moves(step)} == {("playback", "bob/s1", "playing", "playing")}
    assert [m.detail for step in steps for m in step.transitions] == [
        TrackSwitched("s1", "video", enabled=False),
        TrackSwitched("s1", "video", enabled=True),
        TrackSwitched("s1", "audio", enabled=False),
        TrackSwitched("s1", "", enabled=False),
        TrackSwitched("s1", "", enabled=True),
        HeightForced(360),
        HeightForced(0),
    ]


def test_who_does_not_play_switches_nothing() -> None:
    """Switches of something that the session does not play are harmless."""
    world = world_of()
    commands = (ToggleVideo("s1", "s1"), ToggleAudio("s1", "s1"), EnableTrack("s1"), ForceStreamQuality("s1", 1))

    assert [(s.messages, s.transitions) for s in (world.say("bob", command) for command in commands)] == [([], [])] * 4


def test_a_player_is_told_its_bitrate_once_it_plays() -> None:
    """bitrateMeasurement with what it can take and what it gets, in bit/s; not while it connects."""
    world = world_of()
    world.say("bob", Play("s1"))
    playback = world.playback("bob", "s1")
    early = world.report(BitrateMeasured(playback, 3, 2, 1))
    world.offer_and_answer("bob", "s1")
    world.report(MediaConnected(playback))

    measured = world.report(BitrateMeasured(playback, 3_000_000, 1_500_000, 64_000))

    assert early.messages == []
    assert measured.messages == [
        (
            "bob",
            Notification(
                "bitrateMeasurement",
                stream_id="s1",
                target_bitrate=3_000_000,
                video_bitrate=1_500_000,
                audio_bitrate=64_000,
            ),
        )
    ]


def test_the_states_are_these() -> None:
    """The media adapter follows a playback by these names."""
    assert [str(state) for state in PlaybackState] == [
        "idle",
        "waiting",
        "preparing",
        "offered",
        "connecting",
        "playing",
        "updating",
        "reoffered",
        "finished",
    ]
