"""A real server on a real port, in a thread of its own: for clients that speak over a network."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from types import TracebackType
from typing import Final, Self

import anyio
from anyio.from_thread import start_blocking_portal

from signalreel.host import AnyHostCommand
from signalreel.reel import MemoryReel, Reel
from signalreel_adapters.media.fake import FakeMedia
from signalreel_adapters.ports import Gate, Media
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.server import listen, serve

__all__ = ("ServerThread",)

_HOST: Final = "127.0.0.1"


class ServerThread:
    """Serves from when the block begins until it ends. Only programs on this machine can reach it.

        with ServerThread() as server:
            page = urlopen(server.url)

    Without a reel there is a new one in memory, without media it is `FakeMedia`. The reel may be read from the test's
    own thread, while the server writes it; all else that is in the runtime belongs to the thread of the server. With
    `make_runtime=MockingRuntime` it serves with the faults of `signalreel testserver`.
    """

    def __init__(
        self,
        reel: Reel | None = None,
        *,
        media: Media | None = None,
        gate: Gate | None = None,
        make_runtime: type[Runtime] = Runtime,
    ) -> None:
        self.reel: Reel = reel if reel is not None else MemoryReel()
        self.media: Media = media if media is not None else FakeMedia()
        self.port = 0  #: 0 until it listens
        self._gate = gate
        self._make_runtime = make_runtime
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        """The address of the page, with a slash at its end."""
        return f"http://{_HOST}:{self.port}/"

    def websocket(self, app: str = "live") -> str:
        """Give the address to which the clients of an app connect."""
        return f"ws://{_HOST}:{self.port}/{app}/websocket"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal("asyncio", name="signalreel-server"))
            self._runtime = stack.enter_context(self._portal.wrap_async_context_manager(self._serving()))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def submit(self, command: AnyHostCommand) -> None:
        """Order something as the host, and wait until it has happened: kick a session, end a stream, close a room."""
        self._portal.call(self._runtime.submit, command)

    @asynccontextmanager
    async def _serving(self) -> AsyncGenerator[Runtime]:
        listens = anyio.Event()
        with listen(_HOST, 0) as bound:
            self.port = bound.getsockname()[1]
            async with (
                self._make_runtime(self.reel, media=self.media, gate=self._gate) as runtime,
                anyio.create_task_group() as tasks,
            ):

                async def run() -> None:
                    await serve(runtime, bound, ready=listens.set, heed_signals=False)

                tasks.start_soon(run)
                await listens.wait()
                yield runtime
                tasks.cancel_scope.cancel()
