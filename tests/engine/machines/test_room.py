"""The room: conferences as the protocol page has them, and as newer clients hold them."""

from typing import Final

import pytest

from signalreel.commands import GetRoomInfo, GetTrackList, Join, JoinRoom, LeaveFromRoom, Play, Publish, Stop
from signalreel.events import MediaLost
from signalreel.host import CloseRoom
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Room
from signalreel.messages import AnyMessage, Notification, RoomInformation, RoomStream, Start, TrackList
from signalreel.record import Grant
from signalreel.refusals import (
    NO_ACTIVE_STREAMS_IN_ROOM,
    NO_ROOM_SPECIFIED,
    STREAM_ID_IN_USE,
    UNAUTHORIZED_ACCESS,
    USER_BLOCKED,
)
from signalreel.settings import Settings
from tests.engine.world import World, moves, refusal, told

DENIED: Final = Grant(allowed=False)
BLOCKED: Final = Grant(allowed=False, refusal=USER_BLOCKED.definition)
LEFT: Final = Notification("leavedFromRoom", room_name="r", room="r")


def world_of(settings: Settings | None = None) -> World:
    """A world with four sessions."""
    world = World(settings)
    world.open("alice", "bob", "carol", "dave")
    return world


def joined(stream_id: str, *others: str, tracks: int = -1) -> Notification:
    """What a member is told on joining the room `r`."""
    return Notification(
        "joinedTheRoom",
        stream_id=stream_id,
        streams=others,
        stream_list=tuple(RoomStream(id, "", "") for id in others),
        room_name="r",
        room="r",
        max_track_count=tracks,
    )


def information(*streams: str) -> RoomInformation:
    """What is told about the room `r`."""
    return RoomInformation("r", streams, tuple(RoomStream(id, "", "") for id in streams), "r")


def ended(definition: str, stream_id: str, room: str = "") -> AnyMessage:
    """A notification about a stream's or playback's end."""
    if room:
        return Notification(definition, stream_id=stream_id, subscriber_id="", room_name=room, room=room)
    return Notification(definition, stream_id=stream_id, subscriber_id="")


# ---------------------------------------------------------------- a conference as the page has it


def test_a_legacy_conference_goes_as_the_page_has_it() -> None:
    """Join, publish what was assigned, poll, play each other, leave: what each member is told."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.publish("alice", "a1")
    world.say("bob", JoinRoom("r"))
    fresh = f"fresh-{world.engine.seq}"
    world.publish("bob", fresh)
    polled = [world.say("alice", GetRoomInfo("r", "a1")), world.say("bob", GetRoomInfo("r", fresh))]
    world.play("bob", "a1", room="r")

    left = world.say("bob", LeaveFromRoom("r"))
    alone = world.say("alice", GetRoomInfo("r", "a1"))

    assert world.heard["alice"][0] == joined("a1")
    assert world.heard["bob"][0] == joined(fresh, "a1")
    assert [step.messages for step in polled] == [[("alice", information(fresh))], [("bob", information("a1"))]]
    assert left.messages == [
        ("bob", LEFT),
        ("bob", ended("play_finished", "a1")),
        ("bob", ended("publish_finished", fresh, "r")),
    ]
    assert alone.messages == [("alice", information())]
    assert world.lives() == [("room", "r", "open"), ("stream", "a1", "broadcasting")]


def test_a_stream_id_is_drawn_for_whoever_names_none() -> None:
    """Contract 10: the id stands on the record; an empty one (iOS) means none; one that is named is used."""
    world = world_of()

    drawn = world.say("alice", JoinRoom("r", ""))
    named = world.say("bob", JoinRoom("r", "b1"))

    assert drawn.messages == [("alice", joined(drawn.record.ids[0]))]
    assert named.messages == [("bob", joined("b1"))]


def test_only_live_streams_are_listed_and_never_ones_own() -> None:
    """`streams` holds ids that can be played now, sorted; not what is about to be, not what is in another room."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.say("alice", Publish("a1"))
    world.publish("carol", "z9", room="r")
    world.publish("dave", "d1", room="another")

    assert world.say("bob", JoinRoom("r", "b1")).messages == [("bob", joined("b1", "z9"))]
    assert world.say("carol", GetRoomInfo("r", "carol-asks-as-another")).messages == [("carol", information())]
    assert world.say("alice", GetRoomInfo("r", "a1")).messages == [("alice", information("z9"))]


def test_what_a_publisher_says_of_its_stream_is_listed() -> None:
    """`streamList` has the name and the metadata beside the id."""
    world = world_of()
    world.say("alice", Publish("a1", main_track="r", stream_name="Alice", meta_data='{"isMicMuted":true}'))
    world.say("bob", JoinRoom("r", "b1"))
    world.close("alice")
    world.open("alice")
    world.publish("alice", "a1", room="r")
    world.say("carol", Publish("c1", main_track="r", stream_name="Carol", meta_data="{}"))

    step = world.say("bob", GetRoomInfo("r", "b1"))

    assert step.messages == [("bob", RoomInformation("r", ("a1",), (RoomStream("a1", "", ""),), "r"))]


