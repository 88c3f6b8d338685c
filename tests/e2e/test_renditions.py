"""A ladder in a real browser: one picture is published, and what a viewer decodes of it has the height it asked for."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.bottleneck import Bottleneck
from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests
from tests.e2e.media import Clients, MediaPage
from tests.e2e.server import Server
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

CONFIGURATION: Final = """
[settings]
adaptive = true
ladder = [
    { height = 720, videoBitrate = 1500000 },
    { height = 240, videoBitrate = 300000 },
    { height = 180, videoBitrate = 150000 },
]
"""
SOURCE: Final = 360
SWITCH_SECONDS_MAX: Final = 2.0
WIDE: Final = 20_000_000
DRAWING: Final = {"width": 960, "height": 540, "rate": 30}  # moves everywhere, and so has all the bitrate it may
SQUEEZED: Final = 250_000  # bit/s; less than a third of that
SETTLED_MILLISECONDS: Final = 3_000
ASKED_MAX: Final = 40
ASK_MILLISECONDS: Final = 250


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that makes renditions."""
    with Server(tmp_path_factory.mktemp("ladder"), configuration=CONFIGURATION) as running:
        yield running


@pytest.fixture(scope="module")
def visitors(browser: Browser, server: Server) -> Iterator[Guests]:
    """The pages of all tests of this file."""
    with Guests(browser, server.url, server.sdk_url) as opened:
        yield opened
        opened.check()


@pytest.fixture(scope="module")
def page(visitors: Guests, server: Server) -> MediaPage:
    """One page for all tests of this file."""
    return MediaPage(visitors, server.url)


def force(page: Clients, client: str, played: str, stream: str, height: int, shown: int) -> float:
    """Force a height; gives the seconds until a picture of the expected one is decoded."""
    command = {"command": "forceStreamQuality", "streamId": played, "streamHeight": height}
    return page.change(client, command, client, played, f"ARDAMSv{stream}", shown)


def renditions(page: Clients, client: str, stream: str, heights: list[int]) -> dict[int, dict[str, Any]]:
    """Ask about a stream until it has these renditions; gives them by their heights."""
    told: dict[int, dict[str, Any]] = {}
    for _ in range(ASKED_MAX):
        page.say(client, "getStreamInfo", streamId=stream)
        answer = page.until(client, command="streamInformation", streamId=stream)
        told = {each["streamHeight"]: each for each in answer["streamInfo"]}
        if sorted(told) == heights:
            return told
        page.page.wait_for_timeout(ASK_MILLISECONDS)
    raise AssertionError(f"{stream}: last told {told}")


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9"])
def test_a_forced_height_is_decoded_within_two_seconds(page: MediaPage, evidence: EvidenceNotes, codec: str) -> None:
    """0 leads back to what is published, and so does what is not lower than that; every change is told, none loses.

    The first change is not timed: on a machine that is busy with browsers the encoder may still be starting.
    """
    stream = f"ladder-{codec}"
    page.open("anna", "bert")
    page.publish("anna", stream, codec=codec)
    page.play("bert", stream)
    page.see_height("bert", stream, f"ARDAMSv{stream}", SOURCE)
    force(page, "bert", stream, stream, 180, 180)
    page.notified("bert", "resolutionChangeInfo", streamHeight=180)

    for asked, shown in ((240, 240), (0, SOURCE), (240, 240), (180, 180), (720, SOURCE), (240, 240), (0, SOURCE)):
        before = page.received("bert", stream)[f"ARDAMSv{stream}"]
        seconds = force(page, "bert", stream, stream, asked, shown)
        told = page.notified("bert", "resolutionChangeInfo", streamHeight=shown)
        seen = page.see_flowing("bert", stream, f"ARDAMSv{stream}", f"ARDAMSa{stream}")[f"ARDAMSv{stream}"]
        assert (seen["height"], seen["codec"], seen["lost"]) == (shown, codec, before["lost"])
        assert seconds < SWITCH_SECONDS_MAX
        said = {"command": "forceStreamQuality", "streamId": stream, "streamHeight": asked}
        figures = {"height": shown, "frames_decoded": seen["frames"], "seconds": round(seconds, 3)}
        evidence.tick("MSC-6" if asked else "MSC-7", transport="browser", captured=told, said=said, media=figures)
    page.close("anna", "bert")


