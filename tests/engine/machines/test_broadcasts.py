"""What is told of streams and rooms: whole objects, pages of them, and nothing that could identify somebody."""

import json
from typing import Any

import pytest

from signalreel.commands import (
    LISTED_MAX,
    GetBroadcastObject,
    GetSubscriberCount,
    GetSubscribers,
    GetSubtracks,
    GetSubtracksCount,
    JoinRoom,
    Play,
    Publish,
    Stop,
    UpdateStreamMetaData,
)
from signalreel.events import ClockAdjusted, Track, TracksFound
from signalreel.host import RegisterStream, RegisterSubscriber
from signalreel.machines.broadcasts import SEARCHED_LENGTH_MAX, Broadcast
from signalreel.machines.texts import LIST_SIZE_MAX, TOLD_LENGTH_MAX
from signalreel.messages import Notification, encode_message
from signalreel.record import Grant
from signalreel.registered import Purpose, RegisteredStream, Subscriber
from signalreel.settings import Settings
from tests.engine.world import APP, MS, World
from tests.engine.world import told as told_to

WALL = 1_700_000_000_000  #: milliseconds since 1970 at which the worlds of these tests begin


def world_of(settings: Settings | None = None) -> World:
    """A world with four sessions, at a time that is known."""
    world = World(settings)
    world.report(ClockAdjusted(WALL * MS - world.now - MS))
    world.open("alice", "bob", "carol", "dave")
    return world


def broadcast(world: World, id: str) -> dict[str, Any]:
    """The broadcast object that a client gets."""
    (answer,) = told_to(world.say("dave", GetBroadcastObject(id)), "dave")
    assert isinstance(answer, Notification)
    assert (answer.definition, answer.stream_id) == ("broadcastObject", id)
    assert isinstance(answer.broadcast, str)
    return dict(json.loads(answer.broadcast))


def subtracks(world: World, asked: GetSubtracks) -> list[str]:
    """The ids in an answer to `getSubtracks`."""
    (answer,) = told_to(world.say("dave", asked), "dave")
    assert isinstance(answer, Notification)
    assert isinstance(answer.subtrack_list, tuple)
    assert answer.definition == "subtrackList"
    return [json.loads(text)["streamId"] for text in answer.subtrack_list]


def test_a_stream_is_told_with_every_field_that_clients_read() -> None:
    """The names are those of real servers; what is not known is 0 or empty, and never left out."""
    world = world_of(Settings(viewers_max=9))
    world.say(
        "alice",
        Publish("s1", stream_name="Anna", main_track="r", meta_data="{}", role="speaker", subscriber_id="secret"),
    )
    before = broadcast(world, "s1")
    world.publish("bob", "s2")
    world.play("carol", "s2")
    world.report(
        TracksFound(
            world.stream("s2"),
            (
                Track("v", "video", "VP8", 640, 360, 500_000),
                Track("w", "video", "VP8", 1_280, 720, 900_000),
                Track("a", "audio", "opus", bitrate=32_000),
            ),
        )
    )
    live = broadcast(world, "s2")

    assert before == {
        "streamId": "s1",
        "status": "preparing",
        "type": "liveStream",
        "publishType": "WebRTC",
        "name": "Anna",
        "description": "",
        "metaData": "{}",
        "date": WALL + 5,
        "plannedStartDate": 0,
        "plannedEndDate": 0,
        "mainTrackStreamId": "r",
        "subTrackStreamIds": [],
        "virtual": False,
        "zombi": True,
        "role": "speaker",
        "webRTCViewerCount": 0,
        "webRTCViewerLimit": 9,
        "subtracksLimit": -1,
        "expireDurationMS": 0,
        "width": 0,
        "height": 0,
        "bitrate": 0,
    }
    assert live["status"] == "broadcasting"
    assert live["webRTCViewerCount"] == 1
    assert (live["width"], live["height"], live["bitrate"]) == (1_280, 720, 1_432_000)


