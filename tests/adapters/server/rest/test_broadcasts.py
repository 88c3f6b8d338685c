"""`signalreel_adapters.server.rest.broadcasts`: streams, registered and live."""

from typing import Any, Final

import pytest

from signalreel.record import decode_record
from signalreel.reel import MemoryReel
from tests.adapters.calls import play, publish
from tests.adapters.server.rest.scenes import NOT_THERE, OK, operating

pytestmark = pytest.mark.anyio

BLANK: Final[dict[str, Any]] = {
    "streamId": "s",
    "status": "created",
    "name": "",
    "description": "",
    "type": "liveStream",
    "publishType": None,
    "plannedStartDate": 0,
    "plannedEndDate": 0,
    "metaData": "",
    "username": "",
    "mainTrackStreamId": None,
    "subTrackStreamIds": [],
    "virtual": False,
    "zombi": False,
    "width": 0,
    "height": 0,
    "bitrate": 0,
    "webRTCViewerCount": 0,
    "webRTCViewerLimit": -1,
    "subtracksLimit": -1,
    "expireDurationMS": 0,
    "autoStartStopEnabled": False,
    "adaptive": False,
    "publishAccess": [],
    "playAccess": [],
}


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


async def test_a_stream_is_registered_changed_and_forgotten() -> None:
    """Create, read, update and delete; what a change leaves out stays, and null empties a text."""
    asked = {
        "streamId": "s",
        "name": "A lecture",
        "description": "long",
        "metaData": '{"a":1}',
        "plannedStartDate": 1_800_000_000,
        "plannedEndDate": 1_900_000_000,
        "webRTCViewerLimit": 7,
        "subtracksLimit": 3,
        "expireDurationMS": 60_000,
        "autoStartStopEnabled": True,
        "adaptive": True,
        "mainTrackStreamId": "room",
        "publishAccess": ["token", "jwt"],
        "date": 1_000,
        "hlsViewerCount": 5,
    }
    expected = BLANK | {name: value for name, value in asked.items() if name != "hlsViewerCount"}
    async with operating() as operator:
        created = await operator.ask("POST", "broadcasts/create", asked)
        found = await operator.get("broadcasts/s")
        changed = await operator.ask("PUT", "broadcasts/s", {"name": "Another", "description": None})
        after = await operator.get("broadcasts/s")
        deleted = await operator.ask("DELETE", "broadcasts/s")
        gone = await operator.ask("GET", "broadcasts/s")

    assert created == (200, expected)
    assert found == expected
    assert changed == deleted == (200, OK | {"dataId": "s"})
    assert after == expected | {"name": "Another", "description": ""}
    assert gone[0] == 404


@pytest.mark.parametrize("name", ["webRTCViewerLimit", "plannedEndDate", "expireDurationMS", "date", "adaptive"])
async def test_null_says_nothing_of_what_is_no_text(name: str) -> None:
    """Java clients send null for a number that they do not know; what is registered stays, and else is the default."""
    async with operating() as operator:
        created = await operator.ask("POST", "broadcasts/create", {"streamId": "s", "webRTCViewerLimit": 7, name: None})
        before = await operator.get("broadcasts/s")
        changed = await operator.ask("PUT", "broadcasts/s", {name: None})
        after = await operator.get("broadcasts/s")

    assert created[0] == 200
    assert changed == (200, OK | {"dataId": "s"})
    assert after == before


async def test_writes_are_on_the_reel() -> None:
    """Each is a host command there, of this actor, and a replay knows it."""
    reel = MemoryReel()
    async with operating(reel) as operator:
        await operator.ask("POST", "broadcasts/create", {"streamId": "s"})
        await operator.ask("PUT", "broadcasts/s", {"name": "n"})
        await operator.ask("DELETE", "broadcasts/s")
        orders = [decode_record(entry.record).host for entry in reel.entries()]

    assert [(type(order).__name__, order.app, order.actor) for order in orders if order is not None] == [
        ("RegisterStream", "live", "rest"),
        ("RegisterStream", "live", "rest"),
        ("UnregisterStream", "live", "rest"),
    ]