def test_every_rendition_is_told_of(page: MediaPage) -> None:
    """Real sizes and the codec; the bitrate of what nobody watches as it would be.

    What is watched is told as measured once that differs much, which an encoder need not make it do.
    """
    page.open("anna", "bert")
    page.publish("anna", "told")
    page.play("bert", "told")
    before = renditions(page, "bert", "told", [180, 240, SOURCE])
    force(page, "bert", "told", "told", 240, 240)
    page.see_flowing("bert", "told", "ARDAMSvtold")
    after = renditions(page, "bert", "told", [180, 240, SOURCE])

    assert {each["streamHeight"]: each["streamWidth"] for each in before.values()} == {180: 320, 240: 426, SOURCE: 640}
    assert {each["videoCodec"] for each in before.values()} == {"VP8"}
    assert (before[180]["videoBitrate"], before[240]["videoBitrate"]) == (150_000, 300_000)
    assert after[180]["videoBitrate"] == 150_000
    assert 0 < after[240]["videoBitrate"] < 2 * 300_000
    page.close("anna", "bert")


def test_players_of_a_room_choose_too(page: MediaPage) -> None:
    """Each of the pictures in it, as far as they have renditions."""
    page.open("anna", "bert")
    page.publish("anna", "seat", main_track="hall")
    page.play("bert", "hall")
    page.see_flowing("bert", "hall", "ARDAMSvseat")
    first = force(page, "bert", "hall", "seat", 240, 240)
    back = force(page, "bert", "hall", "seat", 0, SOURCE)

    assert max(first, back) < SWITCH_SECONDS_MAX
    page.close("anna", "bert")


def test_renditions_follow_a_picture_that_changes_its_shape(page: MediaPage) -> None:
    """The height stays; the width is that of the new shape; what is not lower than the source any more is gone."""
    page.open("anna", "bert")
    page.publish("anna", "shape")
    page.play("bert", "shape")
    page.see_height("bert", "shape", "ARDAMSvshape", SOURCE)
    force(page, "bert", "shape", "shape", 180, 180)
    wide = page.received("bert", "shape")["ARDAMSvshape"]["width"]
    page.resize("anna", "shape", 320, 240)
    page.see("bert", "shape", lambda tracks: tracks["ARDAMSvshape"]["width"] == 240)
    seen = page.see_flowing("bert", "shape", "ARDAMSvshape")["ARDAMSvshape"]

    assert (wide, seen["height"]) == (320, 180)
    assert sorted(renditions(page, "bert", "shape", [180, 240])) == [180, 240]
    page.close("anna", "bert")


def test_a_squeezed_viewer_goes_down_the_ladder_and_comes_back(page: MediaPage) -> None:
    """By itself: to a rendition that nobody has watched before, and to the published one once the line is wide."""
    page.open("anna", "bert")
    page.publish("anna", "narrow", layers=[{"maxBitrate": 800_000}], drawing=DRAWING)
    with Bottleneck(WIDE) as line:
        page.play("bert", "narrow", line=line)
        page.see_height("bert", "narrow", "ARDAMSvnarrow", DRAWING["height"])
        page.page.wait_for_timeout(SETTLED_MILLISECONDS)
        line.carry(SQUEEZED)
        smaller = page.see("bert", "narrow", lambda tracks: tracks["ARDAMSvnarrow"]["height"] < DRAWING["height"])
        page.see_flowing("bert", "narrow", "ARDAMSvnarrow")
        line.carry(WIDE)
        page.see_height("bert", "narrow", "ARDAMSvnarrow", DRAWING["height"])

    assert smaller["ARDAMSvnarrow"]["height"] in {180, 240}
    page.close("anna", "bert")
