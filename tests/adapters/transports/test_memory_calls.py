"""The three kinds of call, whole, over the transport in memory: what each client is told, and that the reel replays."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import permutations

import pytest

from signalreel.commands import (
    GetRoomInfo,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    Play,
    Stop,
    TakeCandidate,
    TakeConfiguration,
)
from signalreel.reel import MemoryReel
from signalreel.replay import Cursor
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds
from tests.adapters.calls import ANSWER, OFFER, names, play, publish

pytestmark = pytest.mark.anyio

CANDIDATE = "candidate:1 1 udp 1 192.0.2.1 9 typ host"
FOUND = TakeCandidate(stream_id="call", label=0, id="0", candidate=CANDIDATE)


@contextmanager
def replayed_at_the_end() -> Iterator[MemoryReel]:
    """Give a reel to record to; afterwards every record has its outcome, and gives it again."""
    reel = MemoryReel()
    yield reel
    replayed = list(Cursor(reel))

    assert len(replayed) == reel.last_seq
    assert [one.step.record.seq for one in replayed if one.recorded is None] == []
    assert [one.divergence for one in replayed if one.divergence is not None] == []


@asynccontextmanager
async def three_clients() -> AsyncIterator[tuple[FakeMedia, MemoryClient, MemoryClient, MemoryClient]]:
    """Give three clients of a runtime with fake media; whatever they did is replayed afterwards."""
    media = FakeMedia()
    with replayed_at_the_end() as reel:
        async with Runtime(reel, media=media, ids=SeededIds(1)) as runtime:
            yield media, MemoryClient(runtime), MemoryClient(runtime), MemoryClient(runtime)


async def test_a_stream_is_published_and_played_by_two() -> None:
    """Two viewers play one stream; it ends for both in the step in which its publisher stops, and nothing is left."""
    async with three_clients() as (media, publisher, first, second):
        await publish(publisher, "stream")
        for viewer in (first, second):
            await play(viewer, "stream")
        held = len(media.live)
        await publisher.send(Stop(stream_id="stream"))

        assert held == 3
        assert names(await publisher.flush()) == ["publish_finished"]
        assert names(await first.flush()) == ["play_finished"]
        assert names(await second.flush()) == ["play_finished"]
        assert media.live == {}
        assert names(first.transcript) == names(second.transcript)


async def test_a_viewer_stops_alone() -> None:
    """A viewer that stops ends its own playback and nobody else's."""
    async with three_clients() as (_, publisher, first, second):
        await publish(publisher, "stream")
        for viewer in (first, second):
            await play(viewer, "stream")
        await first.send(Stop(stream_id="stream"))

        assert names(await first.flush()) == ["play_finished"]
        assert await second.flush() == []
        assert await publisher.flush() == []


async def test_two_peers_call_each_other() -> None:
    """The first peer is told to offer; offer, answer and candidate arrive as sent; media has no part in it."""
    async with three_clients() as (media, first, second, third):
        for peer in (first, second):
            await peer.send(Join(stream_id="call"))
            await peer.expect("joined")
        await first.expect("start")
        await third.send(Join(stream_id="call"))
        await third.expect("NoSpaceForNewPeer")
        await first.send(TakeConfiguration(stream_id="call", type="offer", sdp=OFFER))
        offer = await second.expect("takeConfiguration")
        await second.send(TakeConfiguration(stream_id="call", type="answer", sdp=ANSWER))
        answer = await first.expect("takeConfiguration")
        await second.send(FOUND)
        candidate = await first.expect("takeCandidate")

        assert (offer["type"], offer["sdp"]) == ("offer", OFFER)
        assert (answer["type"], answer["sdp"]) == ("answer", ANSWER)
        assert (candidate["label"], candidate["id"], candidate["candidate"]) == (0, "0", CANDIDATE)
        assert await third.flush() == []
        assert media.live == {}


async def test_the_place_of_a_peer_that_leaves_is_free() -> None:
    """The one that stays is told, and starts anew with whoever joins next: by leaving or by closing alike."""
    async with three_clients() as (_, first, second, third):
        for peer in (first, second):
            await peer.send(Join(stream_id="call"))
            await peer.expect("joined")
        await first.expect("start")
        await second.send(Leave(stream_id="call"))
        await second.expect("leaved")
        await first.expect("stop")
        for newcomer in (second, third):
            await newcomer.send(Join(stream_id="call"))
            await newcomer.expect("joined")
            await first.expect("start")
            await newcomer.close()
            await first.expect("stop")

        assert await first.flush() == []


async def test_three_members_see_each_other() -> None:
    """Each member publishes in the room and plays the two others; who leaves ends what is played of it, and no more."""
    async with three_clients() as (media, *clients):
        members = dict(zip("abc", clients, strict=True))
        for name, member in members.items():
            await member.send(JoinRoom(room="room", stream_id=name))
            joined = await member.expect("joinedTheRoom")
            assert joined["streams"] == list("abc".partition(name)[0])
            await publish(member, name)
        for player, played in permutations(members, 2):
            await members[player].send(Play(stream_id=played, room="room"))
            await members[player].expect("takeConfiguration")
            await members[player].send(TakeConfiguration(stream_id=played, type="answer", sdp=ANSWER))
            await members[player].expect("play_started")
        held = len(media.live)
        await members["a"].send(GetRoomInfo(room="room", stream_id="a"))
        before = await members["a"].expect("roomInformation")
        await members["b"].send(LeaveFromRoom(room="room"))

        assert held == 9
        assert before["streams"] == ["b", "c"]
        assert names(await members["b"].flush()) == [
            "leavedFromRoom",
            "play_finished",
            "play_finished",
            "publish_finished",
        ]
        for name in "ac":
            assert [(said["definition"], said["streamId"]) for said in await members[name].flush()] == [
                ("play_finished", "b")
            ]

        await members["a"].send(GetRoomInfo(room="room", stream_id="a"))
        assert (await members["a"].expect("roomInformation"))["streams"] == ["c"]
        assert len(media.live) == 4
