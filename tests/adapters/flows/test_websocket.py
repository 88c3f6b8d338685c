"""`signalreel_adapters.flows.websocket`: addresses, and servers that are not there."""

import pytest

from signalreel_adapters.flows import FlowFailed, perform
from signalreel_adapters.flows.websocket import WebSocketStage, address_of
from signalreel_adapters.server import listen
from tests.adapters.flows.staging import flow_of, socket_stage

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, which the `websockets` library is for."""
    return "asyncio"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://localhost:5080", "ws://localhost:5080/app/websocket"),
        ("http://localhost:5080/", "ws://localhost:5080/app/websocket"),
        ("https://example.org", "wss://example.org/app/websocket"),
        ("wss://example.org/live/websocket?target=origin", "wss://example.org/live/websocket?target=origin"),
    ],
)
def test_an_address_names_the_app_unless_it_has_a_path(url: str, address: str) -> None:
    """A server that has one app only is named with its whole path; a query is kept."""
    assert address_of(url, "app") == address


@pytest.mark.parametrize("url", ["", "localhost:5080", "ftp://example.org", "ws://"])
def test_what_is_no_address_is_told(url: str) -> None:
    """With an example of one."""
    with pytest.raises(ValueError, match="write it as ws://localhost:5080"):
        address_of(url, "app")


async def test_a_path_is_taken_as_it_is() -> None:
    """All clients use it, whatever app the flow names."""
    flow = flow_of("app: other", 'anna > {"command": "ping"}', 'anna < {"command": "pong"}', "anna leaves")
    async with socket_stage(flow, path="/live/websocket") as stage:
        await perform(flow, stage)


async def test_a_server_that_is_not_there_fails_the_flow() -> None:
    """The line that connects fails, with the system's reason."""
    with listen("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
    with pytest.raises(FlowFailed) as failure:
        await perform(flow_of("anna connects"), WebSocketStage(f"ws://127.0.0.1:{port}"))

    assert failure.value.line == 2


async def test_a_server_that_refuses_the_handshake_fails_the_flow() -> None:
    """As for a path that names no app."""
    flow = flow_of('anna > {"command": "ping"}')
    async with socket_stage(flow, path="/nowhere") as stage:
        with pytest.raises(FlowFailed) as failure:
            await perform(flow, stage)

    assert "HTTP 404" in failure.value.found
