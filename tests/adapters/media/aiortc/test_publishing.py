"""The adapter's side of a stream: when media is said to flow, and what a new connection changes."""

import pytest

from signalreel.events import DescriptionCreated, MediaConnected, MediaLost, TracksFound
from signalreel.step import PublishTerms
from tests.adapters.media.aiortc.fakes import rtp, vp8
from tests.adapters.media.aiortc.peers import eventually
from tests.adapters.media.aiortc.test_sdp import OFFER
from tests.adapters.media.aiortc.test_side import MACHINE, World

pytestmark = pytest.mark.anyio

MEDIA_ALONE = OFFER.partition("m=application")[0].replace("BUNDLE 0 1 2", "BUNDLE 0 1")


async def test_a_stream_is_live_when_its_packets_arrive() -> None:
    """Not when the transport is connected: a publisher that sends nothing must run into its time-out."""
    world = World()
    world.side.take_offer(MEDIA_ALONE, None)
    await world.described()
    transport = world.transports[0]
    transport.up.set()
    await eventually(lambda: world.side._connected, "it is connected")
    assert len(world.events) == 1
    transport.on_rtp(rtp(1, ssrc=11, payload_type=111, payload=b"\xfc"))
    transport.on_rtp(rtp(2, ssrc=11, payload_type=111, payload=b"\xfc"))

    assert world.events[1:] == [MediaConnected(MACHINE)]
    await world.side.close()


async def test_what_a_stream_consists_of_is_looked_for_until_it_is_found() -> None:
    """From the first packet on, and no longer: not after the report, and not without a connection."""
    world = World()
    began: list[bool] = []
    world.side.on_flowing = lambda: began.append(True)
    world.side.take_offer(MEDIA_ALONE, PublishTerms(video=False, audio=True, codecs=("opus",)))
    await world.described()
    transport = world.transports[0]
    before = world.side.look_early(world.clock.now)
    transport.on_rtp(rtp(1, ssrc=11, payload_type=111, payload=b"\xfc"))
    after = world.side.look_early(world.clock.now)

    assert (before, began, after) == (False, [True], False)
    assert sum(isinstance(each, TracksFound) for each in world.events) == 1
    await world.side.close()
    assert world.side.look_early(world.clock.now) is False


async def test_a_live_stream_that_sends_nothing_is_given_up() -> None:
    """After as long as its terms say, and only then: the connection itself stands."""
    world = World()
    world.side.take_offer(MEDIA_ALONE, PublishTerms(video=True, audio=True, codecs=("opus", "VP8"), silence_ms=4_000))
    await world.described()
    transport = world.transports[0]
    transport.up.set()
    await eventually(lambda: world.side._connected, "it is connected")
    transport.last_heard = world.clock.now + 3_600
    world.side.look(world.clock.now + 3_600)
    transport.on_rtp(rtp(1, ssrc=11, payload_type=111, payload=b"\xfc"))
    world.side.look(world.clock.now + 4)
    assert [each for each in world.events if isinstance(each, MediaLost)] == []
    for late in (4.1, 5.1):
        world.side.look(world.clock.now + late)

    lost = [each for each in world.events if isinstance(each, MediaLost)]
    assert lost == [MediaLost(MACHINE, "no media came for too long", silent=True)]
    await world.side.close()


async def test_only_announced_kinds_are_taken() -> None:
    """And that stays so for later offers on the same connection."""
    world = World()
    world.side.take_offer(MEDIA_ALONE, PublishTerms(video=False, audio=True, codecs=("opus",)))
    world.side.take_offer(MEDIA_ALONE, None)
    await world.described(2)

    for event in world.events:
        assert isinstance(event, DescriptionCreated)
        assert "m=video 0 " in event.sdp
    await world.side.close()


async def test_versions_count_up_on_one_connection() -> None:
    """The same session id, and one version more for each description."""
    world = World()
    for _ in range(2):
        world.side.take_offer(MEDIA_ALONE, None)
    await world.described(2)

    origins = [event.sdp.split("\r\n")[1].split() for event in world.events if isinstance(event, DescriptionCreated)]
    assert origins[0][1] == origins[1][1]
    assert [int(origin[2]) for origin in origins] == [1, 2]
    assert len(world.transports) == 1
    await world.side.close()


async def test_a_suspended_stream_takes_a_new_connection() -> None:
    """The old transport is closed, and the next offer opens another, whatever its user fragment."""
    world = World()
    world.side.take_offer(MEDIA_ALONE, None)
    await world.described()
    world.side.suspend()
    world.side.take_offer(MEDIA_ALONE.replace("abcd", "efgh"), None)
    await world.described(2)

    assert [transport.closed for transport in world.transports] == [True, False]
    await world.side.close()


async def test_tracks_are_reported_in_regular_turns() -> None:
    """When every bitrate is known, with what was measured; the publisher gets its report in the same turn."""
    world = World()
    world.side.take_offer(MEDIA_ALONE.replace("a=rid:q send\r\na=rid:f send\r\na=simulcast:send q;f\r\n", ""), None)
    await world.described()
    for sequence in range(22):
        world.transports[0].on_rtp(rtp(sequence, ssrc=21, payload=vp8(sequence, key=True)))
        world.clock.now += 0.1
    world.side.look(world.clock.now)

    found = world.events[-1]
    assert isinstance(found, TracksFound)
    assert [(track.kind, track.width) for track in found.tracks] == [("audio", 0), ("video", 640)]
    assert world.transports[0].sent_rtcp
    await world.side.close()


async def test_switching_kinds_for_everybody() -> None:
    """One kind, or both."""
    world = World()
    world.side.switch("video", enabled=False)
    assert world.side.publisher.disabled == {"video"}
    world.side.switch("", enabled=False)
    assert world.side.publisher.disabled == {"video", "audio"}
    world.side.switch("audio", enabled=True)

    assert world.side.publisher.disabled == {"video"}
    await world.side.close()


async def test_only_codecs_that_the_recorded_settings_enable_are_accepted() -> None:
    """The terms on the transition say what may be published; a picture without an enabled codec is refused."""
    world = World()
    world.side.take_offer(MEDIA_ALONE, PublishTerms(video=True, audio=True, codecs=("opus",)))
    await world.described()

    (event,) = world.events
    assert isinstance(event, DescriptionCreated)
    assert "m=video 0 " in event.sdp
    assert "m=audio 0 " not in event.sdp
    await world.side.close()
