"""Watching the load, and reporting it to the runtime when it crosses a limit of the settings, in either direction.

A record for each measurement would drown the reel, and one that wavers about a limit would let every second client in.
So the CPU load is the average of the last few samples, a limit that was crossed counts as crossed until the load is
clearly back, and nothing is reported in between.
"""

from collections import deque
from types import TracebackType
from typing import Final, Protocol, Self

import anyio
import anyio.abc

from signalreel.engine import Engine
from signalreel.events import AnyEvent, ResourcesMeasured
from signalreel_adapters.ports import Clock
from signalreel_adapters.resources.meter import CannotMeasure, Meter, Reading, SystemMeter
from signalreel_adapters.runtime.limits import MICROSECONDS
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.tasks import end_tasks

__all__ = ("CPU_SLACK_PERCENT", "MEMORY_SLACK_MB", "SAMPLES", "SAMPLE_MS", "Monitored", "ResourceMonitor")

SAMPLE_MS: Final = 1_000
"""Between two samples, in milliseconds. What real servers measure with."""

SAMPLES: Final = 5
"""Samples that the CPU load is the average of; before there are so many, no load is too high."""

CPU_SLACK_PERCENT: Final = 5
"""How far below its limit the CPU load falls before it counts as back; half of the limit where that is less."""

MEMORY_SLACK_MB: Final = 5
"""How far above its limit the free memory rises before it counts as back."""

_PERCENT: Final = 100
_log: Final = Log("signalreel.resources")


class Monitored(Protocol):
    """What a monitor needs of a runtime."""

    @property
    def clock(self) -> Clock:
        """What it waits by, unless it has a clock of its own."""
        ...

    @property
    def engine(self) -> Engine:
        """Where the limits are, and what was reported last."""
        ...

    def report(self, event: AnyEvent) -> None:
        """Take a measurement that matters."""
        ...


class ResourceMonitor:
    """Measures as long as it is entered: `async with Runtime() as runtime, ResourceMonitor(runtime):`.

    On a system whose load cannot be read it says so in the log, once, and does nothing; `is_measuring` tells.
    """

    def __init__(
        self,
        runtime: Monitored,
        *,
        meter: Meter | None = None,
        sample_ms: int = SAMPLE_MS,
        samples: int = SAMPLES,
        clock: Clock | None = None,
    ) -> None:
        if sample_ms < 1 or samples < 1:
            raise ValueError("there is at least one sample, and a millisecond between two")
        self.is_measuring = False  #: whether the load is known
        self.cpu_percent = 0  #: the average, as measured last
        self.free_memory_mb = -1  #: as measured last
        self._runtime = runtime
        self._meter: Meter = meter if meter is not None else SystemMeter()
        self._sample_us = sample_ms * MICROSECONDS
        self._clock = clock if clock is not None else runtime.clock
        self._percents: deque[int] = deque(maxlen=samples)
        self._reported: ResourcesMeasured | None = None
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        self._tasks = tasks
        tasks.start_soon(self._watch)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        tasks = self._tasks
        if tasks is None:
            return None
        self._tasks = None
        return await end_tasks(tasks, kind, error, traceback)

    async def _watch(self) -> None:
        try:
            before, since = self._meter.read(), self._clock.now()
        except CannotMeasure as error:
            _log.warning("load is not measured, so nobody is refused for it", why=error.what)
            return
        self.is_measuring = True
        while True:
            await self._clock.sleep_until(since + self._sample_us)
            try:
                now, at = self._meter.read(), self._clock.now()
            except CannotMeasure as error:
                self.is_measuring = False
                _log.warning("load is no longer measured", why=error.what)
                return
            self._percents.append(_percent(before, now, at - since))
            self.cpu_percent = sum(self._percents) // len(self._percents)
            self.free_memory_mb = now.free_memory_mb
            self._judge()
            before, since = now, at

    def _judge(self) -> None:
        """Report what was measured when it changes whether clients are let in."""
        settings = self._runtime.engine.settings
        known = self._known()
        was_busy = known.cpu_percent >= settings.cpu_percent_max
        was_short = 0 <= known.free_memory_mb < settings.free_memory_mb_min
        slack = min(CPU_SLACK_PERCENT, settings.cpu_percent_max // 2) if was_busy else 0
        is_busy = len(self._percents) == self._percents.maxlen and self.cpu_percent >= settings.cpu_percent_max - slack
        margin = MEMORY_SLACK_MB if was_short else 0
        is_short = self.free_memory_mb < settings.free_memory_mb_min + margin if settings.free_memory_mb_min else False
        if (is_busy, is_short) == (was_busy, was_short):
            return
        # What counts as crossed is told as crossed, whichever of the two has moved.
        cpu = max(self.cpu_percent, settings.cpu_percent_max) if is_busy else self.cpu_percent
        memory = min(self.free_memory_mb, settings.free_memory_mb_min - 1) if is_short else self.free_memory_mb
        if not is_busy:
            cpu = min(cpu, settings.cpu_percent_max - 1)  # Before there are enough samples, too.
        self._reported = ResourcesMeasured(cpu, memory)
        _log.info("load crossed a limit", cpu_percent=cpu, free_memory_mb=memory, busy=is_busy, short=is_short)
        self._runtime.report(self._reported)

    def _known(self) -> ResourcesMeasured:
        """Give what the engine knows, or will know once what was reported last has had its turn."""
        if self._reported is not None:
            return self._reported
        environment = self._runtime.engine.environment
        return ResourcesMeasured(environment.cpu_percent, environment.free_memory_mb)


def _percent(before: Reading, now: Reading, elapsed_us: int) -> int:
    """Give how much of the CPU time was used that could have been: of the limit that is closest to being reached."""
    if elapsed_us <= 0 or len(before.loads) != len(now.loads):
        return 0
    return max(
        min(_PERCENT, round((after.used_us - load.used_us) * _PERCENT / (elapsed_us * after.cpus)))
        for load, after in zip(before.loads, now.loads, strict=True)
    )
