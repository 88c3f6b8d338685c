"""The official JavaScript SDK, unedited, publishes and plays through the server."""

from typing import Final

import pytest

from tests.e2e.browser import (
    BROWSER_TEST_SECONDS_MAX,
    Guests,
    SdkPage,
    hear_silence,
    hear_sound,
    see_moving_picture,
    see_still_picture,
)
from tests.e2e.server import Server, check_that_it_replays
from tests.e2e.wire import Message
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

RECORDS_MIN: Final = 40  # what the calls of this file put on the reel, less what depends on timing

QUESTIONS_MAX: Final = 100
QUESTION_MILLISECONDS: Final = 200

CHUNKED_BYTES: Final = 40_000
"""More than the SDK puts into one message of the data channel."""


def publish(guests: Guests, stream_id: str) -> SdkPage:
    """Open a page that publishes, and see that it does."""
    publisher = guests.open_sdk()
    publisher.call("publish", stream_id)
    publisher.until("publish_started")
    return publisher


def play(guests: Guests, stream_id: str) -> SdkPage:
    """Open a page that plays, and see that it does."""
    viewer = guests.open_sdk(isPlayMode=True)
    viewer.call("play", stream_id)
    viewer.until("play_started")
    return viewer


def ask_for_renditions(viewer: SdkPage, stream_id: str) -> Message:
    """Ask which renditions a stream has, until the server has measured one."""
    for _ in range(QUESTIONS_MAX):
        viewer.call("getStreamInfo", stream_id)
        answer = viewer.until("streamInformation")
        if answer["streamInfo"]:
            return answer
        viewer.page.wait_for_timeout(QUESTION_MILLISECONDS)
    raise AssertionError(f"no renditions of {stream_id} after {QUESTIONS_MAX} questions")


def test_a_published_stream_is_seen_by_two_viewers(guests: Guests, evidence: EvidenceNotes) -> None:
    """Two pages play what a third one publishes, and both are told when it stops."""
    publisher = guests.open_sdk()
    publisher.call("publish", "stream1")
    assert publisher.until("publish_started")["streamId"] == "stream1"

    viewers = [guests.open_sdk(isPlayMode=True) for _ in range(2)]
    for viewer in viewers:
        viewer.call("play", "stream1")
        assert viewer.until("play_started")["streamId"] == "stream1"
    figures, _ = (see_moving_picture(viewer.page, "#player-stream1") for viewer in viewers)

    publisher.call("stop", "stream1")
    assert publisher.until("publish_finished")["streamId"] == "stream1"
    for viewer in viewers:
        assert viewer.until("play_finished")["streamId"] == "stream1"
    assert publisher.count("publish_finished") == 0

    publish_started = publisher.wire.until_heard("publish_started")
    play_started = viewers[0].wire.until_heard("play_started")
    evidence.tick("PUB-9", transport="browser", captured=publish_started, media=figures)
    evidence.tick("PLY-9", transport="browser", captured=play_started, media=figures)


def test_a_viewer_that_stops_leaves_the_others_alone(guests: Guests) -> None:
    """One viewer stops; the other one goes on, and the first can come back."""
    publish(guests, "stream2")
    first, second = (play(guests, "stream2") for _ in range(2))

    first.call("stop", "stream2")
    first.until("play_finished")

    see_moving_picture(second.page, "#player-stream2")
    first.call("play", "stream2")
    first.until("play_started")
    see_moving_picture(first.page, "#player-stream2")


def test_data_reaches_the_viewers(guests: Guests, evidence: EvidenceNotes) -> None:
    """What a publisher says on its data channel, text and bytes, is heard by who plays it."""
    publisher = publish(guests, "talk")
    publisher.until("data_channel_opened")
    viewer = play(guests, "talk")
    viewer.until("data_channel_opened")

    publisher.call("sendData", "talk", "hello")
    assert viewer.until("data_received") == {"streamId": "talk", "data": "hello"}
    sent = publisher.send_bytes("talk", CHUNKED_BYTES)
    assert viewer.until("data_received") == {"streamId": "talk", "data": sent}

    offer = viewer.wire.until_heard("takeConfiguration", type="offer")
    figures = {"messages": 2, "text_bytes": 5, "binary_bytes": CHUNKED_BYTES}
    evidence.tick("REAL-18", transport="browser", captured=offer, media=figures)


