"""`signalreel_adapters.media.workers.media`: real worker processes, real peers, and what goes between them."""

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSrPacket
from msgspec import structs

from signalreel.commands import EnableTrack, Stop, ToggleVideo
from signalreel.events import MediaLost
from signalreel.identifiers import Kind, Reference
from signalreel.notes import AnyNote, MediaFailed, MediaStatistics
from signalreel_adapters.media.aiortc import AiortcSettings
from signalreel_adapters.media.workers import WorkersMedia, default_count, routing
from signalreel_adapters.media.workers import media as workers_media
from signalreel_adapters.media.workers.keeping import WorkerUnable
from tests.adapters.media.aiortc.peers import SETTINGS, Call, PlayingPeer, PublishingPeer, closing, eventually
from tests.adapters.media.aiortc.test_adapter import gaps, payload, picture, sequence, starts_keyframe

pytestmark = pytest.mark.anyio


def open_files() -> set[Path]:
    """The numbers of this process's open files."""
    return set(Path("/proc/self/fd").iterdir())


def running(pids: Iterable[int]) -> list[int]:
    """Those of these processes that are still there."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@asynccontextmanager
async def calling(count: int = 2, settings: AiortcSettings = SETTINGS, restore_ms: int = 0) -> AsyncIterator[Call]:
    """Workers, an engine and sessions; nothing of it is left at the end: no file, no task, no process."""
    files, tasks = open_files(), asyncio.all_tasks()
    media = WorkersMedia(settings, count)
    call = Call(settings, restore_ms=restore_ms, adapter=media)
    call.workers = media  # type: ignore[attr-defined]
    async with call:
        pids = media.pids
        call.open(*"abcdefgh")
        yield call
    assert running(pids) == []
    assert call.failures == 0
    await eventually(lambda: asyncio.all_tasks() <= tasks, "tasks end")
    assert open_files() == files


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every playback go to the worker with the least to do, wherever its stream is."""
    monkeypatch.setattr(routing, "RELAY_WORTH", -1_000)


async def playing(call: Call, session: str, peer: PlayingPeer, stream: str = "s1") -> None:
    """Play until pictures arrive."""
    call.play(session, stream, peer)
    await eventually(lambda: call.notified(session, "play_started"), "play_started")
    await eventually(lambda: len(peer.arrived("video", stream)) > 4, "pictures arrive")


def workers(call: Call) -> WorkersMedia:
    """The adapter under test."""
    return call.workers  # type: ignore[attr-defined,no-any-return]


@pytest.mark.parametrize("transport", ["port-each", "one-port"])
@pytest.mark.usefixtures("apart")
async def test_what_is_published_in_one_worker_is_played_in_another(transport: str) -> None:
    """Audio and video arrive whole and in order, from a keyframe on; a second viewer there shares the relay."""
    source, player, second = PublishingPeer(), PlayingPeer(), PlayingPeer()
    async with (
        calling(settings=structs.replace(SETTINGS, transport=transport)) as call,
        closing(source, player, second),
    ):
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        assert workers(call).load == (1, 1)
        await playing(call, "c", second)
        await eventually(lambda: len(player.arrived("audio")) > 20, "sound arrives")

        video, audio = list(player.arrived("video")), list(player.arrived("audio"))
        assert starts_keyframe(video[0])
        assert gaps(video) == set()
        assert gaps(audio) == set()
        pictures = [picture(packet) for packet in video if packet[1] & 0x80]
        assert pictures == list(range(pictures[0], pictures[0] + len(pictures)))
        assert {payload(packet) for packet in video} <= {original[12:] for original in source.sent.values()}
        await eventually(lambda: any(isinstance(each, RtcpSrPacket) for each in player.heard), "sender reports")


@pytest.mark.usefixtures("apart")
async def test_what_a_viewer_misses_is_answered_where_it_is() -> None:
    """A request for a lost packet is served by the viewer's own worker, and does not reach the publisher."""
    source, player = PublishingPeer(), PlayingPeer()
    async with calling() as call, closing(source, player):
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        wanted = sequence(player.arrived("video")[-1])
        nack = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=player.ssrc("video"), lost=[wanted])
        player.transport.send_rtcp([nack])
        repair = player.repair_ssrc()
        await eventually(lambda: player.packets.get(repair), "a retransmission")

        assert int.from_bytes(payload(player.packets[repair][0])[:2], "big") == wanted
        assert source.count(RtcpRtpfbPacket, 1) == 0


