"""`signalreel_adapters.runtime.serving`; what it does for whole sessions is in `test_loop`."""

import anyio
import pytest

from signalreel_adapters import Limits, MemoryClient, Runtime
from signalreel_adapters.ports import Peer
from signalreel_adapters.runtime.counters import Counters
from signalreel_adapters.runtime.serving import READ_RUN_MAX, close_unserved

pytestmark = pytest.mark.anyio


class Closing:
    """A transport that is only ever closed, in the way that the test says."""

    peer = Peer("memory")

    def __init__(self, *, sleeps: bool = False, raises: bool = False) -> None:
        self.closed: list[int] = []
        self._sleeps = sleeps
        self._raises = raises

    async def receive(self) -> bytes | str:
        """Give nothing."""
        return b""

    async def send(self, data: bytes) -> None:
        """Take nothing."""

    async def close(self, code: int, reason: str) -> None:
        """Close, never return, or raise."""
        self.closed.append(code)
        if self._sleeps:
            await anyio.sleep_forever()
        if self._raises:
            raise LookupError("canary")


@pytest.mark.parametrize(
    "transport", [Closing(), Closing(sleeps=True), Closing(raises=True)], ids=["closes", "never returns", "raises"]
)
async def test_turning_a_transport_away_ends_whatever_it_does(transport: Closing) -> None:
    """A transport without a session is closed with the code, in a bounded time, and its bugs are counted."""
    transport.closed.clear()
    counters = Counters()
    await close_unserved(transport, 1013, counters, close_ms_max=1)

    assert transport.closed == [1013]
    assert counters.transport_failures == (1 if transport._raises else 0)


class Pouring:
    """A transport that always has another ping, and a limit of how many."""

    peer = Peer("memory")

    def __init__(self, pings: int) -> None:
        self.left = pings

    async def receive(self) -> bytes | str:
        """Give a ping without waiting, as a socket does while frames are there; in the end nothing."""
        if not self.left:
            await anyio.sleep_forever()
        self.left -= 1
        return b'{"command":"ping"}'

    async def send(self, data: bytes) -> None:
        """Take it."""

    async def close(self, code: int, reason: str) -> None:
        """Take the end."""


async def test_a_session_that_pours_lets_the_others_have_their_turn() -> None:
    """Another session is answered long before a flood has been read, however fast the flood is."""
    flood = Pouring(100 * READ_RUN_MAX)
    async with Runtime(limits=Limits(pings_per_s_max=-1)) as runtime, anyio.create_task_group() as tasks:
        other = MemoryClient(runtime)
        await other.send({"command": "ping"})
        tasks.start_soon(runtime.attach, flood)
        await other.expect("pong")
        left = flood.left
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()

    assert (left > 50 * READ_RUN_MAX, flood.left) == (True, 0)
