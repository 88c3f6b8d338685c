"""`signalreel_adapters.access.onetime`."""

import pytest

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish
from signalreel.record import Grant
from signalreel.registered import Purpose
from signalreel_adapters.access.onetime import (
    TOKEN_LIFETIME_S_MAX,
    MemoryTokens,
    OneTimeGate,
    TooManyTokens,
    one_time_tag,
)
from signalreel_adapters.access.rights import wish_of
from signalreel_adapters.access.times import SECOND, kept_until
from signalreel_adapters.testing import ManualClock
from tests.adapters.access.scenes import TAGS, FixedRooms, session_of

pytestmark = pytest.mark.anyio


class Scene:
    """A store, its gate and their clock."""

    def __init__(self, *, tokens_max: int = 10) -> None:
        self.clock = ManualClock()
        self.tokens = MemoryTokens(tags=TAGS, tokens_max=tokens_max, clock=self.clock)
        self.gate = OneTimeGate(self.tokens, tags=TAGS, rooms=FixedRooms({"r": ("b",)}), clock=self.clock)

    def issue(self, stream_id: str = "a", purpose: Purpose = Purpose.PUBLISH, **options: str) -> str:
        """A token for a minute."""
        return self.tokens.issue("live", stream_id, purpose, lifetime_s=60, **options)

    async def grant(self, command: AnyCommand, *, app: str = "live") -> Grant:
        """What the gate grants."""
        return (await self.gate.decide(command, session_of(app))).grant


async def test_a_token_carries_its_tag_and_how_long_it_matters() -> None:
    """The gate marks nothing: asked again it says the same, because marking is the engine's."""
    scene = Scene()
    token = scene.issue()
    expected = Grant(
        allowed=True,
        identity=TAGS.holder("a"),
        once=one_time_tag(TAGS, token),
        until=kept_until(scene.clock.wall() + 60 * SECOND),
        rooms=("",),
    )

    assert await scene.grant(Publish(stream_id="a", token=token)) == expected
    assert await scene.grant(Publish(stream_id="a", token=token)) == expected
    assert token not in repr(expected)


async def test_a_token_names_its_subscriber() -> None:
    """Whom it was issued to is the identity."""
    scene = Scene()
    token = scene.issue(subscriber_id="ann")

    assert (await scene.grant(Publish(stream_id="a", token=token))).identity == TAGS.subscriber("ann")


async def test_a_token_is_for_what_it_was_issued_for() -> None:
    """Another stream, purpose, room or app is refused, and so is a token nobody issued."""
    scene = Scene()
    token = scene.issue()
    refused = [
        await scene.grant(Publish(stream_id="b", token=token)),
        await scene.grant(Play(stream_id="a", token=token)),
        await scene.grant(Publish(stream_id="a", main_track="r", token=token)),
        await scene.grant(JoinRoom(room="r", token=token)),
        await scene.grant(Publish(stream_id="a", token=token), app="other"),
        await scene.grant(Publish(stream_id="a", token=token + "A")),
        await scene.grant(Publish(stream_id="a")),
    ]

    assert refused == [Grant(allowed=False)] * 7


async def test_a_token_may_name_a_room_or_be_for_one() -> None:
    """For a stream in a room, or for the whole room."""
    scene = Scene()

    assert (await scene.grant(Publish(stream_id="a", main_track="r", token=scene.issue(room="r")))).allowed
    assert (await scene.grant(Play(stream_id="b", token=scene.issue("r", Purpose.PLAY)))).allowed


async def test_a_token_expires() -> None:
    """At its very moment, and without leeway: it was issued by this clock."""
    scene = Scene()
    token = scene.issue()
    await scene.clock.advance(60 * SECOND - 1)
    before = await scene.grant(Publish(stream_id="a", token=token))
    await scene.clock.advance(1)

    assert (before.allowed, (await scene.grant(Publish(stream_id="a", token=token))).allowed) == (True, False)


async def test_the_store_is_bounded_and_makes_room() -> None:
    """No more than so many tokens live; the expired make room for new ones."""
    scene = Scene(tokens_max=2)
    tokens = {scene.issue() for _ in range(2)}
    with pytest.raises(TooManyTokens):
        scene.issue()
    await scene.clock.advance(60 * SECOND)
    tokens.add(scene.issue())

    assert len(tokens) == 3
    assert min(len(token) for token in tokens) >= 32


def test_a_token_does_not_live_for_ever() -> None:
    """A lifetime has a limit, because used tokens are remembered as long."""
    for lifetime_s in (0, -1, TOKEN_LIFETIME_S_MAX + 1):
        with pytest.raises(ValueError, match="lives from"):
            Scene().tokens.issue("live", "a", Purpose.PLAY, lifetime_s=lifetime_s)


async def test_an_unknown_token_is_left_to_others() -> None:
    """It may be of another kind."""
    for token in ("", "unknown"):
        wish = wish_of(Publish(stream_id="a", token=token))
        assert wish is not None
        assert await Scene().gate.examine(wish, session_of()) is None
