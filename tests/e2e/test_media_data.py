"""Data channels in a real browser: who hears whom, as it is configured, and what is too large."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests
from tests.e2e.media import MediaPage
from tests.e2e.server import Server
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

SIZE_MAX: Final = 65_536
"""What the server announces that it takes, and no byte more."""

LARGE: Final = 4 * SIZE_MAX
MEMBERS: Final = ("anna", "bert", "cleo")
TEXT: Final = "hello, ünïcode"
BYTES: Final = [0, 255, 128]
SETTLED_MILLISECONDS: Final = 500


@pytest.fixture(scope="module")
def visitors(browser: Browser, server: Server) -> Iterator[Guests]:
    """The pages of all tests of this file that need no configuration."""
    with Guests(browser, server.url, server.sdk_url) as opened:
        yield opened
        opened.check()


@pytest.fixture(scope="module")
def page(visitors: Guests, server: Server) -> MediaPage:
    """One page for all tests of this file that need no configuration."""
    return MediaPage(visitors, server.url)


def begin(page: MediaPage, stream: str, *, message_bytes: int = 0) -> dict[str, Any]:
    """Let anna publish with a data channel, and the two others play; gives what the last one was told."""
    played: dict[str, Any] = {}
    page.open(*MEMBERS)
    page.publish("anna", stream, data=True, messageBytes=message_bytes)
    page.until("anna", opened=stream)
    for player in MEMBERS[1:]:
        played = page.play(player, stream)
        page.until(player, opened=stream)
    return played


def see_heard(page: MediaPage, stream: str, expected: dict[str, list[str | list[int]]]) -> None:
    """See what each member has heard, word for word, and nothing else of it."""
    for member, messages in expected.items():
        for message in messages:
            said = page.until(member, channel=stream)["data"]
            assert said == (message if isinstance(message, str) else {"bytes": message})
    page.page.wait_for_timeout(SETTLED_MILLISECONDS)
    assert {member: page.count(member, channel=stream) for member in expected} == dict.fromkeys(expected, 0)


def test_a_player_is_heard_by_all_others(page: MediaPage, evidence: EvidenceNotes) -> None:
    """Its text and its bytes reach the publisher and the other players, and not itself."""
    played = begin(page, "talk")

    for message in (TEXT, BYTES):
        page.speak("bert", "talk", message)

    see_heard(page, "talk", {"anna": [TEXT, BYTES], "bert": [], "cleo": [TEXT, BYTES]})
    evidence.tick("REAL-18", transport="browser", captured=played, media={"messages_text": 2, "messages_binary": 2})
    page.close(*MEMBERS)


@pytest.mark.parametrize(("heard_by", "publisher_hears"), [("publisher", True), ("none", False)])
def test_who_hears_a_player_is_configured(
    browser: Browser, tmp_path: Path, heard_by: str, publisher_hears: bool
) -> None:
    """The publisher alone, or nobody; what the publisher says reaches its players all the same."""
    with (
        Server(tmp_path, configuration=f'[media]\nplayer_messages = "{heard_by}"\n') as server,
        Guests(browser, server.url, server.sdk_url) as visitors,
    ):
        page = MediaPage(visitors, server.url)
        begin(page, "talk")

        page.speak("bert", "talk", TEXT)
        see_heard(page, "talk", {"anna": [TEXT] if publisher_hears else [], "bert": [], "cleo": []})
        page.speak("anna", "talk", BYTES)

        see_heard(page, "talk", {"anna": [], "bert": [BYTES], "cleo": [BYTES]})
        visitors.check()


def test_the_largest_message_arrives_whole(page: MediaPage) -> None:
    """Of the size that the server announces, both ways."""
    begin(page, "large")
    large = [number % 256 for number in range(SIZE_MAX)]

    page.speak("anna", "large", large)
    see_heard(page, "large", {"anna": [], "bert": [large], "cleo": [large]})
    page.speak("bert", "large", large)
    see_heard(page, "large", {"anna": [large], "bert": [], "cleo": [large]})
    page.close(*MEMBERS)


def test_what_is_too_large_is_dropped_and_closes_nothing(page: MediaPage) -> None:
    """A publisher that does not care for the limit is heard again with its next message; its picture goes on."""
    begin(page, "dropped", message_bytes=2 * LARGE)

    page.speak("anna", "dropped", [1] * LARGE)
    page.speak("anna", "dropped", TEXT)

    see_heard(page, "dropped", {"anna": [], "bert": [TEXT], "cleo": [TEXT]})
    page.see_flowing("bert", "dropped", "ARDAMSvdropped", "ARDAMSadropped")
    page.close(*MEMBERS)
