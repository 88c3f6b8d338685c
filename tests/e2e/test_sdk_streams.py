"""The official JavaScript SDK, unedited, publishes and plays through the server."""

from typing import Final

import pytest

from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, see_moving_picture
from tests.e2e.server import Server, check_that_it_replays

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 40  # what the calls of this file put on the reel, less what depends on timing


def test_a_published_stream_is_seen_by_two_viewers(guests: Guests) -> None:
    """Two pages play what a third one publishes, and both are told when it stops."""
    publisher = guests.open_sdk()
    publisher.call("publish", "stream1")
    assert publisher.until("publish_started")["streamId"] == "stream1"

    viewers = [guests.open_sdk(isPlayMode=True) for _ in range(2)]
    for viewer in viewers:
        viewer.call("play", "stream1")
        assert viewer.until("play_started")["streamId"] == "stream1"
        see_moving_picture(viewer.page, "#player-stream1")

    publisher.call("stop", "stream1")
    assert publisher.until("publish_finished")["streamId"] == "stream1"
    for viewer in viewers:
        assert viewer.until("play_finished")["streamId"] == "stream1"
    assert publisher.count("publish_finished") == 0


def test_a_viewer_that_stops_leaves_the_others_alone(guests: Guests) -> None:
    """One viewer stops; the other one goes on, and the first can come back."""
    publisher = guests.open_sdk()
    publisher.call("publish", "stream2")
    publisher.until("publish_started")
    first, second = (guests.open_sdk(isPlayMode=True) for _ in range(2))
    for viewer in (first, second):
        viewer.call("play", "stream2")
        viewer.until("play_started")

    first.call("stop", "stream2")
    first.until("play_finished")

    see_moving_picture(second.page, "#player-stream2")
    first.call("play", "stream2")
    first.until("play_started")
    see_moving_picture(first.page, "#player-stream2")


def test_data_reaches_the_viewers(guests: Guests) -> None:
    """What a publisher says on its data channel is heard by who plays it."""
    publisher = guests.open_sdk()
    publisher.call("publish", "talk")
    publisher.until("data_channel_opened")
    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", "talk")
    viewer.until("data_channel_opened")

    publisher.call("sendData", "talk", "hello")

    assert viewer.until("data_received") == {"streamId": "talk", "data": "hello"}


def test_a_viewer_may_come_before_the_publisher(guests: Guests) -> None:
    """A viewer of nothing gets `no_stream_exist`, and the SDK's own retry plays the stream once it is there."""
    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", "late")
    refusal = viewer.until("error no_stream_exist")
    assert (refusal["streamId"], refusal["error_code"]) == ("late", "404")

    publisher = guests.open_sdk()
    publisher.call("publish", "late")
    publisher.until("publish_started")

    viewer.until("play_started")
    see_moving_picture(viewer.page, "#player-late")


def test_a_stream_id_is_free_again_when_its_tab_is_closed(guests: Guests) -> None:
    """Nobody else may publish a live stream's id; the moment its tab is closed, somebody may."""
    first = guests.open_sdk()
    first.call("publish", "shared")
    first.until("publish_started")
    second = guests.open_sdk(reconnectIfRequiredFlag=False)
    second.call("publish", "shared")
    assert second.until("error streamIdInUse")["streamId"] == "shared"

    first.close()
    third = guests.open_sdk(reconnectIfRequiredFlag=False)
    third.call("publish", "shared")

    assert third.until("publish_started")["streamId"] == "shared"
    assert third.count("error streamIdInUse") == 0


def test_the_reel_of_these_calls_replays(server: Server) -> None:
    """What the server recorded gives the same transitions, messages and digests again, under any hash seed."""
    server.stop()

    check_that_it_replays(server.reel, records_min=RECORDS_MIN)
