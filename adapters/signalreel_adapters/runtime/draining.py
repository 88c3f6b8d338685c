"""Ending in good order: telling everyone, spread over time, and waiting for those who leave by themselves."""

from collections.abc import Callable, Mapping

import anyio

from signalreel.events import ShutdownAnnounced
from signalreel_adapters.ports import Clock
from signalreel_adapters.runtime.inbox import Pending
from signalreel_adapters.runtime.limits import MICROSECONDS, Limits
from signalreel_adapters.runtime.session import Session

__all__ = ("tell_all", "until_left")


async def tell_all(
    sessions: Mapping[str, Session], enqueue: Callable[[Pending], None], clock: Clock, limits: Limits
) -> None:
    """Announce the end to every session, one record each, with a pause between two: clients reconnect when told."""
    told = list(sessions.values())
    pause = min(limits.drain_step_ms, limits.drain_spread_ms // len(told)) if told else 0
    for session in told:
        enqueue(Pending(session.id, event=ShutdownAnnounced()))
        if pause:
            await clock.sleep_until(clock.now() + pause * MICROSECONDS)


async def until_left(sessions: Mapping[str, Session], clock: Clock, limits: Limits) -> None:
    """Return when all sessions have left by themselves, or their grace is over."""
    if not limits.drain_grace_ms or not sessions:
        return
    async with anyio.create_task_group() as either:

        async def grace() -> None:
            await clock.sleep_until(clock.now() + limits.drain_grace_ms * MICROSECONDS)
            either.cancel_scope.cancel()

        either.start_soon(grace)
        while sessions:
            await next(iter(sessions.values())).ended()
        either.cancel_scope.cancel()
