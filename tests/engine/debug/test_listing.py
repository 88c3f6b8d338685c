"""Choosing records of a reel."""

import pytest

from signalreel.commands import GetIceServerConfig, Join, JoinRoom, Publish
from signalreel.debug.listing import Choice, Chooser
from signalreel.host import CloseRoom
from signalreel.replay import Cursor
from tests.engine.segments import segment_of
from tests.engine.world import APP, World


def world() -> World:
    """A stream with a viewer, a room, a pair in another app, and a refusal."""
    world = World()
    world.open("anna", "bert")
    world.open("carl", app="calls")
    world.publish("anna", "s1")
    world.play("bert", "s1")
    world.say("bert", Publish("s1"))
    world.say("carl", Join("p1"))
    world.say("bert", JoinRoom("hall"))
    world.order(CloseRoom(app=APP, room="hall"))
    world.close("carl")
    return world


@pytest.mark.parametrize(
    ("choice", "seqs"),
    [
        (Choice(), list(range(1, 17))),
        (Choice(stream="s1"), list(range(4, 13))),
        (Choice(stream="p1"), [13, 16]),
        (Choice(room="hall"), [14, 15]),
        (Choice(session="be"), [2, 8, 9, 10, 11, 12, 14, 15]),
        (Choice(session="carl"), [3, 13, 16]),
        (Choice(machine="stream/s1"), [4, 5, 6, 7, 12]),
        (Choice(machine="playback/bert/s1"), [8, 9, 10, 11, 15]),
        (Choice(machine="playback/be/s1"), [8, 9, 10, 11, 15]),
        (Choice(machine="be/s1"), [8, 9, 10, 11, 15]),
        (Choice(machine="playback/be/s"), []),
        (Choice(machine="hall"), [14, 15]),
        (Choice(app="calls"), [3, 13, 16]),
        (Choice(input="publish"), [4, 12]),
        (Choice(input="closeRoom"), [15]),
        (Choice(refused=True), [12]),
        (Choice(start=2_000, end=4_000), [2, 3, 4]),
        (Choice(stream="s1", input="publish", refused=True), [12]),
        (Choice(stream="nothing"), []),
    ],
)
def test_what_is_chosen_is_what_it_is_about(choice: Choice, seqs: list[int]) -> None:
    """By what the input names, by what moved and was asked, and by who said it or was told."""
    chooser = Chooser(choice)

    assert [step.record.seq for step in world().steps if chooser.takes(step)] == seqs


def test_sessions_of_a_seam_are_of_their_apps() -> None:
    """Who was there before the first record is told by the state, also where what they say moves nothing."""
    some = World()
    some.open("bert")
    some.open("carl", app="calls")
    step = some.say("carl", GetIceServerConfig())
    cursor = Cursor(segment_of(some.reel(), 2))

    assert Chooser(Choice(app="calls"), cursor.engine.sessions()).takes(step)
    assert not Chooser(Choice(app="live"), cursor.engine.sessions()).takes(step)
