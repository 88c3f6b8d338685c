"""Pictures and sound in a real browser, item by item: what flows, what is switched off, what is said about it."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from tests.e2e.bottleneck import Bottleneck
from tests.e2e.browser import BROWSER_TEST_SECONDS_MAX, Guests, until
from tests.e2e.media import MediaPage, amount_of
from tests.e2e.server import Server
from tests.evidence import EvidenceNotes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(BROWSER_TEST_SECONDS_MAX)]

SQUEEZED: Final = 100_000  # bit/s; picture and sound together have nearly twice as much
MEASURED_MAX: Final = 8
ASKED_MAX: Final = 40
ASK_MILLISECONDS: Final = 250
TALL, SMALL = 360, 180  # heights of the picture that is published, and of its smaller layer


@pytest.fixture(scope="module")
def visitors(browser: Browser, server: Server) -> Iterator[Guests]:
    """The pages of all tests of this file."""
    with Guests(browser, server.url, server.sdk_url) as opened:
        yield opened
        opened.check()


@pytest.fixture(scope="module")
def page(visitors: Guests, server: Server) -> MediaPage:
    """One page for all tests of this file: one that is opened anew for each would take longer than they do."""
    return MediaPage(visitors, server.url)


def stream_information(page: MediaPage, client: str, stream: str, count: int) -> dict[str, Any]:
    """Ask for a stream's renditions until they have been measured."""
    told: dict[str, Any] = {}
    for _ in range(ASKED_MAX):
        page.say(client, "getStreamInfo", streamId=stream)
        told = page.until(client, command="streamInformation", streamId=stream)
        renditions = told["streamInfo"]
        if len(renditions) == count and all(each["videoBitrate"] or each["audioBitrate"] for each in renditions):
            return told
        page.page.wait_for_timeout(ASK_MILLISECONDS)
    raise AssertionError(f"{stream}: last told {told}")


def test_a_published_picture_and_sound_are_played_and_told_of(page: MediaPage, evidence: EvidenceNotes) -> None:
    """Frames are decoded; size, codec and bitrates of the stream are told, and every few seconds the viewer's own."""
    page.open("anna", "bert")
    published = page.publish("anna", "cam")
    played = page.play("bert", "cam")
    received = page.see_flowing("bert", "cam", "ARDAMSvcam", "ARDAMSacam")
    picture, sound = received["ARDAMSvcam"], received["ARDAMSacam"]
    assert (picture["width"], picture["height"]) == (640, TALL)
    flowed = {"frames_decoded": picture["frames"], "packets": sound["packets"], "height": picture["height"]}
    evidence.tick("PUB-9", transport="browser", captured=published, media=flowed)
    evidence.tick("PLY-9", transport="browser", captured=played, media=flowed)

    measured_twice = [page.notified("bert", "bitrateMeasurement", streamId="cam") for _ in range(2)]
    for measured in measured_twice:
        assert all(type(measured[key]) is int for key in ("targetBitrate", "videoBitrate", "audioBitrate"))
    assert measured_twice[1]["videoBitrate"] > measured_twice[1]["audioBitrate"] > 0
    evidence.tick("MSC-4", transport="browser", captured=measured_twice[1], media=flowed)

    told = stream_information(page, "bert", "cam", 1)
    [rendition] = told["streamInfo"]
    assert (rendition["streamWidth"], rendition["streamHeight"], rendition["videoCodec"]) == (640, TALL, "VP8")
    assert rendition["videoBitrate"] > rendition["audioBitrate"] > 0
    evidence.tick("MSC-2", transport="browser", captured=told, media=flowed)
    page.close("anna", "bert")


def test_picture_and_sound_are_switched_off_and_on_for_one_viewer(page: MediaPage, evidence: EvidenceNotes) -> None:
    """The one kind stops and the other goes on; without a word on which, `toggle` means on."""
    page.open("anna", "bert", "cleo")
    page.publish("anna", "cam")
    for viewer in ("bert", "cleo"):
        page.play(viewer, "cam")
        page.see_flowing(viewer, "cam", "ARDAMSvcam", "ARDAMSacam")

    for item, command, off, on in (
        ("PLY-11", "toggleVideo", "ARDAMSvcam", "ARDAMSacam"),
        ("PLY-13", "toggleAudio", "ARDAMSacam", "ARDAMSvcam"),
    ):
        said = page.say("bert", command, streamId="cam", trackId="cam", enabled=False)
        still = page.see_still("bert", "cam", off, on)
        page.see_flowing("cleo", "cam", off, on)
        page.say("bert", command, streamId="cam", trackId="cam")
        resumed = page.see_flowing("bert", "cam", off, on)[off]
        figures = {"packets_while_off": 0, "packets_before": still["packets"], "packets_after": resumed["packets"]}
        evidence.tick(item, transport="browser", captured=said, media=figures)
    page.close("anna", "bert", "cleo")


