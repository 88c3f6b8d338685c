"""`signalreel_adapters.server.rest.tracks`: what streams consist of, and who plays them."""

import pytest
from anyio import wait_all_tasks_blocked

from signalreel.events import BitrateMeasured, Track, TracksFound
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
    assert set(listed[0]) == {
        "clientId",
        "streamId",
        "state",
        "room",
        "measuredBitrate",
        "sendBitrate",
        "videoBitrate",
        "audioBitrate",
    }


async def test_what_was_measured_of_a_viewer_last() -> None:
    """What it can take and what it is sent, of the one that was measured; zeros for the other."""
    async with operating() as operator:
        runtime = operator.runtime
        await publish(operator.enter(), "s")
        for _ in range(2):
            await play(operator.enter(), "s")
        first, _ = runtime.engine.indexes.audience("live", "s")
        machine = runtime.engine.find(Kind.PLAYBACK, first, app="live")
        assert machine is not None
        reference = Reference(Kind.PLAYBACK, "live", first, machine.born)
        runtime.report(BitrateMeasured(reference, 900_000, 500_000, 32_000))
        await runtime.idle()
        await wait_all_tasks_blocked()
        listed = await operator.get("broadcasts/s/webrtc-client-stats/0/50")

    names = ("measuredBitrate", "sendBitrate", "videoBitrate", "audioBitrate")
    assert [[one[name] for name in names] for one in listed] == [[900_000, 532_000, 500_000, 32_000], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("tracks", "lines"),
    [
        ((), []),
        ((Track("a", "audio", "opus", 0, 0, 32_000),), [[0, 0, 0, 32_000, ""]]),
        (
            (
                Track("v", "video", "VP8", 640, 360, 500_000),
                Track("w", "video", "H264", 320, 180, 100_000),
                Track("a", "audio", "opus", 0, 0, 32_000),
                Track("b", "audio", "opus", 0, 0, 8_000),
            ),
            [[640, 360, 500_000, 40_000, "VP8"], [320, 180, 100_000, 40_000, "H264"]],
        ),
    ],
)
async def test_renditions_are_told_as_to_clients(tracks: tuple[Track, ...], lines: list[list[object]]) -> None:
    """The same lines as a client gets that asks for them, whatever the stream consists of."""
    async with operating() as operator:
        client = operator.enter()
        await publish(client, "s")
        machine = operator.runtime.engine.find(Kind.STREAM, "s", app="live")
        assert machine is not None
        operator.runtime.report(TracksFound(Reference(Kind.STREAM, "live", "s", machine.born), tracks))
        await operator.runtime.idle()
        info = await operator.get("broadcasts/s/stream-info")
        await client.send({"command": "getStreamInfo", "streamId": "s"})
        told = await client.expect("streamInformation")

    assert [list(line.values()) for line in info] == lines
    assert told["streamInfo"] == info


async def test_a_stream_that_cannot_be_played_has_no_renditions() -> None:
    """As clients are told while it is prepared."""
    async with operating() as operator:
        client = operator.enter()
        await client.send({"command": "publish", "streamId": "s"})
        await client.expect("start")
        preparing = await operator.ask("GET", "broadcasts/s/stream-info")

    assert (preparing[0], preparing[1]["message"]) == (404, "no_stream_exist")


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
