"""What is switched off costs a viewer nothing, and is back at once, beginning with a whole picture."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests
from tests.e2e.media import MediaPage
from tests.e2e.server import Server
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

CODECS: Final = ("VP8", "H264", "VP9", "AV1")
RESUME_SECONDS_MAX: Final = 1.0
OFF_MILLISECONDS: Final = 1_500


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


def switch_off_and_on(
    page: MediaPage, client: str, command: str, player: str, stream: str, track: str, **fields: object
) -> dict[str, float]:
    """Let a client switch a picture off and on again that a player sees; gives what was seen of that.

    Nothing of it comes meanwhile. A decoder needs a keyframe to begin anew, and shows rubbish or nothing without: so
    there is one more of them then, and nothing has been lost on the way to it.
    """
    page.say(client, command, **fields, enabled=False)
    off = page.see_still(player, stream, track)
    page.page.wait_for_timeout(OFF_MILLISECONDS)
    still = page.received(player, stream)[track]
    seconds = page.resume(client, {"command": command, **fields, "enabled": True}, player, stream, track)
    on = page.see_flowing(player, stream, track)[track]

    assert still["packets"] == off["packets"]
    assert on["keyframes"] > still["keyframes"]
    assert on["lost"] == still["lost"]
    assert seconds < RESUME_SECONDS_MAX
    return {"packets_while_off": 0, "seconds_until_back": round(seconds, 3), "frames_decoded": on["frames"]}


@pytest.mark.parametrize("codec", CODECS)
def test_a_picture_is_back_within_a_second(page: MediaPage, evidence: EvidenceNotes, codec: str) -> None:
    """Whatever its codec, when its player switches it off and on, and when its publisher does."""
    stream = f"switched-{codec}"
    track = f"ARDAMSv{stream}"
    page.open("anna", "bert")
    page.publish("anna", stream, codec=codec)
    page.play("bert", stream)
    page.see_flowing("bert", stream, track)

    for item, client, command in (
        ("PLY-11", "bert", "toggleVideo"),
        ("MSC-11", "bert", "enableTrack"),
        ("MSC-12", "anna", "enableTrack"),
    ):
        seen = switch_off_and_on(page, client, command, "bert", stream, track, streamId=stream, trackId=stream)
        said = {"command": command, "streamId": stream, "trackId": stream, "enabled": True}
        evidence.tick(item, transport="browser", captured=said, media=seen)
    page.close("anna", "bert")


def test_a_member_that_comes_back_is_seen_on_the_same_connections(page: MediaPage) -> None:
    """The others' pictures go on while one of three leaves, and comes back into the room under its old name."""
    members = ("anna", "bert", "cleo")
    page.open(*members)
    for member in members:
        page.publish(member, f"{member}3", main_track="three")
        page.play(member, "three", room="three")
    of = {
        member: [f"ARDAMS{kind}{other}3" for other in members if other != member for kind in "va"] for member in members
    }
    for member in members:
        page.see_flowing(member, "three", *of[member])
    sections = {member: page.remote_description(member, "three").count("m=") for member in members}

    page.close("cleo")
    for member, other in (("anna", "bert"), ("bert", "anna")):
        page.see(member, "three", lambda received: not any("cleo" in track for track in received))
        page.see_flowing(member, "three", f"ARDAMSv{other}3", f"ARDAMSa{other}3")
    page.open("cleo")
    page.publish("cleo", "cleo3", main_track="three")
    page.play("cleo", "three", room="three")

    for member in members:
        page.see_flowing(member, "three", *of[member])
    freezes = {member: [each["freezes"] for each in page.received(member, "three").values()] for member in members}
    assert freezes["anna"] == freezes["bert"] == [0] * 4
    # Who left made room for who came: descriptions must not grow with every visit.
    assert {member: page.remote_description(member, "three").count("m=") for member in members} == sections
    page.close(*members)
