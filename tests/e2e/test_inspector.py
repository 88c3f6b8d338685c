"""The inspector in a real browser: what lives and happens, a session drawn, a refusal explained, a reel taken away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from signalreel.replay import Cursor
from signalreel_adapters import SqliteReel
from tests.e2e.inspected import ADDRESS, STREAM, Inspected, inspected

pytestmark = pytest.mark.browser

KEY = "a-key-of-the-operator"
WAIT_MILLISECONDS = 15_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """A server with calls on it."""
    with inspected(tmp_path_factory.mktemp("inspected")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: Inspected) -> Iterator[Page]:
    """The inspector. Nothing may go wrong on it, and it may ask nobody but the server."""
    with browser.new_context(viewport={"width": 1280, "height": 860}) as context:
        opened = context.new_page()
        complaints: list[str] = []
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        opened.on(
            "request",
            lambda asked: None if asked.url.startswith((server.url, "blob:")) else complaints.append(asked.url),
        )
        opened.goto(f"{server.url}inspect")
        yield opened
        assert complaints == []


def show(page: Page, kind: str) -> None:
    """Choose what is listed."""
    page.locator(f'.tabs [data-kind="{kind}"]').click()


def test_what_lives_is_listed_and_searched(page: Page) -> None:
    """Each kind with its count; a search leaves what matches."""
    expect(page.locator('.tabs [data-kind="session"] b')).to_have_text("4", timeout=WAIT_MILLISECONDS)
    for kind, row in (("stream", "broadcasting"), ("playback", "playing"), ("room", "lobby")):
        show(page, kind)
        expect(page.locator("#rows")).to_contain_text(row)
    show(page, "stream")
    page.locator("#search").fill("garden live")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.locator("#search").fill("no such stream")
    expect(page.locator("#none")).to_have_text("Nothing here matches the search.")


def test_a_session_is_drawn_and_a_refusal_explained(page: Page) -> None:
    """Told from memory, then from the reel; why its wish was refused names what was in the way."""
    show(page, "stream")
    page.locator("#rows tr", has_text=STREAM).locator("td button").first.click()
    expect(page.locator("#sequence")).to_contain_text("negotiating → connecting", timeout=WAIT_MILLISECONDS)
    expect(page.locator("#sequence svg.lifelines polygon.tip").first).to_be_attached()
    expect(page.locator("#diagram-source")).to_contain_text("from memory")
    page.locator("#diagram-whole").click()
    expect(page.locator("#diagram-source")).to_contain_text("from the reel", timeout=WAIT_MILLISECONDS)

    page.locator(".moves .refusal button", has_text="Why?").first.click(timeout=WAIT_MILLISECONDS)
    expect(page.locator("#why-told")).to_contain_text(f"the stream {STREAM} is broadcasting", timeout=WAIT_MILLISECONDS)


def test_what_happens_is_paused_and_filtered(page: Page) -> None:
    """While it is paused nothing is added; what came meanwhile is there when it goes on."""
    moves = page.locator("#moves > div")
    expect(moves.first).to_be_visible(timeout=WAIT_MILLISECONDS)
    page.locator("#pause").click()
    before = moves.count()
    expect(page.locator("#pause")).to_contain_text("(2)", timeout=WAIT_MILLISECONDS)
    assert moves.count() == before
    page.locator("#pause").press("Enter")
    assert moves.count() >= before + 2
    page.locator("#filter").fill("nothing-has-this")
    expect(moves).to_have_count(0)


def test_the_reel_of_a_call_is_downloaded_redacted(page: Page, tmp_path: Path) -> None:
    """It replays as it was recorded, and names neither the stream nor an address."""
    show(page, "stream")
    with page.expect_download(timeout=WAIT_MILLISECONDS) as begun:
        page.locator("#rows tr", has_text=STREAM).get_by_role("button", name="Download").click()
    saved = tmp_path / "call.reel"
    begun.value.save_as(saved)
    replayed = list(Cursor(SqliteReel.read(saved)))

    assert len(replayed) > 5
    assert all(each.divergence is None for each in replayed)
    assert not any(canary.encode() in saved.read_bytes() for canary in (STREAM, ADDRESS))


def test_the_page_works_by_keyboard(page: Page) -> None:
    """Kinds are changed with the arrows, and rows have buttons that can be reached."""
    page.locator('.tabs [data-kind="session"]').focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator('.tabs [data-kind="stream"]')).to_be_focused()
    expect(page.locator("#rows")).to_contain_text("broadcasting", timeout=WAIT_MILLISECONDS)


def test_the_page_fits_a_phone(page: Page) -> None:
    """Nothing stands over the edge of a narrow screen; what is wider scrolls in itself."""
    page.set_viewport_size({"width": 360, "height": 740})
    show(page, "stream")
    page.locator("#rows tr", has_text=STREAM).locator("td button").first.click()
    expect(page.locator("#sequence")).to_contain_text("broadcasting", timeout=WAIT_MILLISECONDS)
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")

    assert widths[0] <= widths[1]


def test_the_operator_s_key_is_asked_for_and_stands_in_no_address(browser: Browser, tmp_path: Path) -> None:
    """Without it nothing is shown; a wrong one shows nothing either; the right one is sent in a header alone."""
    with inspected(tmp_path, key=KEY.encode()) as running, browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{running.url}inspect")
        expect(page.locator("#key-form")).to_be_visible(timeout=WAIT_MILLISECONDS)
        expect(page.locator("#inspector")).to_be_hidden()
        page.get_by_label("Operator's key").fill("another-key")
        page.get_by_role("button", name="Show it").click()
        expect(page.locator("#key-why")).to_contain_text("not the operator's key", timeout=WAIT_MILLISECONDS)
        page.get_by_label("Operator's key").fill(KEY)
        page.get_by_role("button", name="Show it").click()
        show(page, "stream")
        expect(page.locator("#rows")).to_contain_text(STREAM, timeout=WAIT_MILLISECONDS)

        assert not any(KEY in url for url in asked)
