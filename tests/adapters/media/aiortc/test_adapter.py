"""Real ICE, DTLS, SRTP and SCTP through the adapter on loopback: what goes in comes out, and nothing stays behind."""

import asyncio
import gc
from pathlib import Path

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSrPacket
from msgspec import structs

from signalreel.commands import EnableTrack, Publish, Stop, TakeConfiguration, ToggleVideo
from signalreel.events import (
    BitrateMeasured,
    DescriptionCreated,
    DescriptionFailed,
    MediaLost,
    SessionClosed,
    TracksFound,
)
from tests.adapters.media.aiortc.peers import (
    SETTINGS,
    Call,
    PlayingPeer,
    PublishingPeer,
    closing,
    eventually,
)

pytestmark = pytest.mark.anyio


def sequence(packet: bytes) -> int:
    """The sequence number of a packet."""
    return int.from_bytes(packet[2:4], "big")


def timestamp(packet: bytes) -> int:
    """The timestamp of a packet."""
    return int.from_bytes(packet[4:8], "big")


def payload(packet: bytes) -> bytes:
    """The payload of a packet, behind its header extensions."""
    if not packet[0] & 0x10:
        return packet[12:]
    return packet[16 + 4 * int.from_bytes(packet[14:16], "big") :]


def picture(packet: bytes) -> int:
    """The number of the picture that a video packet belongs to."""
    return int.from_bytes(packet[-4:], "big")


def starts_keyframe(packet: bytes) -> bool:
    """Whether a packet of the publishing peer starts a keyframe."""
    return bool(payload(packet)[0] & 0x10) and not payload(packet)[5] & 1


def gaps(packets: list[bytes]) -> set[int]:
    """The sequence numbers that are missing between the first and the last packet."""
    numbers = {sequence(packet) for packet in packets}
    first = sequence(packets[0])
    span = max((number - first) & 0xFFFF for number in numbers if (number - first) & 0xFFFF < 0x8000)
    return {(first + step) & 0xFFFF for step in range(span)} - numbers


async def playing(call: Call, session: str, peer: PlayingPeer, stream: str = "s1") -> None:
    """Play until pictures arrive."""
    call.play(session, stream, peer)
    await eventually(lambda: call.notified(session, "play_started"), "play_started")
    await eventually(lambda: len(peer.arrived("video", stream)) > 4, "pictures arrive")


@pytest.mark.parametrize("fan_out", ["auto", "polite"])
@pytest.mark.parametrize("transport", ["port-each", "one-port"])
async def test_what_is_published_is_played(transport: str, fan_out: str) -> None:
    """Audio and video arrive whole, in order, under the offer's types and SSRCs: over each transport and fan-out."""
    source, player = PublishingPeer(), PlayingPeer()
    settings = structs.replace(SETTINGS, transport=transport, fan_out=fan_out)
    async with Call(settings) as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await eventually(lambda: len(player.arrived("audio")) > 20, "sound arrives")

        video, audio = list(player.arrived("video")), list(player.arrived("audio"))
        assert starts_keyframe(video[0])
        assert gaps(video) == set()
        assert gaps(audio) == set()
        assert {packet[1] & 0x7F for packet in video} == {96}
        assert {packet[1] & 0x7F for packet in audio} == {111}
        originals = {original[12:] for original in source.sent.values()}
        assert {payload(packet) for packet in video} <= originals
        assert sequence(video[0]) < 0x8000 + 1


async def test_tracks_and_bitrates_are_reported() -> None:
    """What a stream consists of is read from it: codec, size of the keyframes, bitrate; and players are measured."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await eventually(lambda: len(call.of(TracksFound)) > 1, "tracks are found and measured")
        await eventually(lambda: call.of(BitrateMeasured), "bitrates are measured")

        first, found = call.of(TracksFound)[:2]
        assert isinstance(first, TracksFound)
        assert isinstance(found, TracksFound)
        assert [track.bitrate for track in first.tracks] == [0, 0, 0]
        assert [(track.id, track.kind, track.codec, track.width, track.height) for track in found.tracks] == [
            ("ARDAMSas1", "audio", "opus", 0, 0),
            ("ARDAMSvs1", "video", "VP8", 640, 360),
            ("s1", "data", "", 0, 0),
        ]
        assert found.tracks[1].bitrate > 10_000


async def test_a_late_viewer_starts_on_a_keyframe_that_was_asked_for() -> None:
    """A viewer that comes later is shown no half picture: the publisher is asked for a keyframe; it starts there."""
    source, first, late = PublishingPeer(), PlayingPeer(), PlayingPeer()
    async with Call() as call, closing(source, first, late):
        call.open("a", "b", "c")
        await call.publish("a", "s1", source)
        await playing(call, "b", first)
        keyframes = source.keyframes
        await asyncio.sleep(SETTINGS.keyframe_interval)
        await playing(call, "c", late)

        assert starts_keyframe(late.arrived("video")[0])
        assert source.keyframes > keyframes
        assert gaps(first.arrived("video")) == set()


async def test_a_viewers_keyframe_request_reaches_the_publisher_once() -> None:
    """A storm of picture loss indications becomes one request in the interval."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await asyncio.sleep(SETTINGS.keyframe_interval)
        before = source.count(RtcpPsfbPacket, 1)
        for _ in range(20):
            player.transport.send_rtcp([RtcpPsfbPacket(fmt=1, ssrc=7, media_ssrc=player.ssrc("video"))])
        await eventually(lambda: source.count(RtcpPsfbPacket, 1) > before, "the request arrives")
        await asyncio.sleep(0.1)

        assert source.count(RtcpPsfbPacket, 1) == before + 1


