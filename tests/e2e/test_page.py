"""The server's own page, used as a person uses it: by clicking."""

import os
import re
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, see_moving_picture, see_still_picture
from tests.e2e.server import Server, check_that_it_replays

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

ARTIFACTS_VARIABLE: Final = "SIGNALREEL_ARTIFACTS"
"""Names the folder for pictures of the page; otherwise they go where pytest keeps temporary files."""

CONFERENCE_SECONDS_MAX: Final = 2 * BROWSER_TEST_SECONDS_MAX
"""Nine pictures are encoded and decoded, of which two are large."""

LIVE_MILLISECONDS_MAX: Final = 30_000
RECORDS_MIN: Final = 200  # what the calls of this file put on the reel, less what depends on timing


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Where pictures of the page go."""
    folder = Path(os.environ.get(ARTIFACTS_VARIABLE) or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def begin(page: Page, panel: str) -> None:
    """Click on a panel's tab and on what it is there for."""
    page.locator(f"#tab-{panel}").click()
    page.locator(f"#panel-{panel} button[type=submit]").click()


def end(page: Page, panel: str) -> None:
    """Click on a panel's tab and on what ends it."""
    page.locator(f"#tab-{panel}").click()
    page.locator(f"#panel-{panel} [data-action=stop]").click()


def expect_state(page: Page, panel: str, state: str) -> None:
    """Wait until a panel's line of status says this."""
    status = page.locator(f"#panel-{panel} .status")
    expect(status).to_have_attribute("data-state", state, timeout=LIVE_MILLISECONDS_MAX)


def expect_machine(page: Page, kind: str, name: str, state: str) -> None:
    """Wait until the list of machines shows one of this kind, with this in its name, in this state."""
    row = page.locator(f'#machines > li[data-kind="{kind}"][data-machine*="{name}"][data-state="{state}"]')
    expect(row.first).to_be_visible(timeout=LIVE_MILLISECONDS_MAX)


def picture(panel: str, source: str) -> str:
    """Select the video of a source on a panel."""
    return f'#panel-{panel} figure[data-source="{source}"] video'


def test_publish_and_play(guests: Guests, artifacts: Path) -> None:
    """One tab publishes and plays, another one plays by the link it is given; the machines move meanwhile."""
    page = guests.open("?stream=cam1")
    begin(page, "publish")
    expect_state(page, "publish", "live")
    expect_machine(page, "stream", "cam1", "broadcasting")

    begin(page, "play")
    expect_state(page, "play", "live")
    see_moving_picture(page, picture("play", "cam1"))
    expect_machine(page, "playback", "cam1", "playing")
    page.screenshot(path=artifacts / "publish-and-play.png", full_page=True)

    link = page.locator("#panel-publish .share a").get_attribute("href") or ""
    viewer = guests.open(link.partition("/?")[2].join(["?", ""]))
    viewer.get_by_role("button", name="Play", exact=True).click()
    expect_state(viewer, "play", "live")
    see_moving_picture(viewer, picture("play", "cam1"))

    end(page, "publish")
    expect(page.locator("#panel-publish .status")).to_have_text("Stopped.")
    expect_state(viewer, "play", "waiting")
    expect_machine(page, "stream", "cam1", "finished")


def test_a_viewer_switches_video_off_and_on(guests: Guests) -> None:
    """No frame comes while video is off, and it moves again when it is back on."""
    page = guests.open("?stream=cam2")
    begin(page, "publish")
    expect_state(page, "publish", "live")
    begin(page, "play")
    see_moving_picture(page, picture("play", "cam2"))
    video = page.get_by_role("button", name="Video", exact=True)

    video.click()
    see_still_picture(page, picture("play", "cam2"))
    video.click()

    see_moving_picture(page, picture("play", "cam2"))


def test_a_viewer_chooses_among_several_sizes(guests: Guests) -> None:
    """A stream published in two sizes is offered in both; the viewer gets the one it chooses, and it moves."""
    page = guests.open("?stream=cam6")
    page.get_by_label("Several sizes").check()
    begin(page, "publish")
    expect_state(page, "publish", "live")
    begin(page, "play")
    video = picture("play", "cam6")
    see_moving_picture(page, video)
    quality = page.get_by_label("Quality")
    expect(quality.locator("option")).to_have_count(3, timeout=LIVE_MILLISECONDS_MAX)

    for height in ("180", "360"):
        quality.select_option(height)
        expect(page.locator(video)).to_have_js_property("videoHeight", int(height), timeout=LIVE_MILLISECONDS_MAX)
        see_moving_picture(page, video)


