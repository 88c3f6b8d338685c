"""`signalreel_adapters.push` end to end: a device is registered, a push is sent, and an HTTP server gets it, once."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from joserfc import jwt
from joserfc.jwk import OctKey
from structlog.testing import capture_logs

from signalreel.record import encode_record
from signalreel_adapters import MemoryClient, Runtime, SqliteReel
from signalreel_adapters.access import Tags
from signalreel_adapters.access.push import PushGate
from signalreel_adapters.access.sealing import Sealing
from signalreel_adapters.conformance import Transport
from signalreel_adapters.push import SIGNATURE, PushDelivery, is_signed
from tests.adapters.servers import served
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio

AUTHENTICATION_KEY: Final = "the subscriber authentication key of the app"
OPERATORS_KEY: Final = b"the operator's key, of enough bytes"
WEBHOOK_KEY: Final = b"a key that both ends share"
DEVICE: Final = "canary-token-of-a-device"
TAGS: Final = Tags(OPERATORS_KEY)
SEALING: Final = Sealing(OPERATORS_KEY)


def token(subscriber_id: str) -> str:
    """What a subscriber proves itself with."""
    claims = {"iss": subscriber_id, "exp": int(time.time()) + 300}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(AUTHENTICATION_KEY))


def gate() -> PushGate:
    """The gate of the app."""
    return PushGate(None, {"live": AUTHENTICATION_KEY}, tags=TAGS, sealing=SEALING)


class Receiver:
    """An HTTP server of the operator's."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[dict[str, Any]] = []
        self.signed: list[bool] = []

    async def serve(self, stream: SocketStream) -> None:
        """Take one request, and keep its body."""
        heard = b""
        async with stream:
            while b"\r\n\r\n" not in heard:
                heard += await stream.receive()
            head, _, body = heard.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            while len(body) < int(fields["Content-Length"]):
                body += await stream.receive()
            self.heard.append(json.loads(body))
            self.signed.append(is_signed(WEBHOOK_KEY, fields[SIGNATURE], body, now_s=int(time.time())))
            await stream.send(b"HTTP/1.1 204 No Content\r\n\r\n")


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Run the receiver on this machine."""
    receiver = Receiver()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, receiver.serve)
        receiver.url = f"http://127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}/notify"
        yield receiver
        tasks.cancel_scope.cancel()


class Asking(Protocol):
    """A client in memory or over a socket."""

    async def send(self, message: dict[str, object]) -> None:
        """Say something."""
        ...

    async def receive(self) -> dict[str, Any]:
        """Hear something."""
        ...


async def register_and_send(client: Asking, evidence: EvidenceNotes, transport: Transport) -> list[str]:
    """Register a device of ben's, and have ben and eve notified; give the tokens that were used."""
    tokens = [token("ben"), token("ann")]
    registration: dict[str, object] = {
        "command": "registerPushNotificationToken",
        "subscriberId": "ben",
        "token": tokens[0],
        "pnsRegistrationToken": DEVICE,
        "pnsType": "fcm",
    }
    await client.send(registration)
    registered = await client.receive()
    assert (registered["definition"], registered["success"]) == ("registerPushNotificationToken", True)
    evidence.tick("REAL-16", transport=transport, captured=registered, said=registration)
    push: dict[str, object] = {
        "command": "sendPushNotification",
        "subscriberId": "ann",
        "token": tokens[1],
        "pushNotificationContent": {"title": "Come!"},
        "subscriberIdsToNotify": ["ben", "eve"],
    }
    await client.send(push)
    sent = await client.receive()
    assert (sent["definition"], sent["success"]) == ("sendPushNotification", True)
    evidence.tick("REAL-16", transport=transport, captured=sent, said=push)
    return tokens


def delivery_of(runtime: Runtime, receiver: Receiver) -> PushDelivery:
    """Deliver to the receiver, which is on this machine."""
    return PushDelivery(runtime, receiver.url, sealing=SEALING, key=WEBHOOK_KEY, allow_private=True)


async def until_delivered(delivery: PushDelivery, number: int) -> None:
    """Wait until the webhook has answered so often."""
    while delivery.counters.delivered < number:
        await anyio.lowlevel.checkpoint()


def kept(folder: Path) -> bytes:
    """Everything that is in the files of a folder."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_push_reaches_the_webhook_once_and_no_secret_anything_else(
    tmp_path: Path, evidence: EvidenceNotes
) -> None:
    """The device's token is opened for the webhook alone; a restart delivers nothing again, and knows the device."""
    path = tmp_path / "calls.reel"
    with capture_logs() as lines:
        async with receiving() as receiver:
            async with (
                Runtime(SqliteReel(path), gate=gate()) as runtime,
                delivery_of(runtime, receiver) as delivery,
                MemoryClient(runtime) as client,
            ):
                steps = runtime.steps()
                tokens = await register_and_send(client, evidence, "memory")
                await until_delivered(delivery, 1)
                await runtime.idle()
            seen = b"".join([encode_record(step.record) + repr(step).encode() async for step in steps])
            first = list(receiver.heard)

            async with (
                Runtime(SqliteReel(path), gate=gate()) as runtime,
                delivery_of(runtime, receiver) as delivery,
                MemoryClient(runtime) as client,
            ):
                await client.flush()
                await anyio.wait_all_tasks_blocked()
                again = receiver.heard[len(first) :]
                await client.send(
                    {
                        "command": "sendPushNotification",
                        "subscriberId": "ann",
                        "token": token("ann"),
                        "pushNotificationContent": {"title": "Later!"},
                        "subscriberIdsToNotify": ["ben"],
                    }
                )
                assert (await client.receive())["success"] is True
                await until_delivered(delivery, 1)

    assert [(one["sender"], one["content"], one.get("notRegistered")) for one in first] == [
        ("ann", {"title": "Come!"}, ["eve"])
    ]
    device = {"subscriberId": "ben", "pnsType": "fcm", "pnsRegistrationToken": DEVICE}
    assert (first[0]["devices"], again) == ([device], [])
    assert (receiver.heard[1]["content"], receiver.heard[1]["devices"]) == ({"title": "Later!"}, [device])
    assert receiver.signed == [True, True]
    for canary in (DEVICE, *tokens):
        assert canary.encode() not in kept(tmp_path) + seen
        assert canary not in repr(lines)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_over_a_websocket(evidence: EvidenceNotes) -> None:
    """The same over a socket."""
    async with (
        receiving() as receiver,
        served(gate=gate()) as server,
        delivery_of(server.runtime, receiver) as delivery,
        server.client() as client,
    ):
        await register_and_send(client, evidence, "websocket")
        await until_delivered(delivery, 1)

    assert [one["content"] for one in receiver.heard] == [{"title": "Come!"}]


async def test_what_is_not_proved_is_not_delivered() -> None:
    """A token of another subscriber is told as such, and nothing leaves the server."""
    async with (
        receiving() as receiver,
        Runtime(gate=gate()) as runtime,
        delivery_of(runtime, receiver),
        MemoryClient(runtime) as client,
    ):
        for wrong, definition in ((token("eve"), "authenticationTokenNotValid"), ("", "missingParameter")):
            await client.send(
                {
                    "command": "sendPushNotification",
                    "subscriberId": "ann",
                    "token": wrong,
                    "pushNotificationContent": {"title": "Come!"},
                    "subscriberIdsToNotify": ["ben"],
                }
            )
            told = await client.receive()
            assert (told["definition"], told["success"]) == (definition, False)
        await anyio.wait_all_tasks_blocked()

    assert receiver.heard == []
