"""Two media workers and a real browser: what is published in one of them is decoded by a viewer in the other."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests
from tests.e2e.media import MediaPage
from tests.e2e.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

FRAMES_MIN = 45
"""Three seconds of the test's camera."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two workers, whatever machine it is on."""
    with Server(tmp_path_factory.mktemp("server"), configuration="[media]\nworkers = 2\n") as running:
        yield running


def test_a_room_with_publishers_in_two_workers_is_played(browser: Browser, server: Server) -> None:
    """The first publisher lives in one worker, the second in the other: the viewer decodes both, and hears of both.

    A publisher and its viewer share a worker unless that is busy; of the two streams of one room, one is relayed.
    """
    with Guests(browser, server.url, server.sdk_url) as guests:
        page = MediaPage(guests, server.url)
        page.open("anna", "bert", "carl")
        page.publish("anna", "first", main_track="room")
        page.publish("bert", "second", main_track="room")
        page.play("carl", "room", room="room")
        tracks = ("ARDAMSvfirst", "ARDAMSvsecond")
        begun = page.see("carl", "room", lambda seen: all(seen.get(each, {"frames": 0})["frames"] for each in tracks))
        seen = page.see("carl", "room", lambda seen: all(seen[each]["frames"] > FRAMES_MIN for each in tracks))

        assert [(seen[each]["lost"], seen[each]["freezes"] - begun[each]["freezes"]) for each in tracks] == [(0, 0)] * 2
        assert {seen[each]["codec"] for each in tracks} == {"VP8"}
        page.see_flowing("carl", "room", "ARDAMSafirst", "ARDAMSasecond")
        guests.check()
    assert "in 2 workers" in server.last_words()
