"""A reel in pictures, in a real browser: as one file without any network, and served, however long it is."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import anyio
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from signalreel.commands import Publish
from signalreel.header import Header
from signalreel.record import encode_record
from signalreel.reel import MemoryReel
from signalreel.replay import engine_at_start
from signalreel.settings import Settings
from signalreel.step import outcome_of
from signalreel_adapters import SqliteReel
from signalreel_adapters.bench.mix import BACKGROUND_STREAMS, make_mix
from signalreel_adapters.viewer import export_page
from tests.e2e.browser import launch, until
from tests.engine.world import World

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]

EXPORTED_RECORDS: Final = 20_000
SERVED_RECORDS: Final = 100_000
BACKGROUND_RECORDS: Final = 5 * BACKGROUND_STREAMS
READ_SECONDS_MAX: Final = 60
HOSTILE: Final = '"><img src=x onerror="document.title=1"><script>document.title=2</script>'


def mixed(count: int, reel: MemoryReel | SqliteReel) -> None:
    """Record the fixed mix, so many records in all."""
    background, rest = make_mix(count - BACKGROUND_RECORDS)
    engine = engine_at_start(reel)
    for record in (*background, *rest):
        step = engine.apply(record)
        reel.append(record.seq, encode_record(record))
        reel.conclude(record.seq, outcome_of(step))


def stored(path: Path, count: int) -> None:
    """Record the mix in a file."""
    reel = SqliteReel(path, settings=Settings())
    mixed(count, reel)
    with ThreadPoolExecutor(1) as beside:  # This thread runs the browser's event loop.
        beside.submit(anyio.run, reel.commit).result()
    reel.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


class Watched:
    """A page, every request that it made, and everything that it complained of."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, url: str) -> Page:
        """Go there and wait until a record is shown."""
        self.page.goto(url)
        self.page.wait_for_selector("html[data-shown]", state="attached")
        return self.page

    def read(self, count: int) -> None:
        """Wait until the whole reel has been read."""
        self.page.wait_for_selector(f'html[data-read="{count}"]', state="attached", timeout=READ_SECONDS_MAX * 1_000)


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page of a new profile."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Watched(context)
    context.close()


def shown(page: Page, seq: int) -> None:
    """Wait until this record is the one that is shown, in the list and beside it."""
    page.wait_for_selector(f'html[data-shown="{seq}"]', state="attached")
    page.wait_for_selector(f'.record.chosen[data-seq="{seq}"]')


def scrub(page: Page, share: float) -> None:
    """Click on the scrub bar."""
    box = page.locator("#bar").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)


