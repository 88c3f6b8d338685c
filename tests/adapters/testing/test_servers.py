"""`signalreel_adapters.testing.servers`."""

import json
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from signalreel.host import EndStream
from signalreel.reel import MemoryReel
from signalreel_adapters.access.chain import ClosedGate
from signalreel_adapters.testing import ServerThread


def said(client: ClientConnection) -> dict[str, Any]:
    """The next message of the server."""
    message: dict[str, Any] = json.loads(client.recv(timeout=5))
    return message


def test_it_serves_pages_and_clients_until_the_block_ends() -> None:
    """A real port; what happens is on the reel of the test; at the end nobody listens."""
    reel = MemoryReel()
    with ServerThread(reel) as server:
        with urlopen(server.url) as page:
            assert page.status == 200
        with connect(server.websocket("other")) as client:
            client.send(json.dumps({"command": "publish", "streamId": "a"}))
            assert said(client)["command"] == "start"
            server.submit(EndStream("a", app="other"))
            assert said(client)["definition"] == "publishTimeoutError"
            client.send(json.dumps({"command": "publish", "streamId": "b"}))
            assert said(client)["command"] == "start"

    assert reel.last_seq > 3
    with pytest.raises((ConnectionClosed, OSError)):
        client.recv(timeout=5)
    with pytest.raises(URLError):
        urlopen(server.url)


def test_its_gate_is_that_of_the_test() -> None:
    """Whoever is not let in hears so."""
    with ServerThread(gate=ClosedGate()) as server, connect(server.websocket()) as client:
        client.send(json.dumps({"command": "publish", "streamId": "a"}))

        assert said(client)["definition"] == "unauthorized_access"
