"""Clients in memory, and the runtime that they are clients of."""

from types import TracebackType
from typing import Self

from signalreel.reel import MemoryReel, Reel
from signalreel.settings import Settings
from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.ports import Clock, Gate, Media
from signalreel_adapters.runtime import Runtime, SeededIds
from signalreel_adapters.testing.calls import play, publish
from signalreel_adapters.transports.memory import MemoryClient

__all__ = ("Clients",)


class Clients:
    """Makes clients of a runtime that runs as long as the block does, on asyncio or trio.

        async with Clients() as clients:
            ann, bob = await clients.publisher("stream"), await clients.viewer("stream")

    Without a reel there is a new one in memory, without media it is `FakeMedia`. The ids are the same in every run;
    with a `ManualClock` the times are too, and so is then the whole reel.
    """

    def __init__(
        self,
        reel: Reel | None = None,
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
        media: Media | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.reel: Reel = reel if reel is not None else MemoryReel()
        self.media: Media = media if media is not None else FakeMedia()
        self.runtime = Runtime(self.reel, settings=settings, clock=clock, media=self.media, gate=gate, ids=SeededIds(0))

    async def __aenter__(self) -> Self:
        await self.runtime.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return await self.runtime.__aexit__(kind, error, traceback)

    def __call__(self, *, app: str = "live", identity: str = "") -> MemoryClient:
        """Give a new client, which is connected and has said nothing yet."""
        return MemoryClient(self.runtime, app=app, identity=identity)

    async def publisher(self, stream_id: str, *, room: str = "", app: str = "live", identity: str = "") -> MemoryClient:
        """Give a client whose stream is live, in a room or in none."""
        client = self(app=app, identity=identity)
        await publish(client, stream_id, room=room)
        return client

    async def viewer(self, stream_id: str, *, app: str = "live", identity: str = "") -> MemoryClient:
        """Give a client that plays a stream or a room."""
        client = self(app=app, identity=identity)
        await play(client, stream_id)
        return client