@pytest.mark.parametrize("codec", ["H264", "VP9", "AV1"])
def test_a_publisher_chooses_its_codec(guests: Guests, codec: str) -> None:
    """What it chooses is what a viewer is shown to get, also in several sizes."""
    page = guests.open(f"?stream=cam-{codec}")
    page.get_by_label("Codec").select_option(codec)
    page.get_by_label("Several sizes").check()
    begin(page, "publish")
    expect_state(page, "publish", "live")
    begin(page, "play")
    see_moving_picture(page, picture("play", f"cam-{codec}"))

    expect(page.locator("#panel-play figcaption")).to_contain_text(f"{codec} \u00b7 ", timeout=LIVE_MILLISECONDS_MAX)
    expect(page.get_by_label("Quality").locator("option")).to_have_count(3, timeout=LIVE_MILLISECONDS_MAX)


def test_a_viewer_s_network_is_measured_and_drawn(guests: Guests, artifacts: Path) -> None:
    """Figures, a picture of them and its words for who does not see it; both go on with each measurement."""
    page = guests.open("?stream=cam8")
    begin(page, "publish")
    expect_state(page, "publish", "live")
    begin(page, "play")
    meters = page.locator("#panel-play .meters")
    expect(meters).to_be_visible(timeout=LIVE_MILLISECONDS_MAX)
    for name in ("Network", "Video", "Audio"):
        expect(meters.locator("dl > div", has_text=name)).to_contain_text("bit/s")
    drawing = meters.get_by_role("img")
    expect(drawing).to_have_attribute("aria-label", re.compile("Over the last minute: .+ received, network .+"))
    line = drawing.locator(".target")
    before = line.get_attribute("d") or ""

    expect(line).not_to_have_attribute("d", before, timeout=LIVE_MILLISECONDS_MAX)

    steps = [(each or "").count("H") for each in (before, line.get_attribute("d"))]
    assert 1 <= steps[0] < steps[1]
    page.screenshot(path=artifacts / "meters.png", full_page=True)


def test_a_viewer_that_came_early_plays_when_there_is_something(guests: Guests) -> None:
    """The page says that nobody publishes yet, goes on asking, and plays in the end."""
    viewer = guests.open("?tab=play&stream=cam3")
    begin(viewer, "play")
    expect_state(viewer, "play", "waiting")
    expect(viewer.locator("#panel-play .status")).to_contain_text("Nobody publishes this stream yet")
    expect(viewer.locator("#refusals")).to_contain_text("no_stream_exist")

    publisher = guests.open("?stream=cam3")
    begin(publisher, "publish")

    see_moving_picture(viewer, picture("play", "cam3"))


def test_what_is_left_out_of_the_link_is_named_by_the_page(guests: Guests) -> None:
    """Tabs publish under different names, join the same call, and play nothing until they are told what."""
    first, second = (guests.open("?tab=peer") for _ in range(2))
    names = [
        [page.locator(f"#{panel}-stream").input_value() for panel in ("publish", "play", "peer")]
        for page in (first, second)
    ]

    assert names[0][0] != names[1][0]
    assert [own[1:] for own in names] == [["", "call1"]] * 2


def test_the_same_refusal_is_shown_once_and_counted(guests: Guests) -> None:
    """A page that goes on asking for a stream that is not there does not fill the list."""
    page = guests.open("?tab=play&stream=nobody")
    refusals = page.locator("#refusals > li", has_text="no_stream_exist")
    for _ in range(2):
        begin(page, "play")
        expect_state(page, "play", "waiting")
        end(page, "play")
    begin(page, "play")

    expect(refusals.first).to_contain_text("3 times")
    expect(refusals).to_have_count(1)


def test_the_options_of_a_playback_end_with_it(guests: Guests) -> None:
    """While a player waits for its stream, neither its toggles nor the last word about its network are shown."""
    page = guests.open("?stream=cam7")
    begin(page, "publish")
    expect_state(page, "publish", "live")
    begin(page, "play")
    expect_state(page, "play", "live")
    options = page.locator("#panel-play .options")
    expect(options).to_be_visible()
    expect(page.locator("#panel-play .meters")).to_be_visible(timeout=LIVE_MILLISECONDS_MAX)
    page.get_by_role("button", name="Video", exact=True).click()

    end(page, "publish")
    page.locator("#tab-play").click()
    expect_state(page, "play", "waiting")

    expect(options).to_be_hidden()
    expect(page.locator("#panel-play .meters")).to_be_hidden()
    expect(page.locator("#panel-play [data-action=video]")).to_have_attribute("aria-pressed", "true")


def test_the_real_camera(guests: Guests) -> None:
    """The other choice beside the test picture works as well."""
    page = guests.open("?stream=cam4&source=camera")
    begin(page, "publish")
    expect_state(page, "publish", "live")

    begin(page, "play")

    see_moving_picture(page, picture("play", "cam4"))