async def test_a_viewer_gets_again_what_it_misses() -> None:
    """A NACK is answered from the layer's history, as a retransmission that carries the original number and payload."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        wanted = player.arrived("video")[2]
        player.transport.send_rtcp(
            [RtcpRtpfbPacket(fmt=1, ssrc=7, media_ssrc=player.ssrc("video"), lost=[sequence(wanted)])]
        )
        repairs = player.packets.setdefault(player.repair_ssrc(), [])
        await eventually(lambda: repairs, "the retransmission arrives")

        assert len(repairs) == 1
        assert repairs[0][1] & 0x7F == 97
        assert payload(repairs[0]) == wanted[2:4] + payload(wanted)
        assert timestamp(repairs[0]) == timestamp(wanted)


async def test_what_was_lost_on_the_way_in_is_asked_for() -> None:
    """Packets that did not reach the server are asked for and passed on, so that the viewer has no gap."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        lost = source.picture + 5
        source.lose = {lost}
        await eventually(lambda: source.picture > lost + 5, "more is sent")
        await eventually(lambda: lost in map(picture, player.arrived("video")), "the lost picture arrives")

        assert source.count(RtcpRtpfbPacket, 1) >= 1
        assert gaps(player.arrived("video")) == set()


async def test_a_switched_off_track_pauses_and_goes_on_without_a_gap() -> None:
    """While it is off nothing is sent; then it goes on from a keyframe, with the next number and the time passed."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        call.say("b", ToggleVideo(stream_id="s1", track_id="s1", enabled=False))
        await asyncio.sleep(0.1)
        paused = len(player.arrived("video"))
        sounds = len(player.arrived("audio"))
        await asyncio.sleep(0.3)
        assert len(player.arrived("video")) == paused
        assert len(player.arrived("audio")) > sounds

        call.say("b", ToggleVideo(stream_id="s1", track_id="s1", enabled=True))
        await eventually(lambda: len(player.arrived("video")) > paused + 4, "pictures arrive again")
        before, after = player.arrived("video")[paused - 1], player.arrived("video")[paused]
        assert sequence(after) == (sequence(before) + 1) & 0xFFFF
        assert starts_keyframe(after)
        passed = (timestamp(after) - timestamp(before)) & 0xFFFFFFFF
        assert 0.3 * 90_000 < passed < 3 * 90_000


async def test_a_player_may_begin_without_any_track() -> None:
    """Packets of a track flow only once the player has switched that on."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        call.play("b", "s1", player, switched_off=True)
        await eventually(lambda: call.notified("b", "play_started"), "play_started")
        await asyncio.sleep(0.3)
        assert (player.arrived("video"), player.arrived("audio")) == ([], [])

        call.say("b", EnableTrack(stream_id="s1", track_id="ARDAMSas1", enabled=True))
        await eventually(lambda: len(player.arrived("audio")) > 4, "sound arrives")
        assert player.arrived("video") == []
        call.say("b", EnableTrack(stream_id="s1", track_id="s1", enabled=True))
        await eventually(lambda: len(player.arrived("video")) > 4, "pictures arrive")


async def test_a_publisher_switches_its_track_off_for_everybody() -> None:
    """`enableTrack` of the publisher stops both kinds for all viewers, and for those that come later."""
    source, player, late = PublishingPeer(), PlayingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player, late):
        call.open("a", "b", "c")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        call.say("a", EnableTrack(stream_id="s1", track_id="s1", enabled=False))
        await asyncio.sleep(0.1)
        arrived = len(player.arrived("video")), len(player.arrived("audio"))
        call.play("c", "s1", late)
        await eventually(lambda: call.notified("c", "play_started"), "the late viewer is connected")
        await asyncio.sleep(0.2)

        assert (len(player.arrived("video")), len(player.arrived("audio"))) == arrived
        assert late.packets == {}
        call.say("a", EnableTrack(stream_id="s1", track_id="s1", enabled=True))
        await eventually(lambda: len(late.arrived("video")) > 4, "pictures arrive")