async def test_an_id_is_drawn_where_none_is_given() -> None:
    """By its absence, by null and by the empty text; no two are the same."""
    async with operating() as operator:
        ids = [
            (await operator.ask("POST", "broadcasts/create", body))[1]["streamId"]
            for body in ({}, {"streamId": None}, {"streamId": ""})
        ]

    assert len(set(ids)) == 3
    assert all(len(id) == 32 for id in ids)


async def test_an_id_can_be_registered_once() -> None:
    """The second is refused, and changes nothing."""
    async with operating() as operator:
        await operator.ask("POST", "broadcasts/create", {"streamId": "s", "name": "first"})
        second = await operator.ask("POST", "broadcasts/create", {"streamId": "s", "name": "second"})

        assert second == (409, OK | {"success": False, "message": "streamIdInUse"})
        assert (await operator.get("broadcasts/s"))["name"] == "first"


async def test_what_is_live_is_seen_and_stopped() -> None:
    """A stream that nobody registered is a zombi; its viewers are counted; stopping it tells its publisher."""
    async with operating() as operator:
        publisher, viewer = operator.enter(), operator.enter()
        await publish(publisher, "s")
        await play(viewer, "s")
        found = await operator.get("broadcasts/s")
        viewers = await operator.get("broadcasts/s/broadcast-statistics")
        total = await operator.get("broadcasts/total-broadcast-statistics")
        live = await operator.get("broadcasts/active-live-stream-count")
        stopped = await operator.ask("POST", "broadcasts/s/stop")
        await publisher.expect("publish_finished")
        await viewer.expect("play_finished")
        again = await operator.ask("POST", "broadcasts/s/stop")

    assert (found["status"], found["zombi"], found["publishType"]) == ("broadcasting", True, "WebRTC")
    assert found["webRTCViewerCount"] == viewers["totalWebRTCWatchersCount"] == total["totalWebRTCWatchersCount"] == 1
    assert live == {"number": total["activeLiveStreamCount"]} == {"number": 1}
    assert stopped == (200, OK | {"dataId": "s"})
    assert again == (404, OK | {"success": False, "message": "no_stream_exist"})


async def test_a_registered_stream_has_a_history() -> None:
    """Created, preparing, broadcasting, finished; deleting a live one ends it."""
    async with operating() as operator:
        seen = []
        await operator.ask("POST", "broadcasts/create", {"streamId": "s"})
        client = operator.enter()
        seen.append((await operator.get("broadcasts/s"))["status"])
        await client.send({"command": "publish", "streamId": "s"})
        await client.expect("start")
        seen.append((await operator.get("broadcasts/s"))["status"])
        await client.send({"command": "stop", "streamId": "s"})
        await publish(operator.enter(), "other")
        seen.append((await operator.get("broadcasts/s"))["status"])
        other = operator.enter()
        await publish(other, "s")
        seen.append((await operator.get("broadcasts/s"))["status"])
        deleted = await operator.ask("DELETE", "broadcasts/s")
        await other.expect("publish_finished")

    assert seen == ["created", "preparing", "finished", "broadcasting"]
    assert deleted[0] == 200


async def test_lists_are_cut_sorted_and_searched() -> None:
    """By id unless something else is said; no list has more than fifty entries, however many are asked for."""
    async with operating() as operator:
        for number in range(60):
            body = {
                "streamId": f"s{number:02}",
                "name": f"Name {60 - number:02}",
                "type": "vod" if number == 7 else None,
            }
            await operator.ask("POST", "broadcasts/create", {k: v for k, v in body.items() if v is not None})

        async def ids(path: str) -> list[str]:
            return [one["streamId"] for one in await operator.get(f"broadcasts/list/{path}")]

        assert await ids("0/1000") == [f"s{number:02}" for number in range(50)]
        assert await ids("50/50") == [f"s{number:02}" for number in range(50, 60)]
        assert await ids("60/50") == []
        assert await ids("0/2?sort_by=name") == ["s59", "s58"]
        assert await ids("0/2?sort_by=name&order_by=desc") == ["s00", "s01"]
        assert await ids("0/5?search=NAME 01") == ["s59"]
        assert await ids("0/5?search=S0&type_by=vod") == ["s07"]
        assert await operator.get("broadcasts/count") == {"number": 60}
        assert await operator.get("broadcasts/count/s5") == {"number": 10}