@pytest.mark.usefixtures("apart")
async def test_keyframe_requests_reach_the_publisher() -> None:
    """A viewer's request goes through both workers, and the keyframe comes back."""
    source, player = PublishingPeer(), PlayingPeer()
    async with calling() as call, closing(source, player):
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await asyncio.sleep(SETTINGS.keyframe_interval)
        before = source.keyframes
        seen = len(player.arrived("video"))
        player.transport.send_rtcp([RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=player.ssrc("video"))])
        await eventually(lambda: source.keyframes > before, "the publisher makes a keyframe")
        await eventually(
            lambda: any(starts_keyframe(each) for each in player.arrived("video")[seen:] if each[1] & 0x80 == 0),
            "it arrives",
        )


@pytest.mark.usefixtures("apart")
async def test_data_goes_through_both_workers() -> None:
    """What the publisher says is heard by players of both; what one of them says is heard by all the others."""
    source, near, far = PublishingPeer(), PlayingPeer(), PlayingPeer()
    async with calling() as call, closing(source, near, far):
        await call.publish("a", "s1", source)
        await playing(call, "b", far)
        await playing(call, "c", near)
        homes = [workers(call).home(each) for each in playbacks(call)]
        assert sorted(map(str, homes)) == ["0", "1"]
        for peer in (source, near, far):
            await eventually(
                lambda peer=peer: peer.channel is not None and peer.channel.readyState == "open",  # type: ignore[misc]
                "channels open",
            )
        assert source.channel is not None
        source.channel.send("to all")
        await eventually(lambda: near.messages and far.messages, "both hear the publisher")
        assert far.channel is not None
        far.channel.send(b"from afar")
        await eventually(lambda: len(near.messages) == 2 and source.messages, "publisher and player hear the other")
        assert near.channel is not None
        near.channel.send("from near")
        await eventually(lambda: len(far.messages) == 2 and len(source.messages) == 2, "and the other way round")

        assert near.messages == ["to all", b"from afar"]
        assert far.messages == ["to all", "from near"]
        assert source.messages == [b"from afar", "from near"]


def playbacks(call: Call) -> list[Reference]:
    """The playbacks that there are now."""
    live = {
        transition.machine: transition.target
        for step in call.steps
        for transition in step.transitions
        if transition.machine.kind is Kind.PLAYBACK
    }
    return [machine for machine, state in live.items() if state != "finished"]


async def test_a_room_may_have_its_publishers_in_several_workers() -> None:
    """A player of the room sees all of them over one connection, also one that comes later."""
    first, second, third, player = PublishingPeer("s1"), PublishingPeer("s2", 2), PublishingPeer("s3", 3), PlayingPeer()
    async with calling() as call, closing(first, second, third, player):
        await call.publish("a", "s1", first, room="r")
        await call.publish("c", "s2", second, room="r")
        assert workers(call).load == (1, 1)
        call.play("b", "r", player, room="r")
        for stream in ("s1", "s2"):
            await eventually(lambda: f"ARDAMSv{stream}" in player.offer, f"{stream} is offered")  # noqa: B023
            await eventually(lambda: len(player.arrived("video", stream)) > 4, f"{stream} arrives")  # noqa: B023
        await call.publish("d", "s3", third, room="r")
        await eventually(lambda: "ARDAMSvs3" in player.offer, "the third is offered")
        await eventually(lambda: len(player.arrived("video", "s3")) > 4, "the third arrives")

        seen = len(player.arrived("video", "s2"))
        call.say("a", Stop(stream_id="s1"))
        await eventually(lambda: "ARDAMSvs1" not in player.offer, "the first is gone")
        await eventually(lambda: len(player.arrived("video", "s2")) > seen + 10, "the second goes on")


@pytest.mark.usefixtures("apart")
async def test_switches_of_the_publisher_and_of_the_player_act_across_workers() -> None:
    """The publisher switches its picture off for viewers everywhere; a viewer switches it off for itself alone."""
    source, near, far = PublishingPeer(), PlayingPeer(), PlayingPeer()
    async with calling() as call, closing(source, near, far):
        await call.publish("a", "s1", source)
        await playing(call, "b", far)
        await playing(call, "c", near)

        call.say("a", EnableTrack(stream_id="s1", track_id="ARDAMSvs1", enabled=False))
        await still(far)
        await still(near)
        call.say("a", EnableTrack(stream_id="s1", track_id="ARDAMSvs1", enabled=True))
        for peer in (near, far):
            seen = len(peer.arrived("video"))
            await eventually(lambda: len(peer.arrived("video")) > seen, "pictures come back")  # noqa: B023
        call.say("b", ToggleVideo(stream_id="s1", enabled=False))
        await still(far)
        seen = len(near.arrived("video"))
        await eventually(lambda: len(near.arrived("video")) > seen, "the other one's go on")


