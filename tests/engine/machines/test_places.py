"""Whose pictures a player of a whole room gets, and that player and media are told the same."""

from typing import Final

import pytest

from signalreel.commands import (
    AnyCommand,
    AssignVideoTrack,
    GetVideoTrackAssignments,
    Play,
    Publish,
    SetMaxVideoTrackCount,
    Stop,
    TakeConfiguration,
    UpdateVideoTrackAssignments,
)
from signalreel.events import DescriptionCreated, MediaConnected
from signalreel.machines.places import RESERVED_MAX, Assignment, assignments_of, changed_by
from signalreel.machines.shapes import Places, Playback, PlaybackState
from signalreel.messages import Notification, VideoTrackAssignment
from signalreel.step import Roster, Step, VideoAssigned
from tests.engine.world import World, moves, told

STREAMS: Final = ("s1", "s2", "s3", "s4")


def room_world() -> World:
    """A room of four streams that one session plays whole."""
    world = World()
    world.open("player", *STREAMS)
    for id in STREAMS:
        world.publish(id, id, room="r")
    world.play("player", "r")
    return world


def assigned(step: Step) -> tuple[VideoTrackAssignment, ...]:
    """Whose pictures the player was told that it gets; media must have been told the same."""
    (heard,) = [m for m in told(step, "player") if isinstance(m, Notification) and m.payload]
    assert (heard.definition, heard.stream_id) == ("videoTrackAssignmentList", "r")
    details = [m.detail for m in step.transitions if isinstance(m.detail, VideoAssigned)]
    assert [detail.assignments for detail in details] in ([heard.payload], [])
    return heard.payload if isinstance(heard.payload, tuple) else ()


def shown(*ids: str, reserved: tuple[str, ...] = ()) -> tuple[VideoTrackAssignment, ...]:
    """Assignments, as a client reads them."""
    return tuple(VideoTrackAssignment(id, id, id in reserved) for id in ids)


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ((), shown(*STREAMS)),
        ((SetMaxVideoTrackCount("r", 2),), shown("s1", "s2")),
        ((SetMaxVideoTrackCount("r", 2), SetMaxVideoTrackCount("r", -1)), shown(*STREAMS)),
        ((SetMaxVideoTrackCount("r", 2), AssignVideoTrack("r", "s4")), shown("s4", "s1", reserved=("s4",))),
        ((SetMaxVideoTrackCount("r", 1), AssignVideoTrack("r", "ARDAMSvs3")), shown("s3", reserved=("s3",))),
        (
            (AssignVideoTrack("r", "s3"), AssignVideoTrack("r", "s3", enabled=False), SetMaxVideoTrackCount("r", 1)),
            shown("s1"),
        ),
        ((UpdateVideoTrackAssignments("r", 1, 2),), shown("s2", "s3")),
        ((UpdateVideoTrackAssignments("r", 3, 2),), shown("s4")),
        ((UpdateVideoTrackAssignments("r", 2, 0),), shown("s3", "s4")),
        (
            (UpdateVideoTrackAssignments("r", 1, 2), AssignVideoTrack("r", "s1"), AssignVideoTrack("r", "gone")),
            shown("s1", "s3", "s4", reserved=("s1",)),
        ),
    ],
)
def test_places_go_to_what_is_reserved_and_then_to_the_page(
    commands: tuple[AnyCommand, ...], expected: tuple[VideoTrackAssignment, ...]
) -> None:
    """Reserved first, then the others from the page on, as many as there are places."""
    world = room_world()
    steps = [world.say("player", command) for command in commands]
    asked = world.say("player", GetVideoTrackAssignments("r"))

    assert assigned(asked) == expected
    assert asked.transitions == []
    if steps:
        assert assigned(steps[-1]) == expected
        assert moves(steps[-1]) == [("playback", "player/r", "playing", "playing")]
        assert steps[-1].transitions[0].detail == VideoAssigned(expected)


def test_no_place_at_all_is_no_picture() -> None:
    """Sound only, as a player on a thin line wants it."""
    step = room_world().say("player", SetMaxVideoTrackCount("r", 0))

    assert step.messages == [("player", Notification("videoTrackAssignmentList", stream_id="r", payload=()))]
    assert step.transitions[0].detail == VideoAssigned(())


def test_a_stream_without_a_picture_takes_no_place() -> None:
    """Of two streams, one of which is sound alone."""
    world = room_world()
    world.open("fifth")
    world.say("fifth", Publish("a0", main_track="r", video=False))
    world.go_live("fifth", "a0")

    assert assigned(world.say("player", GetVideoTrackAssignments("r"))) == shown(*STREAMS)


def test_places_said_before_it_plays_are_kept() -> None:
    """They are assigned when the player is connected."""
    world = World()
    world.open("player", *STREAMS)
    for id in STREAMS:
        world.publish(id, id, room="r")
    world.say("player", Play("r"))
    early = world.say("player", SetMaxVideoTrackCount("r", 1))
    world.offer_and_answer("player", "r")
    started = world.report(MediaConnected(world.playback("player", "r")))

    assert (early.messages, early.transitions) == ([], [])
    assert assigned(started) == shown("s1")
    assert started.transitions[0].detail == VideoAssigned(shown("s1"))


def test_places_are_assigned_anew_when_the_room_has_changed() -> None:
    """Once the new offer is answered: the next one takes the place of a stream that has gone."""
    world = room_world()
    world.say("player", SetMaxVideoTrackCount("r", 1))
    gone = world.say("s1", Stop("s1"))
    world.report(DescriptionCreated(world.playback("player", "r"), "offer", "new"))
    settled = world.say("player", TakeConfiguration("r", "answer", "new"))

    assert [type(m.detail) for m in gone.transitions if m.machine.kind == "playback"] == [Roster]
    assert assigned(settled) == shown("s2")


def test_whoever_never_said_anything_of_places_is_told_nothing() -> None:
    """Every picture goes to it, and no list of them."""
    world = room_world()
    world.say("s1", Stop("s1"))
    world.report(DescriptionCreated(world.playback("player", "r"), "offer", "new"))
    settled = world.say("player", TakeConfiguration("r", "answer", "new"))

    assert settled.messages == []
    assert settled.transitions[0].detail is None


def test_reserved_places_are_bounded() -> None:
    """Contract 15: what one player may reserve has a most."""
    playback = Playback("live", "a/r", PlaybackState.PLAYING, places=Places())
    wanted: list[Assignment] = [AssignVideoTrack("r", f"s{number}") for number in range(RESERVED_MAX + 5)]
    for command in wanted:
        playback = changed_by(playback, command)

    assert playback.places is not None
    assert len(playback.places.reserved) == RESERVED_MAX
    assert assignments_of(playback, World().engine._context) == ()
