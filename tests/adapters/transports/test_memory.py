"""`signalreel_adapters.transports.memory`: the contract, and the client for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from signalreel.commands import Publish
from signalreel_adapters import FakeMedia, MemoryClient, MemoryTransport, Runtime, TransportClosed
from signalreel_adapters.testing import TransportPair, check_transport
from signalreel_adapters.transports.memory import UnexpectedMessage
from tests.adapters.calls import names

pytestmark = pytest.mark.anyio


class End:
    """The client's end of a memory transport, for the contract."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport

    async def send(self, text: str) -> None:
        """Send as the client."""
        await self._transport.put(text)

    async def receive(self) -> bytes | str:
        """Receive as the client."""
        return await self._transport.get()

    async def close(self, code: int) -> None:
        """Close as the client."""
        self._transport.end(code, "")


@asynccontextmanager
async def make_pair() -> AsyncIterator[TransportPair]:
    """Make a fresh transport."""
    transport = MemoryTransport()
    yield TransportPair(transport, End(transport))


async def test_it_keeps_the_contract() -> None:
    """The transport within the process keeps every promise that a socket keeps."""
    await check_transport(make_pair)


async def test_a_full_server_holds_the_client_back() -> None:
    """A client that sends faster than the server reads waits; nothing is dropped."""
    transport = MemoryTransport(messages_max=2)
    await transport.put(b"1")
    await transport.put(b"2")
    with anyio.move_on_after(0) as scope:
        await transport.put(b"3")

    assert scope.cancelled_caught
    assert [await transport.receive(), await transport.receive()] == [b"1", b"2"]


class TestMemoryClient:
    """A client one can await."""

    async def test_speaks_in_commands_objects_and_raw_text(self) -> None:
        """All three travel as the bytes of a WebSocket, and go through the same decoding."""
        async with Runtime() as runtime:
            client = MemoryClient(runtime)
            await client.send(Publish(stream_id="a"))
            await client.send({"command": "publish", "streamId": "b"})
            await client.send('{"command":"publish","streamId":"c"}')
            await client.send(b"undefined")

            assert names(await client.flush()) == ["start", "already_publishing", "already_publishing"]
            assert runtime.counters.undecodable == {"not_json": 1}

    async def test_keeps_a_transcript(self) -> None:
        """Everything received is in the transcript, the pongs of `flush` aside."""
        async with Runtime(media=FakeMedia()) as runtime, MemoryClient(runtime) as client:
            await client.send(Publish(stream_id="a"))
            await client.expect("start")
            await client.send({"command": "stop", "streamId": "x"})
            await client.flush()

            assert names(client.transcript) == ["start"]

    async def test_tells_what_came_instead(self) -> None:
        """An expectation that is not met names both messages."""
        async with Runtime() as runtime:
            client = MemoryClient(runtime)
            await client.send({"command": "play", "streamId": "a"})
            with pytest.raises(UnexpectedMessage, match=r"expected 'start', got .*no_stream_exist"):
                await client.expect("start")

    async def test_notices_the_servers_close(self) -> None:
        """A client of a runtime that is left reads what was said before, then the end."""
        async with Runtime() as runtime:
            client = MemoryClient(runtime)
            await client.flush()
        end = await client.closed()

        assert (end.code, names(client.transcript)) == (1012, ["server_will_stop"])
        with pytest.raises(TransportClosed):
            await client.send({"command": "ping"})

    async def test_leaves_when_its_block_ends(self) -> None:
        """`async with` closes the client; the runtime lets its session go."""
        async with Runtime() as runtime:
            async with MemoryClient(runtime) as client:
                await client.flush()
                assert len(runtime.engine.sessions()) == 1
            await anyio.wait_all_tasks_blocked()
            assert runtime.engine.sessions() == ()