async def still(peer: PlayingPeer) -> None:
    """Wait until sound comes and pictures do not."""
    seen = {"video": 0, "audio": 0}

    def is_still() -> bool:
        if len(peer.arrived("video")) > seen["video"]:
            seen.update({kind: len(peer.arrived(kind)) for kind in seen})
        return len(peer.arrived("audio")) > seen["audio"] + 15

    await eventually(is_still, "sound without pictures")


@pytest.mark.usefixtures("apart")
async def test_a_publisher_that_comes_back_keeps_its_viewers_elsewhere() -> None:
    """It loses its connection, publishes again over a new one, and the viewer of the other worker goes on."""
    source, again, player = PublishingPeer(), PublishingPeer(seed=9), PlayingPeer()
    async with calling(restore_ms=60_000) as call, closing(source, again, player):
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        await source.close()
        await eventually(lambda: any(isinstance(each, MediaLost) for each in call.events), "the loss is noticed")
        seen = len(player.arrived("video"))
        await call.publish("a", "s1", again, live="session_restored")
        await eventually(lambda: len(player.arrived("video")) > seen + 10, "pictures go on")

        assert gaps(list(player.arrived("video"))) == set()


@pytest.mark.usefixtures("apart")
async def test_a_worker_that_is_killed_takes_with_it_only_what_it_had() -> None:
    """Each of its machines is lost once; packets of others go on; another worker takes its place within seconds."""
    sources = [PublishingPeer(f"s{number}", number) for number in (1, 2)]
    players = [PlayingPeer() for _ in range(4)]
    again, player_again = PublishingPeer("s9", 9), PlayingPeer()
    async with calling() as call, closing(*sources, *players, again, player_again):
        for session, source in zip("ab", sources, strict=True):
            await call.publish(session, source.label, source)
        for number, (session, player) in enumerate(zip("cdef", players, strict=True)):
            await playing(call, session, player, f"s{number % 2 + 1}")
        media = workers(call)
        machines = [*playbacks(call), *streams(call)]
        assert media.load == (3, 3)
        victim, survivor = 0, 1
        doomed = {machine for machine in machines if media.home(machine) == victim}
        dead = media.pids[victim]

        os.kill(dead, signal.SIGKILL)
        await eventually(lambda: call.of(MediaLost), "the loss is noticed")

        assert {each.machine for each in call.of(MediaLost)} == doomed
        assert len(call.of(MediaLost)) == len(doomed)
        going_on = [
            player
            for player, machine in zip(players, playbacks_in_order(call), strict=True)
            if media.home(machine) == survivor and player_of(machine) == surviving_stream(media, call)
        ]
        assert going_on
        for player in going_on:
            stream = surviving_stream(media, call)
            seen = len(player.arrived("video", stream))
            await eventually(lambda: len(player.arrived("video", stream)) > seen + 20, "others go on")  # noqa: B023
        await eventually(lambda: media.pids[victim] not in {0, dead}, "another worker is started")
        await call.publish("g", "s9", again)
        await playing(call, "h", player_again, "s9")
        assert len(call.of(MediaLost)) == len(doomed)


def streams(call: Call) -> list[Reference]:
    """The streams that there are now."""
    live = {
        transition.machine: transition.target
        for step in call.steps
        for transition in step.transitions
        if transition.machine.kind is Kind.STREAM
    }
    return [machine for machine, state in live.items() if state != "finished"]


def playbacks_in_order(call: Call) -> list[Reference]:
    """All playbacks that there ever were, in the order in which they began."""
    return list(
        dict.fromkeys(
            transition.machine
            for step in call.steps
            for transition in step.transitions
            if transition.machine.kind is Kind.PLAYBACK
        )
    )


def player_of(playback: Reference) -> str:
    """What a playback plays."""
    return playback.id.partition("/")[2]


def surviving_stream(media: WorkersMedia, call: Call) -> str:
    """The stream whose worker lives."""
    return next(stream.id for stream in streams(call) if media.home(stream) == 1)