def test_a_kind_that_is_not_published_is_turned_down(page: MediaPage, evidence: EvidenceNotes) -> None:
    """It is rejected in the answer, not offered to players, and not told of."""
    for absent, present, codec in (("video", "ARDAMSa", ""), ("audio", "ARDAMSv", "VP8")):
        stream = f"without-{absent}"
        page.open("anna", "bert")
        said = page.say("anna", "publish", {}, streamId=stream, **{absent: False})
        answer = page.until("anna", command="takeConfiguration", type="answer")
        assert f"m={absent} 0 " in answer["sdp"]
        page.notified("anna", "publish_started", streamId=stream)

        page.play("bert", stream)
        received = page.see_flowing("bert", stream, present + stream)
        assert set(received) == {present + stream}
        told = stream_information(page, "bert", stream, 1)
        assert told["streamInfo"][0]["videoCodec"] == codec
        assert bool(told["streamInfo"][0]["audioBitrate"]) == (absent == "video")
        page.say("bert", "getTrackList", streamId=stream)
        listed = page.until("bert", command="trackList", streamId=stream)
        assert listed["trackList"] == [present + stream]
        figures = {f"packets_{absent}": 0, "packets": received[present + stream]["packets"]}
        for captured in (answer, told, listed):
            evidence.tick("PUB-3", transport="browser", captured=captured, said=said, media=figures)
        page.close("anna", "bert")


def test_a_viewer_chooses_a_layer_by_its_height(page: MediaPage, evidence: EvidenceNotes) -> None:
    """The decoded height changes to the one that is asked for, and is told; 0 hands the choice back: it is the best."""
    page.open("anna", "bert")
    page.publish("anna", "layers", layers=True)
    page.play("bert", "layers")
    page.see_height("bert", "layers", "ARDAMSvlayers", TALL)

    for item, asked, height in (
        ("MSC-6", SMALL, SMALL),
        ("MSC-6", TALL, TALL),
        ("MSC-6", SMALL, SMALL),
        ("MSC-7", 0, TALL),
    ):
        said = page.say("bert", "forceStreamQuality", streamId="layers", streamHeight=asked)
        page.see_height("bert", "layers", "ARDAMSvlayers", height)
        picture = page.see_flowing("bert", "layers", "ARDAMSvlayers", "ARDAMSalayers")["ARDAMSvlayers"]
        told = page.notified("bert", "resolutionChangeInfo", streamHeight=height)
        figures = {"frames_decoded": picture["frames"], "height": picture["height"]}
        for shown in (item, "REAL-9"):
            evidence.tick(shown, transport="browser", captured=told, said=said, media=figures)
    told = stream_information(page, "bert", "layers", 2)
    assert sorted(rendition["streamHeight"] for rendition in told["streamInfo"]) == [SMALL, TALL]
    page.close("anna", "bert")


def test_the_official_sdk_chooses_a_layer(page: MediaPage, visitors: Guests) -> None:
    """Its own call changes what its page shows."""
    page.open("anna")
    page.publish("anna", "sdk-layers", layers=True)
    viewer = visitors.open_sdk(isPlayMode=True)
    viewer.call("play", "sdk-layers")
    viewer.until("play_started")
    shown = "height => document.querySelector('#player-sdk-layers')?.videoHeight === height"

    for asked, height in ((0, TALL), (SMALL, SMALL), (0, TALL)):
        viewer.call("forceStreamQuality", "sdk-layers", asked)
        until(viewer.page, shown, height)
    viewer.close()
    page.close("anna")


