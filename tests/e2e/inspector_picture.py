"""Take the picture of the inspector that the documentation shows: `python -m tests.e2e.inspector_picture [FILE]`.

A real server with calls on it and a real browser; nothing in the picture is arranged by hand.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import ViewportSize, expect, sync_playwright

from tests.e2e.browser import launch
from tests.e2e.inspected import STREAM, inspected
from tests.repository import ROOT

__all__ = ("main",)

PICTURE: Final = ROOT / "docs" / "images" / "inspect.png"
SIZE: Final[ViewportSize] = {"width": 1280, "height": 860}
SETTLED_MILLISECONDS: Final = 3_000


def main(picture: Path = PICTURE) -> None:
    """Open a session, ask why another was refused, and take the picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        inspected(Path(folder)) as server,
        sync_playwright() as playwright,
        launch(playwright) as browser,
    ):
        page = browser.new_page(viewport=SIZE)
        page.goto(f"{server.url}inspect")
        page.locator('.tabs [data-kind="stream"]').click()
        page.locator("#rows tr", has_text=STREAM).locator("td button").first.click()
        page.wait_for_timeout(SETTLED_MILLISECONDS)
        page.locator(".moves .refusal button", has_text="Why?").first.click()
        expect(page.locator("#why-told")).to_contain_text(STREAM)
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=picture)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
