"""Take the picture of the page that the README shows: `python -m tests.e2e.screenshot [FILE]`.

A real server, a real browser, a stream that is published and played; nothing in the picture is arranged by hand.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.e2e.browser import Guests, launch, see_moving_picture
from tests.e2e.server import Server
from tests.repository import ROOT

__all__ = ("main",)

PICTURE: Final = ROOT / "docs" / "images" / "page.png"
SIZE: Final[ViewportSize] = {"width": 1280, "height": 800}

SETTLED_MILLISECONDS: Final = 45_000
"""Until the bitrates have been measured for most of the minute that is drawn, and the picture has become sharp."""


def begin(page: Page, panel: str) -> None:
    """Click on a panel's tab and on what it is there for."""
    page.locator(f"#tab-{panel}").click()
    page.locator(f"#panel-{panel} button[type=submit]").click()
    page.locator(f"#panel-{panel} .status[data-state=live]").wait_for()


def main(picture: Path = PICTURE) -> None:
    """Publish, play, and take the picture."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        Server(Path(folder)) as server,
        Guests(launch(playwright), server.url, server.sdk_url) as guests,
    ):
        page = guests.open("?stream=stream1")
        page.set_viewport_size(SIZE)
        page.get_by_label("Several sizes").check()
        begin(page, "publish")
        begin(page, "play")
        see_moving_picture(page, '#panel-play figure[data-source="stream1"] video')
        page.wait_for_timeout(SETTLED_MILLISECONDS)
        page.mouse.move(0, 0)
        page.screenshot(path=picture)
        guests.check()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