def test_one_track_of_a_room_is_switched_and_the_others_go_on(page: MediaPage, evidence: EvidenceNotes) -> None:
    """A player of a whole room sees who comes later too; it switches one of them, and a publisher itself for all."""
    page.open("anna", "bert", "cleo", "dora")
    page.publish("anna", "a1", main_track="room")
    page.play("cleo", "room", room="room")
    page.see_flowing("cleo", "room", "ARDAMSva1", "ARDAMSaa1")
    page.forget("cleo", command="takeConfiguration")
    page.publish("bert", "b1", main_track="room")
    offer = page.until("cleo", command="takeConfiguration", type="offer")
    page.play("dora", "room", room="room")
    everything = ("ARDAMSva1", "ARDAMSaa1", "ARDAMSvb1", "ARDAMSab1")
    page.see_flowing("dora", "room", *everything)
    received = page.see_flowing("cleo", "room", *everything)
    figures = {f"frames_decoded_{each}": received[f"ARDAMSv{each}"]["frames"] for each in ("a1", "b1")}
    evidence.tick("REAL-7", transport="browser", captured=offer, media=figures)

    for item, command, off in (("PLY-12", "toggleVideo", "ARDAMSvb1"), ("PLY-14", "toggleAudio", "ARDAMSab1")):
        said = page.say("cleo", command, streamId="room", trackId="b1", enabled=False)
        page.see_still("cleo", "room", off, *(each for each in everything if each != off))
        page.say("cleo", command, streamId="room", trackId="b1", enabled=True)
        resumed = amount_of(page.see_flowing("cleo", "room", *everything)[off])
        figures = {"packets_while_off": 0, "frames_or_packets_after": resumed}
        evidence.tick(item, transport="browser", captured=said, media=figures)

    said = page.say("cleo", "enableTrack", streamId="room", trackId="a1", enabled=False)
    page.see_still("cleo", "room", "ARDAMSva1", "ARDAMSvb1", "ARDAMSab1")
    page.see_still("cleo", "room", "ARDAMSaa1")
    others = page.see_flowing("dora", "room", *everything)
    page.say("cleo", "enableTrack", streamId="room", trackId="a1", enabled=True)
    page.see_flowing("cleo", "room", *everything)
    figures = {"packets_while_off": 0, "frames_decoded_of_others": others["ARDAMSva1"]["frames"]}
    evidence.tick("MSC-11", transport="browser", captured=said, media=figures)

    said = page.say("anna", "enableTrack", streamId="a1", trackId="a1", enabled=False)
    for player in ("cleo", "dora"):
        page.see_still(player, "room", "ARDAMSva1", "ARDAMSvb1", "ARDAMSab1")
        page.see_still(player, "room", "ARDAMSaa1")
    page.say("anna", "enableTrack", streamId="a1", trackId="a1", enabled=True)
    page.see_flowing("dora", "room", *everything)
    received = page.see_flowing("cleo", "room", *everything)
    figures = {"packets_while_off": 0, "frames_decoded_after": received["ARDAMSva1"]["frames"]}
    evidence.tick("MSC-12", transport="browser", captured=said, media=figures)
    page.close("anna", "bert", "cleo", "dora")


def test_a_player_of_a_room_gets_the_pictures_that_are_assigned(page: MediaPage, evidence: EvidenceNotes) -> None:
    """As many as it has places for, and those that it reserves; the sound of all goes on."""
    page.open("anna", "bert", "cleo")
    for publisher, stream in (("anna", "a2"), ("bert", "b2")):
        page.publish(publisher, stream, main_track="hall")
    page.play("cleo", "hall", room="hall")
    page.see_flowing("cleo", "hall", "ARDAMSva2", "ARDAMSaa2", "ARDAMSvb2", "ARDAMSab2")
    page.until("cleo", opened="hall")

    for command, fields, shown, hidden in (
        ("setMaxVideoTrackCountCommand", {"maxTrackCount": 1}, "a2", "b2"),
        ("assignVideoTrackCommand", {"videoTrackId": "ARDAMSvb2", "enabled": True}, "b2", "a2"),
        ("assignVideoTrackCommand", {"videoTrackId": "ARDAMSvb2", "enabled": False}, "a2", "b2"),
        ("updateVideoTrackAssignmentsCommand", {"offset": 1, "size": 1}, "b2", "a2"),
    ):
        said = page.say("cleo", command, streamId="hall", **fields)
        told = page.notified("cleo", "videoTrackAssignmentList", streamId="hall")
        event = json.loads(page.until("cleo", channel="hall")["data"])
        assert [each["trackId"] for each in told["payload"]] == [shown]
        assert (event["eventType"], event["streamId"]) == ("VIDEO_TRACK_ASSIGNMENT_LIST", "hall")
        assert event["payload"] == told["payload"]
        others = (f"ARDAMSv{shown}", "ARDAMSaa2", "ARDAMSab2")
        page.see_still("cleo", "hall", f"ARDAMSv{hidden}", *others)
        figures = {
            "packets_of_hidden": 0,
            "frames_decoded": page.see_flowing("cleo", "hall", *others)[others[0]]["frames"],
        }
        evidence.tick("REAL-11", transport="browser", captured=told, said=said, media=figures)
    page.say("cleo", "getVideoTrackAssignmentsCommand", streamId="hall")
    [last] = page.notified("cleo", "videoTrackAssignmentList", streamId="hall")["payload"]
    assert last["trackId"] == "b2"
    page.close("anna", "bert", "cleo")


