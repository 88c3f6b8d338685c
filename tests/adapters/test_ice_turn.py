"""The credentials that clients are told, shown to a real TURN server that shares the secret."""

import asyncio
from collections.abc import Iterator

import pytest
from aioice import stun
from aioice.turn import create_turn_endpoint

from signalreel_adapters import MemoryClient, Runtime, TurnRest
from signalreel_adapters.testing import ManualClock
from tests.adapters.turn import turn_server

pytestmark = [pytest.mark.anyio, pytest.mark.threat("T25"), pytest.mark.parametrize("anyio_backend", ["asyncio"])]

SECRET = "the-secret-of-both-servers"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A TURN server that shares our secret."""
    arguments = ("--use-auth-secret", f"--static-auth-secret={SECRET}")
    with turn_server(tmp_path_factory.mktemp("turn"), *arguments) as opened:
        yield opened


async def told(turn: TurnRest) -> tuple[str, str]:
    """What a client is told when it asks."""
    async with Runtime(ice=turn) as runtime, MemoryClient(runtime) as client:
        await client.send({"command": "getIceServerConfig"})
        message = await client.receive()
    return message["turnServerUsername"], message["turnServerCredential"]


async def allocate(port: int, username: str, password: str) -> None:
    """Have something relayed with these credentials, as a browser does."""
    transport, _ = await create_turn_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", port), username, password)
    assert transport.get_extra_info("sockname")[0] == "127.0.0.1"
    transport.close()
    await asyncio.sleep(0.05)


async def test_what_clients_are_told_is_taken(port: int) -> None:
    """A password of `getIceServerConfig` makes an allocation."""
    await allocate(port, *await told(TurnRest(f"turn:127.0.0.1:{port}", SECRET)))


async def test_one_that_has_expired_is_refused(port: int) -> None:
    """Made long ago, with the right secret."""
    long_ago = TurnRest(f"turn:127.0.0.1:{port}", SECRET, clock=ManualClock())
    with pytest.raises(stun.TransactionFailed):
        await allocate(port, *await told(long_ago))


async def test_one_of_another_secret_is_refused(port: int) -> None:
    """And so is one whose end somebody has put off."""
    username, password = await told(TurnRest(f"turn:127.0.0.1:{port}", "the-secret-of-somebody-else"))
    with pytest.raises(stun.TransactionFailed):
        await allocate(port, username, password)
    username, password = await told(TurnRest(f"turn:127.0.0.1:{port}", SECRET))
    ends, _, tag = username.partition(":")
    with pytest.raises(stun.TransactionFailed):
        await allocate(port, f"{int(ends) + 1_000}:{tag}", password)
