"""Keeping a media worker running: started, watched, and started again when it has ended.

One that ends soon after its start is started again later and later, so that what cannot work keeps no processor busy.
One whose loop stands still for too long, or that does not read what it is told, is ended.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Final

from signalreel.errors import SignalreelError
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.workers.messages import (
    Alive,
    Begin,
    End,
    FromWorker,
    Ready,
    ToWorker,
    Unable,
    encode,
    from_worker,
)
from signalreel_adapters.pipes import PipesUnavailable
from signalreel_adapters.processes import Child
from signalreel_adapters.runtime.log import Log

__all__ = ("Keeper", "WorkerUnable")

_START_SECONDS_MAX: Final = 60.0
"""How long a worker may take to begin: libraries are loaded, on a machine that may be busy."""

_STILL_SECONDS_MAX: Final = 15.0
"""How long a worker's loop may stand still before it is taken for dead."""

_HEALTHY_SECONDS: Final = 10.0
"""A worker that lived for so long has not failed at its start."""

_PAUSE_SECONDS_MIN: Final = 0.05
_PAUSE_SECONDS_MAX: Final = 10.0
_WAITING_BYTES_MAX: Final = 8_388_608  # of what a worker is told; beyond it, it is stuck

_log: Final = Log("signalreel.media")


class WorkerUnable(SignalreelError):
    """A media worker could not begin. `reason` says why: fit for the operator, free of secrets."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"a media worker could not begin: {reason}")


class Keeper:
    """One worker, whichever process it is at the moment. `on_up` and `on_down` are called in turn."""

    def __init__(
        self,
        program: Sequence[str],
        settings: AiortcSettings,
        on_message: Callable[[FromWorker], None],
        on_up: Callable[[], None],
        on_down: Callable[[], None],
        *,
        number: int = 0,
        notes: bool = False,
    ) -> None:
        self.ports: tuple[int, ...] = ()  #: the UDP port that its peers share, if they do
        self.starts = 0  #: how often a process was started
        self._program = tuple(program)
        self._settings = settings
        self._notes = notes
        self._on_message = on_message
        self._on_up = on_up
        self._on_down = on_down
        self._number = number
        self._child: Child | None = None
        self._ended = asyncio.Event()
        self._heard_at = 0.0
        self._began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """The process's number in the system; 0 while there is none."""
        return self._child.pid if self._child is not None else 0

    async def start(self) -> None:
        """Start the worker, and return when it works. Raises `WorkerUnable`."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())
        try:
            async with asyncio.timeout(_START_SECONDS_MAX):
                await self._began
        except TimeoutError:
            raise WorkerUnable(f"it was not ready within {_START_SECONDS_MAX:.0f} s") from None

    def send(self, message: ToWorker, files: Sequence[int] = ()) -> None:
        """Tell the worker something. One that does not read what it is told is ended."""
        child = self._child
        if child is not None and not child.send(encode(message), files):
            child.kill()

    async def close(self, seconds_max: float) -> None:
        """End the worker: in good order, if that takes no longer than this."""
        keeping, self._keeping = self._keeping, None
        child, self._child = self._child, None
        if keeping is not None:
            keeping.cancel()
        if child is not None:
            child.send(encode(End()))
            await child.close(seconds_max)
        if keeping is not None:
            await asyncio.gather(keeping, return_exceptions=True)
        if self._began.done() and not self._began.cancelled():
            self._began.exception()  # seen, whether anybody waited for it or not

    # ------------------------------------------------------------------------------------------------ the processes

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _PAUSE_SECONDS_MIN
        while True:
            began_at = loop.time()
            await self._run_one()
            if not self._began.done():
                self._began.set_exception(WorkerUnable("it ended while starting; its log may say why"))
            if loop.time() - began_at > _HEALTHY_SECONDS:
                pause = _PAUSE_SECONDS_MIN
            await asyncio.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS_MAX)

    async def _run_one(self) -> None:
        """Run a process to its end."""
        self._ended.clear()
        try:
            child = await Child.start(
                *self._program,
                on_message=self._take,
                on_end=self._ended.set,
                waiting_bytes_max=_WAITING_BYTES_MAX,
            )
        except OSError as error:
            _log.error("media worker not started", worker=self._number, reason=os.strerror(error.errno or 0))
            return
        except PipesUnavailable as error:
            _log.error("media worker not started", worker=self._number, reason=str(error))
            if not self._began.done():
                self._began.set_exception(WorkerUnable(str(error)))
            return
        self._child = child
        self.starts += 1
        self._heard_at = asyncio.get_running_loop().time() + _START_SECONDS_MAX
        self.send(Begin(self._settings, self._notes))
        self._tell(self._on_up)
        try:
            await self._until_ended(child)
        finally:
            if self._child is child:
                self._child = None
                if not self._ended.is_set():  # cancelled while it runs: nobody else would end it
                    child.kill()
        _log.warning("media worker lost", worker=self._number)
        self._tell(self._on_down)

    def _tell(self, callback: Callable[[], None]) -> None:
        """Tell whoever wants to know; a bug there is noted, and the worker is kept all the same."""
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody else would start the next process
            _log.failure("change of a media worker not taken", error, worker=self._number)

    async def _until_ended(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(_STILL_SECONDS_MAX / 2):
                    await self._ended.wait()
            except TimeoutError:
                if loop.time() - self._heard_at > _STILL_SECONDS_MAX:
                    _log.error("media worker stands still", worker=self._number)
                    child.kill()

    def _take(self, data: bytes) -> None:
        message = from_worker.decode(data)
        if not isinstance(message, Unable):
            self._heard_at = asyncio.get_running_loop().time()
        if isinstance(message, Ready):
            self.ports = message.ports
            if not self._began.done():
                self._began.set_result(None)
        elif isinstance(message, Unable):
            _log.error("media worker unable to begin", worker=self._number, reason=message.reason)
            if not self._began.done():
                self._began.set_exception(WorkerUnable(message.reason))
        elif not isinstance(message, Alive):
            self._on_message(message)
