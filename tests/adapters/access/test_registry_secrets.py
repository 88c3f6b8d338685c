"""What is registered keeps its secrets, and decides the same after a restart (security policies 9 and 21)."""

import json
from pathlib import Path
from typing import Final, Self

import msgspec
import pytest
from structlog.testing import capture_logs

from signalreel.commands import Play, Publish, RegisterPushToken, SendPush
from signalreel.host import BlockSubscriber, IssueToken, RegisterStream, RegisterSubscriber
from signalreel.registered import BlockKind, IssuedToken, Purpose, RegisteredStream, Subscriber
from signalreel.settings import Settings
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SqliteReel
from signalreel_adapters.access import FirstThatKnows, OneTimeGate, RegistrySubscribers, RegistryTokens, TotpGate
from signalreel_adapters.access.onetime import one_time_tag
from signalreel_adapters.access.push import PushGate
from signalreel_adapters.access.sealing import SUBSCRIBER_SECRET, Sealing
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.access.totp import secret_octets, totp_code
from signalreel_adapters.runtime import SystemClock
from tests.adapters.access.scenes import JWT_KEY, TAGS, signed
from tests.adapters.calls import names

pytestmark = pytest.mark.anyio

KEY: Final = b"the key of an operator, thirty-two or more"
SECRET: Final = "KRUGS4ZANFZSAYJAMNQW4YLSPE"
TOKEN: Final = "canary-one-time-token"
ADDRESS: Final = "canary-address-of-a-device"
FOR_EVER: Final = 4_102_444_800


class House:
    """A runtime on a reel, with the gates that read what is registered."""

    def __init__(self, path: Path) -> None:
        sealing = Sealing(KEY)
        self.sealing = sealing
        self.tokens, self.subscribers = RegistryTokens(), RegistrySubscribers(sealing)
        access = FirstThatKnows(OneTimeGate(self.tokens, tags=TAGS), TotpGate(self.subscribers, tags=TAGS))
        gate = PushGate(access, {"live": JWT_KEY}, tags=TAGS, sealing=sealing)
        settings = Settings(registered_streams_only=True)
        self.runtime = Runtime(SqliteReel(path, settings=settings), gate=gate, media=FakeMedia())

    async def __aenter__(self) -> Self:
        await self.runtime.__aenter__()
        for store in (self.tokens, self.subscribers):
            store.look_at(self.runtime.engine)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.runtime.__aexit__(None, None, None)

    async def hears(self, *commands: Publish | Play | RegisterPushToken | SendPush) -> list[str]:
        """What a client of its own is answered, command by command."""
        async with MemoryClient(self.runtime) as client:
            answers: list[str] = []
            for command in commands:
                await client.send(command)
                answers.extend(names(await client.flush()))
            return answers


def bytes_in(folder: Path) -> bytes:
    """Everything that stands in the files of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


def code() -> str:
    """The code of the present minute."""
    return totp_code(secret_octets(SECRET), SystemClock().wall() // (60 * SECOND))


async def register(house: House) -> None:
    """Register what has a secret, and a block."""
    now = SystemClock().wall() // SECOND
    for order in (
        RegisterStream(stream=RegisteredStream("s1")),
        RegisterStream(stream=RegisteredStream("s2", planned_end=now - 60)),
        IssueToken(token=IssuedToken(one_time_tag(TAGS, TOKEN), "s1", Purpose.PUBLISH, FOR_EVER)),
        RegisterSubscriber(
            subscriber=Subscriber("s1", "ann", Purpose.PUBLISH, house.sealing.seal(SUBSCRIBER_SECRET, SECRET))
        ),
        RegisterSubscriber(
            subscriber=Subscriber("s1", "ben", Purpose.PUBLISH, house.sealing.seal(SUBSCRIBER_SECRET, SECRET))
        ),
        BlockSubscriber(
            subscriber_id="ben", identity=TAGS.subscriber("ben"), kind=BlockKind.PUBLISH_PLAY, until=FOR_EVER
        ),
    ):
        assert (await house.runtime.submit(order, app="live")).refused == ""


async def test_it_decides_the_same_after_a_restart(tmp_path: Path) -> None:
    """Security policy 9: what an operator registered is in force again before anybody can ask."""
    path = tmp_path / "calls.reel"

    def questions() -> tuple[Publish, ...]:
        return (
            Publish("s1", token="another"),
            Publish("s2", token=TOKEN),
            Publish("s1", subscriber_id="ben", subscriber_code=code()),
            Publish("s1", subscriber_id="ann", subscriber_code="wrong"),
        )

    async with House(path) as house:
        await register(house)
        before = await house.hears(*questions())
        once = await house.hears(Publish("s1", token=TOKEN))
    async with House(path) as house:
        after = await house.hears(*questions())
        again = await house.hears(Publish("s1", token=TOKEN))
        by_code = await house.hears(Publish("s1", subscriber_id="ann", subscriber_code=code()))

    assert before == after == ["unauthorized_access", "unauthorized_access", "user_blocked", "unauthorized_access"]
    assert (once, again, by_code) == (["start"], ["unauthorized_access"], ["start"])


async def test_no_secret_is_on_the_reel_in_a_snapshot_or_in_a_log(tmp_path: Path) -> None:
    """Security policy 21: neither a token nor a secret, a web token or the address of a device."""
    path = tmp_path / "calls.reel"
    web_token = signed({"iss": "ann", "exp": FOR_EVER})
    with capture_logs() as logs:
        async with House(path) as house:
            await register(house)
            heard = await house.hears(
                Publish("s1", token=TOKEN),
                Play("s1", subscriber_id="ann", subscriber_code=code()),
                RegisterPushToken("ann", web_token, ADDRESS, "fcm"),
                SendPush("ann", web_token, {"title": "hello"}, ("ann",)),
            )
            snapshot = msgspec.msgpack.encode(house.runtime.engine.snapshot())
            kept = house.runtime.engine.registry.pushes("live", "ann")
    written = {"reel": bytes_in(tmp_path), "snapshot": snapshot, "log": json.dumps(logs, default=repr).encode()}
    canaries = (SECRET, TOKEN, ADDRESS, web_token, web_token.rpartition(".")[2])

    assert heard[0] == "start"
    assert heard[-2:] == ["registerPushNotificationToken", "sendPushNotification"]
    assert [(place, one) for place, text in written.items() for one in canaries if one.encode() in text] == []
    assert house.sealing.open("push token", kept[0].sealed) == ADDRESS
    assert all(one not in f"{house.sealing!r} {kept!r}" for one in (*canaries, KEY.decode()))