def test_a_room_is_told_as_a_virtual_main_track() -> None:
    """Its live streams are its subtracks, and it counts those who play it whole."""
    world = world_of(Settings(room_streams_max=5))
    world.say("bob", JoinRoom("r"))
    world.publish("alice", "s1", room="r")
    world.say("carol", Publish("s2", main_track="r"))
    world.say("bob", Play("r"))
    world.say("alice", UpdateStreamMetaData("r", "of the room"))
    told = broadcast(world, "r")

    assert told["virtual"]
    assert told["status"] == "broadcasting"
    assert told["subTrackStreamIds"] == ["s1"]
    assert (told["webRTCViewerCount"], told["subtracksLimit"]) == (1, 5)
    assert told["metaData"] == "of the room"
    assert told["date"] == WALL + 5


def test_a_stream_that_waits_for_its_publisher_is_no_subtrack() -> None:
    """Whoever plays what a room is told to hold would be refused, as `getSubtracks` and `getRoomInfo` know too."""
    world = world_of(Settings(restore_ms=1_000))
    world.say("bob", JoinRoom("r"))
    world.publish("alice", "s1", room="r", grant=Grant(allowed=True, identity="tag"))

    assert broadcast(world, "r")["subTrackStreamIds"] == ["s1"]
    world.close("alice")
    assert broadcast(world, "r")["subTrackStreamIds"] == []


def test_the_host_sees_the_same_object() -> None:
    """Nothing else is told to a host than to a client."""
    world = world_of()
    world.publish("alice", "s1", room="r")

    for id in ("s1", "r"):
        seen = world.engine.broadcast(id, app=APP)
        assert isinstance(seen, Broadcast)
        assert seen.stream_id == id
    assert world.engine.broadcast("s2", app=APP) is None
    assert world.engine.broadcast("s1", app="other") is None


def named_streams() -> World:
    """A room of three streams, whose names are not in the order of their ids."""
    world = world_of()
    for session, id, name, role in (
        ("carol", "s3", "Anna", "speaker"),
        ("alice", "s1", "Ben", "listener"),
        ("bob", "s2", "Carl", "speaker"),
    ):
        world.say(session, Publish(id, stream_name=name, main_track="r", role=role))
        world.go_live(session, id)
    return world


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (GetSubtracks("r"), ["s1", "s2", "s3"]),
        (GetSubtracks("r", order_by="desc"), ["s3", "s2", "s1"]),
        (GetSubtracks("r", sort_by="name"), ["s3", "s1", "s2"]),
        (GetSubtracks("r", sort_by="name", order_by="DESC"), ["s2", "s1", "s3"]),
        (GetSubtracks("r", sort_by="date"), ["s3", "s1", "s2"]),
        (GetSubtracks("r", sort_by="status"), ["s1", "s2", "s3"]),
        (GetSubtracks("r", sort_by="unheard of"), ["s1", "s2", "s3"]),
        (GetSubtracks("r", role="speaker"), ["s2", "s3"]),
        (GetSubtracks("r", search="AN"), ["s3"]),
        (GetSubtracks("r", search="s2"), ["s2"]),
        (GetSubtracks("r", offset=1, size=1), ["s2"]),
        (GetSubtracks("r", offset=3), []),
        (GetSubtracks("r", size=0), []),
    ],
)
def test_subtracks_are_told_a_page_at_a_time(asked: GetSubtracks, found: list[str]) -> None:
    """Filtered, then sorted, then cut."""
    assert subtracks(named_streams(), asked) == found


def test_a_page_has_a_most() -> None:
    """Contract 15: whoever asks for more than that gets so many."""
    world = world_of()
    for number in range(LISTED_MAX + 1):
        world.open(f"session-{number}")
        world.publish(f"session-{number}", f"s{number}", room="r")

    assert len(subtracks(world, GetSubtracks("r", size=65_535))) == LISTED_MAX


