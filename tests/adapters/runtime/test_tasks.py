"""`signalreel_adapters.runtime.tasks`: what ends a body is raised as it is, and no task outlives it."""

from types import TracebackType
from typing import Self

import anyio
import anyio.abc
import pytest

from signalreel_adapters.runtime.tasks import end_tasks

pytestmark = pytest.mark.anyio


class Worker:
    """Has one task of its own, which sleeps until it is cancelled."""

    def __init__(self) -> None:
        self.has_ended = False
        self._tasks: anyio.abc.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()
        await self._tasks.start(self._sleep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._tasks is not None
        return await end_tasks(self._tasks, kind, error, traceback)

    async def _sleep(self, *, task_status: anyio.abc.TaskStatus[None]) -> None:
        try:
            task_status.started()
            await anyio.sleep_forever()
        finally:
            self.has_ended = True


async def test_a_body_that_ends_ends_the_tasks() -> None:
    """They would never end by themselves."""
    async with Worker() as worker:
        pass

    assert worker.has_ended


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    """A task group would wrap it, and nobody who waits for it would find it."""
    worker = Worker()
    with pytest.raises(ValueError, match="of the body"):
        async with worker:
            raise ValueError("of the body")

    assert worker.has_ended


async def test_who_is_cancelled_ends_the_tasks_too() -> None:
    """And goes on behind the scope that was cancelled."""
    worker = Worker()
    with anyio.CancelScope() as scope:
        async with worker:
            scope.cancel()
            await anyio.sleep_forever()

    assert (worker.has_ended, scope.cancelled_caught) == (True, True)


async def test_what_a_task_failed_with_is_raised() -> None:
    """In a group, because several may have failed."""

    async def fail(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        try:
            task_status.started()
            await anyio.sleep_forever()
        finally:
            raise ValueError("of a task")

    tasks = anyio.create_task_group()
    await tasks.__aenter__()
    await tasks.start(fail)
    with pytest.raises(BaseExceptionGroup) as raised:
        await end_tasks(tasks, None, None, None)

    assert [str(error) for error in raised.value.exceptions] == ["of a task"]