def test_peer_to_peer(guests: Guests) -> None:
    """Two pages see each other, a third is refused, and takes the place when a tab is closed."""
    first, second, third = (guests.open("?tab=peer&stream=call1") for _ in range(3))
    begin(first, "peer")
    expect_state(first, "peer", "waiting")
    begin(second, "peer")
    for page in (first, second):
        expect_state(page, "peer", "live")
        see_moving_picture(page, picture("peer", "The other one"))
    expect_machine(third, "pair", "call1", "connected")

    begin(third, "peer")
    expect(third.locator("#panel-peer .status")).to_contain_text("NoSpaceForNewPeer")
    second.close()
    expect_state(first, "peer", "waiting")
    begin(third, "peer")

    for page in (first, third):
        see_moving_picture(page, picture("peer", "The other one"))


@pytest.mark.timeout(CONFERENCE_SECONDS_MAX)
@pytest.mark.parametrize("mode", ["multitrack", "legacy"])
def test_conference(guests: Guests, mode: str) -> None:
    """Three pages see the two others each; one leaves and disappears from the rest, and comes back."""
    names = ("anna", "bert", "cleo")
    room = f"room-{mode}"
    # The test picture is drawn by hand, so to speak: one is enough for a small machine.
    sources = dict(zip(names, ("test", "camera", "camera"), strict=True))
    pages = {
        name: guests.open(f"?tab=conference&room={room}&name={name}-{mode}&source={source}")
        for name, source in sources.items()
    }
    for page in pages.values():
        page.locator("#conference-mode").select_option(mode)
        begin(page, "conference")
        expect_state(page, "conference", "live")

    for name, page in pages.items():
        for other in set(names) - {name}:
            see_moving_picture(page, picture("conference", f"{other}-{mode}"))
    expect_machine(pages["cleo"], "room", room, "open")

    end(pages["bert"], "conference")
    for name in ("anna", "cleo"):
        expect(pages[name].locator(picture("conference", f"bert-{mode}"))).to_have_count(
            0, timeout=LIVE_MILLISECONDS_MAX
        )
    begin(pages["bert"], "conference")

    for name in ("anna", "cleo"):
        see_moving_picture(pages[name], picture("conference", f"bert-{mode}"))
        see_moving_picture(pages["bert"], picture("conference", f"{name}-{mode}"))


def test_the_page_works_by_keyboard_alone(guests: Guests) -> None:
    """Tabs are changed with the arrows, Enter in the field begins, and the focus can be followed."""
    page = guests.open("?stream=cam5")
    page.locator("#tab-publish").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-play")).to_be_focused()
    expect(page.locator("#panel-play")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.locator("#panel-publish")).to_be_visible()

    page.locator("#publish-stream").focus()
    page.keyboard.press("Enter")

    expect_state(page, "publish", "live")


def test_a_name_is_shown_and_never_run(guests: Guests) -> None:
    """A name in a link that looks like markup stands on the page as text; the field refuses it."""
    page = guests.open("?stream=%3Cimg%20src%3Dx%20onerror%3Ddocument.title%3D1%3E")
    begin(page, "publish")

    expect(page.locator("#panel-publish .status")).to_have_text("Ready to publish.")
    expect(page).to_have_title("Signalreel")


@pytest.mark.parametrize("tab", ["publish", "play", "conference"])
def test_the_page_fits_a_phone(guests: Guests, artifacts: Path, tab: str) -> None:
    """Nothing stands over the edge of a narrow screen, however much of it is shown."""
    page = guests.open(f"?tab={tab}")
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("document.querySelectorAll('main [hidden]:not([role])').forEach(each => { each.hidden = false; })")

    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")

    page.screenshot(path=artifacts / f"phone-{tab}.png", full_page=True)
    assert widths[0] <= widths[1]


def test_the_page_may_only_run_what_the_server_serves(server: Server) -> None:
    """Its policy allows no inline script, no style from elsewhere and no frame around it."""
    policy = httpx.get(server.url).headers["content-security-policy"]
    rules = {name: values for name, *values in (rule.split() for rule in policy.split(";") if rule.strip())}

    assert rules.get("script-src", rules.get("default-src")) == ["'self'"]
    assert rules.get("style-src", rules.get("default-src")) == ["'self'"]
    assert "'unsafe-inline'" not in policy
    assert "'unsafe-eval'" not in policy


def test_the_reel_of_these_calls_replays(server: Server) -> None:
    """What the server recorded gives the same transitions, messages and digests again, under any hash seed."""
    server.stop()

    check_that_it_replays(server.reel, records_min=RECORDS_MIN)
