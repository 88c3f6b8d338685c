"""Record the golden reel of the version in hand: `python -m tests.reels.make`.

The calls in it touch every kind of machine and go through everything that a reel has to keep. Ids are seeded and time
is moved by hand, so the same code makes the same records. Once a version is released, its reel is never made again: it
is what the next versions are held to.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import anyio

from signalreel.commands import (
    AnyCommand,
    EnableTrack,
    ForceStreamQuality,
    GetIceServerConfig,
    GetRoomInfo,
    GetStreamInfo,
    GetTrackList,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    Play,
    Publish,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
)
from signalreel.events import LicenceChanged, ResourcesMeasured
from signalreel.header import ENGINE_VERSION
from signalreel.host import CloseRoom, EndStream
from signalreel.identifiers import Kind
from signalreel.reel import Reel
from signalreel.replay import Cursor
from signalreel.settings import Settings
from signalreel_adapters import FakeMedia, MemoryClient, Runtime, SeededIds, SqliteReel
from signalreel_adapters.ports import SessionInfo, Verdict
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import SECOND
from tests.adapters.calls import ANSWER, OFFER

__all__ = ("FOLDER", "GOLDEN", "SETTINGS", "record", "summary_of")

FOLDER: Final = Path(__file__).resolve().parent

GOLDEN: Final = FOLDER / "golden.json"
"""What each reel of this folder gives when it is replayed, by its version."""

SETTINGS: Final = Settings(restore_ms=3_000, viewers_max=2, stun_server="stun:stun.example.org:3478")
CANDIDATE: Final = "candidate:1 1 udp 1 192.0.2.1 9 typ host"

TOKEN: Final = "good"
ONE_TIME_TOKEN: Final = "good once"


class DoorKeeper:
    """A gate that lets in whoever names no token, or one of the good ones."""

    async def decide(self, command: AnyCommand, session: SessionInfo) -> Verdict:
        """Decide by the token alone."""
        token = getattr(command, "token", "")
        if token == ONE_TIME_TOKEN:
            return Verdict.allow("somebody", once="tag of the one-time token")
        return Verdict.allow("somebody") if token in {"", TOKEN} else Verdict.refuse()


class Stage:
    """A runtime, and clients that wait after each command until everything has followed from it."""

    def __init__(self, runtime: Runtime, media: FakeMedia, clock: ManualClock) -> None:
        self.runtime = runtime
        self.media = media
        self.clock = clock

    async def enter(self, *, app: str = "live") -> MemoryClient:
        """Have a client attach."""
        client = MemoryClient(self.runtime, app=app)
        await client.flush()
        return client

    async def say(self, client: MemoryClient, *commands: AnyCommand | Mapping[str, object]) -> None:
        """Have a client say something, and something else once that has been dealt with."""
        for command in commands:
            await client.send(command)
            await client.flush()

    async def publish(self, client: MemoryClient, stream_id: str, *, room: str = "") -> None:
        """Publish until it is live."""
        await self.say(
            client,
            Publish(stream_id=stream_id, main_track=room),
            TakeConfiguration(stream_id=stream_id, type="offer", sdp=OFFER),
            TakeCandidate(stream_id=stream_id, label=0, id="0", candidate=CANDIDATE),
        )

    async def play(self, client: MemoryClient, stream_id: str, *, room: str = "") -> None:
        """Play until it plays."""
        await self.say(
            client,
            Play(stream_id=stream_id, room=room),
            TakeConfiguration(stream_id=stream_id, type="answer", sdp=ANSWER),
            TakeCandidate(stream_id=stream_id, label=0, id="0", candidate=CANDIDATE),
        )

    def playback_of(self, stream_id: str) -> str:
        """The id of the first playback of a stream that media holds."""
        return next(id for kind, _, id in self.media.live if kind is Kind.PLAYBACK and id.endswith(f"/{stream_id}"))


async def stream_with_viewers(stage: Stage) -> None:
    """A stream, two viewers and one too many, everything that a viewer may ask, a restore, and the end by the host."""
    publisher, first, second, third = [await stage.enter() for _ in range(4)]
    await stage.say(first, Play(stream_id="cam"))
    await stage.publish(publisher, "cam")
    await stage.say(first, Publish(stream_id="cam"), GetIceServerConfig(), GetStreamInfo(stream_id="cam"))
    for viewer in (first, second, third):
        await stage.play(viewer, "cam")
    await stage.say(
        first,
        ToggleVideo(stream_id="cam", track_id="cam", enabled=False),
        ToggleAudio(stream_id="cam", track_id="cam", enabled=False),
        EnableTrack(stream_id="cam", track_id="cam", enabled=True),
        ForceStreamQuality(stream_id="cam", stream_height=360),
        GetTrackList(stream_id="cam"),
    )
    await stage.say(publisher, EnableTrack(stream_id="cam", track_id="cam", enabled=False))
    stage.media.measure(Kind.PLAYBACK, "live", stage.playback_of("cam"), target=300_000, video=500_000, audio=32_000)
    await stage.say(second, Stop(stream_id="cam"))
    await publisher.close()
    publisher = await stage.enter()
    await stage.publish(publisher, "cam")
    await stage.runtime.submit(EndStream(stream_id="cam"), app="live", actor="operator")
    for client in (publisher, first, second, third):
        await client.close()


async def deadlines(stage: Stage) -> None:
    """A publisher that never offers and a viewer that never answers run out of time, and so does a kept stream."""
    publisher, viewer = await stage.enter(), await stage.enter()
    await stage.say(publisher, Publish(stream_id="late"))
    await stage.clock.advance(60 * SECOND)
    await stage.publish(publisher, "late")
    await stage.say(viewer, Play(stream_id="late"))
    await stage.clock.advance(60 * SECOND)
    await publisher.close()
    await stage.clock.advance(60 * SECOND)
    publisher = await stage.enter()
    await stage.publish(publisher, "lost")
    stage.media.lose(Kind.STREAM, "live", "lost")
    for client in (publisher, viewer):
        await client.close()


async def pair_of_peers(stage: Stage) -> None:
    """Two peers call each other, a third is refused and takes the place that one leaves."""
    first, second, third = [await stage.enter(app="calls") for _ in range(3)]
    for peer in (first, second, third):
        await stage.say(peer, Join(stream_id="call"))
    await stage.say(first, TakeConfiguration(stream_id="call", type="offer", sdp=OFFER))
    await stage.say(second, TakeConfiguration(stream_id="call", type="answer", sdp=ANSWER))
    for peer in (first, second):
        await stage.say(peer, TakeCandidate(stream_id="call", label=0, id="0", candidate=CANDIDATE))
    await stage.say(second, Leave(stream_id="call"))
    await stage.say(third, Join(stream_id="call"))
    for peer in (third, second, first):
        await peer.close()


async def room_of_three(stage: Stage) -> None:
    """Three members, one of whom plays the room whole and two each other; one leaves, and the host closes the room."""
    clients = {name: await stage.enter() for name in ("anna", "bert", "cleo")}
    anna, bert, cleo = clients.values()
    await stage.say(cleo, JoinRoom(room="lobby"))
    await stage.play(cleo, "lobby", room="lobby")
    for name, client in (("anna", anna), ("bert", bert)):
        await stage.say(client, JoinRoom(room="lobby", stream_id=name))
        await stage.publish(client, name, room="lobby")
        await stage.say(cleo, TakeConfiguration(stream_id="lobby", type="answer", sdp=ANSWER))
    await stage.play(anna, "bert", room="lobby")
    await stage.play(bert, "anna", room="lobby")
    await stage.say(cleo, ToggleVideo(stream_id="lobby", track_id="anna", enabled=False))
    await stage.say(anna, GetRoomInfo(room="lobby", stream_id="anna"), LeaveFromRoom(room="lobby"))
    await stage.say(cleo, TakeConfiguration(stream_id="lobby", type="answer", sdp=ANSWER))
    await stage.runtime.submit(CloseRoom(room="lobby"), app="live", actor="operator")
    for client in clients.values():
        await client.close()


async def refusals(stage: Stage) -> None:
    """What clients do wrong, and what is refused to them through no fault of theirs."""
    client, other = await stage.enter(), await stage.enter()
    await stage.say(
        client,
        Publish(stream_id="no such name!"),
        Publish(stream_id="secret", token="bad"),
        Stop(stream_id="nothing"),
        Leave(stream_id="nothing"),
        TakeConfiguration(stream_id="nothing", type="offer", sdp=OFFER),
        {"command": "getStreamInfo"},
        Publish(stream_id="secret", token=ONE_TIME_TOKEN),
    )
    await stage.say(other, Publish(stream_id="other", token=ONE_TIME_TOKEN))
    stage.runtime.report(LicenceChanged(suspended=True))
    await stage.say(other, Publish(stream_id="other"))
    stage.runtime.report(LicenceChanged(suspended=False))
    stage.runtime.report(ResourcesMeasured(cpu_percent=100, free_memory_mb=1))
    await stage.say(other, Publish(stream_id="other"))
    stage.runtime.report(ResourcesMeasured(cpu_percent=1, free_memory_mb=1_000))
    stage.media.refuse = "remote"
    await stage.publish(other, "other")
    stage.media.refuse = ""
    for one in (client, other):
        await one.close()


async def record(reel: Reel) -> None:
    """Record all of it."""
    media, clock = FakeMedia(), ManualClock()
    async with Runtime(
        reel, settings=SETTINGS, gate=DoorKeeper(), media=media, ids=SeededIds(1), clock=clock
    ) as runtime:
        stage = Stage(runtime, media, clock)
        for call in (stream_with_viewers, deadlines, pair_of_peers, room_of_three, refusals):
            await call(stage)
            await clock.advance(SECOND)


def summary_of(reel: Reel) -> dict[str, Any]:
    """Replay a reel and say what it gave."""
    steps = [replayed.step for replayed in Cursor(reel)]
    return {
        "records": len(steps),
        "transitions": sum(len(step.transitions) for step in steps),
        "messages": sum(len(step.messages) for step in steps),
        "refused": sum(bool(step.refused) for step in steps),
        "digest": steps[-1].digest.hex(),
    }


def main() -> None:
    """Make the reel of this version anew and write down what it gives."""
    path = FOLDER / f"{ENGINE_VERSION}.reel"
    path.unlink(missing_ok=True)
    anyio.run(record, SqliteReel(path, settings=SETTINGS))
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    golden[ENGINE_VERSION] = summary_of(SqliteReel.read(path))
    GOLDEN.write_text(json.dumps(golden, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
