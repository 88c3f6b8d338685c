"""`signalreel_adapters.media.fake`."""

import pytest

from signalreel.commands import EnableTrack, JoinRoom, Play, Publish, Stop, TakeConfiguration, ToggleVideo
from signalreel.events import DescriptionFailed, MediaLost, ResolutionChanged
from signalreel.identifiers import Kind, Reference
from signalreel.record import decode_record
from signalreel.reel import MemoryReel
from signalreel_adapters import FakeMedia, MemoryClient, Runtime
from signalreel_adapters.media.fake import FAKE_ANSWER, fake_offer
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import SECOND
from tests.adapters.calls import ANSWER, OFFER, names, play, publish

pytestmark = pytest.mark.anyio

PLAYBACK = Reference(Kind.PLAYBACK, "live", "s/room", 1)


def test_an_offer_names_every_track() -> None:
    """Each media line of the offer has its mid mapped to a track's name: the JS SDK cannot do without."""
    offer = fake_offer(PLAYBACK, ["a", "b"])

    assert offer.id_mapping == {"0": "ARDAMSaa", "1": "ARDAMSva", "2": "ARDAMSab", "3": "ARDAMSvb"}
    assert [line for line in offer.sdp.splitlines() if line.startswith("a=mid:")] == [f"a=mid:{n}" for n in range(4)]


def test_an_empty_roster_is_offered_a_data_channel() -> None:
    """A room may be played before anything is live in it; the offer then has a data channel alone."""
    offer = fake_offer(PLAYBACK, [])

    assert (offer.id_mapping, offer.sdp.count("m=application")) == ({}, 1)


async def test_a_publisher_gets_an_answer_and_goes_live() -> None:
    """The whole exchange, media's reports included, in the same order each time."""
    async with Runtime(media=FakeMedia()) as runtime:
        client = MemoryClient(runtime)
        await client.send(Publish(stream_id="a"))
        await client.send(TakeConfiguration(stream_id="a", type="offer", sdp=OFFER))
        said = await client.flush()
        await client.send({"command": "getStreamInfo", "streamId": "a"})
        information = await client.expect("streamInformation")

    assert said[1]["sdp"] == FAKE_ANSWER
    assert information["streamInfo"] == [
        {
            "streamWidth": 640,
            "streamHeight": 360,
            "videoBitrate": 500_000,
            "audioBitrate": 32_000,
            "videoCodec": "VP8",
        }
    ]


async def test_it_tells_what_a_player_would_get() -> None:
    """All there is, or what the player has switched on, or not off; nothing is kept of a playback that has ended."""
    media = FakeMedia()
    async with Runtime(media=media) as runtime:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "a")
        await viewer.send(Play(stream_id="a", disable_tracks_by_default=True))
        await viewer.expect("takeConfiguration")
        await viewer.send(TakeConfiguration(stream_id="a", type="answer", sdp=ANSWER))
        await viewer.expect("play_started")
        playback = next(id for kind, _, id in media.live if kind is Kind.PLAYBACK)
        seen = [media.forwarded("live", playback)]
        for command in (EnableTrack("a", "ARDAMSaa"), EnableTrack("a", "a"), ToggleVideo("a", "a", enabled=False)):
            await viewer.send(command)
            await viewer.flush()
            seen.append(media.forwarded("live", playback))
        await viewer.send(Stop("a"))
        await viewer.expect("play_finished")

        assert [each["a"] for each in seen] == [(), ("audio",), ("video", "audio"), ("audio",)]
        assert (media._shown, media._switched) == ({}, {})


async def test_a_room_is_offered_anew_when_it_changes() -> None:
    """A player of a room gets a new whole offer for each stream that goes live in it."""
    async with Runtime(media=FakeMedia()) as runtime:
        viewer, publisher = MemoryClient(runtime), MemoryClient(runtime)
        await viewer.send(JoinRoom(room="room"))
        await viewer.expect("joinedTheRoom")
        await play(viewer, "room")
        await publisher.send(Publish(stream_id="a", main_track="room"))
        await publisher.expect("start")
        await publisher.send(TakeConfiguration(stream_id="a", type="offer", sdp=OFFER))
        await viewer.expect("subtrackAdded")
        offer = await viewer.expect("takeConfiguration")
        await viewer.send(TakeConfiguration(stream_id="room", type="answer", sdp=ANSWER))

    assert offer["idMapping"] == {"0": "ARDAMSaa", "1": "ARDAMSva"}


@pytest.mark.parametrize(
    ("side", "definition"), [("remote", "notSetRemoteDescription"), ("local", "notSetLocalDescription")]
)
async def test_descriptions_can_fail(side: str, definition: str) -> None:
    """A scripted failure reaches the client as the protocol has it, and names nothing of the description."""
    reel = MemoryReel()
    media = FakeMedia()
    async with Runtime(reel, media=media) as runtime:
        live, client = MemoryClient(runtime), MemoryClient(runtime)
        await publish(live, "live")
        media.refuse = "remote" if side == "remote" else "local"
        await client.send(Publish(stream_id="a"))
        await client.expect("start")
        await client.send(TakeConfiguration(stream_id="a", type="offer", sdp=OFFER))
        await client.expect(definition)
        await client.send(Play(stream_id="live"))
        assert names(await client.flush()) == [definition, "play_finished"]

    failures = [decode_record(entry.record).event for entry in reel.entries()]
    assert sum(isinstance(event, DescriptionFailed) for event in failures) == 2


async def test_nothing_connects_on_request() -> None:
    """With `connects=False` the engine's timers decide."""
    clock = ManualClock()
    async with Runtime(media=FakeMedia(connects=False), clock=clock) as runtime:
        client = MemoryClient(runtime)
        await client.send(Publish(stream_id="a"))
        await client.expect("start")
        await client.send(TakeConfiguration(stream_id="a", type="offer", sdp=OFFER))
        await client.expect("takeConfiguration")
        await clock.advance(5 * SECOND)
        await client.expect("publishTimeoutError")


async def test_a_height_can_change_and_a_stream_fall_silent() -> None:
    """What a real adapter reports of them stands on the reel."""
    media, reel = FakeMedia(), MemoryReel()
    async with Runtime(reel, media=media) as runtime:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "a")
        await play(viewer, "a")
        playback = next(reference for (kind, _, _), reference in media.live.items() if kind is Kind.PLAYBACK)
        stream = media.live[Kind.STREAM, "live", "a"]
        media.change_height("live", playback.id, 360)
        media.lose(Kind.STREAM, "live", "a", silent=True)
        await runtime.idle()

    events = [decode_record(entry.record).event for entry in reel.entries()]
    assert ResolutionChanged(playback, 360) in events
    assert MediaLost(stream, "lost on request", silent=True) in events


async def test_media_can_be_lost_and_measured() -> None:
    """A test says when a transport is lost or measured; whoever is concerned is told."""
    media = FakeMedia()
    async with Runtime(media=media) as runtime:
        publisher, viewer = MemoryClient(runtime), MemoryClient(runtime)
        await publish(publisher, "a")
        await play(viewer, "a")
        playback = next(id for kind, _, id in media.live if kind is Kind.PLAYBACK)
        media.measure(Kind.PLAYBACK, "live", playback, target=3, video=2, audio=1)
        measured = await viewer.expect("bitrateMeasurement")
        media.lose(Kind.STREAM, "live", "a")
        await publisher.expect("publish_finished")
        await viewer.expect("play_finished")

        assert (measured["targetBitrate"], measured["videoBitrate"], measured["audioBitrate"]) == (3, 2, 1)
        assert media.live == {}
