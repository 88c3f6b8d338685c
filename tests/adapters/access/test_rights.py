"""`signalreel_adapters.access.rights`: what commands ask for, and which right is enough."""

from typing import get_args

import pytest

from signalreel.commands import (
    AnyCommand,
    GetTrackList,
    Join,
    JoinRoom,
    Play,
    Publish,
    RegisterPushToken,
    SendPush,
    Stop,
)
from signalreel.grants import GATED, GRANTS, Grants
from signalreel.registered import Purpose
from signalreel_adapters import Verdict
from signalreel_adapters.access.rights import (
    NoRooms,
    Right,
    covers,
    decide_by,
    identity_of,
    rooms_of,
    scopes_of,
    wish_of,
)
from tests.adapters.access.scenes import TAGS, FixedRooms, Says, is_allowed, session_of

PUBLISH, PLAY = Purpose.PUBLISH, Purpose.PLAY
ROOMS = FixedRooms({"r": ("a", "b")})


def is_covered(right: Right, command: AnyCommand, *, blind: bool = False) -> bool:
    """Whether the right is enough for the command, where room `r` holds the streams `a` and `b`."""
    wish = wish_of(command)
    assert wish is not None
    return covers(right, wish, session_of(), NoRooms() if blind else ROOMS)


def test_every_gated_command_is_a_wish() -> None:
    """The runtime asks a gate about exactly these, and about push commands, which are about no stream."""
    assert [kind for kind in get_args(AnyCommand) if kind in GATED and wish_of(kind()) is None] == [
        RegisterPushToken,
        SendPush,
    ]
    assert wish_of(Stop(stream_id="a")) is None


def test_what_a_credential_must_cover_is_what_the_command_needs() -> None:
    """The purpose that is read from each command is the one that is written down for it."""
    purposes = {kind: wish.purpose for kind in get_args(AnyCommand) if (wish := wish_of(kind())) is not None}

    assert purposes == {
        kind: Purpose.PUBLISH if need.grant in {Grants.PUBLISH, Grants.PUBLISH_OR_PLAY} else Purpose.PLAY
        for kind, need in GRANTS.items()
        if need.grant not in {Grants.NONE, Grants.PUSH}
    }


@pytest.mark.parametrize(
    ("right", "command", "enough"),
    [
        # One stream.
        (Right("c", PUBLISH), Publish(stream_id="c"), True),
        (Right("a", PUBLISH), Publish(stream_id="b"), False),
        (Right("a", PLAY), Publish(stream_id="a"), False),
        (Right("a", PLAY), Play(stream_id="a"), True),
        (Right("a", PLAY), Play(stream_id="b"), False),
        (Right("a", PUBLISH), Play(stream_id="a"), False),
        (Right("a", PUBLISH), Play(stream_id="a", room="a"), False),
        (Right("a", PLAY), Play(stream_id="a", room="elsewhere"), True),
        (Right("a", PLAY), GetTrackList(stream_id="a"), True),
        (Right("a", PUBLISH), GetTrackList(stream_id="a"), False),
        # A peer pair: who sends publishes.
        (Right("p", PUBLISH), Join(stream_id="p"), True),
        (Right("p", PLAY), Join(stream_id="p"), False),
        (Right("p", PLAY), Join(stream_id="p", mode="play"), True),
        (Right("p", PUBLISH), Join(stream_id="q"), False),
        # A pair is in no room, whatever the session has joined under that id.
        (Right("r", PUBLISH), Join(stream_id="a"), False),
        (Right("r", PLAY), Join(stream_id="a", mode="play"), False),
        (Right("a", PUBLISH), Join(stream_id="a"), True),
        # Publishing in a room needs a right to the room.
        (Right("a", PUBLISH), Publish(stream_id="a", main_track="r"), False),
        (Right("a", PUBLISH, room="r"), Publish(stream_id="a", main_track="r"), True),
        (Right("a", PUBLISH, room="r"), Publish(stream_id="a", main_track="q"), False),
        (Right("a", PUBLISH, room="r"), Publish(stream_id="c", main_track="r"), False),
        (Right("r", PUBLISH), Publish(stream_id="c", main_track="r"), True),
        (Right("r", PUBLISH), Publish(stream_id="c", main_track="q"), False),
        (Right("r", PUBLISH), Publish(stream_id="c"), False),
        (Right("r", PLAY), Publish(stream_id="c", main_track="r"), False),
        # Joined the room as `a`, and publishes `a` without naming the room again.
        (Right("r", PUBLISH), Publish(stream_id="a"), True),
        (Right("r", PLAY), Publish(stream_id="a"), False),
        (Right("a", PUBLISH), Publish(stream_id="a"), False),
        (Right("a", PUBLISH, room="r"), Publish(stream_id="a"), True),
        (Right("a", PUBLISH, room="q"), Publish(stream_id="a"), False),
        # Entering a room and playing in it.
        (Right("r", PUBLISH), JoinRoom(room="r"), True),
        (Right("r", PLAY), JoinRoom(room="r"), True),
        (Right("r", PLAY), JoinRoom(room="q"), False),
        (Right("a", PUBLISH, room="r"), JoinRoom(room="r"), False),
        (Right("r", PUBLISH), Play(stream_id="r", room="r"), True),
        (Right("r", PUBLISH), Play(stream_id="r"), True),
        (Right("r", PLAY), Play(stream_id="b", room="r"), True),
        (Right("r", PUBLISH), Play(stream_id="b"), True),
        (Right("r", PUBLISH), GetTrackList(stream_id="b"), True),
        # A room that a command merely claims opens nothing.
        (Right("r", PLAY), Play(stream_id="c", room="r"), False),
        (Right("q", PLAY), Play(stream_id="b", room="q"), False),
    ],
)
def test_which_right_is_enough(right: Right, command: AnyCommand, enough: bool) -> None:
    """For the stream and purpose it names; a right to a room for what is really in the room."""
    assert is_covered(right, command) is enough


