"""`signalreel_adapters.server.run`: whose word counts about where a client is."""

import pytest
from websockets.asyncio.client import connect

from signalreel.commands import AnyCommand
from signalreel_adapters.ports import SessionInfo, Verdict
from tests.adapters.servers import JsonSocket, served

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """uvicorn is asyncio's."""
    return "asyncio"


class Witness:
    """A gate that lets everybody in and remembers from where they came."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def decide(self, _: AnyCommand, session: SessionInfo) -> Verdict:
        """Allow."""
        self.addresses.append(session.peer.address)
        return Verdict.allow()


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ((), "192.0.2.1", "127.0.0.1"),
        (("198.51.100.1",), "192.0.2.1", "127.0.0.1"),
        (("127.0.0.1",), "192.0.2.1", "192.0.2.1"),
        (("127.0.0.0/8",), "203.0.113.9, 192.0.2.1, 127.0.0.2", "192.0.2.1"),
        (("127.0.0.1",), None, "127.0.0.1"),
    ],
    ids=["no proxies", "another proxy", "a proxy", "behind what the client said", "a proxy that says nothing"],
)
async def test_only_proxies_say_where_a_client_is(
    proxies: tuple[str, ...], forwarded: str | None, address: str
) -> None:
    """`X-Forwarded-For` is believed of proxies that were named and of nobody else, not even on this machine."""
    witness = Witness()
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    async with (
        served(gate=witness, proxies=proxies) as server,
        connect(server.url(), additional_headers=headers) as one,
    ):
        client = JsonSocket(one)
        await client.send({"command": "play", "streamId": "s"})
        await client.receive()

    assert witness.addresses == [address]