async def test_several_are_deleted_at_once() -> None:
    """Those that are there go, and whether some were not is said."""
    async with operating() as operator:
        for id in ("a", "b", "c"):
            await operator.ask("POST", "broadcasts/create", {"streamId": id})
        both = await operator.ask("DELETE", "broadcasts/?ids=a,b")
        one = await operator.ask("DELETE", "broadcasts/?ids=b,c,c")
        left = await operator.get("broadcasts/count")

    assert both == (200, OK)
    assert one == (404, OK | {"success": False, "message": "1 of 2 are not there; the others are deleted"})
    assert left == {"number": 0}


async def test_apps_are_apart() -> None:
    """What one app registers, no other sees."""
    async with operating() as operator:
        await operator.ask("POST", "broadcasts/create", {"streamId": "s"})
        elsewhere = await operator.ask("GET", "http://localhost:5080/other/rest/v2/broadcasts/s")

    assert elsewhere[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("PUT", "broadcasts/none", {"name": "n"}, 404, "not_registered"),
        ("DELETE", "broadcasts/none", None, 404, "there is no stream of this id"),
        ("GET", "broadcasts/none/broadcast-statistics", None, 404, "there is no stream of this id"),
        ("PUT", "broadcasts/known", {"streamId": "other"}, 400, "a stream keeps its id"),
        ("POST", "broadcasts/create", {"streamId": "a/b"}, 400, "streamId must be a name"),
        ("POST", "broadcasts/create", {"streamId": ".."}, 400, "streamId must be a name"),
        ("POST", "broadcasts/create", {"streamId": "s", "mainTrackStreamId": "a b"}, 409, "invalidStreamName"),
        ("POST", "broadcasts/create", {"streamId": "x" * 256}, 400, "Expected `str` of length <= 255"),
        ("POST", "broadcasts/create", {"name": 5}, 400, "Expected `str | null`, got `int` - at `$.name`"),
        ("POST", "broadcasts/create", {"name": "x" * 4_097}, 400, "length <= 4096"),
        ("POST", "broadcasts/create", {"webRTCViewerLimit": -2}, 400, "at `$.webRTCViewerLimit`"),
        ("POST", "broadcasts/create", {"plannedStartDate": -1}, 400, "at `$.plannedStartDate`"),
        ("POST", "broadcasts/create", {"expireDurationMS": 1e99}, 400, "at `$.expireDurationMS`"),
        ("POST", "broadcasts/create", {"publishAccess": ["key"]}, 400, "a kind of credential is one of token, hash"),
        ("POST", "broadcasts/create", {"publishAccess": "token"}, 400, "Expected `array`, got `str`"),
        ("POST", "broadcasts/create", [], 400, "Expected `object`, got `array`"),
        ("DELETE", "broadcasts/", None, 400, "ids is missing"),
        ("DELETE", "broadcasts/?ids=a,../b", None, 400, "ids must be at most 100 names"),
        ("DELETE", "broadcasts/?ids=" + ",".join(map(str, range(101))), None, 400, "ids must be at most 100 names"),
        ("GET", "broadcasts/list/0/5?sort_by=key", None, 400, "sort_by must be one of name, date, status"),
        ("GET", "broadcasts/list/-1/5", None, 400, "offset must be a whole number from 0"),
        ("GET", "broadcasts/list/0/0", None, 400, "size must be a whole number from 1"),
        ("GET", "broadcasts/list/0/" + "9" * 40, None, 400, "size must be a whole number"),
    ],
)
async def test_what_is_wrong_is_said(method: str, path: str, body: object, status: int, said: str) -> None:
    """Unknown is 404, a bad request 400 with what is wrong; the engine's refusals come out by their definition."""
    async with operating() as operator:
        await operator.ask("POST", "broadcasts/create", {"streamId": "known"})
        answer = await operator.ask(method, path, body)

    assert (answer[0], answer[1]["success"]) == (status, False)
    assert said in answer[1]["message"]
    assert NOT_THERE.keys() == answer[1].keys()
