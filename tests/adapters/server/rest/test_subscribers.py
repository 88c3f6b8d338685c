"""`signalreel_adapters.server.rest.subscribers`: secrets are shown once, and kept sealed."""

import time

import pytest

from signalreel.reel import MemoryReel
from signalreel_adapters.access import Purpose
from signalreel_adapters.access.totp import derived_secret, secret_octets, totp_code
from tests.adapters.server.rest.scenes import NOT_THERE, OK, operating

pytestmark = pytest.mark.anyio

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


def codes(secret: str, period_s: int) -> set[str]:
    """The codes of now, and of a moment ago, in case a period has just ended."""
    now = int(time.time())
    return {totp_code(secret_octets(secret), at // period_s) for at in (now - 5, now)}


async def test_a_subscriber_is_registered_and_forgotten() -> None:
    """What is listed leaves the secret out, and no byte of the reel holds it."""
    reel = MemoryReel()
    asked = {
        "subscriberId": "bob@example.org",
        "type": "publish",
        "b32Secret": SECRET,
        "subscriberName": "Bob",
        "totpExpiryPeriodSeconds": 30,
        "concurrentConnectionsLimit": 2,
    }
    async with operating(reel) as operator:
        added = await operator.ask("POST", "broadcasts/s/subscribers", asked)
        listed = await operator.get("broadcasts/s/subscribers/list/0/10")
        code = await operator.get("broadcasts/s/subscribers/bob@example.org/totp")
        present = codes(SECRET, 30)
        removed = await operator.ask("DELETE", "broadcasts/s/subscribers/bob@example.org")
        again = await operator.ask("DELETE", "broadcasts/s/subscribers/bob@example.org")
        recorded = b"".join(entry.record for entry in reel.entries())

    shown = {name: value for name, value in asked.items() if name != "b32Secret"}
    assert added == (200, OK | {"dataId": "bob@example.org", "b32Secret": None})
    assert listed == [shown | {"streamId": "s", "blockedType": None, "blockedUntil": 0}]
    assert code["dataId"] in present
    assert removed == (200, OK | {"dataId": "bob@example.org"})
    assert again == (404, NOT_THERE)
    assert SECRET.encode() not in recorded
    assert code["dataId"].encode() not in recorded


async def test_a_secret_is_drawn_and_shown_once() -> None:
    """Where none is given; codes are made from it."""
    async with operating() as operator:
        _, first = await operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": "bob"})
        _, second = await operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": "eve", "b32Secret": ""})
        code = await operator.get("broadcasts/s/subscribers/bob/totp")
        present = codes(first["b32Secret"], 60)
        listed = await operator.get("broadcasts/s/subscribers/list/0/10")

    assert len(first["b32Secret"]) == 32
    assert first["b32Secret"] != second["b32Secret"]
    assert code["dataId"] in present
    assert first["b32Secret"] not in repr(listed)


async def test_all_are_forgotten_at_once() -> None:
    """And a second time there are none."""
    async with operating() as operator:
        for name in ("a", "b"):
            await operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": name})
        first = await operator.ask("DELETE", "broadcasts/s/subscribers")
        second = await operator.ask("DELETE", "broadcasts/s/subscribers")

        assert await operator.get("broadcasts/s/subscribers/list/0/10") == []
    assert first == (200, OK | {"dataId": "s"})
    assert second == (200, OK | {"dataId": "s", "message": "there were none"})


async def test_codes_of_subscribers_that_are_not_registered() -> None:
    """From the app's own secret, where it has one, as real servers derive them."""
    async with operating(app="derived") as operator:
        play = await operator.get("broadcasts/s/subscribers/bob/totp")
        publish = await operator.get("broadcasts/s/subscribers/bob/totp?type=publish")
        expected = [
            codes(derived_secret("a shared secret", "bob", "s", purpose), 60)
            for purpose in (Purpose.PLAY, Purpose.PUBLISH)
        ]
    async with operating() as operator:
        without = await operator.ask("GET", "broadcasts/s/subscribers/bob/totp")

    assert play["dataId"] in expected[0]
    assert publish["dataId"] in expected[1]
    assert without == (404, NOT_THERE)


@pytest.mark.parametrize("kind", ["publish", "play", "publish_play"])
async def test_a_block_is_made_seen_and_lifted(kind: str) -> None:
    """For as long as is said; 0 lifts it."""
    async with operating() as operator:
        await operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": "bob"})
        blocked = await operator.ask("PUT", f"broadcasts/s/subscribers/bob/block/600/{kind}")
        seen = (await operator.get("broadcasts/s/subscribers/list/0/1"))[0]
        lifted = await operator.ask("PUT", f"broadcasts/s/subscribers/bob/block/0/{kind}")
        after = (await operator.get("broadcasts/s/subscribers/list/0/1"))[0]
        again = await operator.ask("PUT", f"broadcasts/s/subscribers/bob/block/0/{kind}")

    assert blocked == lifted == (200, OK | {"dataId": "bob"})
    assert seen["blockedType"] == kind
    assert 0 < seen["blockedUntil"] - time.time() <= 600
    assert (after["blockedType"], after["blockedUntil"]) == (None, 0)
    assert again == (200, OK | {"dataId": "bob", "message": "there was no block"})


async def test_a_block_ends_what_its_subscriber_holds() -> None:
    """In the same step; somebody who was never registered can be blocked too."""
    async with operating() as operator:
        client = operator.enter()
        await client.send({"command": "publish", "streamId": "s", "subscriberId": "bob"})
        await client.expect("start")
        before = await operator.get("broadcasts/s")
        await operator.ask("PUT", "broadcasts/s/subscribers/bob/block/600/publish")
        after = await operator.ask("GET", "broadcasts/s")

    assert before["status"] == "preparing"
    assert after[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "", {}, 400, "missing required field `subscriberId`"),
        ("POST", "", {"subscriberId": ""}, 400, "at `$.subscriberId`"),
        ("POST", "", {"subscriberId": "x" * 256}, 400, "at `$.subscriberId`"),
        ("POST", "", {"subscriberId": "bob", "type": "both"}, 400, "at `$.type`"),
        ("POST", "", {"subscriberId": "bob", "b32Secret": "canary-018"}, 400, "b32Secret must be base 32"),
        ("POST", "", {"subscriberId": "bob", "totpExpiryPeriodSeconds": -1}, 400, "at `$.totpExpiryPeriodSeconds`"),
        ("PUT", "/bob/block/600/all", None, 400, "type must be one of publish, play, publish_play"),
        ("PUT", "/bob/block/-1/play", None, 400, "seconds must be a whole number from 0"),
        ("PUT", "/bob/block/999999999999/play", None, 400, "seconds must be a whole number from 0"),
        ("PUT", "/a%00b/block/600/play", None, 400, "subscriberId must be printable text"),
        ("PUT", "/" + "x" * 256 + "/block/600/play", None, 400, "subscriberId must be printable text"),
        ("GET", "/bob/totp", None, 404, "not_registered"),
    ],
)
async def test_what_is_wrong_is_said(method: str, path: str, body: object, status: int, said: str) -> None:
    """A bad request is 400 with what is wrong, and quotes no secret."""
    async with operating() as operator:
        answer = await operator.ask(method, f"broadcasts/s/subscribers{path}", body)

    assert answer[0] == status
    assert said in answer[1]["message"]
    assert "canary" not in answer[1]["message"]


async def test_without_a_key_nothing_is_sealed() -> None:
    """The answer says what to configure; a block holds by name."""
    async with operating(keyed=False) as operator:
        added = await operator.ask("POST", "broadcasts/s/subscribers", {"subscriberId": "bob"})
        blocked = await operator.ask("PUT", "broadcasts/s/subscribers/bob/block/600/play")

    assert [added[0], blocked[0]] == [409, 200]
    assert "access.key" in added[1]["message"]
