"""What players were last measured to take and to be sent: a projection of steps, beside the engine.

The engine passes a measurement on to its player and forgets it, so whoever asks later is told from here. There is an
entry for no playback but those that live: it goes with its playback.
"""

from types import TracebackType
from typing import Final, Self

import anyio
import anyio.abc

from signalreel.events import BitrateMeasured
from signalreel.identifiers import Kind, Reference
from signalreel.step import Step
from signalreel_adapters.runtime import Runtime, Subscription
from signalreel_adapters.runtime.tasks import end_tasks

__all__ = ("Bitrates",)


class Bitrates:
    """The last measurement of each playback of a runtime. Enter it beside the runtime, and leave it before."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime: Final = runtime
        self._last: dict[Reference, BitrateMeasured] = {}
        self._tasks: anyio.abc.TaskGroup | None = None

    def __len__(self) -> int:
        return len(self._last)

    def of(self, app: str, id: str, born: int) -> BitrateMeasured | None:
        """What was measured last of a playback, if anything was."""
        return self._last.get(Reference(Kind.PLAYBACK, app, id, born))

    async def __aenter__(self) -> Self:
        tasks = anyio.create_task_group()
        await tasks.__aenter__()
        tasks.start_soon(self._follow, self._runtime.steps())
        self._tasks = tasks
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        tasks, self._tasks = self._tasks, None
        return await end_tasks(tasks, kind, error, traceback) if tasks is not None else None

    async def _follow(self, steps: Subscription) -> None:
        missed = 0
        with steps:
            async for step in steps:
                self._note(step)
                if steps.missed > missed:
                    # The end of a playback may be among what was missed.
                    missed = steps.missed
                    self._last = {one: last for one, last in self._last.items() if self._lives(one)}

    def _note(self, step: Step) -> None:
        event = step.record.event
        if isinstance(event, BitrateMeasured) and self._lives(event.machine):
            self._last[event.machine] = event
        for transition in step.transitions:
            if transition.machine in self._last and not self._lives(transition.machine):
                del self._last[transition.machine]

    def _lives(self, playback: Reference) -> bool:
        found = self._runtime.engine.find(Kind.PLAYBACK, playback.id, app=playback.app)
        return found is not None and found.born == playback.born