def test_the_number_of_tracks_is_told_from_the_settings() -> None:
    """`maxTrackCount`, as the newer pages read it."""
    world = world_of(Settings(video_tracks_max=9))

    assert world.say("alice", JoinRoom("r", "a1")).messages == [("alice", joined("a1", tracks=9))]


def test_joining_again_gives_the_same_seat() -> None:
    """A session has one seat in a room, under the stream id it first had."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))

    again = world.say("alice", JoinRoom("r", "a2"))

    assert (again.messages, moves(again)) == ([("alice", joined("a1"))], [])


def test_the_first_check_that_fails_is_the_answer() -> None:
    """The order of checks of joinRoom: room named, access, blocks, then whether the id is something else."""
    world = world_of()
    world.say("bob", Join("p"))
    world.publish("carol", "s1")

    answers = [
        world.say("alice", command, grant=grant).messages
        for command, grant in (
            (JoinRoom("", "a1"), DENIED),
            (JoinRoom("p", "a1"), DENIED),
            (JoinRoom("p", "a1"), BLOCKED),
            (JoinRoom("p", "a1"), None),
            (JoinRoom("s1", "a1"), None),
        )
    ]

    assert answers == [
        [("alice", refusal(NO_ROOM_SPECIFIED, stream_id="a1"))],
        [("alice", refusal(UNAUTHORIZED_ACCESS, stream_id="a1", room="p"))],
        [("alice", refusal(USER_BLOCKED, stream_id="a1", room="p"))],
        [("alice", refusal(STREAM_ID_IN_USE, stream_id="a1", room="p"))],
        [("alice", refusal(STREAM_ID_IN_USE, stream_id="a1", room="s1"))],
    ]


def test_an_open_room_is_gated_too() -> None:
    """Access is asked for each who comes, whoever is in already."""
    world = world_of()
    world.say("alice", JoinRoom("r"))

    assert world.say("bob", JoinRoom("r"), grant=DENIED).refused == "unauthorized_access"
    assert world.say("alice", JoinRoom("r"), grant=BLOCKED).refused == "user_blocked"


def test_asking_about_a_room_without_members_is_refused() -> None:
    """no_active_streams_in_room only when nobody is a member; an empty array for a member that is alone.

    Whoever only watches has no stream of its own to name.
    """
    world = world_of()
    answers = [world.say("alice", GetRoomInfo("", "x")).messages, world.say("alice", GetRoomInfo("r", "x")).messages]
    world.say("bob", Play("r", room="r"))
    answers.append(world.say("alice", GetRoomInfo("r", "x")).messages)
    world.say("carol", JoinRoom("r", "c1"))
    answers.append(world.say("carol", GetRoomInfo("r", "c1")).messages)
    answers.append(world.say("dave", GetRoomInfo("r")).messages)

    assert answers == [
        [("alice", refusal(NO_ROOM_SPECIFIED, stream_id="x"))],
        [("alice", refusal(NO_ACTIVE_STREAMS_IN_ROOM, stream_id="x", room="r"))],
        [("alice", refusal(NO_ACTIVE_STREAMS_IN_ROOM, stream_id="x", room="r"))],
        [("carol", information())],
        [("dave", information())],
    ]


def test_the_tracks_of_a_room_are_its_streams() -> None:
    """getTrackList of a room: what can be played in it but one's own, under the grant that play would need."""
    world = world_of()
    world.publish("alice", "a1", room="r")
    world.publish("bob", "b1", room="r")

    steps = [world.say("bob", GetTrackList("r"), grant=grant) for grant in (None, DENIED, BLOCKED)]

    assert [step.messages for step in steps] == [
        [("bob", TrackList("r", ("a1",)))],
        [("bob", refusal(UNAUTHORIZED_ACCESS, stream_id="r"))],
        [("bob", refusal(USER_BLOCKED, stream_id="r"))],
    ]


# ---------------------------------------------------------------- both kinds of members


