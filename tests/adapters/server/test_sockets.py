"""`signalreel_adapters.server.sockets`."""

import logging

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from signalreel_adapters import Limits
from tests.adapters.servers import served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """uvicorn's protocol is asyncio's."""
    return "asyncio"


async def test_a_client_that_was_ended_and_does_not_read_is_cut_off() -> None:
    """A connection whose buffer nobody empties does not stay: its socket is freed a while after its session."""
    limits = Limits(outbox_messages_max=8, close_ms_max=1)
    async with served(limits=limits) as server:
        slow = await connect(server.url(), compression=None, max_queue=1, ping_interval=None)
        question = '{"command":"publish","streamId":"' + "x" * 60_000 + '"}'
        with anyio.fail_after(20):
            while True:
                try:
                    await slow.send(question)
                except ConnectionClosed:
                    break

        assert server.runtime.counters.slow_sessions == 1


async def test_a_refusal_is_no_error_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """Refusing a handshake by status leaves no complaint in the log."""
    async with served() as server:
        with caplog.at_level(logging.WARNING), pytest.raises(InvalidStatus):
            await connect(server.url("/a%20b/websocket"))
        await anyio.wait_all_tasks_blocked()

    assert caplog.records == []
