"""Ending the tasks of whoever is entered with `async with` and has tasks of its own while it is."""

from types import TracebackType

import anyio
import anyio.abc

__all__ = ("end_tasks",)


async def end_tasks(
    tasks: anyio.abc.TaskGroup,
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> bool | None:
    """Cancel the tasks of a group that was entered, and leave it, with what the body has ended with.

    Gives what `__aexit__` is to give. Raises what one of the tasks failed with.
    """
    tasks.cancel_scope.cancel()
    # An error of the body is not the task group's business: handed to it, it would come back wrapped in a group.
    ours = error is None or isinstance(error, anyio.get_cancelled_exc_class())
    handled = await tasks.__aexit__(*((kind, error, traceback) if ours else (None, None, None)))
    return handled if ours else None