def test_publishing_with_a_main_track_takes_a_seat() -> None:
    """A newer client never says joinRoom; it is a member from its publish on, and both kinds see one another."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.publish("alice", "a1")

    placed = world.say("bob", Publish("b1", main_track="r"))
    polled = world.say("bob", GetRoomInfo("r", "b1"))

    assert placed.messages == [("bob", Start("b1"))]
    assert moves(placed) == [("stream", "b1", "idle", "preparing"), ("room", "r", "open", "open")]
    assert polled.messages == [("bob", information("a1"))]


def test_a_publisher_that_joins_later_is_a_member_like_any_other() -> None:
    """joinRoom after publish: the same seat, under the stream it has; from then on it stays when its stream goes."""
    world = world_of()
    world.publish("alice", "a1", room="r")

    step = world.say("alice", JoinRoom("r", "a1"))
    world.report(MediaLost(world.stream("a1")))
    room = world.engine.find(Kind.ROOM, "r", app="live")

    assert step.messages == [("alice", joined("a1"))]
    assert isinstance(room, Room)
    assert [(seat.session, seat.stream_id, seat.joined) for seat in room.members] == [("alice", "a1", True)]
    assert world.lives() == [("room", "r", "open")]


def test_a_publishers_seat_goes_with_its_stream() -> None:
    """Whoever only publishes is told that it left when it stops; the last one closes the room."""
    world = world_of()
    world.publish("alice", "a1", room="r")
    world.publish("bob", "b1", room="r")

    steps = [world.say("bob", Stop("b1")), world.say("alice", Stop("a1"))]

    assert [step.messages for step in steps] == [
        [("bob", ended("publish_finished", "b1", "r")), ("bob", LEFT)],
        [("alice", ended("publish_finished", "a1", "r")), ("alice", LEFT)],
    ]
    assert [moves(step)[-1] for step in steps] == [("room", "r", "open", "open"), ("room", "r", "open", "closed")]


def test_a_publisher_that_stops_goes_on_playing() -> None:
    """Whoever publishes with a main track and plays the room keeps watching; the room is there as long as it does."""
    world = world_of()
    world.publish("alice", "a1", room="r")
    world.play("alice", "r", room="r")

    step = world.say("alice", Stop("a1"))

    assert told(step, "alice") == [ended("publish_finished", "a1", "r"), LEFT]
    assert world.lives() == [("playback", "alice/r", "playing"), ("room", "r", "open")]


def test_a_seat_goes_with_a_stream_that_never_started() -> None:
    """A publisher whose time ran out leaves nothing of itself in the room."""
    world = world_of()
    world.say("alice", Publish("a1", main_track="r"))

    step = world.wake()

    assert moves(step) == [("stream", "a1", "preparing", "finished"), ("room", "r", "open", "closed")]


# ---------------------------------------------------------------- leaving


def test_the_stop_of_ones_own_stream_leaves_the_room() -> None:
    """leavedFromRoom (protocol page): after a stop too, and what it played in the room ends with it."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.publish("alice", "a1")
    world.say("bob", JoinRoom("r", "b1"))
    world.publish("bob", "b1")
    world.play("alice", "b1", room="r")

    step = world.say("alice", Stop("a1"))

    assert told(step, "alice") == [ended("publish_finished", "a1", "r"), LEFT, ended("play_finished", "b1")]
    assert world.lives() == [("room", "r", "open"), ("stream", "b1", "broadcasting")]


def test_the_stop_of_something_else_does_not_leave_the_room() -> None:
    """A member stops what it plays, or what it publishes under another id than it has here, and stays."""
    world = world_of()
    world.publish("bob", "b1", room="r")
    world.say("alice", JoinRoom("r", "a1"))
    world.play("alice", "b1", room="r")
    world.publish("alice", "other")

    steps = [world.say("alice", Stop("b1")), world.say("alice", Stop("other"))]

    assert [step.messages for step in steps] == [
        [("alice", ended("play_finished", "b1"))],
        [("alice", ended("publish_finished", "other"))],
    ]
    assert world.say("bob", GetRoomInfo("r", "b1")).refused == ""


@pytest.mark.parametrize("named", ["roomNameBox.value", ""])
def test_leaving_by_a_wrong_name_leaves_ones_own_room(named: str) -> None:
    """One page sends the name of its text field, others send none: that must not keep anyone in a room."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.publish("alice", "a1")

    step = world.say("alice", LeaveFromRoom(named))

    assert step.messages == [("alice", LEFT), ("alice", ended("publish_finished", "a1", "r"))]
    assert world.lives() == []


def test_leaving_what_one_is_not_in_is_answered_and_changes_nothing() -> None:
    """The session is not in the room, which is what it wanted; only leaving without any name or seat is refused."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))

    steps = [world.say("bob", LeaveFromRoom("r")), world.say("bob", LeaveFromRoom("none"))]
    unnamed = world.say("bob", LeaveFromRoom(""))

    assert [step.messages for step in steps] == [
        [("bob", LEFT)],
        [("bob", Notification("leavedFromRoom", room_name="none", room="none"))],
    ]
    assert unnamed.messages == [("bob", refusal(NO_ROOM_SPECIFIED))]
    assert world.lives() == [("room", "r", "open")]


