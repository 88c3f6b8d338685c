"""The encoder processes of all ladders of one adapter: started in the background, bounded in number, ended for sure."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from signalreel_adapters.media.aiortc.failures import Failures
from signalreel_adapters.media.ladder.messages import Command, Plan, SourcePacket, encode
from signalreel_adapters.pipes import PipesUnavailable
from signalreel_adapters.processes import Child

__all__ = ("EncoderProcess", "Encoders", "StartEncoder")

_MODULE: Final = "signalreel_adapters.media.ladder.child"

_WAITING_BYTES_MAX: Final = 262_144
"""What may wait for one encoder: a second of a good source. Later pictures would be of no use."""


class EncoderProcess(Protocol):
    """An encoder, from the moment on that it is to be started."""

    def send(self, message: Command | SourcePacket) -> bool:
        """Say something, never waiting; false when it does not listen yet, or too much is waiting already."""
        ...

    def kill(self) -> None:
        """End it as if it had ended by itself."""
        ...

    def close(self) -> None:
        """End it, in the background, and hear nothing of it any more."""
        ...


class StartEncoder(Protocol):
    """Starts an encoder; `None` when there are too many. `on_start` is called when it listens.

    `on_end` is called once, when it ends by itself or could not be started.
    """

    def __call__(
        self,
        plan: Plan,
        *,
        on_start: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> EncoderProcess | None:
        """Start one."""
        ...


class Encoders:
    """Starts encoders, no more than `count_max` at a time; `close` waits until all have ended."""

    def __init__(self, count_max: int, failures: Failures, *, module: str = _MODULE) -> None:
        self._count_max = count_max
        self._failures = failures
        self._module = module
        self._processes: set[_Process] = set()

    @property
    def count(self) -> int:
        """How many there are, those included that are being started or ended."""
        return len(self._processes)

    def start(
        self,
        plan: Plan,
        *,
        on_start: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
    ) -> EncoderProcess | None:
        """Start one, as `StartEncoder` has it."""
        if self.count >= self._count_max:
            return None
        process = _Process(self._module, plan, on_start, on_message, on_end, self._failures, self._processes.discard)
        self._processes.add(process)
        return process

    async def close(self) -> None:
        """End all of them."""
        for process in tuple(self._processes):
            process.close()
        while self._processes:
            await asyncio.gather(*(process.ended() for process in self._processes))


class _Process:
    """One encoder process and the task that owns it."""

    def __init__(
        self,
        module: str,
        plan: Plan,
        on_start: Callable[[], None],
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
        failures: Failures,
        forget: Callable[["_Process"], None],
    ) -> None:
        self._on_start = on_start
        self._on_message = on_message
        self._on_end = on_end
        self._failures = failures
        self._child: Child | None = None
        self._is_over = asyncio.Event()
        self._listens = False  # it has said something: until then packets would only wait
        self._is_closing = False
        self._task = asyncio.get_running_loop().create_task(self._run(module, plan))
        self._task.add_done_callback(lambda _: forget(self))

    def send(self, message: Command | SourcePacket) -> bool:
        if self._child is None or not self._listens or self._is_closing:
            return False
        return self._child.send(message.encode() if isinstance(message, SourcePacket) else encode(message))

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()

    def close(self) -> None:
        self._is_closing = True
        self._is_over.set()

    async def ended(self) -> None:
        """Wait until nothing is left of it."""
        await asyncio.wait((self._task,))

    async def _run(self, module: str, plan: Plan) -> None:
        try:
            self._child = await Child.start(
                module,
                msgspec.json.encode(plan).decode(),
                on_message=self._take,
                on_end=self._is_over.set,
                waiting_bytes_max=_WAITING_BYTES_MAX,
            )
        except (OSError, PipesUnavailable) as error:
            self._failures.note("no encoder can be started", error)
        else:
            await self._is_over.wait()
            await self._child.close()
        if not self._is_closing:
            self._on_end()

    def _take(self, message: bytes) -> None:
        if self._is_closing:
            return
        if not self._listens:
            self._listens = True
            self._on_start()
        self._on_message(message)