async def test_a_room_is_played_over_one_connection_as_it_changes() -> None:
    """A player of a room gets a second publisher by a new offer on the same transport, and loses one by another."""
    one, two, player = PublishingPeer("one", 1), PublishingPeer("two", 2), PlayingPeer()
    async with Call() as call, closing(one, two, player):
        call.open("a", "b", "c")
        call.play("c", "room", player, room="room")
        await eventually(lambda: call.notified("c", "play_started"), "the empty room is played")
        await call.publish("a", "one", one, room="room")
        await eventually(
            lambda: "ARDAMSvone" in player.offer and len(player.arrived("video", "one")) > 4, "one is seen"
        )
        await call.publish("b", "two", two, room="room")
        await eventually(
            lambda: "ARDAMSvtwo" in player.offer and len(player.arrived("video", "two")) > 4, "two is seen"
        )
        offers = [
            each for each in call.of(DescriptionCreated) if isinstance(each, DescriptionCreated) and each.id_mapping
        ]
        assert sorted(offers[-1].id_mapping.values()) == ["ARDAMSaone", "ARDAMSatwo", "ARDAMSvone", "ARDAMSvtwo"]
        assert gaps(player.arrived("video", "one")) == set()

        call.say("a", Stop(stream_id="one"))
        await eventually(lambda: "ARDAMSvone" not in player.offer, "one leaves the offer")
        arrived = len(player.arrived("video", "two"))
        await eventually(lambda: len(player.arrived("video", "two")) > arrived + 4, "two goes on")
        assert gaps(player.arrived("video", "two")) == set()


async def test_a_publisher_may_offer_again() -> None:
    """A new offer on the same connection is answered, and its viewers notice nothing."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        answers = len(call.of(DescriptionCreated))
        call._listeners.pop("a")
        call.say("a", TakeConfiguration(stream_id="s1", type="offer", sdp=await source.offer()))
        await eventually(lambda: len(call.of(DescriptionCreated)) > answers, "the answer")
        arrived = len(player.arrived("video"))
        await eventually(lambda: len(player.arrived("video")) > arrived + 10, "pictures go on")

        assert gaps(player.arrived("video")) == set()
        assert not call.of(DescriptionFailed)


async def test_sender_reports_reach_the_viewer() -> None:
    """The publisher's clock is passed on, moved to the viewer's timestamps, so that sound and picture stay together."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await eventually(lambda: any(isinstance(each, RtcpSrPacket) for each in player.heard), "a report")

        report = next(each for each in player.heard if isinstance(each, RtcpSrPacket))
        assert report.ssrc == player.ssrc("video")
        newest = timestamp(player.arrived("video")[-1])
        assert (newest - report.sender_info.rtp_timestamp + 90_000) & 0xFFFFFFFF < 3 * 90_000
        assert report.sender_info.packet_count > 0


async def test_data_is_relayed() -> None:
    """What the publisher says, text or bytes, reaches its players in order; a player is heard by the publisher."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await eventually(lambda: player.channel is not None, "the server opens a channel")
        assert source.channel is not None
        assert player.channel is not None
        assert player.channel.label == "s1"
        said: list[str | bytes] = ["one", b"\x00\x01", "", "two", b"x" * 16_000]
        for message in said:
            source.channel.send(message)
        await eventually(lambda: len(player.messages) == len(said), "all is relayed")
        player.channel.send("back")
        await eventually(lambda: source.messages, "the publisher hears it")

        assert player.messages == said
        assert source.messages == ["back"]


async def test_a_publisher_that_falls_silent_is_lost() -> None:
    """A peer that vanishes without a word is noticed within the time-out, not within aioice's half minute."""
    source = PublishingPeer()
    async with Call(structs.replace(SETTINGS, silence_timeout=1.0)) as call, closing(source):
        call.open("a")
        await call.publish("a", "s1", source)
        assert source._task is not None
        source._task.cancel()
        for protocol in source.transport._connection._protocols:
            protocol.transport.abort()
        await eventually(lambda: call.of(MediaLost), "it is lost")

        assert call.notified("a", "publish_finished")


