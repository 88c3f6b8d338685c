"""Each codec in a real browser: what a publisher prefers is what its viewers decode, whole and without a stop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests
from tests.e2e.media import Clients, MediaPage, Received
from tests.e2e.server import Server
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

CODECS: Final = ("VP8", "H264", "VP9", "AV1")
FRAMES_MIN: Final = 60
"""Four seconds of the test's camera."""

WIDTH, HEIGHT = 640, 360
ASKED_MAX: Final = 40
ASK_MILLISECONDS: Final = 250
TONES: Final = (330, 440)
TONE_HERTZ_MAX: Final = 10
"""How far a tone may be from where it was sent: what the analysis tells apart, rounded up."""


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


def see_whole(page: Clients, client: str, stream: str, track: str) -> Received:
    """See some seconds of a picture decoded with nothing lost, and without a freeze once it is there."""
    begun = page.see(client, stream, lambda tracks: tracks.get(track, {"frames": 0})["frames"] > 0)[track]
    seen = page.see(client, stream, lambda tracks: tracks[track]["frames"] > FRAMES_MIN)[track]
    assert (seen["lost"], seen["freezes"]) == (0, begun["freezes"])
    return seen


def rendition_of(page: Clients, client: str, stream: str, width: int) -> dict[str, Any]:
    """Ask about a stream of one rendition until it is told of at this width."""
    told: dict[str, Any] = {}
    for _ in range(ASKED_MAX):
        page.say(client, "getStreamInfo", streamId=stream)
        told = page.until(client, command="streamInformation", streamId=stream)
        if [rendition["streamWidth"] for rendition in told["streamInfo"]] == [width]:
            return told
        page.page.wait_for_timeout(ASK_MILLISECONDS)
    raise AssertionError(f"{stream}: last told {told}")


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_is_published_and_played(page: MediaPage, evidence: EvidenceNotes, codec: str) -> None:
    """The publisher's first choice is what is sent on, decoded, and told of."""
    stream = f"codec-{codec}"
    page.open("anna", "bert")
    page.publish("anna", stream, codec=codec)
    played = page.play("bert", stream)

    seen = see_whole(page, "bert", stream, f"ARDAMSv{stream}")
    told = rendition_of(page, "bert", stream, WIDTH)

    assert (seen["codec"], seen["width"], seen["height"]) == (codec, WIDTH, HEIGHT)
    assert told["streamInfo"][0]["videoCodec"] == codec
    figures = {"frames_decoded": seen["frames"], "packets_lost": seen["lost"], "freezes": seen["freezes"]}
    evidence.tick("PLY-9", transport="browser", captured=played, media=figures)
    evidence.tick("MSC-2", transport="browser", captured=told, media=figures)
    page.close("anna", "bert")


@pytest.mark.parametrize("codec", ["H264", "VP9"])
def test_the_one_codec_that_is_allowed_is_used(browser: Browser, tmp_path: Path, codec: str) -> None:
    """Whatever the publisher prefers: the server takes of its offer what may be published."""
    allowed = f'[settings]\ncodecs = ["{codec}", "opus"]\n'
    with (
        Server(tmp_path, configuration=allowed) as server,
        Guests(browser, server.url, server.sdk_url) as visitors,
    ):
        page = MediaPage(visitors, server.url)
        page.open("anna", "bert")
        page.publish("anna", "only", codec="VP8")
        page.play("bert", "only")

        seen = page.see_flowing("bert", "only", "ARDAMSvonly", "ARDAMSaonly")["ARDAMSvonly"]

        assert (seen["codec"], seen["height"]) == (codec, HEIGHT)
        visitors.check()


def test_publishers_with_different_codecs_are_seen_on_one_connection(page: MediaPage) -> None:
    """A player of a room decodes each of its publishers in the codec that it has."""
    publishers = {f"mixed-{codec}": codec for codec in CODECS}
    page.open("viewer", *publishers)
    for stream, codec in publishers.items():
        page.publish(stream, stream, main_track="mixed", codec=codec)

    page.play("viewer", "mixed", room="mixed")

    received = page.see_flowing("viewer", "mixed", *(f"ARDAMSv{stream}" for stream in publishers))
    assert {stream: received[f"ARDAMSv{stream}"]["codec"] for stream in publishers} == publishers
    page.close("viewer", *publishers)


def test_two_channels_of_sound_stay_two(page: MediaPage) -> None:
    """The one tone is heard on the left and the other on the right by a player that asks for both channels."""
    page.open("anna", "bert")
    page.publish("anna", "stereo", stereo=True)
    page.play("bert", "stereo", stereo=True)
    page.see_flowing("bert", "stereo", "ARDAMSastereo")

    heard = page.tones("bert", "stereo")

    assert "stereo=1" in page.remote_description("bert", "stereo")
    assert all(abs(hertz - sent) <= TONE_HERTZ_MAX for hertz, sent in zip(heard, TONES, strict=True)), heard
    page.close("anna", "bert")


def test_the_size_of_a_picture_may_change_on_the_way(page: MediaPage) -> None:
    """Viewers decode the new size, also back again, and are told of it when they ask."""
    page.open("anna", "bert")
    page.publish("anna", "resized")
    page.play("bert", "resized")
    page.see_height("bert", "resized", "ARDAMSvresized", HEIGHT)

    for width, height in ((320, 180), (WIDTH, HEIGHT)):
        page.resize("anna", "resized", width, height)
        page.see_height("bert", "resized", "ARDAMSvresized", height)
        page.see_flowing("bert", "resized", "ARDAMSvresized")
        [told] = rendition_of(page, "bert", "resized", width)["streamInfo"]
        assert told["streamHeight"] == height
    page.close("anna", "bert")


@pytest.mark.parametrize("codec", ["VP8", "VP9", "AV1"])
def test_what_a_screen_shows_is_played(page: MediaPage, codec: str) -> None:
    """A browser encodes a shared screen in its own way: with text to be read, and layers of frames in time."""
    stream = f"screen-{codec}"
    page.open("anna", "bert")
    page.publish("anna", stream, codec=codec, hint="text")
    page.play("bert", stream)

    seen = see_whole(page, "bert", stream, f"ARDAMSv{stream}")

    assert (seen["codec"], seen["width"], seen["height"]) == (codec, WIDTH, HEIGHT)
    page.close("anna", "bert")
