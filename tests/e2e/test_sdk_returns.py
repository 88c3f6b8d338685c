"""The official JavaScript SDK, unedited, when its connection is cut or its server restarts: it comes back by itself."""

from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, SdkPage, see_moving_picture
from tests.e2e.cable import Cable
from tests.e2e.server import PAGES_PREFIX, Server, check_that_it_replays
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 20  # what the calls of one test put on the reel, less what depends on timing
BACK_SECONDS_MAX: Final = 40.0


def publish_and_play(guests: Guests, stream_id: str) -> tuple[SdkPage, SdkPage]:
    """Open a page that publishes and one that plays, and see that they do."""
    publisher = guests.open_sdk()
    publisher.call("publish", stream_id)
    publisher.until("publish_started")
    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", stream_id)
    viewer.until("play_started")
    see_moving_picture(viewer.page, f"#player-{stream_id}")
    return publisher, viewer


def see_both_come_back(publisher: SdkPage, viewer: SdkPage, stream_id: str) -> None:
    """See that the SDKs publish and play again, without being asked to."""
    publisher.until("reconnection_attempt_for_publisher", BACK_SECONDS_MAX)
    publisher.until("publish_started", BACK_SECONDS_MAX)
    viewer.until("reconnection_attempt_for_player", BACK_SECONDS_MAX)
    viewer.until("play_started", BACK_SECONDS_MAX)
    see_moving_picture(viewer.page, f"#player-{stream_id}")


def test_a_cut_connection_comes_back(browser: Browser, server: Server) -> None:
    """A second after the cut the id is free again: the repeated publish is accepted at once, and is played."""
    with Cable(server.port) as cable, Guests(browser, cable.url, cable.url + f"{PAGES_PREFIX}/sdk.html") as guests:
        publisher, viewer = publish_and_play(guests, "cut1")
        assert publisher.wire.connections == 1

        cable.cut()

        see_both_come_back(publisher, viewer, "cut1")
        assert publisher.wire.connections == viewer.wire.connections == 2
        assert [message["command"] for message in publisher.wire.said].count("publish") == 2
        assert [message for message in publisher.wire.heard if message["command"] == "error"] == []
        guests.check()


def test_a_member_of_a_room_comes_back(browser: Browser, server: Server) -> None:
    """After the cut both members publish and play the room again, and see each other."""
    with Cable(server.port) as cable, Guests(browser, cable.url, cable.url + f"{PAGES_PREFIX}/sdk.html") as guests:
        members = {name: guests.open_sdk() for name in ("anna", "bert")}
        others = {"anna": "bert", "bert": "anna"}
        for name, member in members.items():
            member.call("publish", name, "", "", "", "", "cut2")
            member.call("play", "cut2", "", "cut2")
        for name, member in members.items():
            member.until("publish_started")
            see_moving_picture(member.page, f"#player-{others[name]}")

        cable.cut()

        for name, member in members.items():
            member.until("reconnection_attempt_for_publisher", BACK_SECONDS_MAX)
            member.until("reconnection_attempt_for_player", BACK_SECONDS_MAX)
            member.until("publish_started", BACK_SECONDS_MAX)
            see_moving_picture(member.page, f"#player-{others[name]}")
            assert member.wire.count_heard("streamIdInUse") == 0
        guests.check()


def test_a_server_that_restarts_is_found_again(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory, evidence: EvidenceNotes
) -> None:
    """Every session is told that the server will stop; publisher and viewer go on with the next run on its reel."""
    folder = tmp_path_factory.mktemp("server")
    # No `check`: while nobody listens, the browser says so on the console.
    with Server(folder) as first, Guests(browser, first.url, first.sdk_url) as guests:
        publisher, viewer = publish_and_play(guests, "restart1")

        first.stop()

        for page in (publisher, viewer):
            told = page.wire.until_heard("server_will_stop")
            evidence.tick("MSC-8", transport="browser", captured=told)
        with Server(folder, first.port) as second:
            see_both_come_back(publisher, viewer, "restart1")

    check_that_it_replays(second.reel, records_min=RECORDS_MIN)


def test_the_reel_of_these_calls_replays(server: Server) -> None:
    """What the server recorded gives the same transitions, messages and digests again, under any hash seed."""
    server.stop()

    check_that_it_replays(server.reel, records_min=RECORDS_MIN)
