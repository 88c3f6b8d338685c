"""One machine's jobs, one after the other, in a task of their own.

The adapter must not block, and what it is told about one machine must happen in order: an offer that is being answered
before the candidate behind it. Different machines wait for each other nowhere.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from signalreel_adapters.media.aiortc.failures import Failures

__all__ = ("Actor", "Job")

Job = Callable[[], Awaitable[None]]


class Actor:
    """Runs jobs in the order in which they were posted. A job that raises is logged, and the next one runs."""

    def __init__(self, inbox_max: int, failures: Failures) -> None:
        self._failures = failures
        self._inbox: deque[Job] = deque()
        self._inbox_max = inbox_max
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def post(self, job: Job, *, must: bool = False) -> bool:
        """Have a job run; false when too many are waiting, or the actor is closed.

        One that `must` run is taken however many wait: post so what happens once in a machine's life, never what a
        client can repeat.
        """
        if self._closed or (len(self._inbox) >= self._inbox_max and not must):
            return False
        self._inbox.append(job)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return True

    async def _run(self) -> None:
        # The task ends when there is nothing to do: ten thousand idle machines are no tasks at all.
        try:
            while self._inbox:
                try:
                    await self._inbox.popleft()()
                except Exception as error:  # noqa: BLE001 - one job's bug must not stop the others
                    self._failures.note("media job failed", error)
        finally:
            self._task = None

    async def close(self) -> None:
        """Drop the jobs that wait, and end the one that runs."""
        self._closed = True
        self._inbox.clear()
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
