"""Who acts in whose name."""

import pytest

from signalreel.commands import Command, GetTrackList, Join, JoinRoom, LeaveFromRoom, Ping, Play, Publish
from signalreel.engine import Engine
from signalreel.identifiers import Kind
from signalreel.machines.standings import Standing, Standings, Wish, names_in, wish_of
from signalreel.record import Grant
from signalreel.registered import LABEL_LENGTH_MAX, Purpose
from tests.engine.world import APP, World

ANN = Grant(allowed=True, identity="tag-of-ann")


@pytest.mark.parametrize(
    ("command", "wish"),
    [
        (Publish("s"), Wish(Kind.STREAM, "s", Purpose.PUBLISH, ("s",))),
        (Publish("s", main_track="r"), Wish(Kind.STREAM, "s", Purpose.PUBLISH, ("s", "r"))),
        (Play("s"), Wish(Kind.PLAYBACK, "a/s", Purpose.PLAY, ("s",))),
        (Play("s", room="r"), Wish(Kind.PLAYBACK, "a/s", Purpose.PLAY, ("s", "r"))),
        (Join("p"), Wish(Kind.PAIR, "p", Purpose.PUBLISH, ("p",))),
        (Join("p", mode="play"), Wish(Kind.PAIR, "p", Purpose.PLAY, ("p",))),
        (JoinRoom("r"), Wish(Kind.ROOM, "r", Purpose.PLAY, ("r",))),
        (GetTrackList("s"), Wish(Kind.STREAM, "s", Purpose.PLAY, ("s",))),
        (Ping(), None),
    ],
)
def test_a_command_asks_access_for_something(command: Command, wish: Wish | None) -> None:
    """To a stream, pair or room, and for a purpose: a peer that only watches plays."""
    assert wish_of(command, "a") == wish


def test_a_command_comes_under_what_it_claims_and_whom_the_host_vouches_for() -> None:
    """Each name once."""
    assert names_in(Publish("s", subscriber_id="ann"), "bob") == ("ann", "bob")
    assert names_in(Play("s", subscriber_id="ann"), "ann") == ("ann",)
    assert names_in(JoinRoom("r"), "") == ()


def test_a_name_that_nobody_can_be_registered_by_is_not_noted() -> None:
    """Contract 15: it is kept for every machine that the session holds."""
    longest = "x" * LABEL_LENGTH_MAX

    assert names_in(Play("s", subscriber_id=longest), "") == (longest,)
    assert names_in(Play("s", subscriber_id=longest + "x"), "bob") == ("bob",)


def test_sessions_are_found_by_name_and_tag() -> None:
    """Of their own app alone, until what they stood for is replaced."""
    standings = Standings()
    one = Standing(Kind.STREAM, "s", Purpose.PUBLISH, ("s",), ("ann",), "tag")
    standings.put(APP, "b", (one,))
    standings.put(APP, "a", (one,))
    standings.put("other", "c", (one,))

    assert standings.sessions(APP, "ann") == standings.sessions(APP, "", "tag", "ann") == ["a", "b"]
    standings.put(APP, "a", ())
    assert standings.sessions(APP, "ann") == ["b"]
    assert (standings.of("a"), standings.all()) == ((), (("b", (one,)), ("c", (one,))))


def test_what_is_accepted_is_noted_and_what_is_let_go_is_forgotten() -> None:
    """A question or a refusal leaves nothing behind; neither does a machine that the session holds no longer."""
    world = World()
    world.open("a")
    world.say("a", GetTrackList("s"), grant=ANN)
    world.say("a", Publish("s"), grant=Grant(allowed=False))
    nothing = world.engine.snapshot().standings
    world.say("a", JoinRoom("r"), grant=ANN)
    world.say("a", Publish("s", subscriber_id="ann"))
    world.say("a", Publish("s", subscriber_id="ann"))
    both = world.engine.snapshot().standings
    world.close("a")

    assert nothing == world.engine.snapshot().standings == ()
    assert both == (
        (
            "a",
            (
                Standing(Kind.ROOM, "r", Purpose.PLAY, ("r",), (), "tag-of-ann"),
                Standing(Kind.STREAM, "s", Purpose.PUBLISH, ("s",), ("ann",), ""),
            ),
        ),
    )


def test_it_is_bounded_by_what_a_session_holds() -> None:
    """One that comes and goes for ever is noted for where it is."""
    world = World()
    world.open("a")
    for number in range(5):
        world.say("a", JoinRoom(f"r{number}"), grant=ANN)
        world.say("a", LeaveFromRoom(f"r{number}"))
    world.say("a", JoinRoom("r"), grant=ANN)

    assert [standing.id for standing in world.engine.snapshot().standings[0][1]] == ["r"]


def test_it_is_part_of_the_state_and_of_its_digest() -> None:
    """Contract 8: a restored engine knows as well who stands for what."""
    world = World()
    world.open("a")
    world.say("a", Publish("s"), grant=ANN)
    restored = Engine(state_digest_every=1)
    restored.restore(world.engine.snapshot())

    assert restored._state_digest() == world.engine._state_digest()
    assert restored.snapshot().standings == world.engine.snapshot().standings != ()
