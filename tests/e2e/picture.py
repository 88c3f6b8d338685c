"""Take the picture of the viewer that the documents show: `python -m tests.e2e.picture [FILE]`.

The reel is the golden one of this version; nothing in the picture is arranged by hand.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import ViewportSize, sync_playwright

from signalreel.header import ENGINE_VERSION
from signalreel_adapters import SqliteReel
from signalreel_adapters.viewer import export_page
from tests.e2e.browser import launch
from tests.repository import ROOT

__all__ = ("main",)

PICTURE: Final = ROOT / "docs" / "images" / "viewer.png"
SIZE: Final[ViewportSize] = {"width": 1360, "height": 800}
RECORD: Final = 24
"""A player is connected: its machine has come to the state that it is there for."""


def main(picture: Path = PICTURE) -> None:
    """Open the reel at a record, with the machine that it concerns, and take the picture."""
    reel = SqliteReel.read(ROOT / "tests" / "reels" / f"{ENGINE_VERSION}.reel")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "calls.html"
        page_file.write_text("".join(export_page(reel, "calls.reel", redacted=False)), encoding="utf-8")
        page = launch(playwright).new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{page_file.as_uri()}#{RECORD}")
        page.wait_for_selector(f'html[data-read][data-shown="{RECORD}"]', state="attached")
        page.locator("#tab-machine").click()
        page.locator("#panel-machine .fields dd").first.wait_for()
        page.mouse.move(0, 0)
        page.screenshot(path=picture)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
