"""Carrying one client over a transport: a task reads, another writes, and the first to end ends both.

Whatever a transport or a client does ends one session and nothing else.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import anyio
import anyio.lowlevel

from signalreel_adapters.ports import Transport, TransportClosed
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.log import Log
from signalreel_adapters.runtime.outbox import Outbox
from signalreel_adapters.runtime.session import Session

__all__ = ("READ_RUN_MAX", "close_unserved", "serve_transport")

READ_RUN_MAX: Final = 32
"""Messages of one transport read in a row before everyone else has a turn: receiving what is there never waits."""

_log: Final = Log("signalreel.transport")


async def serve_transport(transport: Transport, session: Session, outbox: Outbox, counters: Counters) -> None:
    """Carry both directions until one of them ends. The session has ended when this returns, however it returns."""
    end = TransportClosed(1006, "cancelled")
    try:
        async with anyio.create_task_group() as both:

            async def carry(half: Callable[[], Awaitable[None]]) -> None:
                nonlocal end
                try:
                    await half()
                except TransportClosed as error:
                    end = error
                except Exception as error:  # noqa: BLE001 - a transport's bug ends its session, nothing else
                    counters.transport_failures += 1
                    _log.error("transport failed", session=session.id, error=type(error).__name__)
                    end = TransportClosed(1011, "transport failed")
                # Said before the other half is cancelled: a session must not outlive its transport by a wait.
                outbox.discard()
                session.closed(end.code, end.reason)
                both.cancel_scope.cancel()

            both.start_soon(carry, partial(outbox.carry_to, transport))
            await carry(partial(_read, transport, session))
    finally:
        outbox.discard()
        session.closed(end.code, end.reason)


async def close_unserved(transport: Transport, code: int, counters: Counters, close_ms_max: int) -> None:
    """Close a transport that got no session."""
    try:
        with anyio.move_on_after(close_ms_max / 1_000):
            await transport.close(code, "no room for another session")
    except Exception as error:  # noqa: BLE001 - a transport's bug ends its session, nothing else
        counters.transport_failures += 1
        _log.error("transport failed", error=type(error).__name__)


async def _read(transport: Transport, session: Session) -> None:
    """Feed a session from its transport, no faster than its input is applied, and in turn with the others."""
    while True:
        for _ in range(READ_RUN_MAX):
            data = await transport.receive()
            if not session.receive(data):
                await session.room()
        await anyio.lowlevel.checkpoint()
