"""Questions about an id: answered when there is something, refused when not, and the same for all when hidden."""

from collections.abc import Callable
from typing import Final

import pytest

from signalreel.commands import (
    AnyCommand,
    GetBroadcastObject,
    GetDebugInfo,
    GetRoomInfo,
    GetStreamInfo,
    GetSubscriberCount,
    GetSubscribers,
    GetSubtracks,
    GetSubtracksCount,
    GetTrackList,
    JoinRoom,
    Play,
    Publish,
    UpdateStreamMetaData,
)
from signalreel.identifiers import Kind
from signalreel.machines.questions import ANSWERS, answered, hidden, unanswered
from signalreel.machines.shapes import RoomState, StreamState
from signalreel.messages import Notification
from signalreel.record import Grant
from signalreel.refusals import NO_STREAM_EXIST, UNAUTHORIZED_ACCESS
from signalreel.settings import Settings
from tests.engine.world import World, refusal, told

OF_A_LIVE_STREAM: Final[tuple[Callable[[str], AnyCommand], ...]] = (
    GetBroadcastObject,
    GetSubtracks,
    GetSubtracksCount,
    GetSubscriberCount,
    GetSubscribers,
    GetDebugInfo,
    GetStreamInfo,
    GetTrackList,
)


def world_of(settings: Settings | None = None) -> World:
    """A world in which a stream of a room is live, and a session takes no part in it."""
    world = World(settings)
    world.open("alice", "bob", "carol")
    world.publish("alice", "s1", room="r")
    return world


@pytest.mark.parametrize("question", OF_A_LIVE_STREAM)
def test_whoever_asks_gets_one_answer_with_the_id(question: Callable[[str], AnyCommand]) -> None:
    """Streams are open by default; every answer says what it is about."""
    world = world_of()
    for id in ("s1", "r") if question is not GetStreamInfo else ("s1",):
        step = world.say("carol", question(id))
        (answer,) = step.messages
        assert step.refused == ""
        assert step.transitions == []
        assert answer[0] == "carol"
        assert getattr(answer[1], "stream_id") == id  # noqa: B009 -- not every message has one


@pytest.mark.parametrize("question", OF_A_LIVE_STREAM)
def test_what_does_not_exist_is_refused(question: Callable[[str], AnyCommand]) -> None:
    """With the code that clients look for, and the id."""
    step = world_of().say("carol", question("nothing"))

    assert step.messages == [("carol", refusal(NO_STREAM_EXIST, stream_id="nothing"))]


@pytest.mark.parametrize("question", [*OF_A_LIVE_STREAM, lambda id: UpdateStreamMetaData(id, "{}")])
def test_hidden_streams_are_refused_alike_whether_they_exist_or_not(question: Callable[[str], AnyCommand]) -> None:
    """What is answered for an id that is live is, but for the id, what is answered for one that is not."""
    world = world_of(Settings(hide_streams=True))
    for id in ("s1", "r", "nothing"):
        step = world.say("carol", question(id))
        assert step.messages == [("carol", refusal(UNAUTHORIZED_ACCESS, stream_id=id))]


def test_hidden_rooms_are_refused_alike_whether_they_exist_or_not() -> None:
    """The same of the question that names a room."""
    world = world_of(Settings(hide_streams=True))
    for room in ("r", "nothing"):
        step = world.say("carol", GetRoomInfo(room, "mine"))
        assert step.messages == [("carol", refusal(UNAUTHORIZED_ACCESS, stream_id="mine", room=room))]


@pytest.mark.parametrize("question", OF_A_LIVE_STREAM)
def test_who_takes_part_in_hidden_streams_is_answered(question: Callable[[str], AnyCommand]) -> None:
    """The publisher, a player, a member of the room and a player of the room; and whoever was granted to play."""
    world = world_of(Settings(hide_streams=True))
    world.open("dave", "erin")
    world.play("bob", "s1")
    world.say("carol", JoinRoom("r"))
    world.play("dave", "r")

    for session in ("alice", "bob", "carol", "dave"):
        assert world.say(session, question("s1")).refused == ""
    assert world.say("erin", question("s1")).refused == UNAUTHORIZED_ACCESS.definition
    assert world.say("erin", question("s1"), grant=Grant(allowed=True)).refused == ""


def test_the_publisher_says_something_else_of_its_stream() -> None:
    """Whoever asks later is told that; nobody is told by itself."""
    world = world_of()
    step = world.say("alice", UpdateStreamMetaData("s1", "new"))
    (list_of_room,) = told(world.say("carol", JoinRoom("r")), "carol")

    assert (step.messages, step.transitions, step.refused) == ([], [], "")
    assert isinstance(list_of_room, Notification)
    assert isinstance(list_of_room.stream_list, tuple)
    assert [stream.meta_data for stream in list_of_room.stream_list] == ["new"]


def test_nobody_else_says_something_of_a_stream_or_room() -> None:
    """A viewer, or whoever is no member of the room."""
    world = world_of()
    for id in ("s1", "r"):
        step = world.say("carol", UpdateStreamMetaData(id, "mine now"))
        assert step.messages == [("carol", refusal(UNAUTHORIZED_ACCESS, stream_id=id))]
    assert world.say("carol", UpdateStreamMetaData("nothing", "x")).refused == NO_STREAM_EXIST.definition


def test_whoever_only_watches_a_room_says_nothing_of_it() -> None:
    """Having joined takes a grant to play, and what is said of a room is told to everybody."""
    world = world_of()
    world.say("bob", JoinRoom("r"))
    world.say("bob", Play("s1"))
    refused = world.say("bob", UpdateStreamMetaData("r", "defaced"))
    world.say("alice", UpdateStreamMetaData("r", "welcome"))
    broadcast = world.engine.broadcast("r", app="live")

    assert refused.messages == [("bob", refusal(UNAUTHORIZED_ACCESS, stream_id="r"))]
    assert broadcast is not None
    assert broadcast.meta_data == "welcome"


def test_a_text_beyond_all_measure_replaces_nothing() -> None:
    """It would be told to nobody."""
    world = World()
    world.open("alice")
    world.say("alice", Publish("s1", meta_data="short"))
    step = world.say("alice", UpdateStreamMetaData("s1", "x" * 4_097))
    broadcast = world.engine.broadcast("s1", app="live")

    assert step.messages == []
    assert broadcast is not None
    assert broadcast.meta_data == "short"


def test_every_question_has_rows_where_there_is_something_and_where_not() -> None:
    """Contract 5: what is asked of streams and rooms in the same words is decided for both."""
    live, gone = answered((StreamState.BROADCASTING,)), unanswered((StreamState.IDLE,))

    assert {row.input for row in live} == {row.input for row in gone} == set(ANSWERS)
    assert hidden(GetStreamInfo, (RoomState.OPEN,)).input is GetStreamInfo
    assert world_of().state(Kind.STREAM, "s1") == "broadcasting"