@pytest.mark.parametrize(
    ("role", "status", "count"),
    [("", "", 3), ("speaker", "", 2), ("", "broadcasting", 3), ("", "preparing", 1), ("", "finished", 0)],
)
def test_subtracks_are_counted(role: str, status: str, count: int) -> None:
    """The live ones, when no status is named."""
    world = named_streams()
    world.say("dave", Publish("s4", main_track="r"))

    answers = told_to(world.say("dave", GetSubtracksCount("r", role, status)), "dave")

    assert answers == [Notification("subtrackCount", stream_id="r", count=count)]


def test_viewers_are_told_by_the_names_they_gave() -> None:
    """And by nothing else: no session, no address."""
    world = world_of()
    world.publish("alice", "s1")
    world.say("bob", Play("s1", subscriber_id="b", subscriber_name="Ben"))
    world.say("carol", Play("s1"))

    (answer,) = told_to(world.say("bob", GetSubscribers("s1")), "bob")
    later = told_to(world.say("dave", GetSubscribers("s1", offset=2)), "dave")

    assert isinstance(answer, Notification)
    assert isinstance(answer.subscriber_list, tuple)
    assert [json.loads(text) for text in answer.subscriber_list] == [
        {"streamId": "s1", "subscriberId": "b", "subscriberName": "Ben", "type": "play", "connected": True},
        {"streamId": "s1", "subscriberId": "", "subscriberName": "", "type": "play", "connected": True},
    ]
    assert later == [Notification("subscriberList", stream_id="s1", subscriber_list=())]


def subscribers(world: World, session: str, asked: GetSubscribers) -> list[tuple[str, str, str, bool]]:
    """Who is told to a session: name, full name, what for, and whether they are there."""
    (answer,) = told_to(world.say(session, asked), session)
    assert isinstance(answer, Notification)
    assert isinstance(answer.subscriber_list, tuple)
    entries = [json.loads(text) for text in answer.subscriber_list]
    return [(e["subscriberId"], e["subscriberName"], e["type"], e["connected"]) for e in entries]


def test_subscribers_who_are_registered_are_told_though_they_are_not_there() -> None:
    """After those who play, each once; also of a stream that is not live, and a page at a time."""
    world = world_of()
    world.order(RegisterStream(app="live", stream=RegisteredStream("s1")))
    for id, purpose in (("ann", Purpose.PUBLISH), ("ben", Purpose.PLAY), ("cleo", Purpose.PLAY)):
        world.order(RegisterSubscriber(app="live", subscriber=Subscriber("s1", id, purpose, name=id.title())))
    (idle,) = told_to(world.say("dave", GetSubscriberCount("s1")), "dave")
    unheard = subscribers(world, "dave", GetSubscribers("s1"))
    world.say("alice", Publish("s1", subscriber_id="ann"))
    world.go_live("alice", "s1")
    world.say("bob", Play("s1", subscriber_id="ben", subscriber_name="Ben"))
    world.say("carol", Play("s1"))
    (live,) = told_to(world.say("alice", GetSubscriberCount("s1")), "alice")
    listed = subscribers(world, "alice", GetSubscribers("s1"))
    pages = [subscribers(world, "alice", GetSubscribers("s1", offset=start, size=1)) for start in range(5)]

    assert idle == Notification("subscriberCount", stream_id="s1", count=3)
    assert unheard == [("", "", "publish", False), ("", "", "play", False), ("", "", "play", False)]
    assert live == Notification("subscriberCount", stream_id="s1", count=4)
    assert listed == [
        ("ben", "Ben", "play", True),
        ("", "", "play", True),
        ("ann", "Ann", "publish", True),
        ("cleo", "Cleo", "play", False),
    ]
    assert [entry for page in pages for entry in page] == listed


