"""What the server says, letter by letter as on the wire."""

import json
from typing import Any, Final

import msgspec
import pytest

from signalreel.messages import (
    MESSAGES,
    AnyMessage,
    Candidate,
    CloseSession,
    ConnectWithNewId,
    Description,
    Error,
    IceServerConfig,
    Notification,
    Pong,
    RelayedMessage,
    RenditionInformation,
    RoomInformation,
    RoomStream,
    Start,
    StartNewConnection,
    StopPeer,
    StreamInformation,
    TrackList,
    VideoTrackAssignment,
    encode_message,
)
from signalreel.refusals import NO_STREAM_EXIST

ON_THE_WIRE: Final[list[tuple[AnyMessage, dict[str, Any]]]] = [
    (Start("stream1"), {"command": "start", "streamId": "stream1", "subscriberId": ""}),
    (
        Description("stream1", "answer", "v=0"),
        {"command": "takeConfiguration", "streamId": "stream1", "type": "answer", "sdp": "v=0"},
    ),
    (
        Description("stream1", "offer", "v=0", id_mapping={"0": "ARDAMSvstream1"}),
        {
            "command": "takeConfiguration",
            "streamId": "stream1",
            "type": "offer",
            "sdp": "v=0",
            "idMapping": {"0": "ARDAMSvstream1"},
        },
    ),
    (
        Candidate("stream1", 0, "audio", "candidate:1"),
        {"command": "takeCandidate", "streamId": "stream1", "label": 0, "id": "audio", "candidate": "candidate:1"},
    ),
    (StopPeer("stream1"), {"command": "stop", "streamId": "stream1"}),
    (
        Notification("publish_started", stream_id="stream1", subscriber_id=""),
        {"command": "notification", "definition": "publish_started", "streamId": "stream1", "subscriberId": ""},
    ),
    (
        Notification(
            "joinedTheRoom",
            stream_id="mine",
            streams=("theirs",),
            stream_list=(RoomStream("theirs", "their name", "{}"),),
            room_name="room1",
            room="room1",
            max_track_count=-1,
        ),
        {
            "command": "notification",
            "definition": "joinedTheRoom",
            "streamId": "mine",
            "streams": ["theirs"],
            "streamList": [{"streamId": "theirs", "streamName": "their name", "metaData": "{}"}],
            "ATTR_ROOM_NAME": "room1",
            "room": "room1",
            "maxTrackCount": -1,
        },
    ),
    (
        Notification("leavedFromRoom", room_name="room1", room="room1"),
        {"command": "notification", "definition": "leavedFromRoom", "ATTR_ROOM_NAME": "room1", "room": "room1"},
    ),
    (
        Notification("bitrateMeasurement", stream_id="s", target_bitrate=3, video_bitrate=2, audio_bitrate=1),
        {
            "command": "notification",
            "definition": "bitrateMeasurement",
            "streamId": "s",
            "targetBitrate": 3,
            "videoBitrate": 2,
            "audioBitrate": 1,
        },
    ),
    (
        Notification("resolutionChangeInfo", stream_id="s", stream_height=360),
        {"command": "notification", "definition": "resolutionChangeInfo", "streamId": "s", "streamHeight": 360},
    ),
    (
        Notification("subtrackAdded", stream_id="room1", track_id="s"),
        {"command": "notification", "definition": "subtrackAdded", "streamId": "room1", "trackId": "s"},
    ),
    (
        Notification("broadcastObject", stream_id="s", broadcast='{"streamId":"s"}'),
        {
            "command": "notification",
            "definition": "broadcastObject",
            "streamId": "s",
            "broadcast": '{"streamId":"s"}',
        },
    ),
    (
        Notification("subtrackList", stream_id="room1", subtrack_list=('{"streamId":"s"}',)),
        {
            "command": "notification",
            "definition": "subtrackList",
            "streamId": "room1",
            "subtrackList": ['{"streamId":"s"}'],
        },
    ),
    (
        Notification("subscriberList", stream_id="s", subscriber_list=('{"subscriberId":"anna"}',)),
        {
            "command": "notification",
            "definition": "subscriberList",
            "streamId": "s",
            "subscriberList": ['{"subscriberId":"anna"}'],
        },
    ),
    (
        Notification("subscriberCount", stream_id="s", count=0),
        {"command": "notification", "definition": "subscriberCount", "streamId": "s", "count": 0},
    ),
    (
        Notification("videoTrackAssignmentList", stream_id="room1", payload=(VideoTrackAssignment("v0", "s"),)),
        {
            "command": "notification",
            "definition": "videoTrackAssignmentList",
            "streamId": "room1",
            "payload": [{"videoLabel": "v0", "trackId": "s", "reserved": False}],
        },
    ),
    (
        Notification("debugInfo", stream_id="s", debug_info="{}"),
        {"command": "notification", "definition": "debugInfo", "streamId": "s", "debugInfo": "{}"},
    ),
    (
        Notification("missingParameter", success=False, information="The command lacks a field."),
        {
            "command": "notification",
            "definition": "missingParameter",
            "success": False,
            "information": "The command lacks a field.",
        },
    ),
    (
        Error("viewerLimitReached", stream_id="s", retry_after_ms=5_000),
        {"command": "error", "definition": "viewerLimitReached", "streamId": "s", "retryAfterMs": 5_000},
    ),
    (
        RelayedMessage("s", "zoom", {"to": [1, 2.5, None]}),
        {"command": "peerMessageCommand", "streamId": "s", "definition": "zoom", "data": {"to": [1, 2.5, None]}},
    ),
    (StartNewConnection("new"), {"command": "startNewP2PConnection", "streamId": "new"}),
    (ConnectWithNewId("new"), {"command": "connectWithNewId", "streamId": "new"}),
    (Notification("server_will_stop"), {"command": "notification", "definition": "server_will_stop"}),
    (Error("noStreamNameSpecified"), {"command": "error", "definition": "noStreamNameSpecified"}),
    (
        Error(
            NO_STREAM_EXIST.definition,
            stream_id="s",
            room="room1",
            error_code=NO_STREAM_EXIST.error_code,
            information=NO_STREAM_EXIST.information,
        ),
        {
            "command": "error",
            "definition": "no_stream_exist",
            "streamId": "s",
            "room": "room1",
            "error_code": "404",
            "information": "There is no live stream of this id.",
        },
    ),
    (
        StreamInformation("s", (RenditionInformation(640, 480, 500_000, 64_000, "VP8"),)),
        {
            "command": "streamInformation",
            "streamId": "s",
            "streamInfo": [
                {
                    "streamWidth": 640,
                    "streamHeight": 480,
                    "videoBitrate": 500_000,
                    "audioBitrate": 64_000,
                    "videoCodec": "VP8",
                }
            ],
        },
    ),
    (
        RoomInformation("room1", ("a",), (RoomStream("a", "", ""),), "room1"),
        {
            "command": "roomInformation",
            "room": "room1",
            "streams": ["a"],
            "streamList": [{"streamId": "a", "streamName": "", "metaData": ""}],
            "ATTR_ROOM_NAME": "room1",
        },
    ),
    (
        RoomInformation("room1", ()),
        {"command": "roomInformation", "room": "room1", "streams": [], "streamList": [], "ATTR_ROOM_NAME": ""},
    ),
    (TrackList("s", ("s",)), {"command": "trackList", "streamId": "s", "trackList": ["s"]}),
    (
        IceServerConfig("stun:stun.example.org:3478"),
        {
            "command": "iceServerConfig",
            "stunServerUri": "stun:stun.example.org:3478",
            "turnServerUsername": "",
            "turnServerCredential": "",
        },
    ),
    (Pong(), {"command": "pong"}),
    (CloseSession(1008, "kicked"), {"command": "closeSession", "code": 1008, "reason": "kicked"}),
]