def test_a_viewer_switches_tracks_off_and_on(guests: Guests, evidence: EvidenceNotes) -> None:
    """Video and sound stop and go on for who toggles them; both for who enables and disables the track."""
    publish(guests, "switched")
    viewer = play(guests, "switched")
    video = "#player-switched"
    see_moving_picture(viewer.page, video)
    hear_sound(viewer.page, video)

    viewer.call("toggleVideo", "switched", "switched", False)
    see_still_picture(viewer.page, video)
    hear_sound(viewer.page, video)
    viewer.call("toggleVideo", "switched", "switched", True)
    evidence.tick(
        "PLY-11",
        transport="browser",
        captured=viewer.wire.last_said("toggleVideo"),
        media={"frames_decoded_off": 0} | see_moving_picture(viewer.page, video),
    )

    viewer.call("toggleAudio", "switched", "switched", False)
    hear_silence(viewer.page, video)
    see_moving_picture(viewer.page, video)
    viewer.call("toggleAudio", "switched", "switched", True)
    evidence.tick(
        "PLY-13",
        transport="browser",
        captured=viewer.wire.last_said("toggleAudio"),
        media={"packets_off": 0} | hear_sound(viewer.page, video),
    )

    viewer.call("enableTrack", "switched", "switched", False)
    see_still_picture(viewer.page, video)
    viewer.call("enableTrack", "switched", "switched", True)
    evidence.tick(
        "MSC-11",
        transport="browser",
        captured=viewer.wire.last_said("enableTrack"),
        media={"frames_decoded_off": 0} | see_moving_picture(viewer.page, video),
    )


def test_a_publisher_switches_its_track_for_everybody(guests: Guests, evidence: EvidenceNotes) -> None:
    """When a publisher disables its track no viewer gets it, and when it enables it again all do."""
    publisher = publish(guests, "held")
    viewers = [play(guests, "held") for _ in range(2)]
    for viewer in viewers:
        see_moving_picture(viewer.page, "#player-held")

    publisher.call("enableTrack", "held", "held", False)
    for viewer in viewers:
        see_still_picture(viewer.page, "#player-held")
    publisher.call("enableTrack", "held", "held", True)

    figures, _ = (see_moving_picture(viewer.page, "#player-held") for viewer in viewers)
    said = publisher.wire.last_said("enableTrack")
    evidence.tick("MSC-12", transport="browser", captured=said, media={"frames_decoded_off": 0} | figures)


def test_a_viewer_asks_about_what_it_plays(guests: Guests, evidence: EvidenceNotes) -> None:
    """It learns of the renditions and tracks of a stream; choosing among renditions where there is one changes none."""
    publish(guests, "asked")
    viewer = play(guests, "asked")
    see_moving_picture(viewer.page, "#player-asked")

    information = ask_for_renditions(viewer, "asked")
    viewer.call("getTracks", "asked")
    assert viewer.until("trackList")["trackList"] == ["ARDAMSvasked", "ARDAMSaasked"]
    for height in (240, 0):
        viewer.call("forceStreamQuality", "asked", height)
        see_moving_picture(viewer.page, "#player-asked")

    assert information["streamId"] == "asked"
    assert [
        (rendition["streamWidth"], rendition["streamHeight"], rendition["videoCodec"])
        for rendition in information["streamInfo"]
    ] == [(320, 240, "VP8")]
    evidence.tick("MSC-2", transport="browser", captured=information, said=viewer.wire.last_said("getStreamInfo"))
    evidence.tick(
        "MSC-9",
        transport="browser",
        captured=viewer.wire.until_heard("trackList"),
        said=viewer.wire.last_said("getTrackList"),
    )


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
