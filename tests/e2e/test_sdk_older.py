"""An older JavaScript SDK, unedited, and its own sample pages: what was written when the protocol page was."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, OLD_SAMPLES, OLD_SDK, Guests, see_moving_picture
from tests.e2e.server import Server, check_that_it_replays

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 50  # what the calls of this file put on the reel, less what depends on timing

SEEN_MILLISECONDS_MAX: Final = 30_000
"""The samples ask every five seconds who is in the room."""


def test_it_publishes_and_plays(guests: Guests) -> None:
    """A page plays what another one publishes, sees it move, and is told when it stops."""
    publisher = guests.open_sdk(OLD_SDK)
    publisher.call("publish", "old1")
    assert publisher.until("publish_started")["streamId"] == "old1"
    viewer = guests.open_sdk(OLD_SDK, isPlayMode=True)
    viewer.call("play", "old1")
    assert viewer.until("play_started")["streamId"] == "old1"
    see_moving_picture(viewer.page, "#player-old1")

    publisher.call("stop", "old1")

    assert publisher.until("publish_finished")["streamId"] == "old1"
    assert viewer.until("play_finished")["streamId"] == "old1"


def test_a_player_that_begins_to_publish(guests: Guests) -> None:
    """In play mode it says `undefined` before it publishes, which harms nobody."""
    publisher = guests.open_sdk(OLD_SDK, isPlayMode=True)
    publisher.call("publish", "old2")
    publisher.until("publish_started")

    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", "old2")

    see_moving_picture(viewer.page, "#player-old2")
    assert publisher.wire.noise == ["undefined"]


def test_it_is_told_by_name_alone_that_there_is_nothing_to_play(guests: Guests) -> None:
    """It takes no more of an error than its definition."""
    viewer = guests.open_sdk(OLD_SDK, isPlayMode=True)
    viewer.call("play", "nobody")

    viewer.until("error no_stream_exist")


def test_it_calls_a_newer_one(guests: Guests) -> None:
    """Two peers see each other, whichever SDK each has; the one that is left gets the next one."""
    old = guests.open_sdk(OLD_SDK, remoteVideoId="remote")
    old.call("join", "old3")
    old.until("joined")
    new = guests.open_sdk(remoteVideoId="remote")
    new.call("join", "old3")
    for peer in (old, new):
        see_moving_picture(peer.page, "#remote")

    new.call("leave", "old3")
    new.until("leaved")
    other = guests.open_sdk(OLD_SDK, remoteVideoId="remote")
    other.call("join", "old3")

    for peer in (old, other):
        see_moving_picture(peer.page, "#remote")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that serves the sample pages: each connects to the app it was served under."""
    with Server(tmp_path_factory.mktemp("samples"), pages=OLD_SAMPLES) as running:
        yield running


@pytest.mark.parametrize("sample", ["conference.html", "multitrack-conference.html"])
def test_its_conference(browser: Browser, samples: Server, sample: str) -> None:
    """On its own pages three people see the two others each; one leaves and disappears from the rest."""
    with Guests(browser, samples.url, "") as guests:
        confer(guests, sample)
        # The pages have faults of their own, on the console; what they hold against a server they say in a dialog.
        guests.check(only=("dialog", "request"))


def confer(guests: Guests, sample: str) -> None:
    """Join a room as three people do, and leave it as one does."""
    names = ("anna", "bert", "cleo")
    room = sample.partition(".")[0]
    pages = {name: guests.open(f"live/{sample}?streamId={name}-{room}") for name in names}
    for page in pages.values():
        page.locator("#roomName").fill(room)
        page.locator("#join_publish_button").click()
        expect(page.locator("#stop_publish_button")).to_be_enabled(timeout=SEEN_MILLISECONDS_MAX)
    for name, page in pages.items():
        for other in set(names) - {name}:
            see_moving_picture(page, f"#remoteVideo{other}-{room}")

    pages["bert"].locator("#stop_publish_button").click()

    for name in ("anna", "cleo"):
        expect(pages[name].locator(f"#remoteVideobert-{room}")).to_have_count(0, timeout=SEEN_MILLISECONDS_MAX)
    see_moving_picture(pages["anna"], f"#remoteVideocleo-{room}")
    see_moving_picture(pages["cleo"], f"#remoteVideoanna-{room}")


def test_the_reel_of_these_calls_replays(server: Server, samples: Server) -> None:
    """What the servers recorded gives the same transitions, messages and digests again, under any hash seed."""
    for one in (server, samples):
        one.stop()

        check_that_it_replays(one.reel, records_min=RECORDS_MIN)
