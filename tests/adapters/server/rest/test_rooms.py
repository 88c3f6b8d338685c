"""`signalreel_adapters.server.rest.rooms`: conference rooms, registered and occupied."""

from typing import Any, Final

import pytest

from tests.adapters.calls import OFFER
from tests.adapters.server.rest.scenes import OK, operating

pytestmark = pytest.mark.anyio

BLANK: Final[dict[str, Any]] = {
    "roomId": "r",
    "startDate": 0,
    "endDate": 0,
    "mode": "",
    "streamsLimit": -1,
    "roomStreamList": [],
    "memberCount": 0,
    "zombi": False,
}


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


async def test_a_room_is_registered_changed_and_forgotten() -> None:
    """Create, read, update and delete; what a change leaves out stays."""
    asked = {"roomId": "r", "startDate": 1_800_000_000, "endDate": 1_900_000_000, "mode": "legacy", "streamsLimit": 4}
    async with operating() as operator:
        created = await operator.ask("POST", "broadcasts/conference-rooms", asked)
        changed = await operator.ask("PUT", "broadcasts/conference-rooms/r", {"mode": None})
        found = await operator.get("broadcasts/conference-rooms/r")
        deleted = await operator.ask("DELETE", "broadcasts/conference-rooms/r")
        gone = await operator.ask("GET", "broadcasts/conference-rooms/r")

    assert created == (200, BLANK | asked)
    assert changed == (200, found) == (200, BLANK | asked | {"mode": ""})
    assert deleted == (200, OK | {"dataId": "r"})
    assert gone[0] == 404


async def test_who_is_in_a_room_is_seen_and_sent_out() -> None:
    """A room that nobody registered is a zombi; it is a virtual stream too; deleting it closes it."""
    async with operating() as operator:
        client = operator.enter()
        await client.send({"command": "joinRoom", "room": "r", "streamId": "s", "streamName": "Ann"})
        await client.expect("joinedTheRoom")
        await client.send({"command": "publish", "streamId": "s", "mainTrack": "r", "streamName": "Ann"})
        await client.expect("start")
        before = await operator.get("broadcasts/conference-rooms/r")
        await client.send({"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": OFFER})
        await client.expect("takeConfiguration")
        await client.expect("publish_started")
        room = await operator.get("broadcasts/conference-rooms/r")
        info = await operator.get("broadcasts/conference-rooms/r/room-info")
        others = await operator.get("broadcasts/conference-rooms/r/room-info?streamId=s")
        listed = await operator.get("broadcasts/conference-rooms/list/0/10?search=R")
        stream = await operator.get("broadcasts/r")
        deleted = await operator.ask("DELETE", "broadcasts/conference-rooms/r")
        gone = await operator.ask("GET", "broadcasts/conference-rooms/r")

    assert before["roomStreamList"] == []
    assert room == BLANK | {"roomStreamList": ["s"], "memberCount": 1, "zombi": True}
    assert listed == [room]
    assert info == {
        "roomId": "r",
        "streamIdList": ["s"],
        "streamDetailsMap": {"s": "Ann"},
        "startDate": 0,
        "endDate": 0,
    }
    assert others["streamIdList"] == []
    assert (stream["virtual"], stream["subTrackStreamIds"], stream["status"]) == (True, ["s"], "broadcasting")
    assert (deleted[0], gone[0]) == (200, 404)


async def test_lists_are_cut_and_searched() -> None:
    """By id."""
    async with operating() as operator:
        for name in ("b", "a", "cb"):
            await operator.ask("POST", "broadcasts/conference-rooms", {"roomId": name})
        listed = [
            [room["roomId"] for room in await operator.get(f"broadcasts/conference-rooms/list/{path}")]
            for path in ("0/2", "2/2", "0/9?search=B")
        ]

    assert listed == [["a", "b"], ["cb"], ["b", "cb"]]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "", {"roomId": "known"}, 409, "registered already"),
        ("POST", "", {"roomId": "a b"}, 400, "roomId must be a name"),
        ("POST", "", {"startDate": "soon"}, 400, "at `$.startDate`"),
        ("PUT", "/none", {}, 404, "not_registered"),
        ("PUT", "/known", {"roomId": "other"}, 400, "a room keeps its id"),
        ("DELETE", "/none", None, 404, "there is no room"),
        ("GET", "/none/room-info", None, 404, "there is no room"),
    ],
)
async def test_what_is_wrong_is_said(method: str, path: str, body: object, status: int, said: str) -> None:
    """Unknown is 404, a bad request is 400."""
    async with operating() as operator:
        await operator.ask("POST", "broadcasts/conference-rooms", {"roomId": "known"})
        answer = await operator.ask(method, f"broadcasts/conference-rooms{path}", body)

    assert answer[0] == status
    assert said in answer[1]["message"]


async def test_a_drawn_id() -> None:
    """A room without an id gets one."""
    async with operating() as operator:
        _, room = await operator.ask("POST", "broadcasts/conference-rooms", {})

        assert await operator.get(f"broadcasts/conference-rooms/{room['roomId']}") == room