def test_text_and_bytes_reach_the_viewers(page: MediaPage, evidence: EvidenceNotes) -> None:
    """What a publisher says on its data channel is heard by all who play it, as it was said."""
    page.open("anna", "bert", "cleo")
    page.publish("anna", "talk", data=True)
    played = [page.play(viewer, "talk") for viewer in ("bert", "cleo")]
    for viewer in ("bert", "cleo"):
        page.until(viewer, opened="talk")

    page.speak("anna", "talk", "hello")
    page.speak("anna", "talk", [0, 255, 128])

    for viewer in ("bert", "cleo"):
        assert page.until(viewer, channel="talk")["data"] == "hello"
        assert page.until(viewer, channel="talk")["data"] == {"bytes": [0, 255, 128]}
    heard = {"messages_text": 2, "messages_binary": 2}
    evidence.tick("REAL-18", transport="browser", captured=played[0], media=heard)
    page.close("anna", "bert", "cleo")


def test_two_peers_see_and_hear_each_other_and_talk(page: MediaPage, evidence: EvidenceNotes) -> None:
    """The server only introduces them: pictures, sound, text and bytes go between the browsers."""
    page.open("anna", "bert")
    page.say("anna", "join", {"data": True}, streamId="pair")
    page.notified("anna", "joined")
    page.say("bert", "join", {"both": True}, streamId="pair")
    started = page.until("anna", command="start")
    page.until("bert", opened="pair")
    frames: dict[str, float] = {}
    for peer in ("anna", "bert"):
        frames[f"frames_decoded_by_{peer}"] = page.see_flowing(peer, "pair", "video", "audio")["video"]["frames"]
    evidence.tick("P2P-9", transport="browser", captured=started, media=frames)

    page.speak("anna", "pair", "hello")
    assert page.until("bert", channel="pair")["data"] == "hello"
    page.speak("bert", "pair", [7, 0, 7])
    assert page.until("anna", channel="pair")["data"] == {"bytes": [7, 0, 7]}
    heard = {"messages_text": 1, "messages_binary": 1}
    evidence.tick("REAL-18", transport="browser", captured=started, media=heard)
    page.close("anna", "bert")


def test_the_estimate_of_a_squeezed_viewer_falls_below_what_it_is_sent(
    page: MediaPage, evidence: EvidenceNotes
) -> None:
    """A viewer behind a slow line is told less than the publisher sends."""
    page.open("anna", "bert")
    page.publish("anna", "wide")
    with Bottleneck(SQUEEZED) as line:
        page.play("bert", "wide", line=line)
        measured: dict[str, Any] = {"targetBitrate": 0, "videoBitrate": 0, "audioBitrate": 0}
        for _ in range(MEASURED_MAX):
            measured = page.notified("bert", "bitrateMeasurement")
            if measured["targetBitrate"] < measured["videoBitrate"] + measured["audioBitrate"]:
                break
        assert measured["targetBitrate"] < measured["videoBitrate"] + measured["audioBitrate"]
        packets = page.received("bert", "wide")["ARDAMSvwide"]["packets"]
        evidence.tick("MSC-5", transport="browser", captured=measured, media={"packets": packets})
    page.close("anna", "bert")
