"""Rights to publish and play in rooms, through a whole runtime: by whatever door a room is reached, the same ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from signalreel.commands import AnyCommand, Join, JoinRoom, Play, Publish
from signalreel.host import RegisterStream
from signalreel.identifiers import Kind
from signalreel.registered import Credential, Purpose, RegisteredStream
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.access import HashGate, LiveRooms, OpenGate, PolicyGate, WebhookGate, hash_token
from signalreel_adapters.ports import Gate
from tests.adapters.access.scenes import TAGS, answer_to

pytestmark = pytest.mark.anyio

SECRET = "a secret of many octets"
REFUSED = "unauthorized_access"


def token(id: str, purpose: Purpose) -> str:
    """A token for a stream or room."""
    return hash_token(id, purpose, SECRET)


PUBLISH_X, PUBLISH_R, PLAY_R = token("x", Purpose.PUBLISH), token("r", Purpose.PUBLISH), token("r", Purpose.PLAY)


@asynccontextmanager
async def served(*streams: RegisteredStream, is_open: bool = False) -> AsyncIterator[tuple[Runtime, MemoryClient]]:
    """A runtime that asks for hash tokens, for everything or only where a policy says so, and a client of it."""
    rooms = LiveRooms()
    hashes = HashGate(SECRET, tags=TAGS, rooms=rooms)
    policy = PolicyGate(OpenGate(tags=TAGS) if is_open else hashes, {Credential.HASH: hashes})
    async with Runtime(gate=policy, media=FakeMedia()) as runtime, MemoryClient(runtime) as client:
        rooms.look_at(runtime.engine)
        policy.look_at(runtime.engine)
        for stream in streams:
            await runtime.submit(RegisterStream(stream=stream), app="live")
        yield runtime, client


def room_of_x(runtime: Runtime) -> str | None:
    """Where the stream `x` was put; None when it was not published."""
    stream = runtime.engine.find(Kind.STREAM, "x", app="live")
    return None if stream is None else stream.placed_in


@pytest.mark.parametrize("is_pipelined", [False, True], ids=["answered", "at once"])
@pytest.mark.parametrize(
    ("entering", "publishing", "answer"),
    [
        (JoinRoom("r", "x", token=PLAY_R), Publish("x", token=PUBLISH_X), REFUSED),
        (JoinRoom("r", "x", token=PLAY_R), Publish("x", token=PLAY_R), REFUSED),
        (JoinRoom("r", "x", token=PUBLISH_R), Publish("x", token=PUBLISH_R), "start"),
        (JoinRoom("r", "y", token=PLAY_R), Publish("x", token=PUBLISH_X), "start"),
    ],
)
async def test_a_joined_room_opens_to_its_own_right_alone(
    entering: AnyCommand, publishing: Publish, answer: str, is_pipelined: bool
) -> None:
    """What is published under the id of one's seat is published in the room, without being named there again."""
    async with served() as (runtime, client):
        await client.send(entering)
        if not is_pipelined:
            await client.expect("joinedTheRoom")
        await client.send(publishing)
        if is_pipelined:
            await client.expect("joinedTheRoom")
        await client.expect(answer)

        assert room_of_x(runtime) == {"start": "r" if publishing.token == PUBLISH_R else ""}.get(answer)


async def test_a_room_is_left_before_the_next_command_is_decided() -> None:
    """Its right ends with it, also for what is said in the same breath."""
    async with served() as (_, client):
        for command in (
            JoinRoom("r", "x", token=PUBLISH_R),
            Publish("x", token=PUBLISH_X),
            Join("x", token=PUBLISH_R),
        ):
            await client.send(command)
        await client.expect("joinedTheRoom")
        await client.expect(REFUSED)
        await client.expect(REFUSED)


@pytest.mark.parametrize("is_pipelined", [False, True], ids=["answered", "at once"])
async def test_a_room_s_policy_holds_for_who_has_joined_it(is_pipelined: bool) -> None:
    """In an open app as well, whether the publish waits for the answer to the join or not."""
    room = RegisteredStream("r", publish_access=(Credential.HASH,))
    async with served(room, is_open=True) as (runtime, client):
        await client.send(JoinRoom("r", "x"))
        if not is_pipelined:
            await client.expect("joinedTheRoom")
        await client.send(Publish("x"))
        await client.send(Publish("x", token=PUBLISH_R))
        if is_pipelined:
            await client.expect("joinedTheRoom")
        await client.expect(REFUSED)
        await client.expect("start")

        assert room_of_x(runtime) == "r"


async def test_an_open_room_is_joined_and_published_in_at_once() -> None:
    """Who says both in one breath gets both."""
    async with served(is_open=True) as (runtime, client):
        await client.send(JoinRoom("r", "x"))
        await client.send(Publish("x"))
        await client.expect("joinedTheRoom")
        await client.expect("start")

        assert room_of_x(runtime) == "r"


@pytest.mark.parametrize("main_track", ["", "r"])
async def test_a_room_s_policy_holds_for_what_is_registered_for_it(main_track: str) -> None:
    """A stream that names no room is put in the one it is registered for."""
    room = RegisteredStream("r", publish_access=(Credential.HASH,))
    async with served(room, RegisteredStream("x", main_track="r"), is_open=True) as (runtime, client):
        assert await answer_to(client, Publish("x", main_track=main_track)) == REFUSED
        assert await answer_to(client, Publish("x", main_track=main_track, token=PUBLISH_R)) == "start"
        assert room_of_x(runtime) == "r"


async def test_who_waits_for_a_stream_obeys_the_policy_of_its_room() -> None:
    """It will be shown there."""
    room = RegisteredStream("r", play_access=(Credential.HASH,))
    async with served(room, RegisteredStream("x", main_track="r", waits=True), is_open=True) as (_, client):
        assert await answer_to(client, Play("x")) == REFUSED
        assert await answer_to(client, Play("x", token=PLAY_R)) == "streaming_starts_soon"


@pytest.mark.parametrize("knows", [True, False])
async def test_a_webhook_s_yes_is_for_the_room_it_was_told(knows: bool) -> None:
    """It is told the room that has been joined, where that can be looked up; else the engine holds it to none."""
    told: list[bytes] = []

    async def post(url: str, body: bytes) -> int:
        told.append(body)
        return 200

    rooms = LiveRooms()
    gate: Gate = WebhookGate("https://hook.example/", tags=TAGS, post=post, rooms=rooms if knows else None)
    async with Runtime(gate=gate, media=FakeMedia()) as runtime, MemoryClient(runtime) as client:
        rooms.look_at(runtime.engine)
        assert await answer_to(client, JoinRoom("r", "x")) == "joinedTheRoom"
        assert await answer_to(client, Publish("x")) == ("start" if knows else REFUSED)
        assert (b'"roomId":"r"' in told[-1]) is knows
