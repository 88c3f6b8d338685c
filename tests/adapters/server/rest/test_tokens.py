"""`signalreel_adapters.server.rest.tokens`: tokens are shown once."""

import time

import pytest

from signalreel.commands import Publish
from signalreel.identifiers import App, SessionId
from signalreel.reel import MemoryReel
from signalreel_adapters.access.jwt import JwtGate
from signalreel_adapters.access.tags import Tags
from signalreel_adapters.ports import SessionInfo
from tests.adapters.server.rest.scenes import JWT_KEY, KEY, OK, operating

pytestmark = pytest.mark.anyio

SESSION = SessionInfo(SessionId("session"), App("live"))


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


def soon(seconds: int = 300) -> int:
    """A time to expire at."""
    return int(time.time()) + seconds


async def test_a_token_is_issued_shown_once_and_revoked() -> None:
    """What is listed afterwards is its tag; no byte of the reel holds the token."""
    reel, at = MemoryReel(), soon()
    async with operating(reel) as operator:
        issued = await operator.get(f"broadcasts/s/token?expireDate={at}&type=publish&roomId=r")
        listed = await operator.get("broadcasts/s/tokens/list/0/10")
        revoked = await operator.ask("DELETE", "broadcasts/s/tokens")
        again = await operator.ask("DELETE", "broadcasts/s/tokens")
        after = await operator.get("broadcasts/s/tokens/list/0/10")
        recorded = b"".join(entry.record for entry in reel.entries())

    token = issued.pop("tokenId")
    assert issued == {"streamId": "s", "expireDate": at, "type": "publish", "roomId": "r"}
    tag = listed[0].pop("tag")
    assert listed == [issued]
    assert token not in repr(listed)
    assert token.encode() not in recorded
    assert tag.encode() in recorded
    assert revoked == (200, OK | {"dataId": "s"})
    assert again == (200, OK | {"dataId": "s", "message": "there were none"})
    assert after == []


async def test_a_token_is_validated_without_being_used() -> None:
    """For its stream and purpose and no other, as often as one asks."""
    async with operating() as operator:
        token = (await operator.get(f"broadcasts/s/token?expireDate={soon()}&type=play"))["tokenId"]

        async def validate(**other: object) -> bool:
            body = {"tokenId": token, "streamId": "s", "type": "play"} | other
            return bool((await operator.ask("POST", "broadcasts/validate-token", body))[1]["success"])

        assert [await validate(), await validate()] == [True, True]
        assert not await validate(streamId="other")
        assert not await validate(type="publish")
        assert not await validate(tokenId=token + "x")
        await operator.ask("DELETE", "broadcasts/s/tokens")
        assert not await validate()


async def test_a_web_token_opens_what_it_says() -> None:
    """It is one that the gate takes, until it expires."""
    async with operating() as operator:
        issued = await operator.get(f"broadcasts/s/jwt-token?expireDate={soon()}&type=publish")
        gate = JwtGate(JWT_KEY, tags=Tags(KEY))
        verdicts = [await gate.decide(Publish(stream_id=id, token=issued["tokenId"]), SESSION) for id in ("s", "t")]

    assert [verdict.grant.allowed for verdict in verdicts] == [True, False]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("token?type=play", 400, "expireDate is missing"),
        (f"token?expireDate={soon()}", 400, "type is missing"),
        (f"token?expireDate={soon()}&type=both", 400, "type must be one of publish, play"),
        ("token?expireDate=soon&type=play", 400, "expireDate must be a whole number"),
        (f"token?expireDate={soon(-1)}&type=play", 400, "in the future"),
        (f"token?expireDate={soon() * 1_000}&type=play", 400, "in seconds since 1970"),
        (f"token?expireDate={soon()}&type=play&roomId=a%20b", 400, "roomId must be a name"),
        (f"jwt-token?expireDate={soon(-1)}&type=play", 400, "in the future"),
    ],
)
async def test_what_is_wrong_is_said(path: str, status: int, said: str) -> None:
    """A bad request is 400 with what is wrong."""
    async with operating() as operator:
        answer = await operator.ask("GET", f"broadcasts/s/{path}")

    assert answer[0] == status
    assert said in answer[1]["message"]


async def test_without_a_key_nothing_is_issued() -> None:
    """It could not be recognised again; the answer says what to configure."""
    async with operating(keyed=False) as operator:
        answers = [
            await operator.ask("GET", f"broadcasts/s/{kind}?expireDate={soon()}&type=play")
            for kind in ("token", "jwt-token")
        ]

    assert [status for status, _ in answers] == [409, 409]
    assert "access.key" in answers[0][1]["message"]
    assert "apps.NAME.access.jwt.secret" in answers[1][1]["message"]
