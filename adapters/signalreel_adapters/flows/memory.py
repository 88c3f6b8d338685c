"""The stage in this process: a runtime for each flow, clients in memory. No socket, no wait, asyncio or trio."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final, cast

from anyio.lowlevel import checkpoint

from signalreel_adapters.flows.hosting import RuntimeHost, hosted
from signalreel_adapters.flows.script import Flow
from signalreel_adapters.flows.stages import Decoded, FlowClient
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.transports.memory import MemoryClient

__all__ = ("MemoryFlowClient", "MemoryStage", "memory_stage")

_TURNS: Final = 16
"""Turns of the event loop: more than there are tasks that a message passes through, which are the transport's reader,
the gate's and the outbox's."""


class MemoryFlowClient:
    """A client of the runtime."""

    def __init__(self, runtime: Runtime, app: str) -> None:
        self._runtime = runtime
        self._client = MemoryClient(runtime, app=app)

    async def send(self, message: object) -> None:
        """Send an object as JSON, or a text as it is, and let it have its effect before anybody else says something."""
        await self._client.send(cast(Mapping[str, object] | str, message))
        await _settle(self._runtime)

    async def receive(self) -> Decoded:
        """Wait for the next message."""
        return await self._client.receive()

    async def close(self) -> None:
        """Leave, and wait until the runtime has taken note."""
        await self._client.close()


class MemoryStage:
    """Clients in memory of the runtime that `host` holds."""

    def __init__(self, host: RuntimeHost) -> None:
        self.host = host

    async def connect(self, app: str) -> FlowClient:
        """Open another session."""
        return MemoryFlowClient(self.host.runtime, app)

    async def settle(self) -> None:
        """Let everything happen that happens by itself."""
        await _settle(self.host.runtime)


async def _settle(runtime: Runtime) -> None:
    """Let all tasks have their turns, on the way to the runtime's inbox and on the way back from it.

    `anyio.wait_all_tasks_blocked` would do too, but naps a tenth of a second on asyncio whenever a task is not blocked.
    """
    for _ in range(_TURNS):
        await checkpoint()
    await runtime.idle()
    for _ in range(_TURNS):
        await checkpoint()


@asynccontextmanager
async def memory_stage(flow: Flow) -> AsyncGenerator[MemoryStage]:
    """Make the stage for one flow."""
    async with hosted(flow) as host:
        yield MemoryStage(host)