@pytest.mark.parametrize(
    ("right", "command", "good_for"),
    [
        (Right("a", PUBLISH), Publish("a"), ("",)),
        (Right("a", PUBLISH, room="r"), Publish("a"), ("", "r")),
        (Right("r", PUBLISH), Publish("a"), ("r",)),
        (Right("r", PUBLISH), Publish("a", main_track="r"), ("r",)),
        (Right("a", PLAY), Play("a"), None),
        (Right("r", PLAY), Play("a"), ("r",)),
        (Right("r", PUBLISH), Play("r"), ("r",)),
        (Right("r", PLAY), GetTrackList("a"), ("r",)),
        (Right("r", PLAY), JoinRoom("r"), None),
        (Right("p", PUBLISH), Join("p"), None),
    ],
)
def test_which_rooms_a_right_is_good_for(right: Right, command: AnyCommand, good_for: tuple[str, ...] | None) -> None:
    """Publishing alone and in the room it names; what is in a room, in that room; playing one stream, wherever."""
    wish = wish_of(command)
    assert wish is not None

    assert rooms_of(right, wish) == good_for


def test_who_knows_of_no_room_lets_nobody_play_in_one() -> None:
    """Entering and publishing name the room themselves; what is in it cannot be told."""
    assert is_covered(Right("r", PUBLISH), JoinRoom(room="r"), blind=True)
    assert is_covered(Right("r", PUBLISH), Publish(stream_id="c", main_track="r"), blind=True)
    assert is_covered(Right("r", PLAY), Play(stream_id="r", room="r"), blind=True)
    assert not is_covered(Right("r", PUBLISH), Play(stream_id="r", room="r"), blind=True)
    assert not is_covered(Right("r", PLAY), Play(stream_id="b", room="r"), blind=True)
    assert is_covered(Right("a", PUBLISH), Publish(stream_id="a"), blind=True)


def test_scopes_are_the_stream_and_its_real_room() -> None:
    """What a credential might be for that does not say it itself."""
    found = [
        scopes_of(wish, session_of(), ROOMS)
        for command in (
            Play(stream_id="a", room="claimed"),
            Play(stream_id="x", room="r"),
            Publish(stream_id="x", main_track="r"),
            JoinRoom(room="r"),
        )
        if (wish := wish_of(command)) is not None
    ]

    assert found == [("a", "r"), ("x",), ("x", "r"), ("r",)]


def test_identity_is_the_subscribers_else_the_holders() -> None:
    """A verified name first, then the host's word, then the right to this very stream; a room gives nobody a name."""
    wish = wish_of(Publish(stream_id="a", main_track="r"))
    assert wish is not None

    assert identity_of(TAGS, "ann", session_of(identity="bob"), wish, "a") == TAGS.subscriber("ann")
    assert identity_of(TAGS, "", session_of(identity="bob"), wish, "a") == TAGS.subscriber("bob")
    assert identity_of(TAGS, "", session_of(), wish, "a") == TAGS.holder("a")
    assert identity_of(TAGS, "", session_of(), wish, "r") == ""


def test_a_wish_does_not_show_its_secrets() -> None:
    """Its text may end up in a traceback."""
    wish = wish_of(Publish(stream_id="a", token="canary", subscriber_id="canary", subscriber_code="canary"))

    assert repr(wish) == "Wish('publish', 'a', '')"


@pytest.mark.anyio
async def test_a_check_alone_refuses_what_it_does_not_know() -> None:
    """Nothing to say is a refusal when nobody else is asked, and so is a command that is none of a gate's."""
    assert not is_allowed(await decide_by(Says(None), Publish(stream_id="a"), session_of()))
    assert not is_allowed(await decide_by(Says(Verdict.allow()), Stop(stream_id="a"), session_of()))
    assert is_allowed(await decide_by(Says(Verdict.allow()), Publish(stream_id="a"), session_of()))
