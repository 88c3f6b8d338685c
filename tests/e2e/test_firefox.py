"""Firefox publishes and plays: to and from Chromium, with payload types of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests
from tests.e2e.firefox import Firefox, FirefoxPage
from tests.e2e.media import Clients, MediaPage
from tests.e2e.server import Server
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

HEIGHT: Final = 360
LOOKS_MAX: Final = 150
LOOK_MILLISECONDS: Final = 200


@pytest.fixture(scope="module")
def visitors(browser: Browser, server: Server) -> Iterator[Guests]:
    """The pages of Chromium."""
    with Guests(browser, server.url, server.sdk_url) as opened:
        yield opened
        opened.check()


@pytest.fixture(scope="module")
def chromium(visitors: Guests, server: Server) -> MediaPage:
    """One page of Chromium for all tests of this file."""
    return MediaPage(visitors, server.url)


@pytest.fixture(scope="module")
def firefox(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """One page of Firefox for all tests of this file."""
    with Firefox(tmp_path_factory.mktemp("firefox")) as browser:
        yield Clients(browser.open(server.url + Clients.PLACE))


@pytest.mark.parametrize("codec", ["VP8", "VP9"])
def test_chromium_sees_what_firefox_publishes(
    firefox: Clients, chromium: MediaPage, evidence: EvidenceNotes, codec: str
) -> None:
    """Its picture is decoded and its sound arrives; so they do in another tab of its own kind."""
    stream = f"fox-{codec}"
    tracks = (f"ARDAMSv{stream}", f"ARDAMSa{stream}")
    firefox.open("anna", "cleo")
    chromium.open("bert")
    published = firefox.publish("anna", stream, codec=codec)

    chromium.play("bert", stream)
    firefox.play("cleo", stream)

    for page, player in ((chromium, "bert"), (firefox, "cleo")):
        picture = page.see_flowing(player, stream, *tracks)[tracks[0]]
        assert (picture["codec"], picture["height"]) == (codec, HEIGHT)
        figures = {"frames_decoded": picture["frames"], "height": picture["height"]}
        evidence.tick("PUB-9", transport="browser", captured=published, media=figures)
    firefox.close("anna", "cleo")
    chromium.close("bert")


@pytest.mark.parametrize("codec", ["VP8", "VP9"])
def test_firefox_sees_what_chromium_publishes(
    firefox: Clients, chromium: MediaPage, evidence: EvidenceNotes, codec: str
) -> None:
    """The picture is decoded and the sound arrives."""
    stream = f"chrome-{codec}"
    tracks = (f"ARDAMSv{stream}", f"ARDAMSa{stream}")
    chromium.open("anna")
    firefox.open("bert")
    chromium.publish("anna", stream, codec=codec)

    played = firefox.play("bert", stream)

    picture = firefox.see_flowing("bert", stream, *tracks)[tracks[0]]
    assert (picture["codec"], picture["height"]) == (codec, HEIGHT)
    figures = {"frames_decoded": picture["frames"], "height": picture["height"]}
    evidence.tick("PLY-9", transport="browser", captured=played, media=figures)
    chromium.close("anna")
    firefox.close("bert")


def test_both_are_seen_on_one_connection(firefox: Clients, chromium: MediaPage) -> None:
    """One player of a room decodes both, although each has its own numbers for the same codec."""
    publishers = {"room-fox": firefox, "room-chrome": chromium}
    for stream, page in publishers.items():
        page.open("anna")
        page.publish("anna", stream, main_track="both", codec="VP8")
    for page in publishers.values():
        page.open("viewer")
        page.play("viewer", "both", room="both")

    for page in publishers.values():
        received = page.see_flowing("viewer", "both", *(f"ARDAMSv{stream}" for stream in publishers))
        assert [received[f"ARDAMSv{stream}"]["codec"] for stream in publishers] == ["VP8", "VP8"]
    for page in publishers.values():
        page.close("anna", "viewer")


def test_firefox_is_switched_off_and_on(firefox: Clients, chromium: MediaPage) -> None:
    """A picture that a player in Firefox had switched off is there again, and so is one that Firefox publishes."""
    for publishing, playing in ((chromium, firefox), (firefox, chromium)):
        publishing.open("anna")
        playing.open("bert")
        publishing.publish("anna", "toggled")
        playing.play("bert", "toggled")
        playing.see_flowing("bert", "toggled", "ARDAMSvtoggled", "ARDAMSatoggled")
        playing.say("bert", "toggleVideo", streamId="toggled", trackId="toggled", enabled=False)
        playing.see_still("bert", "toggled", "ARDAMSvtoggled", "ARDAMSatoggled")
        playing.say("bert", "toggleVideo", streamId="toggled", trackId="toggled", enabled=True)
        playing.see_flowing("bert", "toggled", "ARDAMSvtoggled", "ARDAMSatoggled")
        publishing.close("anna")
        playing.close("bert")


SEEN: Final = "selector => document.querySelector(selector) !== null"
CHOOSE: Final = """height => {
    const quality = document.querySelector("#quality");
    quality.value = String(height);
    quality.dispatchEvent(new Event("change"));
}"""


def until(page: FirefoxPage, function: str, arg: object) -> None:
    """Look until something is so on a page."""
    for _ in range(LOOKS_MAX):
        if page.evaluate(function, arg):
            return
        page.wait_for_timeout(LOOK_MILLISECONDS)
    raise AssertionError(f"{function} of {arg} did not come true")


def test_the_server_s_own_page_works_in_it(server: Server, tmp_path: Path) -> None:
    """A person publishes in two sizes and plays: the picture has the size that is chosen."""
    with Firefox(tmp_path) as browser:
        page = browser.open(f"{server.url}?stream=own")
        page.evaluate("() => { document.querySelector('[name=simulcast]').checked = true; }")
        for panel in ("publish", "play"):
            page.evaluate("panel => document.querySelector(`#panel-${panel} [type=submit]`).click()", panel)
            until(page, SEEN, f"#panel-{panel} .status[data-state=live]")

        until(page, SEEN, "#panel-play .meters:not([hidden])")
        for height in (180, 360):
            until(page, SEEN, f"#quality option[value='{height}']")
            page.evaluate(CHOOSE, height)
            until(page, "height => document.querySelector('#panel-play video').videoHeight === height", height)