async def test_a_viewer_that_closes_is_lost_at_once() -> None:
    """A DTLS goodbye ends the playback."""
    source, player = PublishingPeer(), PlayingPeer()
    async with Call() as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await player.close()
        await eventually(lambda: call.notified("b", "play_finished"), "the playback ends")

        assert call.media.live == (1, 0)


async def test_a_peer_that_never_connects_is_given_up() -> None:
    """ICE that finds nobody ends within the set time."""
    source = PublishingPeer()
    async with Call(structs.replace(SETTINGS, connect_timeout=0.3)) as call, closing(source):
        call.open("a")
        call.say("a", Publish(stream_id="s1"))
        offer = await source.offer(with_candidates=False)
        call.say("a", TakeConfiguration(stream_id="s1", type="offer", sdp=offer))
        await eventually(lambda: call.of(MediaLost), "it is given up")

        assert isinstance(call.of(MediaLost)[0], MediaLost)
        assert call.media.live == (0, 0)


async def test_candidates_may_come_before_and_after_the_offer() -> None:
    """A trickled candidate is kept until there is a transport, and one that comes later is used as well."""
    source = PublishingPeer()
    async with Call() as call, closing(source):
        call.open("a")
        offer = await source.offer(with_candidates=False)
        assert source.local is not None
        call.say("a", Publish(stream_id="s1"))
        call.candidate("a", "s1", f"candidate:{source.local.candidates[0]}")
        call._listeners["a"] = lambda message: source.take_answer(message.sdp)
        call.say("a", TakeConfiguration(stream_id="s1", type="offer", sdp=offer))
        call.candidate("a", "s1", "")
        await eventually(lambda: call.notified("a", "publish_started"), "it is live")


@pytest.mark.parametrize(
    "sdp",
    ["", "v=0\r\n", "junk", "v=0\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n", "v=0\r\n\0", "v=0\r\n" + "a=x\r\n" * 5_000],
)
async def test_a_hostile_offer_is_answered_with_a_failure(sdp: str) -> None:
    """What cannot be taken is the client's fault and its answer; the publish may be tried again."""
    async with Call() as call:
        call.open("a")
        call.say("a", Publish(stream_id="s1"))
        call.say("a", TakeConfiguration(stream_id="s1", type="offer", sdp=sdp))
        await eventually(lambda: call.of(DescriptionFailed), "the failure")

        failed = call.of(DescriptionFailed)[0]
        assert isinstance(failed, DescriptionFailed)
        assert failed.side == "remote"
        assert call.media.live == (1, 0)


async def test_everything_is_freed() -> None:
    """After calls have ended there is no task, no file descriptor and no side left of them."""

    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    async with Call() as call:
        call.open("warm", "a", "b", "c")
        tasks, files = len(asyncio.all_tasks()), open_files()
        for _ in range(3):
            source, player, other = PublishingPeer(), PlayingPeer(), PlayingPeer()
            async with closing(source, player, other):
                await call.publish("a", "s1", source)
                await playing(call, "b", player)
                await playing(call, "c", other)
                call.say("a", Stop(stream_id="s1"))
                await eventually(lambda: call.media.live == (0, 0), "all sides end")
            await eventually(lambda: not call.media._closing, "all transports are closed")
            call.said.clear()
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks, "all tasks end")
        gc.collect()

        assert open_files() <= files


async def test_closing_the_adapter_ends_what_is_live() -> None:
    """Leaving the context frees streams and playbacks that nobody has finished, and reports nothing any more."""
    source, player = PublishingPeer(), PlayingPeer()
    async with closing(source, player):
        async with Call() as call:
            call.open("a", "b")
            await call.publish("a", "s1", source)
            await playing(call, "b", player)
        reported = len(call.events)
        await asyncio.sleep(0.1)

        assert call.media.live == (0, 0)
        assert len(call.events) == reported


async def test_a_stream_keeps_its_viewers_over_a_new_connection() -> None:
    """A publisher that comes back inside the restore window brings a new transport; its viewers go on, continuously."""
    source, again, player = PublishingPeer(seed=1), PublishingPeer(seed=2), PlayingPeer()
    async with Call(restore_ms=5_000) as call, closing(source, again, player):
        call.open("a", "b", "d")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        call.event("a", SessionClosed())
        await source.close()
        arrived = len(player.arrived("video"))
        await call.publish("d", "s1", again, live="session_restored")
        await eventually(lambda: len(player.arrived("video")) > arrived + 20, "pictures go on")

        assert gaps(player.arrived("video")) == set()
        assert starts_keyframe(player.arrived("video")[arrived + 1]) or starts_keyframe(
            player.arrived("video")[arrived]
        )
