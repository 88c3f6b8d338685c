"""The official JavaScript SDK, unedited, calls from browser to browser."""

from typing import Final

import pytest

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, SdkPage, see_moving_picture
from tests.e2e.server import Server, check_that_it_replays
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 40  # what the calls of this file put on the reel, less what depends on timing


def join(guests: Guests, stream_id: str) -> SdkPage:
    """Open a page that joins a pair, as the SDK's own peer-to-peer sample does."""
    peer = guests.open_sdk(remoteVideoId="remote")
    peer.call("join", stream_id)
    return peer


def test_two_peers_see_each_other_and_a_third_does_not_fit(guests: Guests, evidence: EvidenceNotes) -> None:
    """Frames reach both peers; the third one gets `NoSpaceForNewPeer`, and the two do not notice."""
    first = join(guests, "call1")
    first.until("joined")
    second = join(guests, "call1")
    second.until("joined")
    seen_by_first, seen_by_second = (see_moving_picture(peer.page, "#remote") for peer in (first, second))
    evidence.tick(
        "P2P-9",
        transport="browser",
        captured=first.wire.until_heard("start"),
        said=first.wire.last_said("join"),
        media=seen_by_first | {"frames_decoded_by_the_other": seen_by_second["frames_decoded"]},
    )

    third = join(guests, "call1")

    assert third.until("error NoSpaceForNewPeer")["streamId"] == "call1"
    for peer in (first, second):
        see_moving_picture(peer.page, "#remote")


def test_a_new_peer_takes_the_place_of_one_that_left(guests: Guests) -> None:
    """One peer leaves and is told so, a new one joins, and the two see each other."""
    first = join(guests, "call2")
    first.until("joined")
    second = join(guests, "call2")
    see_moving_picture(first.page, "#remote")

    second.call("leave", "call2")
    second.until("leaved")
    third = join(guests, "call2")
    third.until("joined")

    see_moving_picture(third.page, "#remote")
    see_moving_picture(first.page, "#remote")


def test_one_of_many_calls_a_camera_under_an_id_of_its_own(guests: Guests, evidence: EvidenceNotes) -> None:
    """Pages join the new id themselves: the SDK knows no `startNewP2PConnection`, and fails at `connectWithNewId`.

    It would join by a method that is on another object of its own; everything after that is its usual way.
    """
    camera = join(guests, "camera1")
    camera.until("joined")
    ids = {"camera1"}
    for _ in range(2):
        caller = guests.open_sdk(remoteVideoId="remote", isMultiPeer=True)
        caller.call("join", "camera1")
        connected = caller.wire.until_heard("connectWithNewId")
        called = camera.wire.until_heard("startNewP2PConnection", streamId=connected["streamId"])
        caller.call("join", connected["streamId"])
        caller.until("joined")
        camera.call("join", called["streamId"])
        seen = see_moving_picture(caller.page, "#remote")
        ids.add(connected["streamId"])
        said = {"command": "join", "streamId": "camera1", "multiPeer": True}
        for item, captured in (("P2P-3", connected), ("REAL-17", called)):
            evidence.tick(item, transport="browser", captured=captured, said=said, media=seen)

    assert len(ids) == 3
    assert guests.complaints == ["script error: this.join is not a function"] * 2
    guests.complaints.clear()


def test_closing_a_tab_frees_its_place_at_once(guests: Guests) -> None:
    """A peer that vanishes holds no place: the next one joins without being refused once."""
    first = join(guests, "call3")
    first.until("joined")
    second = join(guests, "call3")
    see_moving_picture(second.page, "#remote")

    first.close()
    third = join(guests, "call3")
    third.until("joined")

    assert third.count("error NoSpaceForNewPeer") == 0
    see_moving_picture(third.page, "#remote")
    see_moving_picture(second.page, "#remote")


def test_the_reel_of_these_calls_replays(server: Server) -> None:
    """What the server recorded gives the same transitions, messages and digests again, under any hash seed."""
    server.stop()

    check_that_it_replays(server.reel, records_min=RECORDS_MIN)
