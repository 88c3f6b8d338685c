"""`signalreel_adapters.flows.memory`: clients in memory, each a session of its own."""

import pytest

from signalreel_adapters.flows import memory_stage
from tests.adapters.flows.staging import flow_of

pytestmark = pytest.mark.anyio


async def test_each_client_is_a_session_of_its_app() -> None:
    """Clients of two apps do not meet under one id."""
    async with memory_stage(flow_of("server stops")) as stage:
        first, second = await stage.connect("a"), await stage.connect("b")
        for client in (first, second):
            await client.send({"command": "join", "streamId": "s"})

            assert (await client.receive())["definition"] == "joined"
        await stage.settle()
        assert stage.host.runtime.counters.sessions_opened == 2


async def test_settling_lets_everything_happen() -> None:
    """What was said has had its effect: nothing is under way any more."""
    async with memory_stage(flow_of("server stops")) as stage:
        client = await stage.connect("a")
        await client.send({"command": "join", "streamId": "s"})
        await stage.settle()

        assert stage.host.runtime.engine.seq == 2