@pytest.mark.parametrize("session", ["alice", "bob", "carol"])
def test_names_of_viewers_are_for_those_who_take_part(session: str) -> None:
    """Its publisher, its players and the members of its room; a stranger only learns that somebody is there."""
    world = world_of()
    world.say("carol", JoinRoom("r"))
    world.publish("alice", "s1", room="r")
    world.say("bob", Play("s1", subscriber_id="ben", subscriber_name="Ben"))

    assert subscribers(world, session, GetSubscribers("s1")) == [("ben", "Ben", "play", True)]
    assert subscribers(world, "dave", GetSubscribers("s1")) == [("", "", "play", True)]


def test_a_search_looks_through_so_much_of_a_name() -> None:
    """Contract 15: every search goes through every name of the room."""
    world = world_of()
    head = "x" * (SEARCHED_LENGTH_MAX - 1)
    world.say("alice", Publish("s1", main_track="r", stream_name=f"{head}yz"))
    world.go_live("alice", "s1")

    assert subtracks(world, GetSubtracks("r", search="XY")) == ["s1"]
    assert subtracks(world, GetSubtracks("r", search="yz")) == []


def test_a_page_is_of_bounded_size_and_whole() -> None:
    """Contract 15: whoever says too much of its stream is told without it; the others and every place stay."""
    world = world_of()
    for number in range(LISTED_MAX):
        session, long = f"session-{number}", "é" * TOLD_LENGTH_MAX if number else "short"
        world.open(session)
        world.say(session, Publish(f"s{number:02}", main_track="r", stream_name=long, meta_data=long, role=long))
        world.go_live(session, f"s{number:02}")

    (answer,) = told_to(world.say("dave", GetSubtracks("r")), "dave")

    assert isinstance(answer, Notification)
    assert isinstance(answer.subtrack_list, tuple)
    found = [json.loads(text) for text in answer.subtrack_list]
    assert [entry["streamId"] for entry in found] == [f"s{number:02}" for number in range(LISTED_MAX)]
    assert [entry["name"] for entry in found] == ["short", *[""] * (LISTED_MAX - 1)]
    assert len(encode_message(answer)) <= LIST_SIZE_MAX


def test_a_page_of_viewers_is_of_bounded_size() -> None:
    """Contract 15: as one of streams is."""
    world = world_of()
    world.publish("alice", "s1")
    for number in range(LISTED_MAX):
        world.open(f"viewer-{number}")
        world.say(f"viewer-{number}", Play("s1", subscriber_name="é" * TOLD_LENGTH_MAX))

    (answer,) = told_to(world.say("alice", GetSubscribers("s1")), "alice")

    assert isinstance(answer, Notification)
    assert isinstance(answer.subscriber_list, tuple)
    assert len(answer.subscriber_list) == LISTED_MAX
    assert len(encode_message(answer)) <= LIST_SIZE_MAX


def test_a_registered_stream_is_told_before_during_and_after() -> None:
    """With what its operator said of it, and the limits that are its own."""
    world = world_of(Settings(viewers_max=9))
    registered = RegisteredStream(
        "s1",
        name="Anna",
        description="every day",
        planned_end=2_000_000_000,
        viewers_max=3,
        expire_ms=2**50,
        created_at=5,
        main_track="r",
    )
    world.order(RegisterStream(app=APP, stream=registered))
    before = broadcast(world, "s1")
    world.publish("alice", "s1")
    during = broadcast(world, "s1")
    world.say("alice", Stop("s1"))
    after = broadcast(world, "s1")

    assert [told["status"] for told in (before, during, after)] == ["created", "broadcasting", "finished"]
    for seen in (before, during, after):
        assert (seen["name"], seen["description"], seen["date"]) == ("Anna", "every day", 5)
        assert (seen["plannedStartDate"], seen["plannedEndDate"]) == (0, 2_000_000_000)
        assert (seen["webRTCViewerLimit"], seen["expireDurationMS"], seen["zombi"]) == (3, 2**50, False)
        assert seen["mainTrackStreamId"] == "r"
