"""The corpus of forged credentials against whole servers: over memory and over a WebSocket, with the real gates.

Whatever is wrong with a credential, the answer is `unauthorized_access` and nothing else, for each of the commands that
need access, and the thing that was asked for goes on undisturbed.
"""

import base64
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import msgspec
import pytest

from signalreel.commands import COMMANDS as EVERYTHING
from signalreel.commands import AnyCommand, GetTrackList, Join, JoinRoom, Play, Publish
from signalreel.events import SettingsChanged
from signalreel.host import RegisterStream
from signalreel.identifiers import Kind
from signalreel.registered import RegisteredStream
from signalreel.settings import Settings
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.access import Purpose, Subscriber, hash_token
from signalreel_adapters.access.jwt import LEEWAY_S_MAX
from signalreel_adapters.access.times import SECOND
from signalreel_adapters.access.totp import PERIOD_S, totp_code
from tests.adapters.access.scenes import JWT_KEY, signed, unsigned_part
from tests.adapters.access.test_chain_calls import HASH_SECRET, TOTP_KEY, House, publish_with
from tests.adapters.servers import JsonSocket, served

pytestmark = pytest.mark.anyio

ASYNCIO: Final = "asyncio"  #: what the server runs on
PEM: Final = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"

Asks = Callable[[AnyCommand], Awaitable[list[dict[str, Any]]]]
"""Sends a command as a session that is granted nothing else, and gives all that it is told."""


def web_tokens(purpose: str, now: int) -> dict[str, str]:
    """Web tokens for the stream `a` and this purpose, each with one thing wrong."""
    good = {"streamId": "a", "type": purpose, "exp": now + 300}
    other = "play" if purpose == "publish" else "publish"
    head, claims, signature = signed(good).split(".")
    return {
        "alg none": f"{unsigned_part({'alg': 'none'})}.{claims}.",
        "alg none, signed": signed(good, header={"alg": "none"}),
        "alg HS512": signed(good, header={"alg": "HS512"}, digest="sha512"),
        "alg RS256": signed(good, header={"alg": "RS256"}),
        "alg missing": signed(good, header={"typ": "JWT"}),
        "another key": signed(good, key="another secret of thirty-two octets"),
        "a public key as secret": signed(good, key=PEM),
        "its own key": signed(
            good, key="x" * 32, header={"alg": "HS256", "jwk": {"kty": "oct", "k": unsigned_part("x" * 32)}}
        ),
        "a key elsewhere": signed(good, key="x" * 32, header={"alg": "HS256", "jku": "https://example.org/keys"}),
        "unknown crit": signed(good, header={"alg": "HS256", "crit": ["x"], "x": 1}),
        "no signature": f"{head}.{claims}.",
        "altered claims": f"{head}.{unsigned_part({**good, 'exp': now + 999})}.{signature}",
        "expired": signed({**good, "exp": now - LEEWAY_S_MAX - 1}),
        "not yet": signed({**good, "nbf": now + LEEWAY_S_MAX + 1}),
        "no exp": signed({"streamId": "a", "type": purpose}),
        "no purpose": signed({"streamId": "a", "exp": now + 300}),
        "both purposes": signed({**good, "type": "publish_play"}),
        "another purpose": signed({**good, "type": other}),
        "another stream": signed({**good, "streamId": "b"}),
        "empty stream": signed({**good, "streamId": ""}),
        "no stream": signed({"type": purpose, "exp": now + 300}),
        "for some audience": signed({**good, "aud": "others"}),
        "claims no object": signed("[]"),
        "the secret itself": JWT_KEY,
        "empty": "",
        "null, as one client writes it": "null",
    }


def other_tokens(house: House, purpose: Purpose) -> dict[str, str]:
    """Hashes and one-time tokens for the stream `a` and this purpose, each with one thing wrong."""
    other = Purpose.PLAY if purpose is Purpose.PUBLISH else Purpose.PUBLISH
    return {
        "a hash by another secret": hash_token("a", purpose, "another secret of a server"),
        "a hash for another stream": hash_token("b", purpose, HASH_SECRET),
        "a hash for another purpose": hash_token("a", other, HASH_SECRET),
        "an expired one-time token": house.one_time("a", purpose, lifetime_s=60),
        "a one-time token for another stream": house.one_time("b", purpose, lifetime_s=3_600),
        "a one-time token for another purpose": house.one_time("a", other, lifetime_s=3_600),
        "a one-time token nobody issued": "0" * 32,
    }