async def test_what_flows_in_workers_is_noted() -> None:
    """Of the stream what came, of the player what it was sent; and a worker's end, where it takes a stream with it."""
    source, player = PublishingPeer(), PlayingPeer()
    noted: list[AnyNote] = []
    media = WorkersMedia(SETTINGS, 2)
    media.note_to(noted.append)
    async with Call(SETTINGS, adapter=media) as call, closing(source, player):
        call.open("a", "b")
        await call.publish("a", "s1", source)
        await playing(call, "b", player)

        def flowing() -> set[Kind]:
            measured = [note for note in noted if isinstance(note, MediaStatistics)]
            return {note.machine.kind for note in measured if note.packets_received + note.packets_sent > 0}

        await eventually(lambda: flowing() == {Kind.STREAM, Kind.PLAYBACK}, "both are noted")
        (stream,) = streams(call)
        os.kill(media.pids[media.home(stream) or 0], signal.SIGKILL)
        ended = MediaFailed("worker", "the media worker of this stream has ended", stream)
        await eventually(lambda: ended in noted, "its end is noted")


async def test_a_stream_whose_worker_died_may_be_published_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a restore window its viewers of another worker are kept, and go on with the new publisher."""
    monkeypatch.setattr(routing, "RELAY_WORTH", -1_000)
    source, again, player = PublishingPeer(), PublishingPeer(seed=9), PlayingPeer()
    async with calling(restore_ms=60_000) as call, closing(source, again, player):
        await call.publish("a", "s1", source)
        await playing(call, "b", player)
        media = workers(call)
        (stream,) = streams(call)
        home = media.home(stream)
        assert home is not None
        os.kill(media.pids[home], signal.SIGKILL)
        await eventually(lambda: call.of(MediaLost), "the loss is noticed")
        seen = len(player.arrived("video"))
        await call.publish("a", "s1", again, live="session_restored")
        await eventually(lambda: len(player.arrived("video")) > seen + 10, "pictures go on")

        assert gaps(list(player.arrived("video"))) == set()


async def test_without_any_worker_everything_is_lost_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes while the only worker is down is told, instead of being left to wait."""
    source = PublishingPeer()
    async with calling(1) as call, closing(source):
        media = workers(call)
        monkeypatch.setattr("signalreel_adapters.media.workers.keeping._PAUSE_SECONDS_MIN", 60.0)
        os.kill(media.pids[0], signal.SIGKILL)
        await eventually(lambda: media.pids == (0,), "the worker is gone")
        publishing = asyncio.ensure_future(call.publish("a", "s1", source))
        await eventually(lambda: call.of(MediaLost), "the stream is lost")
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)


async def test_a_worker_that_cannot_begin_says_why() -> None:
    """A port that is taken is one reason; nothing stays behind, and nobody waits."""
    files, tasks = open_files(), asyncio.all_tasks()
    hosts = AiortcSettings(hosts=("192.0.2.1",), transport="one-port", port=9)

    with pytest.raises(WorkerUnable, match="cannot be bound"):
        async with WorkersMedia(hosts, 2):
            raise AssertionError("it must not begin")
    await eventually(lambda: asyncio.all_tasks() <= tasks, "tasks end")
    assert open_files() == files


async def test_every_worker_has_a_port_of_its_own() -> None:
    """The one of the settings and those that follow it; and none where every peer has its own."""
    async with WorkersMedia(structs.replace(SETTINGS, transport="one-port"), 2) as media:
        first, second = media.ports
        assert first != second
    async with WorkersMedia(structs.replace(SETTINGS, transport="one-port", port=first), 1) as media:
        assert media.ports == (first,)
    async with WorkersMedia(SETTINGS, 1) as media:
        assert media.ports == ()


def test_there_are_as_many_workers_as_processors_less_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """None on a machine of one, where they would only be in the way."""
    for processors, count in ((1, 0), (2, 1), (8, 7)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=processors: set(range(n)))
        assert default_count() == count


@pytest.mark.usefixtures("apart")
async def test_a_relay_that_cannot_be_opened_is_tried_again_for_the_next_player(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There were no files left: the first player is offered all but that stream, the second one has it."""
    source, first, second = PublishingPeer(), PlayingPeer(), PlayingPeer()
    async with calling() as call, closing(source, first, second):
        await call.publish("a", "s1", source)
        with monkeypatch.context() as exhausted:
            exhausted.setattr(workers_media, "socket_pair", _no_files)
            call.play("b", "s1", first)
            await eventually(lambda: call.failures, "the failure is counted")
        call.failures = 0
        await eventually(lambda: first.offer, "an offer")
        await playing(call, "c", second)


def _no_files() -> None:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
