"""One evening on a whole server, with a canary in every secret: none of them is found anywhere afterwards.

Gates of every kind, the REST interface, a TURN server's secret, pushes to a webhook: each of their secrets is a canary.
Then every byte that is left (the reel and the files beside it, log lines in both forms, errors, what operators can look
at, counters) is searched. What a description holds of an address or a password stands on the raw reel, which is only
its owner's to read, and nowhere else.
"""

import base64
import re
import stat
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from signalreel.registered import Purpose
from signalreel_adapters import FakeMedia, Runtime, SqliteReel
from signalreel_adapters.access import (
    FirstThatKnows,
    HashGate,
    LiveRooms,
    OneTimeGate,
    PerApp,
    RegistrySubscribers,
    RegistryTokens,
    Sealing,
    Tags,
    TotpGate,
    WebhookGate,
    hash_token,
)
from signalreel_adapters.access.jwt import JwtGate
from signalreel_adapters.access.push import PushGate
from signalreel_adapters.access.totp import PERIOD_S, secret_octets, totp_code
from signalreel_adapters.http import Unreachable
from signalreel_adapters.ice import TurnRest
from signalreel_adapters.push import PushDelivery
from signalreel_adapters.server import listen, serve
from signalreel_adapters.server.operators import Operators
from signalreel_adapters.server.rest import Services
from tests.adapters.access.scenes import signed
from tests.adapters.servers import JsonSocket, Served

pytestmark = pytest.mark.anyio

OPERATOR_KEY: Final = "canary-operators-key-0123456789"
ACCESS_KEY: Final = b"canary-access-key-of-tags-and-seals"
JWT_KEY: Final = "canary-web-token-key-of-thirty-two-octets"
PUSH_KEY: Final = "canary-subscriber-authentication-key-32"
HASH_SECRET: Final = "canary-hash-secret-0123456789"
TOTP_SECRET: Final = base64.b32encode(b"canary-totp-secret-1").decode()
DERIVED_SECRET: Final = "canary-secret-to-derive-from"
TURN_SECRET: Final = b"canary-turn-secret-0123456789"
DEVICE: Final = "canary-device-of-a-subscriber"
HOOK: Final = "https://hook.example/canary-path-of-a-hook"

PRIVATE: Final = {"password": "canaryIcePwd0123456789abc", "ufrag": "canaryUfrag", "address": "203.0.113.77"}
"""What a description and a candidate hold that is for the other end alone."""

SDP: Final = (
    f"v=0\r\nc=IN IP4 {PRIVATE['address']}\r\na=ice-ufrag:{PRIVATE['ufrag']}\r\na=ice-pwd:{PRIVATE['password']}\r\n"
)
CANDIDATE: Final = f"candidate:1 1 udp 1 {PRIVATE['address']} 50000 typ host ufrag {PRIVATE['ufrag']}"

_TIMES: Final = re.compile(rb'"time":[0-9]+')


@pytest.fixture
def anyio_backend() -> str:
    """uvicorn's protocol is asyncio's."""
    return "asyncio"


