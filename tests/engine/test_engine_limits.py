"""What one client can take is bounded, so that it slows itself alone (Contract 12 and 15)."""

import msgspec
import pytest

from signalreel.commands import GetRoomInfo, Join, JoinRoom, Play, Publish, TakeConfiguration
from signalreel.decoding import decode_command
from signalreel.errors import Undecodable
from signalreel.events import DescriptionCreated, MediaConnected
from signalreel.identifiers import Kind
from signalreel.machines.texts import LIST_SIZE_MAX, TOLD_LENGTH_MAX
from signalreel.messages import Notification, RoomInformation, encode_message
from signalreel.refusals import HIGH_RESOURCE_USAGE
from signalreel.settings import Settings
from tests.engine.world import World, refusal, told


def test_a_session_holds_a_bounded_number_of_machines() -> None:
    """Contract 15: beyond its share a session is refused pairs, rooms and playbacks; other sessions are not."""
    world = World(Settings(session_machines_max=2))
    world.open("publisher", "greedy", "other")
    world.publish("publisher", "s1")
    world.say("greedy", Join("p1"))
    world.say("greedy", JoinRoom("r1", "own"))

    refused = [world.say("greedy", command).refused for command in (Join("p2"), JoinRoom("r2", "own"), Play("s1"))]

    assert refused == [HIGH_RESOURCE_USAGE.definition] * 3
    assert world.say("other", Join("p2")).refused == ""
    assert world.say("greedy", Join("p1")).refused == ""


def test_no_limit_is_a_limit_of_minus_one() -> None:
    """A session may hold any number of pairs when the operator says so, and closing it frees them all."""
    world = World(Settings(session_machines_max=-1))
    world.open("one")
    for number in range(500):
        world.say("one", Join(f"p{number}"))

    assert len(world.engine.held("one")) == 500

    world.close("one")

    assert list(world.engine.machines()) == []


@pytest.mark.parametrize("length", [TOLD_LENGTH_MAX, TOLD_LENGTH_MAX + 1])
def test_what_a_publisher_says_of_its_stream_fills_nobody_elses_connection(length: int) -> None:
    """A name or meta data beyond the bound is not passed on to the room; the stream itself is."""
    world = World()
    world.open("publisher", "member")
    world.say("publisher", Publish("s1", main_track="r", stream_name="n" * length, meta_data="m" * length))
    world.say("publisher", TakeConfiguration("s1", "offer", "sdp"))
    world.report(DescriptionCreated(world.stream("s1"), "answer", "sdp"))
    world.report(MediaConnected(world.stream("s1")))
    world.say("member", JoinRoom("r", "own"))

    (room,) = told(world.say("member", GetRoomInfo("r", "own")), "member")

    assert isinstance(room, RoomInformation)
    (stream,) = room.stream_list
    passed_on = length if length <= TOLD_LENGTH_MAX else 0
    assert (stream.stream_id, len(stream.stream_name), len(stream.meta_data)) == ("s1", passed_on, passed_on)


def test_what_a_session_says_of_itself_is_kept_only_as_far_as_others_are_told() -> None:
    """Contract 15: no command leaves behind in memory as much as a message may hold."""
    world, long = World(), "x" * (TOLD_LENGTH_MAX + 1)
    world.open("publisher", "player", "peer")
    world.say("publisher", Publish("s1", "", long, "", long, "r", meta_data=long, role=long))
    world.go_live("publisher", "s1")
    said = Play("s1", subscriber_id=long, subscriber_name=long, viewer_info=long, role=long, user_publish_id=long)
    world.say("player", said)
    world.say("peer", Join("p", mode=long))

    sizes = {id: len(msgspec.json.encode(machine)) for (_, _, id), machine in world.engine.machines()}
    assert {id: size < 1_000 for id, size in sizes.items()} == dict.fromkeys(("s1", "r", "player/s1", "p"), True)
    assert len(msgspec.json.encode(world.engine.snapshot())) < TOLD_LENGTH_MAX


def test_a_room_is_told_in_bounded_size() -> None:
    """Contract 15: who says little of its stream is told with it, who says much without, and every stream is told."""
    world = World()
    for number in range(100):
        session, said = f"session-{number}", "é" * TOLD_LENGTH_MAX if number else "short"
        world.open(session)
        world.say(session, Publish(f"s{number:02}", main_track="r", stream_name=said, meta_data=said, role=said))
        world.go_live(session, f"s{number:02}")
    world.open("member")

    (joined,) = told(world.say("member", JoinRoom("r", "own")), "member")
    (room,) = told(world.say("member", GetRoomInfo("r", "own")), "member")

    assert isinstance(joined, Notification)
    assert isinstance(room, RoomInformation)
    assert joined.stream_list == room.stream_list
    assert room.streams == tuple(f"s{number:02}" for number in range(100))
    assert [stream.stream_name for stream in room.stream_list] == ["short", *[""] * 99]
    assert len(encode_message(room)) <= LIST_SIZE_MAX


def test_a_track_list_has_a_bounded_number_of_entries() -> None:
    """A list longer than any client's is a wrong type: it would be looked through at each change of a room."""
    names = ",".join(['"a"'] * 1_000)
    taken = decode_command(f'{{"command":"play","streamId":"r","trackList":[{names}]}}')

    assert isinstance(taken, Play)
    assert len(taken.track_list) == 1_000
    with pytest.raises(Undecodable) as caught:
        decode_command(f'{{"command":"play","streamId":"r","trackList":[{names},"a"]}}')
    assert caught.value.reason == "wrong_type"


@pytest.mark.parametrize(("field", "most"), [("candidate", 1_024), ("id", 255)])
def test_a_candidate_is_short(field: str, most: int) -> None:
    """Candidates are relayed by the dozen: a text that no candidate has is a wrong type, and reaches no peer."""
    longest = f'{{"command":"takeCandidate","streamId":"p","{field}":"{"x" * most}"}}'
    taken = decode_command(longest)

    assert len(getattr(taken, field)) == most
    with pytest.raises(Undecodable) as caught:
        decode_command(longest.replace("xx", "xxx", 1))
    assert caught.value.reason == "wrong_type"


def test_the_refusal_names_what_was_asked_for() -> None:
    """The refused command's id is on the error, as on every other."""
    world = World(Settings(session_machines_max=0))
    world.open("one")

    (error,) = told(world.say("one", Join("p1")), "one")

    assert error == refusal(HIGH_RESOURCE_USAGE, stream_id="p1")
    assert world.engine.find(Kind.PAIR, "p1", app="live") is None