def written(reel: MemoryReel, path: Path, name: str = "calls.reel") -> str:
    """Export a reel; give the address of the file."""
    path.write_text("".join(export_page(reel, name, redacted=False)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with a long reel."""
    reel = MemoryReel(Header(Settings()))
    mixed(EXPORTED_RECORDS, reel)
    return written(reel, tmp_path_factory.mktemp("exported") / "calls.html")


def test_an_exported_reel_opens_without_a_network_and_can_be_gone_through(exported: str, watched: Watched) -> None:
    """Scrubbing, keys, search and filters work on 20 000 records, and no request leaves the page."""
    watched.page.context.set_offline(True)
    page = watched.open(exported)
    watched.read(EXPORTED_RECORDS)
    page.locator("#sequence").focus()
    shown(page, 1)
    for key, seq in (("End", EXPORTED_RECORDS), ("Home", 1), ("ArrowDown", 2), ("ArrowRight", 3), ("ArrowUp", 2)):
        page.keyboard.press(key)
        shown(page, seq)
    scrub(page, 0.5)
    middle = int(page.locator("#bar").get_attribute("aria-valuenow") or 0)
    shown(page, middle)
    assert abs(middle - EXPORTED_RECORDS / 2) < EXPORTED_RECORDS / 50

    page.locator("#sequence").focus()
    page.keyboard.press("/")
    page.keyboard.type("pair-")
    page.keyboard.press("Enter")
    until(page, "seq => Number(document.documentElement.dataset.shown) > seq", middle)
    assert "pair-" in page.locator("#panel-record").inner_text()
    assert page.locator(".record.matches").count() > 0

    page.locator("#search").fill("15000")
    page.keyboard.press("Enter")
    shown(page, 15_000)
    page.locator("#search").fill("")
    page.locator("#only").select_option("diverged")
    assert page.locator("#found").inner_text() == "0 records"
    page.locator("#of-session").fill("session-8")
    page.locator("#only").select_option("moved")
    count = int(page.locator("#found").inner_text().split()[0])
    assert 0 < count < EXPORTED_RECORDS
    page.locator("#sequence").focus()
    page.keyboard.press("End")
    page.keyboard.press("2")
    page.wait_for_selector("#panel-machine .state.current")
    page.keyboard.press("3")
    page.wait_for_selector("#panel-coverage td.seen")

    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith(("data:", exported))] == []


def test_the_policy_of_an_exported_page_forbids_requests(exported: str, watched: Watched) -> None:
    """Even a script in the page could not send anything out: to a server that listens, nobody connects."""
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        address = f"http://127.0.0.1:{elsewhere.getsockname()[1]}"
        page = watched.open(exported)
        said = page.evaluate(
            "url => fetch(url + '/?secret').then(() => 'sent', error => error.name)",
            address,
        )
        page.evaluate("url => new Promise(done => Object.assign(new Image(), { onerror: done, src: url }))", address)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()

    assert said == "TypeError"
    assert sum("Content Security Policy" in complaint for complaint in watched.complaints) >= 2


def test_no_name_of_a_reel_becomes_markup(tmp_path: Path, watched: Watched) -> None:
    """Sessions, streams and files with markup in their names are shown as the texts that they are, everywhere."""
    world = World()
    world.open(HOSTILE)
    world.say(HOSTILE, Publish(HOSTILE))
    world.publish(HOSTILE, "cam")
    page = watched.open(written(world.reel(), tmp_path / "hostile.html", HOSTILE))
    watched.read(len(world.records))
    page.locator("#sequence").focus()
    for key in ("End", "2", "4", "3", "1", "Home", "ArrowDown"):
        page.keyboard.press(key)
    shown(page, 2)

    assert "<img src=x" in page.locator("#panel-record").inner_text()
    assert page.locator("img").count() == 0
    assert page.evaluate("() => document.title.includes('<script>')")
    assert page.evaluate("() => document.querySelectorAll('script:not([id^=data-])').length") == 1
    assert watched.complaints == []


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `signalreel open` on a very long reel."""
    path = tmp_path_factory.mktemp("served") / "calls.reel"
    stored(path, SERVED_RECORDS)
    command = [sys.executable, "-m", "signalreel_adapters.cli", "open", str(path), "--no-browser", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.send_signal(2)


def test_a_served_reel_opens_at_once_and_is_scrubbed_without_a_wait(served: str, watched: Watched) -> None:
    """The first record is shown before the reel is read to its end; then any record can be gone to.

    The figures are written out (`pytest -rP`); the bounds are only those of a machine that does ten other things.
    """
    began = time.perf_counter()
    page = watched.open(served)
    opened = time.perf_counter() - began
    watched.read(SERVED_RECORDS)
    whole = time.perf_counter() - began
    waits: list[float] = []
    for share in (0.31, 0.72, 0.11, 0.93, 0.54):
        before = page.evaluate("() => document.documentElement.dataset.shown")
        scrub(page, share)
        until(page, "before => document.documentElement.dataset.shown !== before", before)
        waits.append(float(page.evaluate("() => document.documentElement.dataset.shownMs")))
    page.locator("#sequence").focus()
    page.keyboard.press("End")
    shown(page, SERVED_RECORDS)
    told = ", ".join(f"{wait:.0f}" for wait in waits)
    sys.stdout.write(f"opened in {opened:.2f} s, read in {whole:.2f} s, far records shown in {told} ms\n")

    assert opened < 10
    assert max(waits) < 2_000
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith(("data:", served))] == []