COMMANDS: Final[dict[str, tuple[Purpose, Callable[[str], AnyCommand]]]] = {
    "publish": (Purpose.PUBLISH, lambda token: Publish(stream_id="a", token=token)),
    "play": (Purpose.PLAY, lambda token: Play(stream_id="a", token=token)),
    "join": (Purpose.PUBLISH, lambda token: Join(stream_id="a", token=token)),
    "join, to play": (Purpose.PLAY, lambda token: Join(stream_id="a", mode="play", token=token)),
    "joinRoom": (Purpose.PLAY, lambda token: JoinRoom(room="a", token=token)),
    "getTrackList": (Purpose.PLAY, lambda token: GetTrackList(stream_id="a", token=token)),
}
"""The commands that need access, each about the stream `a`, with the purpose of a token for it."""

FOR_A_ROOM: Final = {"another purpose", "a one-time token for another purpose", "a hash for another purpose"}
"""What lets in where a room is entered: for whatever purpose its holder comes."""


@asynccontextmanager
async def over_memory(house: House) -> AsyncGenerator[tuple[Runtime, Asks]]:
    """A server without a socket."""
    async with house.runtime() as runtime, MemoryClient(runtime) as client:

        async def ask(command: AnyCommand) -> list[dict[str, Any]]:
            await client.send(command)
            return await client.flush()

        yield runtime, ask


@asynccontextmanager
async def over_a_websocket(house: House) -> AsyncGenerator[tuple[Runtime, Asks]]:
    """The same server behind a socket of its own."""
    async with (
        served(media=FakeMedia(), gate=house.gate, clock=house.clock) as server,
        server.client() as client,
    ):
        house.rooms.look_at(server.runtime.engine)

        async def ask(command: AnyCommand) -> list[dict[str, Any]]:
            await client.send(msgspec.json.encode(command).decode())
            said = await until_pong(client)
            await server.runtime.idle()
            return said + await until_pong(client)

        yield server.runtime, ask


async def until_pong(client: JsonSocket) -> list[dict[str, Any]]:
    """Everything that is said before the answer to a ping."""
    await client.send({"command": "ping"})
    said: list[dict[str, Any]] = []
    while (message := await client.receive())["command"] != "pong":
        said.append(message)
    return said


TRANSPORTS: Final = {"memory": over_memory, "websocket": over_a_websocket}


@asynccontextmanager
async def guarded(transport: str, house: House) -> AsyncGenerator[tuple[Runtime, Asks]]:
    """A server on which `a` is live, published by whoever may; afterwards it still is."""
    async with AsyncExitStack() as stack:
        runtime, ask = await stack.enter_async_context(TRANSPORTS[transport](house))
        await publish_with(MemoryClient(runtime), house.web_token("a"))
        yield runtime, ask
        stream = runtime.engine.find(Kind.STREAM, "a", app="live")
        assert stream is not None
        assert stream.state == "broadcasting"
        assert runtime.counters.gate_failures == 0


def refused(told: list[dict[str, Any]]) -> bool:
    """Whether the one thing that was said is that access is refused."""
    return [message.get("definition") for message in told] == ["unauthorized_access"]


