"""What a person is shown of an id who looks for a fault."""

import json
from typing import Any

from signalreel.commands import GetDebugInfo, Join, JoinRoom, Play, Publish
from signalreel.events import Track, TracksFound
from signalreel.messages import Notification
from tests.engine.world import World, told


def world_of() -> World:
    """A world with three sessions."""
    world = World()
    world.open("alice", "bob", "carol")
    return world


def seen_by(world: World, session: str, id: str) -> dict[str, Any]:
    """What a session is shown of an id."""
    (answer,) = told(world.say(session, GetDebugInfo(id)), session)
    assert isinstance(answer, Notification)
    assert (answer.definition, answer.stream_id) == ("debugInfo", id)
    assert isinstance(answer.debug_info, str)
    return dict(json.loads(answer.debug_info))


def test_a_stream_shows_its_state_and_for_how_long() -> None:
    """With what runs out when, as long as something does."""
    world = world_of()
    world.say("alice", Publish("s1", main_track="r", audio=False))
    world.wait(500)
    starting = seen_by(world, "bob", "s1")
    world.go_live("alice", "s1")
    world.report(TracksFound(world.stream("s1"), (Track("v", "video", "VP8", 640, 480, 500_000),)))
    world.wait(1_000)

    assert starting == {
        "streamId": "s1",
        "kind": "stream",
        "state": "preparing",
        "inStateMs": 500,
        "ageMs": 500,
        "timeLeftMs": 4_500,
        "viewers": 0,
        "room": "r",
        "video": True,
        "audio": False,
        "tracks": [],
    }
    assert seen_by(world, "bob", "s1") == {
        "streamId": "s1",
        "kind": "stream",
        "state": "broadcasting",
        "inStateMs": 1_001,
        "ageMs": 1_504,
        "viewers": 0,
        "room": "r",
        "video": True,
        "audio": False,
        "tracks": [{"kind": "video", "codec": "VP8", "width": 640, "height": 480, "bitrate": 500_000}],
    }


def test_a_player_is_shown_its_own_playback() -> None:
    """Only its own."""
    world = world_of()
    world.publish("alice", "s1", room="r")
    world.say("bob", Play("r"))

    assert seen_by(world, "bob", "r")["yourPlayback"] == {
        "state": "preparing",
        "inStateMs": 1,
        "ageMs": 1,
        "timeLeftMs": 9_999,
        "shows": ["s1"],
        "room": "r",
    }
    assert "yourPlayback" not in seen_by(world, "carol", "r")


def test_a_room_shows_who_is_in_it_as_numbers() -> None:
    """No session is named."""
    world = world_of()
    world.say("bob", JoinRoom("r"))
    world.publish("alice", "s1", room="r")
    shown = seen_by(world, "carol", "r")

    assert (shown["kind"], shown["state"], shown["members"], shown["streams"]) == ("room", "open", 2, ["s1"])
    assert shown["viewers"] == 0


def test_a_pair_shows_its_peers_as_a_number() -> None:
    """And how many answers are awaited."""
    world = world_of()
    world.say("alice", Join("p"))
    shown = seen_by(world, "carol", "p")

    assert (shown["kind"], shown["state"], shown["peers"], shown["answersOwed"]) == ("pair", "waiting", 1, 0)