class Evening:
    """A server with everything that has a secret, and everything that it gave away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "calls.reel"
        self.tags, self.sealing = Tags(ACCESS_KEY), Sealing(ACCESS_KEY)
        self.stores = (RegistryTokens(), RegistrySubscribers(self.sealing), LiveRooms())
        self.secrets: dict[str, str] = {}  #: what is searched for, by what it is
        self.seen: dict[str, bytes] = {}  #: what is searched, by where it was
        self.posted: list[bytes] = []
        self.started: set[str] = set()  #: what clients were let publish

    async def post(self, url: str, body: bytes, *, headers: tuple[tuple[str, str], ...] = ()) -> int:
        """A webhook that keeps what it is told, and takes nothing."""
        self.posted.append(body)
        raise Unreachable("no answer in time")

    def runtime(self) -> Runtime:
        """Put the gates before a runtime."""
        tokens, subscribers, rooms = self.stores
        access = FirstThatKnows(
            JwtGate(JWT_KEY, tags=self.tags, rooms=rooms),
            HashGate(HASH_SECRET, tags=self.tags, rooms=rooms),
            OneTimeGate(tokens, tags=self.tags, rooms=rooms),
            TotpGate(subscribers, tags=self.tags, secret=DERIVED_SECRET, rooms=rooms),
        )
        hooked = WebhookGate(HOOK, tags=self.tags, post=self.post)
        gate = PushGate(
            PerApp({"live": access, "hooked": hooked}), {"live": PUSH_KEY}, tags=self.tags, sealing=self.sealing
        )
        turn = TurnRest("turn:turn.example:3478", TURN_SECRET)
        return Runtime(SqliteReel(self.path), gate=gate, media=FakeMedia(), ice=turn)

    @asynccontextmanager
    async def served(self) -> AsyncGenerator[tuple[Served, httpx.AsyncClient]]:
        """Serve it, with an operator who has the key."""
        listens = anyio.Event()
        with listen("127.0.0.1", 0) as bound:
            port = bound.getsockname()[1]
            async with self.runtime() as runtime, anyio.create_task_group() as tasks:
                for store in self.stores:
                    store.look_at(runtime.engine)
                services = Services(
                    runtime,
                    tags=self.tags,
                    sealing=self.sealing,
                    jwt_keys={"live": JWT_KEY.encode()},
                    totp_secrets={"live": DERIVED_SECRET},
                )

                async def run() -> None:
                    await serve(
                        runtime,
                        bound,
                        operators=Operators(OPERATOR_KEY.encode()),
                        rest=services,
                        ready=listens.set,
                        heed_signals=False,
                    )

                tasks.start_soon(run)
                await listens.wait()
                async with (
                    PushDelivery(
                        runtime, HOOK, sealing=self.sealing, key="canary-key-of-push-signatures", post=self.post
                    ),
                    httpx.AsyncClient(
                        base_url=f"http://127.0.0.1:{port}/live/rest/v2/",
                        headers={"authorization": f"Bearer {OPERATOR_KEY}"},
                    ) as operator,
                ):
                    yield Served(runtime, port), operator
                    await runtime.idle()
                    self.seen["counters"] = repr(runtime.counters).encode()
                    self.seen["snapshot"] = msgspec.msgpack.encode(runtime.engine.snapshot())
                    self.keep_files("while it ran")
                    tasks.cancel_scope.cancel()

    def keep_files(self, when: str) -> None:
        """Read everything that is in the folder now."""
        for file in sorted(self.folder.iterdir()):
            self.seen[f"{file.name} {when}"] = file.read_bytes()
            if file.name != f"{self.path.name}-lock":
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name

    def places_of(self, secret: str) -> list[str]:
        """Say where a text is found; a number, where it stands alone and is not a time."""
        sought = re.compile(rf"(?<![0-9]){re.escape(secret)}(?![0-9])".encode())
        return [where for where, text in self.seen.items() if sought.search(_TIMES.sub(b"", text))]


async def told(client: JsonSocket, server: Served, *said: object) -> list[dict[str, Any]]:
    """Send messages and give all that comes of them."""
    for message in said:
        await client.send(message)
    heard: list[dict[str, Any]] = []
    for _ in range(2):
        await client.send({"command": "ping"})
        while (message := await client.receive())["command"] != "pong":
            heard.append(message)
        await server.runtime.idle()
    return heard


async def operate(operator: httpx.AsyncClient, evening: Evening) -> dict[str, str]:
    """Register and issue what there is to issue; give the credentials, each of which was shown once, and a code."""
    at = int(time.time()) + 3_600
    shown: dict[str, str] = {}
    for name, path in {
        "one-time token": f"broadcasts/once/token?expireDate={at}&type=publish",
        "web token": f"broadcasts/web/jwt-token?expireDate={at}&type=publish",
    }.items():
        shown[name] = (await operator.get(path)).raise_for_status().json()["tokenId"]
    added = {"subscriberId": "ann", "type": "publish", "b32Secret": TOTP_SECRET}
    evening.seen["subscriber"] = (await operator.post("broadcasts/coded/subscribers", json=added)).content
    drawn = await operator.post("broadcasts/coded/subscribers", json={"subscriberId": "bob"})
    shown["a secret that was drawn"] = drawn.raise_for_status().json()["b32Secret"]
    shown["hash"] = hash_token("hashed", Purpose.PUBLISH, HASH_SECRET)
    return shown


async def look(operator: httpx.AsyncClient, evening: Evening) -> None:
    """Look at everything that an operator can look at, and ask wrongly as well."""
    page = "0/50"
    for path in (
        f"broadcasts/list/{page}",
        "broadcasts/count",
        "broadcasts/once",
        f"broadcasts/once/tokens/list/{page}",
        f"broadcasts/coded/subscribers/list/{page}",
        f"broadcasts/coded/webrtc-client-stats/{page}",
        "broadcasts/coded/stream-info",
        "broadcasts/coded/broadcast-statistics",
        "broadcasts/total-broadcast-statistics",
        "broadcasts/nothing/token?expireDate=never&type=canary",
        "/healthz",
    ):
        base = operator.base_url.copy_with(path=path) if path == "/healthz" else path
        evening.seen[f"GET {path}"] = (await operator.get(base)).content
    wrong = {"tokenId": "canary-token-to-validate", "streamId": "once", "type": "play"}
    evening.seen["validate"] = (await operator.post("broadcasts/validate-token", json=wrong)).content
    refused = await operator.get("broadcasts/once", headers={"authorization": "Bearer canary-wrong-key"})
    evening.seen["refused"] = refused.content
    assert refused.status_code == 401


async def watch(operator: httpx.AsyncClient, evening: Evening) -> None:
    """Read the transitions, until this is cancelled."""
    async with operator.stream("GET", operator.base_url.copy_with(path="/transitions")) as lines:
        async for part in lines.aiter_bytes():
            evening.seen["transitions"] = evening.seen.get("transitions", b"") + part


def wishes(secrets: dict[str, str]) -> list[dict[str, object]]:
    """What clients say: every good credential, and bad ones in every command that takes one."""
    late = {"exp": int(time.time()) + 3_600}
    return [
        {"command": "publish", "streamId": "web", "token": secrets["web token"]},
        {"command": "publish", "streamId": "hashed", "token": secrets["hash"]},
        {"command": "publish", "streamId": "once", "token": secrets["one-time token"]},
        {"command": "publish", "streamId": "once", "token": secrets["one-time token"]},
        {"command": "publish", "streamId": "coded", "subscriberId": "ann", "subscriberCode": secrets["code"]},
        {"command": "publish", "streamId": "coded", "subscriberId": "ann", "subscriberCode": "canary-code"},
        {"command": "publish", "streamId": "a b", "token": "canary-token-of-a-bad-name"},
        {"command": "publish", "streamId": 7, "token": "canary-token-of-a-wrong-type", "video": []},
        {"command": "play", "streamId": "web", "token": signed({"streamId": "web", "type": "play", **late})},
        {"command": "play", "streamId": "nothing", "token": "canary.refused.token", "subscriberCode": "canary-x"},
        {"command": "join", "streamId": "p", "token": "canary-peer-token"},
        {"command": "joinRoom", "room": "r", "token": "canary-room-token"},
        {"command": "getTrackList", "streamId": "web", "token": "canary-list-token"},
        {"command": "canaryUnknown", "token": "canary-unknown-token"},
        {
            "command": "registerPushNotificationToken",
            "subscriberId": "ann",
            "token": signed({"iss": "ann", **late}, key=PUSH_KEY),
            "pnsRegistrationToken": DEVICE,
            "pnsType": "fcm",
        },
        {
            "command": "sendPushNotification",
            "subscriberId": "ann",
            "token": signed({"iss": "ann", **late}, key=PUSH_KEY),
            "pushNotificationContent": {"title": "hello"},
            "subscriberIdsToNotify": ["ann"],
        },
    ]


async def call(server: Served, evening: Evening, wish: dict[str, object]) -> None:
    """Be a client who says this, and goes on to describe itself when it may."""
    async with server.client(path="/live/websocket?token=canary-in-a-query") as client:
        heard = await told(client, server, wish)
        for message in heard:
            if message["command"] in {"start", "takeConfiguration"}:
                kind = "offer" if message["command"] == "start" else "answer"
                named = {"streamId": message["streamId"]}
                evening.started |= {named["streamId"]} if kind == "offer" else set()
                described = {"command": "takeConfiguration", "type": kind, "sdp": SDP, **named}
                found = {"command": "takeCandidate", "label": 0, "id": "0", "candidate": CANDIDATE, **named}
                heard = [*heard, *await told(client, server, described, found)]
        given = [
            m for m in await told(client, server, {"command": "getIceServerConfig"}) if "turnServerCredential" in m
        ]
        evening.secrets[f"TURN credential {len(evening.secrets)}"] = given[0]["turnServerCredential"]
        errors = [message for message in heard if message["command"] in {"error", "notification"}]
        evening.seen["told"] = evening.seen.get("told", b"") + msgspec.json.encode(errors)


async def spend(evening: Evening) -> None:
    """Spend the whole evening."""
    async with evening.served() as (server, operator), anyio.create_task_group() as tasks:
        tasks.start_soon(watch, operator, evening)
        evening.secrets |= await operate(operator, evening)
        # Of a period that has just begun, so that it is good and known whenever the clock strikes.
        evening.secrets["code"] = totp_code(secret_octets(TOTP_SECRET), int(time.time()) // PERIOD_S)
        for wish in wishes(evening.secrets):
            await call(server, evening, wish)
        async with server.client(path="/hooked/websocket") as client:
            heard = await told(client, server, {"command": "publish", "streamId": "s", "token": "canary-hooked-token"})
            evening.seen["told"] += msgspec.json.encode(heard)
        await look(operator, evening)
        tasks.cancel_scope.cancel()


def rendered(logs: list[Any]) -> bytes:
    """The log lines in both of their forms."""
    console = structlog.dev.ConsoleRenderer(colors=False)
    lines = [str(console(None, "info", dict(line))).encode(errors="backslashreplace") for line in logs]
    return b"\n".join([*lines, *(msgspec.json.encode(line, enc_hook=str) for line in logs)])


async def test_no_secret_is_left_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Contract 11: of credentials, nothing is left at all; of descriptions, only what the raw reel holds, mode 0600."""
    evening = Evening(tmp_path)
    with capture_logs() as logs:
        await spend(evening)
    evening.keep_files("afterwards")
    evening.seen["log"] = rendered(logs) + repr([record.getMessage() for record in caplog.records]).encode()
    evening.secrets |= {
        "canary": "canary-",
        "canary of a token": "canary.refused",
        "totp secret": TOTP_SECRET,
        "operator's key": OPERATOR_KEY,
    }
    raw = [name for name in evening.seen if name.startswith(evening.path.name)]
    found = [(what, where) for what, secret in evening.secrets.items() for where in evening.places_of(secret)]
    shown = {what: evening.places_of(secret) for what, secret in PRIVATE.items()}

    assert found == []
    assert [(what, where) for what, places in shown.items() for where in places if where not in raw] == []
    assert all(shown.values())
    assert evening.started == {"web", "hashed", "once", "coded"}
    assert evening.posted
    assert b"unauthorized_access" in evening.seen["told"]
    assert b"broadcasting" in evening.seen["transitions"]
    assert b"push" in evening.seen["log"]