@pytest.mark.parametrize("anyio_backend", [ASYNCIO])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", COMMANDS)
async def test_every_forged_token_is_refused(name: str, transport: str) -> None:
    """With `unauthorized_access`, whatever is wrong with it; and the good one beside them is not."""
    house = House()
    purpose, command = COMMANDS[name]
    async with guarded(transport, house) as (_, ask):
        tokens = other_tokens(house, purpose)
        await house.clock.advance(61 * SECOND)
        tokens |= web_tokens(str(purpose), house.clock.wall() // SECOND)
        accepted = [
            what
            for what, token in tokens.items()
            if not (name == "joinRoom" and what in FOR_A_ROOM) and not refused(await ask(command(token)))
        ]

        assert accepted == []
        assert not refused(await ask(command(house.web_token("a", str(purpose)))))


@pytest.mark.parametrize("anyio_backend", [ASYNCIO])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_replayed_token_or_code_is_refused(transport: str) -> None:
    """Good once, for one session; another that shows the same is refused, also after the first has gone."""
    house = House()
    async with guarded(transport, house) as (runtime, ask):
        token, code = house.one_time("a", Purpose.PLAY), house.code("a", "ann", Purpose.PLAY)
        for command in (
            Play(stream_id="a", token=token),
            Play(stream_id="a", subscriber_id="ann", subscriber_code=code),
        ):
            first = MemoryClient(runtime)
            await first.send(command)
            await first.expect("takeConfiguration")

            assert refused(await ask(command))
            await first.close()
            assert refused(await ask(command))


@pytest.mark.parametrize("anyio_backend", [ASYNCIO])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_every_forged_code_is_refused(transport: str) -> None:
    """Another's, for another stream, of another time, no code at all: to publish as to play."""
    house = House()
    secret = base64.b32encode(TOTP_KEY).decode()
    for stream, name in (("a", "ann"), ("b", "bob")):
        house.subscribers.register("live", Subscriber(stream, name, secret, Purpose.PLAY))
    async with guarded(transport, house) as (_, ask):
        period = house.clock.wall() // (PERIOD_S * SECOND)
        good = totp_code(TOTP_KEY, period)
        codes = {
            "another secret's": ("ann", totp_code(b"another secret of a subscriber", period)),
            "of long ago": ("ann", totp_code(TOTP_KEY, period - 2)),
            "of the future": ("ann", totp_code(TOTP_KEY, period + 2)),
            "another subscriber's stream": ("bob", good),
            "nobody's": ("eve", good),
            "without a name": ("", good),
            "without a code": ("ann", ""),
            "too short": ("ann", good[:-1]),
            "with a blank": ("ann", good + " "),
        }
        commands: dict[str, AnyCommand] = {}
        for what, (name, code) in codes.items():
            commands[f"play, {what}"] = Play(stream_id="a", subscriber_id=name, subscriber_code=code)
        commands["publish, of one who may play"] = Publish(stream_id="a", subscriber_id="ann", subscriber_code=good)

        assert [what for what, command in commands.items() if not refused(await ask(command))] == []


@pytest.mark.parametrize("anyio_backend", [ASYNCIO])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_without_a_grant_nobody_finds_out_what_there_is(transport: str) -> None:
    """Where streams are hidden: each command about what is there and about what is not gets the same bytes."""
    house = House()
    async with guarded(transport, house) as (runtime, ask):
        await runtime.submit(RegisterStream(stream=RegisteredStream("planned", planned_start=2**40)), app="live")
        for client, command in (
            (MemoryClient(runtime), Join(stream_id="the-pair", token=house.web_token("the-pair"))),
            (MemoryClient(runtime), JoinRoom(room="the-room", token=house.web_token("the-room"))),
        ):
            await client.send(command)
            await client.flush()
        runtime.report(SettingsChanged(Settings(hide_streams=True)))
        await runtime.idle()
        for name, kind in every_command():
            missing = [known_as(told, "missing-x") for told in await ask(kind("missing-x"))]
            for id in ("a", "the-pair", "the-room", "planned"):
                assert [known_as(told, id) for told in await ask(kind(id))] == missing, (name, id)


def every_command() -> list[tuple[str, Callable[[str], AnyCommand]]]:
    """Every command, made to be about an id in each of its fields that name one; descriptions of both sorts."""
    made: list[tuple[str, Callable[[str], AnyCommand]]] = []
    for name, kind in EVERYTHING.items():
        fields = [field for field in ("stream_id", "room", "main_track") if field in kind.__struct_fields__]
        for sort in ({"type": "offer"}, {"type": "answer"}) if "sdp" in kind.__struct_fields__ else ({},):

            def make(id: str, kind: Any = kind, fields: Any = fields, sort: Any = sort) -> AnyCommand:  # noqa: ANN401
                made: AnyCommand = kind(**dict.fromkeys(fields, id), **sort)
                return made

            if name != "ping":
                made.append((name, make))
    return made


def known_as(told: dict[str, Any], id: str) -> bytes:
    """What was told, with the id that was asked about left out of it."""
    return msgspec.json.encode(told).replace(b'"' + id.encode() + b'"', b'"it"')
