"""`signalreel_adapters.access.totp`: the vectors of the RFCs, one code for one period, and guessing."""

import base64
from typing import Any

import pytest

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish
from signalreel.record import Grant
from signalreel.registered import Purpose
from signalreel_adapters.access.backoff import BackoffLimits
from signalreel_adapters.access.rights import wish_of
from signalreel_adapters.access.times import SECOND, kept_until
from signalreel_adapters.access.totp import (
    PERIOD_S,
    MemorySubscribers,
    Subscriber,
    TotpGate,
    derived_secret,
    totp_code,
)
from signalreel_adapters.testing import ManualClock
from tests.adapters.access.scenes import TAGS, FixedRooms, session_of

pytestmark = pytest.mark.anyio

RFC_KEY = b"12345678901234567890"
SECRET = base64.b32encode(RFC_KEY).decode()


@pytest.mark.parametrize(
    ("time_s", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_the_vectors_of_rfc_6238(time_s: int, code: str) -> None:
    """Appendix B, SHA-1, periods of 30 seconds; its codes have eight digits, of which ours are the last six."""
    assert totp_code(RFC_KEY, time_s // 30) == code


def test_the_vectors_of_rfc_4226() -> None:
    """Appendix D: the first ten codes of its key."""
    codes = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]

    assert [totp_code(RFC_KEY, counter) for counter in range(10)] == codes


class Scene:
    """Subscribers, a gate and a clock: ann may play `a`, bob may publish it, rob publishes in the room `r`."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        self.subscribers = MemorySubscribers()
        self.subscribers.register("live", Subscriber("a", "ann", SECRET))
        self.subscribers.register("live", Subscriber("a", "bob", SECRET, Purpose.PUBLISH))
        self.subscribers.register("live", Subscriber("r", "rob", SECRET, Purpose.PUBLISH))
        rooms = FixedRooms({"r": ("b",)})
        self.gate = TotpGate(self.subscribers, tags=TAGS, rooms=rooms, clock=self.clock, **options)

    def code(self, step: int = 0, *, key: bytes = RFC_KEY) -> str:
        """The code of the present period, or of one around it."""
        return totp_code(key, self.clock.wall() // (PERIOD_S * SECOND) + step)

    async def grant(self, command: AnyCommand, *, address: str = "", app: str = "live") -> Grant:
        """What the gate grants."""
        return (await self.gate.decide(command, session_of(app, address=address))).grant

    async def plays(self, code: str, *, name: str = "ann", address: str = "") -> bool:
        """Whether a subscriber may play `a` with the code."""
        command = Play(stream_id="a", subscriber_id=name, subscriber_code=code)
        return (await self.grant(command, address=address)).allowed


async def test_the_present_code_is_accepted_and_marked() -> None:
    """The grant names the subscriber, and the code by its tag until no clock accepts it any more."""
    scene = Scene()
    grant = await scene.grant(Play(stream_id="a", subscriber_id="ann", subscriber_code=scene.code()))
    period = scene.clock.wall() // (PERIOD_S * SECOND)

    assert (grant.allowed, grant.identity) == (True, TAGS.subscriber("ann"))
    assert grant.until == kept_until((period + 2) * PERIOD_S * SECOND)
    assert scene.code() not in repr(grant)


async def test_one_period_around_is_accepted_and_no_more() -> None:
    """Clocks differ by a period at most (RFC 6238, section 5.2)."""
    scene = Scene()

    assert [await scene.plays(scene.code(step)) for step in (-2, -1, 0, 1, 2)] == [False, True, True, True, False]


async def test_a_code_has_one_tag_and_each_code_its_own() -> None:
    """The same code has the same tag however late it is shown; another period or subscriber has another."""
    scene = Scene()
    code, next_code = scene.code(), scene.code(1)
    tags = [
        (await scene.grant(Play(stream_id="a", subscriber_id=name, subscriber_code=shown))).once
        for name, shown in (("ann", code), ("ann", next_code), ("bob", code))
    ]
    await scene.clock.advance(PERIOD_S * SECOND)
    late = (await scene.grant(Play(stream_id="a", subscriber_id="ann", subscriber_code=code))).once

    assert len({*tags}) == 3
    assert late == tags[0]


async def test_a_subscription_is_for_its_stream_and_purpose() -> None:
    """Whoever may publish may play; nothing else follows from a subscription."""
    scene = Scene()
    code = scene.code()

    def publish(name: str, stream_id: str, main_track: str = "") -> Publish:
        return Publish(subscriber_id=name, subscriber_code=code, stream_id=stream_id, main_track=main_track)

    assert (await scene.grant(publish("bob", stream_id="a"))).allowed
    assert await scene.plays(code, name="bob")
    assert (await scene.grant(publish("rob", stream_id="c", main_track="r"))).allowed
    assert (await scene.grant(Play(stream_id="b", subscriber_id="rob", subscriber_code=code))).allowed
    for command in (
        publish("ann", stream_id="a"),
        publish("bob", stream_id="c"),
        publish("bob", stream_id="a", main_track="r"),
        publish("rob", stream_id="c", main_track="q"),
        publish("eve", stream_id="a"),
        publish("", stream_id="a"),
        publish("x" * 256, stream_id="a"),
        JoinRoom(room="r"),
    ):
        assert not (await scene.grant(command)).allowed
    assert not (await scene.grant(publish("bob", stream_id="a"), app="other")).allowed


@pytest.mark.parametrize("code", ["0", "00000000", " 287082", "٢٨٧٠٨٢", "\ud800", "x" * 10_000])
async def test_what_is_no_code_is_refused(code: str) -> None:
    """Of whatever length and in whatever digits."""
    assert not await Scene().plays(code)


async def test_a_removed_subscriber_is_none() -> None:
    """Removing takes effect with the next command; twice is harmless."""
    scene = Scene()
    scene.subscribers.remove("live", "a", "ann")
    scene.subscribers.remove("live", "a", "ann")

    assert not await scene.plays(scene.code())


async def test_guessing_is_slowed_down_for_everybody_in_one_place() -> None:
    """After the free failures even the right code is not heard for a while; another address still is."""
    scene = Scene(backoff=BackoffLimits(failures_max=2, first_s=10))
    for _ in range(3):
        assert not await scene.plays("guess", address="192.0.2.1")

    assert not await scene.plays(scene.code(), address="192.0.2.1")
    assert await scene.plays(scene.code(), address="192.0.2.2")


async def test_guessing_ends_a_while_later() -> None:
    """When the wait is over the right code is heard again."""
    scene = Scene(backoff=BackoffLimits(failures_max=2, first_s=10))
    for _ in range(3):
        await scene.plays("guess")
    await scene.clock.advance(10 * SECOND)

    assert await scene.plays(scene.code())


async def test_guessing_from_many_places_is_slowed_down_too() -> None:
    """Ten times as many failures, wherever they come from, close a subscriber everywhere."""
    scene = Scene(backoff=BackoffLimits(failures_max=2, first_s=10))
    for number in range(21):
        await scene.plays("guess", address=f"192.0.2.{number}")

    assert not await scene.plays(scene.code(), address="198.51.100.1")
    assert await scene.plays(scene.code(), name="bob", address="198.51.100.1")


async def test_made_up_subscribers_do_not_open_a_closed_one() -> None:
    """Nobody can guess the code of a subscriber that there is not, so such failures take nobody's place in memory."""
    scene = Scene(backoff=BackoffLimits(failures_max=2, first_s=10, entries_max=3))
    for _ in range(3):
        await scene.plays("guess")
    for number in range(10):
        assert not await scene.plays("guess", name=f"nobody-{number}")

    assert not await scene.plays(scene.code())


async def test_a_secret_is_derived_as_real_servers_do() -> None:
    """Base 32 of the text padded with X to a multiple of eight; only when the gate is given a secret."""
    assert derived_secret("sec", "eve", "a", Purpose.PLAY) == base64.b32encode(b"seceveaplay" + b"X" * 5).decode()
    key = b"seceveaplay" + b"X" * 5
    with_secret, without = Scene(secret="sec"), Scene()
    code = with_secret.code(key=key)

    assert await with_secret.plays(code, name="eve")
    assert not await with_secret.plays(code, name="mallory")
    assert not await without.plays(code, name="eve")
    publish = Publish(stream_id="a", subscriber_id="eve", subscriber_code=code)
    assert not (await with_secret.grant(publish)).allowed


@pytest.mark.parametrize("secret", ["", "canary1", "c@nary", "="])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    """When the subscriber is registered, and without showing it."""
    with pytest.raises(ValueError, match="base 32") as caught:
        MemorySubscribers().register("live", Subscriber("a", "ann", secret))

    assert "nary" not in str(caught.value)


def test_a_subscriber_does_not_show_its_secret() -> None:
    """Its text may end up in a traceback."""
    assert repr(Subscriber("a", "ann", SECRET)) == "Subscriber('a', 'ann', 'play')"


def test_a_period_has_limits() -> None:
    """From a second to a day."""
    for period_s in (0, 86_401):
        with pytest.raises(ValueError, match="period"):
            MemorySubscribers().register("live", Subscriber("a", "ann", SECRET, period_s=period_s))


async def test_a_command_without_a_code_is_left_to_others() -> None:
    """It may show another kind of credential."""
    wish = wish_of(Play(stream_id="a", subscriber_id="ann"))
    assert wish is not None
    assert await Scene().gate.examine(wish, session_of()) is None
