"""A runtime whose clients choose what goes wrong, by the ids that they name."""

from typing import Any

import anyio

from signalreel_adapters.ports import Transport
from signalreel_adapters.runtime import Runtime
from signalreel_adapters.runtime.outbox import Outbox
from signalreel_adapters.runtime.session import Session
from signalreel_adapters.testserver.transport import Attempts, MockedTransport

__all__ = ("MockingRuntime",)


class MockingRuntime(Runtime):
    """A `Runtime` that serves every transport through the faults of `signalreel_adapters.testserver.FAULTS`.

    Not for production: whoever connects can have its own commands refused, and its own connection closed. Others are
    served as always.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._attempts: Attempts = {}

    async def _serve(self, transport: Transport, opened: tuple[Session, Outbox] | int) -> None:
        async with anyio.create_task_group() as tasks:
            mocked = MockedTransport(transport, self._attempts, self.clock, tasks)
            tasks.start_soon(mocked.pump)
            try:
                await super()._serve(mocked, opened)
            finally:
                tasks.cancel_scope.cancel()
                mocked.release()
