"""`signalreel_adapters.access.webhook`: what is asked, and what counts as a yes."""

from typing import Any

import msgspec
import pytest

from signalreel.commands import AnyCommand, JoinRoom, Play, Publish, Stop
from signalreel.record import Grant
from signalreel_adapters.access.webhook import BODY_BYTES_MAX, WebhookGate
from signalreel_adapters.http import Unreachable
from tests.adapters.access.scenes import TAGS, FixedRooms, session_of

pytestmark = pytest.mark.anyio

URL = "https://hook.example/publish"
PLAY_URL = "https://hook.example/play"


@pytest.fixture
def early() -> WebhookGate:
    """A gate that is made while no event loop runs, as an application makes it."""
    return WebhookGate("http://127.0.0.1:9/", tags=TAGS)


class Hook:
    """Somebody to ask, who always answers the same."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._status = status

    async def __call__(self, url: str, body: bytes) -> int:
        """Keep the question and answer; 0 stands for no answer."""
        self.asked.append((url, msgspec.json.decode(body)))
        if not self._status:
            raise Unreachable("no answer in time")
        return self._status


async def grant(hook: Hook, command: AnyCommand) -> Grant:
    """What a gate grants that asks this hook."""
    gate = WebhookGate(URL, play_url=PLAY_URL, tags=TAGS, post=hook)
    return (await gate.decide(command, session_of())).grant


async def test_the_question_holds_what_the_command_shows() -> None:
    """The fields that real servers send, and only those that are there."""
    hook = Hook()
    command = Publish(
        stream_id="a",
        token="t",
        subscriber_id="ann",
        subscriber_code="123456",
        stream_name="Ann",
        main_track="r",
        meta_data="{}",
    )

    assert await grant(hook, command) == Grant(allowed=True, identity=TAGS.subscriber("ann"), rooms=("r",))
    assert hook.asked == [
        (
            URL,
            {
                "appName": "live",
                "name": "Ann",
                "streamId": "a",
                "mode": "publish",
                "token": "t",
                "subscriberId": "ann",
                "subscriberCode": "123456",
                "metaData": "{}",
                "roomId": "r",
                "sessionId": "s",
            },
        )
    ]


async def test_playing_has_an_address_of_its_own() -> None:
    """Playing and entering a room are asked there."""
    hook = Hook()
    await grant(hook, Play(stream_id="a"))
    await grant(hook, JoinRoom(room="r"))

    assert hook.asked == [
        (PLAY_URL, {"appName": "live", "name": "", "streamId": "a", "mode": "play", "sessionId": "s"}),
        (PLAY_URL, {"appName": "live", "name": "", "streamId": "r", "mode": "play", "roomId": "r", "sessionId": "s"}),
    ]


@pytest.mark.parametrize("status", [0, 100, 201, 204, 301, 302, 307, 401, 403, 404, 500])
async def test_only_200_is_a_yes(status: int) -> None:
    """No other status is, nor a redirect, nor silence."""
    assert await grant(Hook(status), Publish(stream_id="a")) == Grant(allowed=False)


async def test_a_gate_may_be_made_anywhere(early: WebhookGate) -> None:
    """Also before an event loop runs; and a private address that was not allowed is not called but refused."""
    verdict = await early.decide(Publish(stream_id="a"), session_of())

    assert verdict.grant == Grant(allowed=False)


async def test_nobody_is_asked_in_vain() -> None:
    """Neither about a command that no gate decides, nor with more than a question may hold."""
    hook = Hook()

    assert not (await grant(hook, Stop(stream_id="a"))).allowed
    assert not (await grant(hook, Publish(stream_id="a", meta_data="x" * BODY_BYTES_MAX))).allowed
    assert hook.asked == []


async def test_the_question_names_the_room_that_the_command_leaves_out() -> None:
    """The one that the session has joined to publish the stream, or that the stream is in; else none."""
    hook = Hook()
    gate = WebhookGate(URL, tags=TAGS, post=hook, rooms=FixedRooms({"r": ("a",)}))
    for command in (Publish("a"), Play("a"), Publish("b"), Publish("a", main_track="q")):
        await gate.decide(command, session_of())

    assert [question.get("roomId", "") for _, question in hook.asked] == ["r", "r", "", "q"]
