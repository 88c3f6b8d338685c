"""What the browser tests share: a server and a browser for each file of them, and a set of pages for each test.

Playwright's calls block on an event loop of its own, which it keeps running in this thread: so it is started for one
file of tests and stopped after it, and no other test meets it.
"""

from collections.abc import Generator, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.browser import Guests, launch
from tests.e2e.server import Server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the server wrote beside what failed in the browser."""
    report = yield
    server = item.funcargs.get("server") if isinstance(item, pytest.Function) else None
    if report.failed and isinstance(server, Server):
        report.sections.append(("server log", server.last_words()))
    return report


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server with a new reel."""
    with Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture
def guests(browser: Browser, server: Server) -> Iterator[Guests]:
    """The pages of one test. What they must not do is looked at when the test is over."""
    with Guests(browser, server.url, server.sdk_url) as opened:
        yield opened
        opened.check()
