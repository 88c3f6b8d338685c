"""Grants that are good for some rooms: the engine holds a command to them, wherever it leads."""

import pytest

from signalreel.commands import AnyCommand, GetTrackList, Join, JoinRoom, Play, Publish
from signalreel.host import RegisterStream
from signalreel.record import Grant
from signalreel.refusals import NO_STREAM_EXIST, UNAUTHORIZED_ACCESS
from signalreel.registered import RegisteredStream
from tests.engine.world import World

REFUSED = UNAUTHORIZED_ACCESS.definition


def good_for(*rooms: str) -> Grant:
    """A verdict that is good for these rooms, "" for none."""
    return Grant(allowed=True, rooms=rooms)


def world() -> World:
    """The room `r` with the live stream `a`, the live stream `b` in no room, and a stream registered for `r`."""
    around = World()
    around.open("alice", "bob", "carol")
    around.publish("alice", "a", room="r")
    around.publish("bob", "b")
    for stream in (RegisteredStream("c", main_track="r"), RegisteredStream("w", main_track="r", waits=True)):
        around.order(RegisterStream(app="live", stream=stream))
    return around


@pytest.mark.parametrize(
    ("command", "rooms", "refused"),
    [
        (Publish("x"), ("",), ""),
        (Publish("x"), ("r",), REFUSED),
        (Publish("x", main_track="r"), ("r",), ""),
        (Publish("x", main_track="r"), ("", "q"), REFUSED),
        (Publish("c"), ("r",), ""),
        (Publish("c"), ("",), REFUSED),
        (Publish("c", main_track="q"), ("q",), ""),
        (Play("a"), ("r",), ""),
        (Play("a"), ("",), REFUSED),
        (Play("b"), ("",), ""),
        (Play("b"), ("b",), REFUSED),
        (Play("r"), ("r",), ""),
        (Play("r"), ("", "a"), REFUSED),
        (Play("q", room="q"), ("q",), ""),
        (Play("q", room="q"), ("r",), REFUSED),
        (Play("w"), ("r",), ""),
        (Play("w"), ("",), REFUSED),
        (Play("nothing"), ("r",), NO_STREAM_EXIST.definition),
        (GetTrackList("a"), ("r",), ""),
        (GetTrackList("a"), ("q",), REFUSED),
        (GetTrackList("r"), ("r",), ""),
        (GetTrackList("r"), ("",), REFUSED),
        (JoinRoom("r"), ("r",), ""),
        (JoinRoom("r"), ("",), REFUSED),
        (Join("p"), ("r",), ""),
    ],
)
def test_a_grant_opens_no_room_but_its_own(command: AnyCommand, rooms: tuple[str, ...], refused: str) -> None:
    """The room that counts is the one the command leads to, whether it names it or not."""
    assert world().say("carol", command, grant=good_for(*rooms)).refused == refused


@pytest.mark.parametrize("rooms", [("",), ("q",)])
def test_a_joined_room_is_the_one_a_stream_is_put_in(rooms: tuple[str, ...]) -> None:
    """The seat says where, when the publish does not; a verdict for elsewhere, or for no room, is not good for it."""
    around = world()
    around.say("carol", JoinRoom("r", "x"))

    assert around.say("carol", Publish("x"), grant=good_for(*rooms)).refused == REFUSED
    assert around.say("carol", Publish("x"), grant=good_for("r")).refused == ""


def test_a_grant_without_rooms_is_good_for_any() -> None:
    """As every verdict is that was not reached by a room."""
    around = world()
    around.say("carol", JoinRoom("r", "x"))

    assert around.say("carol", Publish("x"), grant=Grant(allowed=True)).refused == ""
