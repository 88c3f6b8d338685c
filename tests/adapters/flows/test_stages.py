"""`signalreel_adapters.flows.stages`: every stage keeps the same promises."""

from contextlib import AbstractAsyncContextManager
from typing import Final

import pytest

from signalreel_adapters.flows import Stage, memory_stage
from signalreel_adapters.flows.script import StopServer
from signalreel_adapters.ports import TransportClosed
from tests.adapters.flows.staging import flow_of, socket_stage

pytestmark = pytest.mark.anyio

STOP: Final = StopServer(line=1, source="server stops")


@pytest.fixture(params=["memory", "socket"])
def stage(request: pytest.FixtureRequest, anyio_backend: str) -> AbstractAsyncContextManager[Stage]:
    """Each stage in turn; sockets are asyncio's, so on trio the one in memory stands for both."""
    flow = flow_of("server stops")
    if request.param == "socket" and anyio_backend == "asyncio":
        return socket_stage(flow)
    return memory_stage(flow)


async def test_clients_say_and_hear(stage: AbstractAsyncContextManager[Stage]) -> None:
    """Objects and raw texts go out, objects come in; closing twice is harmless."""
    async with stage as place:
        client = await place.connect("live")
        await client.send("undefined")
        await client.send({"command": "ping"})

        assert await client.receive() == {"command": "pong"}
        await client.close()
        await client.close()


async def test_the_end_is_told(stage: AbstractAsyncContextManager[Stage]) -> None:
    """Sending and receiving after the end raise, with the code where the server closed."""
    async with stage as place:
        client = await place.connect("live")
        await client.send({"command": "ping"})
        await client.receive()
        assert place.host is not None
        await place.host.perform(STOP, "live")
        assert await client.receive() == {"command": "notification", "definition": "server_will_stop"}
        with pytest.raises(TransportClosed) as end:
            await client.receive()
        with pytest.raises(TransportClosed):
            await client.send({"command": "ping"})

        assert end.value.code == 1012
