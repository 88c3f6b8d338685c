"""The official JavaScript SDK, unedited, where the server goes wrong because the stream id asks for it."""

import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, see_moving_picture
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

LATE_SECONDS: Final = 2.0
BACK_SECONDS_MAX: Final = 40.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The test server, with real media."""
    with Server(tmp_path_factory.mktemp("server"), mocking=True) as running:
        yield running


def test_refusals_reach_the_app(guests: Guests) -> None:
    """As the errors that the SDK hands to its callback, at publishing and at playing."""
    publisher = guests.open_sdk(reconnectIfRequiredFlag=False)
    for definition in ("streamIdInUse", "highResourceUsage", "unauthorized_access"):
        publisher.call("publish", f"mock:{definition}")
        assert publisher.until(f"error {definition}")["streamId"] == f"mock:{definition}"

    viewer = guests.open_sdk(isPlayMode=True, reconnectIfRequiredFlag=False)
    viewer.call("play", "mock:viewerLimitReached")
    viewer.until("error viewerLimitReached")


def test_a_fault_leaves_the_media_alone(guests: Guests) -> None:
    """Answers come late; then the stream is live, and another page sees it move."""
    stream_id = "mock:slow_answer=2s|name=cam"
    publisher = guests.open_sdk(reconnectIfRequiredFlag=False)
    asked = time.monotonic()
    publisher.call("publish", stream_id)
    publisher.until("publish_started")
    assert time.monotonic() - asked >= LATE_SECONDS

    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", stream_id)
    viewer.until("play_started")
    see_moving_picture(viewer.page, f'[id="player-{stream_id}"]')


def test_a_connection_that_is_closed_comes_back(guests: Guests) -> None:
    """The first attempt is thrown out after its start; the SDK publishes again by itself, and stays."""
    publisher = guests.open_sdk()
    publisher.call("publish", "mock:close_after_start|close=1013|times=1")
    publisher.until("publish_started")

    publisher.until("reconnection_attempt_for_publisher", BACK_SECONDS_MAX)
    publisher.until("publish_started", BACK_SECONDS_MAX)
    assert publisher.wire.connections == 2
