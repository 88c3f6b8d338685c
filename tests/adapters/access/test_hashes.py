"""`signalreel_adapters.access.hashes`."""

import pytest

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish
from signalreel.record import Grant
from signalreel.registered import Purpose
from signalreel_adapters.access.hashes import HashGate, hash_token
from signalreel_adapters.access.rights import wish_of
from tests.adapters.access.scenes import TAGS, FixedRooms, session_of, sha256

pytestmark = pytest.mark.anyio

SECRET = "canary of sixteen octets"
PUBLISH_A = sha256(f"apublish{SECRET}")
PUBLISH_R = sha256(f"rpublish{SECRET}")
GATE = HashGate(SECRET, tags=TAGS, rooms=FixedRooms({"r": ("b",)}))


async def grant(command: AnyCommand) -> Grant:
    """What the gate grants."""
    return (await GATE.decide(command, session_of())).grant


def test_a_token_is_made_as_real_servers_make_it() -> None:
    """SHA-256 over stream, purpose and secret, written together, in hexadecimal."""
    assert hash_token("a", Purpose.PUBLISH, SECRET) == PUBLISH_A


async def test_the_right_token_is_accepted() -> None:
    """Also in capitals; the identity is that of the stream's holder."""
    expected = Grant(allowed=True, identity=TAGS.holder("a"), rooms=("",))

    assert await grant(Publish(stream_id="a", token=PUBLISH_A)) == expected
    assert await grant(Publish(stream_id="a", token=PUBLISH_A.upper())) == expected


async def test_a_token_for_a_room_opens_the_room() -> None:
    """Publishing in it under any id, entering it, and playing what is really in it."""
    opened: list[AnyCommand] = [
        Publish(stream_id="c", main_track="r", token=PUBLISH_R),
        JoinRoom(room="r", token=PUBLISH_R),
        Play(stream_id="b", token=PUBLISH_R),
        Play(stream_id="r", room="r", token=PUBLISH_R),
    ]

    assert [(await grant(command)).allowed for command in opened] == [True] * 4


@pytest.mark.parametrize(
    "command",
    [
        Publish(stream_id="a"),
        Publish(stream_id="a", token="x" * 64),
        Publish(stream_id="a", token=PUBLISH_A[:-1]),
        Publish(stream_id="a", token=PUBLISH_A + "\n"),
        Publish(stream_id="a", token=sha256(f"aplay{SECRET}")),
        Publish(stream_id="a", token=sha256("apublish")),
        Publish(stream_id="b", token=PUBLISH_A),
        Publish(stream_id="a", main_track="r", token=PUBLISH_A),
        Play(stream_id="a", token=PUBLISH_A),
        Play(stream_id="a", room="a", token=PUBLISH_A),
        Play(stream_id="a", room="r", token=PUBLISH_R),
        JoinRoom(room="q", token=PUBLISH_R),
    ],
)
async def test_every_other_token_is_refused(command: AnyCommand) -> None:
    """For another stream, purpose or room, without the secret, or no hash at all."""
    assert await grant(command) == Grant(allowed=False)


async def test_what_is_no_hash_is_left_to_others() -> None:
    """Sixty-four hexadecimal digits are a hash token; anything else may be another kind."""
    for token in ("", "a" * 63, "g" * 64):
        wish = wish_of(Publish(stream_id="a", token=token))
        assert wish is not None
        assert await GATE.examine(wish, session_of()) is None


def test_a_short_secret_is_refused() -> None:
    """It could be found by trying; the error does not show it."""
    with pytest.raises(ValueError, match="fewer than") as caught:
        HashGate("canary", tags=TAGS)

    assert "canary" not in str(caught.value)
