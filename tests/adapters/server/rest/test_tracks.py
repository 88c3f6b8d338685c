"""`signalreel_adapters.server.rest.tracks`: what streams consist of, and who plays them."""

import pytest

from signalreel.events import Track, TracksFound
from signalreel.identifiers import Kind, Reference
from tests.adapters.calls import OFFER, play, publish
from tests.adapters.server.rest.scenes import NOT_THERE, OK, operating

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


async def test_the_renditions_of_a_live_stream() -> None:
    """As they were measured, with the five fields that clients know."""
    async with operating() as operator:
        await publish(operator.enter(), "s")
        machine = operator.runtime.engine.find(Kind.STREAM, "s", app="live")
        assert machine is not None
        tracks = (
            Track("ARDAMSvs", "video", "VP8", 640, 360, 500_000),
            Track("ARDAMSas", "audio", "opus", 0, 0, 32_000),
        )
        operator.runtime.report(TracksFound(Reference(Kind.STREAM, "live", "s", machine.born), tracks))
        await operator.runtime.idle()
        info = await operator.get("broadcasts/s/stream-info")
        stream = await operator.get("broadcasts/s")
        missing = await operator.ask("GET", "broadcasts/t/stream-info")

    assert info == [
        {"streamWidth": 640, "streamHeight": 360, "videoBitrate": 500_000, "audioBitrate": 32_000, "videoCodec": "VP8"}
    ]
    assert (stream["width"], stream["height"], stream["bitrate"]) == (640, 360, 532_000)
    assert missing[0] == 404


async def test_who_plays_a_stream() -> None:
    """By session, in a fixed order, cut; never by address."""
    async with operating() as operator:
        viewers = [operator.enter() for _ in range(3)]
        await publish(operator.enter(), "s")
        for viewer in viewers:
            await play(viewer, "s")
        sessions = {one.id for one in operator.runtime.engine.sessions()}
        listed = await operator.get("broadcasts/s/webrtc-client-stats/0/50")
        cut = await operator.get("broadcasts/s/webrtc-client-stats/1/1")
        missing = await operator.ask("GET", "broadcasts/t/webrtc-client-stats/0/50")

    ids = [one["clientId"] for one in listed]
    assert ids == sorted(ids)
    assert sessions.issuperset(ids)
    assert {(one["streamId"], one["state"], one["room"]) for one in listed} == {("s", "playing", "")}
    assert len(listed) == 3
    assert cut == listed[1:2]
    assert missing[0] == 404
    assert set(listed[0]) == {"clientId", "streamId", "state", "room"}


async def test_a_stream_is_placed_in_a_room() -> None:
    """From its next publish on, whatever its publisher says of rooms; and taken out again."""
    async with operating() as operator:
        await operator.ask("POST", "broadcasts/create", {"streamId": "s"})
        placed = await operator.ask("POST", "broadcasts/r/subtrack?id=s")
        waiting = await operator.get("broadcasts/r/subtracks/0/10")
        client = operator.enter()
        await client.send({"command": "publish", "streamId": "s"})
        await client.expect("start")
        preparing = await operator.get("broadcasts/r/active-subtracks-count")
        await client.send({"command": "takeConfiguration", "streamId": "s", "type": "offer", "sdp": OFFER})
        await client.expect("takeConfiguration")
        await client.expect("publish_started")
        live = await operator.get("broadcasts/r/active-subtracks/0/10")
        counts = [await operator.get(f"broadcasts/r/{kind}-count") for kind in ("subtracks", "active-subtracks")]
        taken = await operator.ask("DELETE", "broadcasts/r/subtrack?id=s")
        again = await operator.ask("DELETE", "broadcasts/r/subtrack?id=s")

    assert placed == taken == (200, OK | {"dataId": "s"})
    assert [(one["streamId"], one["status"], one["mainTrackStreamId"]) for one in waiting] == [("s", "created", "r")]
    assert preparing == {"number": 0}
    assert [(one["streamId"], one["status"], one["mainTrackStreamId"]) for one in live] == [("s", "broadcasting", "r")]
    assert counts == [{"number": 1}, {"number": 1}]
    assert again == (404, NOT_THERE)


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "r/subtrack?id=none", 404, "not_registered"),
        ("POST", "r/subtrack", 400, "id is missing"),
        ("POST", "r/subtrack?id=a%20b", 400, "id must be a name"),
        ("GET", "none/subtracks/0/10", 404, "there is no stream"),
        ("GET", "none/active-subtracks/0/10", 404, "there is no stream"),
        ("GET", "none/subtracks-count", 404, "there is no stream"),
    ],
)
async def test_what_is_wrong_is_said(method: str, path: str, status: int, said: str) -> None:
    """Unknown is 404, a bad request is 400."""
    async with operating() as operator:
        answer = await operator.ask(method, f"broadcasts/{path}")

    assert answer[0] == status
    assert said in answer[1]["message"]