def test_a_member_that_closes_is_gone_for_everyone() -> None:
    """Contract 14: the seat goes with the session; the room stays for the others and closes with the last."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.publish("alice", "a1")
    world.say("bob", JoinRoom("r", "b1"))

    first = world.close("alice")
    polled = world.say("bob", GetRoomInfo("r", "b1"))
    last = world.close("bob")

    assert moves(first) == [("stream", "a1", "broadcasting", "finished"), ("room", "r", "open", "open")]
    assert polled.messages == [("bob", information())]
    assert moves(last) == [("room", "r", "open", "closed")]


def test_nobody_is_told_when_a_stream_comes_or_goes() -> None:
    """Clients poll (protocol page); only whoever plays the whole room gets another offer."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    before = len(world.heard["alice"])

    world.publish("bob", "b1", room="r")
    world.say("bob", Stop("b1"))

    assert world.heard["alice"][before:] == []


def test_the_host_closes_a_room() -> None:
    """Every member is sent out, and whatever it publishes and plays there ends; players without a seat go too."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.publish("alice", "a1")
    world.publish("bob", "b1", room="r")
    world.play("bob", "a1", room="r")
    world.play("carol", "r", room="r")
    world.publish("dave", "d1")

    step = world.order(CloseRoom(app="live", room="r", actor="admin"))

    assert told(step, "alice") == [LEFT, ended("publish_finished", "a1", "r")]
    assert told(step, "bob") == [LEFT, ended("play_finished", "a1"), ended("publish_finished", "b1", "r")]
    assert told(step, "carol") == [ended("play_finished", "r")]
    assert told(step, "dave") == []
    assert world.lives() == [("stream", "d1", "broadcasting")]


def test_closing_what_is_not_there_is_refused() -> None:
    """The host is told so in the step; an app that is not this room's is not there either."""
    world = world_of()
    world.say("alice", JoinRoom("r"))

    steps = [world.order(CloseRoom(app="live", room="none")), world.order(CloseRoom(app="other", room="r"))]

    assert [(step.refused, step.messages, step.transitions) for step in steps] == [
        ("no_active_streams_in_room", [], [])
    ] * 2
    assert world.state(Kind.ROOM, "r") == "open"


def test_a_session_in_two_rooms_leaves_the_one_it_names() -> None:
    """Both seats are its own; the stream it publishes in the other room goes on."""
    world = world_of()
    world.say("alice", JoinRoom("r", "a1"))
    world.say("alice", JoinRoom("r2", "a2"))
    world.publish("alice", "a2")

    step = world.say("alice", LeaveFromRoom("r"))

    assert step.messages == [("alice", LEFT)]
    assert world.lives() == [("room", "r2", "open"), ("stream", "a2", "broadcasting")]


def test_a_room_that_one_only_plays_is_left_by_its_name() -> None:
    """Whoever is a member of one room and plays another leaves the one it names, and stays in its own."""
    world = world_of()
    world.publish("alice", "a1", room="r")
    world.say("bob", JoinRoom("r2", "b2"))
    world.play("bob", "r", room="r")

    step = world.say("bob", LeaveFromRoom("r"))

    assert step.messages == [("bob", LEFT), ("bob", ended("play_finished", "r"))]
    assert world.say("bob", GetRoomInfo("r2", "b2")).refused == ""


def test_a_room_that_is_only_watched_gives_way_to_a_publisher() -> None:
    """Contract 14: whoever plays an id as a room keeps nobody from publishing it; those who played are told.

    So a stranger who has been in a room of that name leaves no trace: its players come back to the stream.
    """
    world = world_of()
    world.say("dave", JoinRoom("r", "d1"))
    world.play("bob", "r")
    world.play("carol", "r", room="r")
    assert world.say("alice", Publish("r")).refused == "streamIdInUse"

    world.say("dave", LeaveFromRoom("r"))
    step = world.say("alice", Publish("r"))
    world.go_live("alice", "r")
    again = world.play("bob", "r")

    assert step.messages == [("alice", Start("r")), *((who, ended("play_finished", "r")) for who in ("bob", "carol"))]
    assert ("room", "r", "open", "closed") in moves(step)
    assert world.state(Kind.PLAYBACK, again.id) == "playing"
    assert world.say("carol", JoinRoom("r")).refused == "streamIdInUse"


def test_a_room_with_a_kept_stream_gives_way_to_nobody() -> None:
    """Its publisher may come back to it, and its players have something to wait for."""
    world = world_of(Settings(restore_ms=3_000))
    world.publish("alice", "a1", room="r", grant=Grant(allowed=True, identity="tag"))
    world.play("bob", "r", room="r")
    world.close("alice")

    assert world.state(Kind.ROOM, "r") == "open"
    assert world.say("carol", Publish("r")).refused == "streamIdInUse"
