"""What Chrome's network panel would save of the official SDK's calls becomes a flow, and the flow holds elsewhere."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import anyio
import pytest

from signalreel_adapters.flows import Performed, memory_stage, parse_flow, perform
from signalreel_adapters.flows.har import flow_from_har
from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, SdkPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

SECRET: Final = "a token that is nobody else's"
ADDRESS: Final = "ws://localhost:5080/live/websocket"
TEXT: Final = 1
"""The opcode of a text frame."""


def archive_of(*pages: SdkPage) -> bytes:
    """What the network panel saves: an entry for each WebSocket, with its messages and their times."""
    sockets = [[{**frame._asdict(), "opcode": TEXT} for frame in page.wire.frames] for page in pages]
    entries = [{"request": {"url": ADDRESS}, "_webSocketMessages": frames} for frames in sockets]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


async def performed(text: str) -> Performed:
    """Perform a flow in memory."""
    flow = parse_flow(text, file="imported.flow", app="live")
    async with memory_stage(flow) as stage:
        return await perform(flow, stage)


def test_calls_of_the_official_sdk_can_be_imported_and_performed(guests: Guests) -> None:
    """Publishing, playing and stopping; the flow holds on a server in memory, and knows no secret of the call."""
    publisher = guests.open_sdk()
    publisher.call("publish", "imported", SECRET)
    publisher.until("publish_started")
    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", "imported")
    viewer.until("play_started")
    viewer.call("stop", "imported")
    viewer.until("play_finished")
    publisher.call("stop", "imported")
    publisher.until("publish_finished")

    text = flow_from_har(archive_of(publisher, viewer), title="a call of the official SDK")
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright keeps an event loop of its own in this thread.
        transcript = elsewhere.submit(anyio.run, performed, text).result().transcript

    assert SECRET not in text
    assert "a=candidate" not in text
    assert transcript[0] == "client1 connects to live"
    for name in ("publish_started", "play_started", "play_finished", "publish_finished"):
        assert sum(name in line for line in transcript) == 1
