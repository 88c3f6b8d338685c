"""`signalreel_adapters.access.registry`: tokens and subscribers as they stand on the reel."""

import pytest

from signalreel.host import IssueToken, RegisterSubscriber
from signalreel.registered import IssuedToken, Purpose, Subscriber
from signalreel.registered import Purpose as For
from signalreel_adapters import Runtime
from signalreel_adapters.access import totp
from signalreel_adapters.access.onetime import Issued
from signalreel_adapters.access.registry import RegistrySubscribers, RegistryTokens
from signalreel_adapters.access.sealing import SUBSCRIBER_SECRET, Sealing

pytestmark = pytest.mark.anyio

KEY = b"sixteen octets!!"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


async def test_a_token_is_found_by_its_tag_in_its_app() -> None:
    """With what it was issued for, its time in the unit of clocks."""
    tokens = RegistryTokens()
    async with Runtime() as runtime:
        issued = IssuedToken("tag", "s", Purpose.PUBLISH, 4_000_000_000, "r")
        await runtime.submit(IssueToken(token=issued), app="live")
        before = await tokens.find("live", "tag")
        tokens.look_at(runtime.engine)

        assert before is None
        assert await tokens.find("live", "tag") == Issued("s", For.PUBLISH, 4_000_000_000_000_000, "r")
        assert await tokens.find("live", "other") is None
        assert await tokens.find("other", "tag") is None


async def test_a_subscriber_is_found_with_its_secret() -> None:
    """Opened for as long as it is needed."""
    sealing = Sealing(KEY)
    subscribers = RegistrySubscribers(sealing)
    async with Runtime() as runtime:
        sealed = sealing.seal(SUBSCRIBER_SECRET, SECRET)
        registered = Subscriber("s", "bob", Purpose.PUBLISH, sealed, 30)
        await runtime.submit(RegisterSubscriber(subscriber=registered), app="live")
        before = await subscribers.find("live", "s", "bob")
        subscribers.look_at(runtime.engine)

        assert before is None
        assert await subscribers.find("live", "s", "bob") == totp.Subscriber("s", "bob", SECRET, For.PUBLISH, 30)
        assert await subscribers.find("live", "s", "eve") is None
        assert await subscribers.find("live", "t", "bob") is None
        assert await subscribers.find("other", "s", "bob") is None


async def test_a_secret_that_does_not_open_proves_nothing() -> None:
    """Sealed with another key, for another purpose, or none at all."""
    subscribers = RegistrySubscribers(Sealing(KEY))
    async with Runtime() as runtime:
        subscribers.look_at(runtime.engine)
        for name, sealed in (
            ("other key", Sealing(KEY * 2).seal(SUBSCRIBER_SECRET, SECRET)),
            ("other purpose", Sealing(KEY).seal("push token", SECRET)),
            ("none", ""),
        ):
            order = RegisterSubscriber(subscriber=Subscriber("s", name, Purpose.PLAY, sealed))
            await runtime.submit(order, app="live")

            assert await subscribers.find("live", "s", name) is None
