"""The official JavaScript SDK, unedited, where publishing takes a token."""

import time
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser

from signalreel.registered import Purpose
from signalreel_adapters.access.jwt import web_token
from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, see_moving_picture
from tests.e2e.cable import Cable
from tests.e2e.guarded import TOKEN_KEY
from tests.e2e.server import PAGES_PREFIX, Server, check_that_it_replays
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 40  # what the calls of this file put on the reel, less what depends on timing
TOKEN_SECONDS: Final = 3_600
BACK_SECONDS_MAX: Final = 40.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with access control."""
    with Server(tmp_path_factory.mktemp("server"), guarded=True) as running:
        yield running


def token_for(stream_id: str) -> str:
    """Issue a token as the site around the server does."""
    return web_token(TOKEN_KEY, stream_id, Purpose.PUBLISH, int(time.time()) + TOKEN_SECONDS)


def test_publishing_takes_the_stream_s_own_token(guests: Guests) -> None:
    """Without a token, and with one for another stream, nothing is published; with its own it is, and is played."""
    for token in (None, token_for("other")):
        stranger = guests.open_sdk(reconnectIfRequiredFlag=False)
        stranger.call("publish", "guarded", token)
        assert stranger.until("error unauthorized_access")["streamId"] == "guarded"

    publisher = guests.open_sdk()
    publisher.call("publish", "guarded", token_for("guarded"))
    publisher.until("publish_started")
    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", "guarded")

    see_moving_picture(viewer.page, "#player-guarded")


def test_a_publisher_that_comes_back_finds_its_viewers(
    browser: Browser, server: Server, guests: Guests, evidence: EvidenceNotes
) -> None:
    """The viewer keeps its connection while the publisher is away, is told nothing, and sees it move again."""
    with Cable(server.port) as cable, Guests(browser, cable.url, cable.url + f"{PAGES_PREFIX}/sdk.html") as away:
        publisher = away.open_sdk()
        publisher.call("publish", "kept", token_for("kept"))
        publisher.until("publish_started")
        viewer = guests.open_sdk(isPlayMode=True)
        viewer.call("play", "kept")
        viewer.until("play_started")
        see_moving_picture(viewer.page, "#player-kept")
        stranger = guests.open_sdk(reconnectIfRequiredFlag=False)

        cable.cut()
        stranger.call("publish", "kept", token_for("other"))
        stranger.until("error unauthorized_access")
        publisher.until("session_restored", BACK_SECONDS_MAX)

        figures = see_moving_picture(viewer.page, "#player-kept")
        assert viewer.wire.count_heard("play_finished") == 0
        assert viewer.wire.connections == 1
        assert viewer.count("reconnection_attempt_for_player") == 0
        restored = publisher.wire.until_heard("session_restored", streamId="kept")
        said = publisher.wire.last_said("publish")
        evidence.tick("REAL-8", transport="browser", captured=restored, said=said, media=figures)
        away.check()


def test_the_reel_of_these_calls_replays(server: Server) -> None:
    """What the server recorded gives the same transitions, messages and digests again, under any hash seed."""
    server.stop()

    check_that_it_replays(server.reel, records_min=RECORDS_MIN)
