"""The server dies in the middle of calls and is started again on the same reel: the pages come back by themselves."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, see_moving_picture
from tests.e2e.server import Server, check_that_it_replays

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN = 16  # two publishes and two plays
BACK_MILLISECONDS_MAX = 30_000
VIDEO = '#panel-play figure[data-source="cam1"] video'


def expect_state(page: Page, panel: str, state: str) -> None:
    """Wait until a panel's line of status says this."""
    status = page.locator(f"#panel-{panel} .status")
    expect(status).to_have_attribute("data-state", state, timeout=BACK_MILLISECONDS_MAX)


def test_publisher_and_viewer_come_back(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing the dead run left live is in the way, and the reel of both runs replays as one."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder) as first, Guests(browser, first.url, first.sdk_url) as guests:
        page = guests.open("?stream=cam1")
        for panel in ("publish", "play"):
            page.locator(f"#tab-{panel}").click()
            page.locator(f"#panel-{panel} button[type=submit]").click()
            expect_state(page, panel, "live")
        see_moving_picture(page, VIDEO)

        first.kill()
        for panel in ("publish", "play"):
            expect_state(page, panel, "waiting")
        with Server(folder, first.port) as second:
            for panel in ("publish", "play"):
                expect_state(page, panel, "live")
            see_moving_picture(page, VIDEO)

    check_that_it_replays(second.reel, records_min=RECORDS_MIN)