@pytest.mark.parametrize(
    ("message", "expected"), ON_THE_WIRE, ids=[f"{type(m).__name__}-{n}" for n, (m, _) in enumerate(ON_THE_WIRE)]
)
def test_a_message_is_exactly_this_json(message: AnyMessage, expected: dict[str, Any]) -> None:
    """Names as the protocol page and real clients have them, every field there, none that was not set."""
    assert json.loads(encode_message(message)) == expected


def test_every_message_is_compared_above() -> None:
    """A message without an example of its JSON could change on the wire unseen."""
    assert {type(message) for message, _ in ON_THE_WIRE} == set(MESSAGES.values())


def test_every_message_is_known_by_its_name() -> None:
    """The names on the wire, complete."""
    assert set(MESSAGES) == {
        "start",
        "takeConfiguration",
        "takeCandidate",
        "stop",
        "notification",
        "error",
        "streamInformation",
        "roomInformation",
        "trackList",
        "iceServerConfig",
        "peerMessageCommand",
        "startNewP2PConnection",
        "connectWithNewId",
        "pong",
        "closeSession",
    }


@pytest.mark.parametrize("message", [message for message, _ in ON_THE_WIRE])
def test_a_message_can_be_read_back(message: AnyMessage) -> None:
    """A client of ours reads what the server wrote, and a step's messages can be kept and read again."""
    assert msgspec.json.decode(encode_message(message), type=AnyMessage) == message
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=AnyMessage) == message


def test_one_message_is_one_line_of_text() -> None:
    """A description's line ends are escaped, so that a message is one text frame without a line of its own."""
    assert b"\n" not in encode_message(Description("s", "offer", "v=0\r\no=- 0 0\r\n"))
