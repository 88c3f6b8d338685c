"""Whole calls through gates: a runtime, clients in memory, and a reel on which no secret may be found."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from signalreel.commands import GetTrackList, Join, JoinRoom, Play, Publish, Stop
from signalreel.reel import Reel
from signalreel.settings import Settings
from signalreel_adapters import Clock, FakeMedia, Gate, MemoryClient, Runtime, SessionInfo, SqliteReel, Verdict
from signalreel_adapters.access import (
    AllOf,
    BlockGate,
    Blocks,
    FirstThatKnows,
    HashGate,
    LiveRooms,
    MemorySubscribers,
    MemoryTokens,
    OneTimeGate,
    Purpose,
    Subscriber,
    TotpGate,
    WebhookGate,
    hash_token,
)
from signalreel_adapters.access.jwt import JwtGate
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.access.totp import PERIOD_S, totp_code
from signalreel_adapters.http import Unreachable
from signalreel_adapters.testing import ManualClock
from tests.adapters.access.scenes import JWT_KEY, TAGS, Says, answer_to, signed
from tests.adapters.calls import OFFER, names, publish

pytestmark = pytest.mark.anyio

HASH_SECRET = "canary-hash-secret-0123"
TOTP_KEY = b"canary-totp-secret-1"


class House:
    """Every kind of credential at one door, and what is needed to make good ones."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.rooms = LiveRooms()
        self.tokens = MemoryTokens(tags=TAGS, clock=self.clock)
        self.subscribers = MemorySubscribers()
        self.blocks = Blocks(tags=TAGS, clock=self.clock)
        checks = FirstThatKnows(
            JwtGate(JWT_KEY, tags=TAGS, rooms=self.rooms, clock=self.clock),
            HashGate(HASH_SECRET, tags=TAGS, rooms=self.rooms),
            OneTimeGate(self.tokens, tags=TAGS, rooms=self.rooms, clock=self.clock),
            TotpGate(self.subscribers, tags=TAGS, rooms=self.rooms, clock=self.clock),
        )
        self.gate = BlockGate(checks, self.blocks, rooms=self.rooms)

    def web_token(self, stream_id: str, purpose: str = "publish", **claims: object) -> str:
        """A web token for five minutes."""
        now = self.clock.wall() // SECOND
        return signed({"streamId": stream_id, "type": purpose, "exp": now + 300, **claims})

    def one_time(self, stream_id: str, purpose: Purpose = Purpose.PUBLISH, lifetime_s: int = 60) -> str:
        """A one-time token."""
        return self.tokens.issue("live", stream_id, purpose, lifetime_s=lifetime_s)

    def code(self, stream_id: str, name: str, purpose: Purpose = Purpose.PUBLISH) -> str:
        """The present code of a subscriber, who is registered by asking for it."""
        secret = base64.b32encode(TOTP_KEY).decode()
        self.subscribers.register("live", Subscriber(stream_id, name, secret, purpose))
        return totp_code(TOTP_KEY, self.clock.wall() // (PERIOD_S * SECOND))

    @asynccontextmanager
    async def runtime(self, reel: Reel | None = None, settings: Settings | None = None) -> AsyncIterator[Runtime]:
        """A runtime behind the door."""
        clock: Clock = self.clock
        async with Runtime(reel, settings=settings, gate=self.gate, media=FakeMedia(), clock=clock) as runtime:
            self.rooms.look_at(runtime.engine)
            yield runtime


async def test_each_kind_of_credential_opens_the_door() -> None:
    """And no credential does not."""
    house = House()
    async with house.runtime() as runtime:
        commands = [
            Publish(stream_id="a", token=house.web_token("a")),
            Publish(stream_id="b", token=hash_token("b", Purpose.PUBLISH, HASH_SECRET)),
            Publish(stream_id="c", token=house.one_time("c")),
            Publish(stream_id="d", subscriber_id="ann", subscriber_code=house.code("d", "ann")),
            Publish(stream_id="e"),
        ]
        answers = [await answer_to(MemoryClient(runtime), command) for command in commands]

    assert answers == ["start"] * 4 + ["unauthorized_access"]


async def test_every_gated_command_is_refused_without_a_credential() -> None:
    """Publish, play, join, joinRoom and getTrackList; what is live is no secret worth another answer."""
    house = House()
    async with house.runtime() as runtime:
        await answer_to(MemoryClient(runtime), Publish(stream_id="a", token=house.web_token("a")))
        client = MemoryClient(runtime)
        answers = [
            await answer_to(client, command)
            for command in (
                Publish(stream_id="x"),
                Play(stream_id="a"),
                Join(stream_id="x"),
                JoinRoom(room="x"),
            )
        ]
        await client.send(GetTrackList(stream_id="a"))

        assert answers == ["unauthorized_access"] * 4
        assert set(names(await client.flush())) <= {"unauthorized_access"}
        assert runtime.counters.gate_failures == 0


async def test_a_one_time_token_is_good_for_one_session() -> None:
    """Another session's use of it is refused, also after the first has gone; the first may use it again."""
    house = House()
    async with house.runtime() as runtime:
        command = Publish(stream_id="a", token=house.one_time("a"))
        first, second = MemoryClient(runtime), MemoryClient(runtime)

        assert await answer_to(first, command) == "start"
        assert await answer_to(second, command) == "unauthorized_access"
        await first.send(Stop(stream_id="a"))
        await first.flush()
        assert await answer_to(second, command) == "unauthorized_access"
        assert await answer_to(first, command) == "start"
        await first.close()
        assert await answer_to(second, command) == "unauthorized_access"


async def test_a_refused_retry_does_not_burn_the_token() -> None:
    """Refused for another reason, the token is unused, and works when the reason has gone (contract item 11)."""
    house = House()
    async with house.runtime() as runtime:
        holder, second = MemoryClient(runtime), MemoryClient(runtime)
        await answer_to(holder, Publish(stream_id="a", token=house.web_token("a")))
        command = Publish(stream_id="a", token=house.one_time("a"))

        assert await answer_to(second, command) == "streamIdInUse"
        await holder.close()
        assert await answer_to(MemoryClient(runtime), command) == "start"
        assert await answer_to(second, command) == "unauthorized_access"


async def test_a_code_is_good_for_one_session() -> None:
    """The same code again is refused while any clock would still accept it; the next code is good (RFC 6238, 5.2)."""
    house = House()
    async with house.runtime() as runtime:

        def play() -> Play:
            return Play(stream_id="a", subscriber_id="ann", subscriber_code=house.code("a", "ann", Purpose.PLAY))

        await publish_with(MemoryClient(runtime), house.web_token("a"))
        command = play()
        assert await answer_to(MemoryClient(runtime), command) == "takeConfiguration"
        assert await answer_to(MemoryClient(runtime), command) == "unauthorized_access"
        await house.clock.advance(PERIOD_S * SECOND)
        assert await answer_to(MemoryClient(runtime), command) == "unauthorized_access"
        assert await answer_to(MemoryClient(runtime), play()) == "takeConfiguration"


async def publish_with(client: MemoryClient, token: str) -> None:
    """Publish `a` until it is live."""
    await client.send(Publish(stream_id="a", token=token))
    await client.expect("start")
    await client.send({"command": "takeConfiguration", "streamId": "a", "type": "offer", "sdp": OFFER})
    await client.expect("takeConfiguration")
    await client.expect("publish_started")


async def test_used_tokens_stay_used_over_a_restart(tmp_path: Path) -> None:
    """What was used stands on the reel: a new run of the server refuses it too."""
    house = House()
    path = tmp_path / "calls.reel"
    command = Publish(stream_id="a", token=house.one_time("a"))
    async with house.runtime(SqliteReel(path)) as runtime:
        assert await answer_to(MemoryClient(runtime), command) == "start"
    async with house.runtime(SqliteReel(path)) as runtime:
        assert await answer_to(MemoryClient(runtime), command) == "unauthorized_access"


async def test_a_stream_is_restored_by_its_own_publisher_alone() -> None:
    """With the same subject, on another session and another token; everybody else finds the id in use."""
    house = House()
    async with house.runtime(settings=Settings(restore_ms=10_000)) as runtime:
        first = MemoryClient(runtime)
        await publish_with(first, house.web_token("a", sub="ann"))
        await first.close()
        thief, back = MemoryClient(runtime), MemoryClient(runtime)

        assert await answer_to(thief, Publish(stream_id="a")) == "unauthorized_access"
        assert await answer_to(thief, Publish(stream_id="a", token=house.web_token("a", sub="eve"))) == "streamIdInUse"
        await back.send(Publish(stream_id="a", token=house.web_token("a", sub="ann", jti="2")))
        assert "start" in names(await back.flush())


async def test_a_conference_token_is_good_in_its_room() -> None:
    """Joining, publishing and playing there, also without naming the room again; a stream elsewhere stays closed."""
    house = House()
    token = house.web_token("r", sub="ann")
    async with house.runtime() as runtime:
        await publish_with(MemoryClient(runtime), house.web_token("a"))
        member, player = MemoryClient(runtime), MemoryClient(runtime)
        assert await answer_to(member, JoinRoom(room="r", stream_id="b", token=token)) == "joinedTheRoom"
        assert await answer_to(member, Publish(stream_id="b", token=token)) == "start"
        assert await answer_to(player, Play(stream_id="r", room="r", token=token)) == "takeConfiguration"
        assert await answer_to(player, Play(stream_id="a", room="r", token=token)) == "unauthorized_access"


async def test_a_gate_that_raises_refuses() -> None:
    """Also one made of ours; the exception is counted, and its text goes nowhere."""

    class Broken:
        async def find(self, app: str, tag: str) -> None:
            raise LookupError("canary")

    both = AllOf(Says(Verdict.allow(once="a")), Says(Verdict.allow(once="b")))
    gates: list[Gate] = [OneTimeGate(Broken(), tags=TAGS), both]
    for gate in gates:
        with capture_logs() as logs:
            async with Runtime(gate=gate) as runtime:
                answer = await answer_to(MemoryClient(runtime), Publish(stream_id="a", token="t"))
                failures = runtime.counters.gate_failures

        assert (answer, failures) == ("unauthorized_access", 1)
        assert "canary" not in repr(logs)


async def test_a_webhook_decides_a_call() -> None:
    """Yes lets in, no and silence do not; none of them is a failure of the gate."""
    answers = {"yes": 200, "no": 403}

    async def post(url: str, body: bytes) -> int:
        status = next((status for token, status in answers.items() if f'"token":"{token}"'.encode() in body), 0)
        if not status:
            raise Unreachable("no answer in time")
        return status

    gate = WebhookGate("https://hook.example/", tags=TAGS, post=post)
    async with Runtime(gate=gate) as runtime:
        said = [
            await answer_to(MemoryClient(runtime), Publish(stream_id="a", token=token)) for token in ("no", "?", "yes")
        ]
        failures = runtime.counters.gate_failures

    assert (said, failures) == (["unauthorized_access", "unauthorized_access", "start"], 0)


def contents(folder: Path) -> list[bytes]:
    """The bytes of every file in a folder."""
    return [file.read_bytes() for file in sorted(folder.iterdir())]


async def test_no_secret_is_left_anywhere(tmp_path: Path) -> None:
    """Not one token, code or secret in the bytes of the reel and its companions, in logs, counters or answers."""
    house = House()
    code = house.code("d", "canary-subscriber")
    secrets = {
        "web token": house.web_token("a", sub="canary-subject"),
        "hash": hash_token("b", Purpose.PUBLISH, HASH_SECRET),
        "one-time token": house.one_time("c"),
        "refused token": "canary-refused.canary.canary",
        "code": f"{code}",
        "peer token": "canary-peer-token",
        "room token": "canary-room-token",
        "list token": "canary-list-token",
        "keys": "canary-",
        "web token key": JWT_KEY,
    }
    path = tmp_path / "calls.reel"
    said: list[object] = []
    left: list[bytes] = []
    with capture_logs() as logs:
        async with house.runtime(SqliteReel(path)) as runtime:
            for command in (
                Publish(stream_id="a", token=secrets["web token"]),
                Publish(stream_id="b", token=secrets["hash"]),
                Publish(stream_id="c", token=secrets["one-time token"]),
                Publish(stream_id="c", token=secrets["one-time token"]),
                Publish(stream_id="e", token=secrets["refused token"]),
                Publish(stream_id="d", subscriber_id="dan", subscriber_code=code),
                Join(stream_id="p", token=secrets["peer token"]),
                JoinRoom(room="r", token=secrets["room token"]),
                GetTrackList(stream_id="a", token=secrets["list token"]),
            ):
                client = MemoryClient(runtime)
                await client.send(command)
                said += await client.flush()
            counters = repr(runtime.counters)
            left += contents(tmp_path)
        left += contents(tmp_path)
    everything = b"".join(left) + repr((said, logs, counters)).encode()

    assert [name for name, secret in secrets.items() if secret.encode() in everything] == []
    assert b"publish" in everything


async def test_what_the_gates_show_of_themselves_is_no_secret() -> None:
    """A gate that ends up in a log line shows neither keys nor tokens."""
    house = House()
    gates: list[object] = [house.gate, house.tokens, house.subscribers, house.blocks, JwtGate(JWT_KEY, tags=TAGS)]

    assert not any(secret in repr(gates) for secret in ("canary", JWT_KEY))


async def test_a_gate_of_ones_own_fits_in(tmp_path: Path) -> None:
    """Whatever has `decide` may stand behind the blocks."""

    class Friends:
        async def decide(self, command: object, session: SessionInfo) -> Verdict:
            return Verdict.allow(TAGS.subscriber(session.identity))

    async with Runtime(gate=BlockGate(Friends(), Blocks(tags=TAGS)), media=FakeMedia()) as runtime:
        await publish(MemoryClient(runtime, identity="ann"), "a")
