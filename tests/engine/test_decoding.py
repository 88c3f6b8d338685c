"""The one door through which a client's bytes become a command."""

import json
import re
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signalreel.commands import (
    COMMANDS,
    AnyCommand,
    AssignVideoTrack,
    EnableTrack,
    ForceStreamQuality,
    GetBroadcastObject,
    GetDebugInfo,
    GetIceServerConfig,
    GetRoomInfo,
    GetStreamInfo,
    GetSubscriberCount,
    GetSubscribers,
    GetSubtracks,
    GetSubtracksCount,
    GetTrackList,
    GetVideoTrackAssignments,
    Join,
    JoinRoom,
    Leave,
    LeaveFromRoom,
    PeerMessage,
    Ping,
    Play,
    Publish,
    RegisterPushToken,
    SendPush,
    SetMaxVideoTrackCount,
    Stop,
    TakeCandidate,
    TakeConfiguration,
    ToggleAudio,
    ToggleVideo,
    UpdateStreamMetaData,
    UpdateVideoTrackAssignments,
)
from signalreel.decoding import DEPTH_MAX, SECRETS, decode_command, without_secrets
from signalreel.errors import Undecodable
from signalreel.record import Record, decode_record, encode_record

OF_THE_PAGE: Final[list[tuple[str, AnyCommand]]] = [
    ('{"command":"publish","streamId":"stream1"}', Publish("stream1")),
    (
        (
            '{"command":"publish","streamId":"stream1","token":"t","video":false,"audio":true,"subscriberId":"i",'
            '"subscriberCode":"c","streamName":"n","mainTrack":"room1","metaData":"{}","role":"r"}'
        ),
        Publish("stream1", "t", "i", "c", "n", "room1", video=False, audio=True, meta_data="{}", role="r"),
    ),
    (
        '{"command":"takeConfiguration","streamId":"stream1","type":"offer","sdp":"v=0"}',
        TakeConfiguration("stream1", "offer", "v=0"),
    ),
    (
        '{"command":"takeCandidate","streamId":"stream1","label":1,"id":"video","candidate":"candidate:1"}',
        TakeCandidate("stream1", 1, "video", "candidate:1"),
    ),
    ('{"command":"stop","streamId":"stream1"}', Stop("stream1")),
    (
        (
            '{"command":"play","streamId":"stream1","token":"t","trackList":["a","!b"],"subscriberId":"i",'
            '"subscriberCode":"c","room":"room1","viewerInfo":"v","userPublishId":"u","disableTracksByDefault":true}'
        ),
        Play(
            "stream1",
            "t",
            "room1",
            ("a", "!b"),
            "i",
            "c",
            viewer_info="v",
            user_publish_id="u",
            disable_tracks_by_default=True,
        ),
    ),
    (
        '{"command":"toggleVideo","streamId":"stream1","trackId":"track1","enabled":false}',
        ToggleVideo("stream1", "track1", enabled=False),
    ),
    ('{"command":"toggleVideo","streamId":"stream1","trackId":"track1"}', ToggleVideo("stream1", "track1")),
    (
        '{"command":"toggleAudio","streamId":"stream1","trackId":"track1","enabled":false}',
        ToggleAudio("stream1", "track1", enabled=False),
    ),
    (
        '{"command":"join","streamId":"stream1","multiPeer":false,"mode":"play or both"}',
        Join("stream1", multi_peer=False, mode="play or both"),
    ),
    ('{"command":"join","streamId":"stream1"}', Join("stream1", multi_peer=False, mode="both")),
    ('{"command":"leave","streamId":"stream1"}', Leave("stream1")),
    ('{"command":"joinRoom","room":"room1","streamId":"stream1"}', JoinRoom("room1", "stream1")),
    (
        '{"command":"joinRoom","room":"room1","streamId":"","mode":"multitrack","metadata":"{}","mainTrack":"room1"}',
        JoinRoom("room1", "", "multitrack", main_track="room1", metadata="{}"),
    ),
    ('{"command":"getRoomInfo","room":"room1","streamId":"stream1"}', GetRoomInfo("room1", "stream1")),
    ('{"command":"leaveFromRoom","room":"room1"}', LeaveFromRoom("room1")),
    ('{"command":"ping"}', Ping()),
    ('{"command":"getStreamInfo","streamId":"stream1"}', GetStreamInfo("stream1")),
    (
        '{"command":"forceStreamQuality","streamId":"stream1","streamHeight":360}',
        ForceStreamQuality("stream1", 360),
    ),
    ('{"command":"getTrackList","streamId":"stream1","token":"t"}', GetTrackList("stream1", "t")),
    (
        '{"command":"enableTrack","streamId":"stream1","trackId":"track1","enabled":false}',
        EnableTrack("stream1", "track1", enabled=False),
    ),
    ('{"command":"getIceServerConfig"}', GetIceServerConfig()),
    (
        '{"command":"updateStreamMetaData","streamId":"stream1","metaData":"{}"}',
        UpdateStreamMetaData("stream1", "{}"),
    ),
    (
        '{"command":"peerMessageCommand","streamId":"stream1","definition":"zoom","data":{"to":[1,2.5,null]}}',
        PeerMessage("stream1", "zoom", {"to": [1, 2.5, None]}),
    ),
    ('{"command":"peerMessageCommand","streamId":"stream1","data":null}', PeerMessage("stream1")),
    ('{"command":"getBroadcastObject","streamId":"room1"}', GetBroadcastObject("room1")),
    ('{"command":"getSubtracks","streamId":"room1"}', GetSubtracks("room1", size=50)),
    (
        (
            '{"command":"getSubtracks","streamId":"room1","role":"speaker","offset":5,"size":10,"sortBy":"name",'
            '"orderBy":"desc","search":"an"}'
        ),
        GetSubtracks("room1", "speaker", 5, 10, "name", "desc", "an"),
    ),
    (
        '{"command":"getSubtracksCount","streamId":"room1","role":"speaker","status":"broadcasting"}',
        GetSubtracksCount("room1", "speaker", "broadcasting"),
    ),
    ('{"command":"getSubscriberCount","streamId":"stream1"}', GetSubscriberCount("stream1")),
    ('{"command":"getSubscribers","streamId":"stream1","offset":5,"size":10}', GetSubscribers("stream1", 5, 10)),
    ('{"command":"getVideoTrackAssignmentsCommand","streamId":"room1"}', GetVideoTrackAssignments("room1")),
    (
        '{"command":"assignVideoTrackCommand","streamId":"room1","videoTrackId":"stream1","enabled":false}',
        AssignVideoTrack("room1", "stream1", enabled=False),
    ),
    (
        '{"command":"updateVideoTrackAssignmentsCommand","streamId":"room1","offset":4,"size":2}',
        UpdateVideoTrackAssignments("room1", 4, 2),
    ),
    (
        '{"command":"setMaxVideoTrackCountCommand","streamId":"room1","maxTrackCount":-1}',
        SetMaxVideoTrackCount("room1", -1),
    ),
    ('{"command":"getDebugInfo","streamId":"stream1"}', GetDebugInfo("stream1")),
    (
        (
            '{"command":"registerPushNotificationToken","subscriberId":"anna","token":"t",'
            '"pnsRegistrationToken":"device","pnsType":"fcm"}'
        ),
        RegisterPushToken("anna", "t", "device", "fcm"),
    ),
    (
        (
            '{"command":"sendPushNotification","subscriberId":"anna","token":"t",'
            '"pushNotificationContent":{"title":"Come"},"subscriberIdsToNotify":["ben"]}'
        ),
        SendPush("anna", "t", {"title": "Come"}, ("ben",)),
    ),
    (
        '{"command":"sendPushNotification","subscriberId":"anna","token":"t","topic":"a","pushNotificationTopic":"b"}',
        SendPush("anna", "t", topic="a", push_notification_topic="b"),
    ),
]


def outcome(data: bytes | str) -> AnyCommand | tuple[str, str, str]:
    """What becomes of some input: a command, or why not and what to answer."""
    try:
        return decode_command(data)
    except Undecodable as error:
        return error.reason, error.definition, error.stream_id


@pytest.mark.parametrize(("text", "command"), OF_THE_PAGE)
def test_a_message_of_the_protocol_page_is_decoded_whole(text: str, command: AnyCommand) -> None:
    """Every field arrives where it belongs, and a field that is not sent has the page's default."""
    assert decode_command(text) == command
    assert decode_command(text.encode()) == command


def test_every_command_is_decoded_above() -> None:
    """No command is without an example as it comes over the wire."""
    assert {type(command) for _, command in OF_THE_PAGE} == set(COMMANDS.values())


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"command":"publish","streamId":"s","token":null,"video":null}', Publish("s")),
        ('{"command":"play","streamId":"s","trackList":null,"room":null}', Play("s")),
        ('{"command":"takeCandidate","streamId":"s","label":"2","id":"v"}', TakeCandidate("s", 2, "v")),
        ('{"command":"takeCandidate","streamId":"s","label":null,"id":null}', TakeCandidate("s")),
        ('{"command":"takeCandidate","streamId":"s","label":1.0}', TakeCandidate("s", 1)),
        ('{"command":"publish","streamId":"s","video":"false","audio":"true"}', Publish("s", video=False)),
        ('{"command":"forceStreamQuality","streamId":"s","streamHeight":"360"}', ForceStreamQuality("s", 360)),
        ('{"command":"publish","streamId":"s","unheardOf":{"deep":[1,2,{"er":null}]}}', Publish("s")),
        ('{"command":"publish","streamId":"s","number":' + "9" * 400 + "}", Publish("s")),
        ('{"streamId":"s","command":"stop"}', Stop("s")),
        ('  {"command" : "stop" , "streamId" : "s"}\r\n', Stop("s")),
        ('{"command":"stop","streamId":"\\u0073"}', Stop("s")),
        ('{"command":"publish","streamId":"s","metaData":"\\ud83d\\ude00"}', Publish("s", meta_data="\U0001f600")),
    ],
)
def test_what_some_client_sends_is_tolerated(text: str, command: AnyCommand) -> None:
    """`null` for unset (Flutter), numbers and booleans as text (the page), and fields that nobody knows."""
    assert decode_command(text) == command


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # Not JSON at all. The first is what the SDK 2.4.2 sends before it publishes in play mode.
        (b"undefined", ("not_json", "", "")),
        (b"", ("not_json", "", "")),
        (b"{", ("not_json", "", "")),
        (b'{"command":"publish","streamId":NaN}', ("not_json", "", "")),
        (b'{"command":"publish","streamId":"s","video":Infinity}', ("not_json", "", "")),
        (b'{"command":"publish","streamId":"\xff"}', ("not_json", "", "")),
        (b"\xff\xfe\x00", ("not_json", "", "")),
        (b'\xef\xbb\xbf{"command":"ping"}', ("not_json", "", "")),
        (b'{"command":"publish","streamId":"\\ud800"}', ("not_json", "", "")),
        (b'{"command":"publish","streamId":"s","token":"\\udc00"}', ("not_json", "", "")),
        ('{"command":"publish","streamId":"\ud800"}', ("not_json", "", "")),
        (b'{"command":"publish","streamId":"s","sdp":"\n"}', ("not_json", "", "")),
        (b"[" * 100_000 + b"]" * 100_000, ("not_json", "", "")),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, ("not_json", "", "")),
        (b'{"command":"play","streamId":"s","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ("not_json", "", "")),
        # JSON, but no object.
        (b"null", ("not_an_object", "", "")),
        (b'"publish"', ("not_an_object", "", "")),
        (b"[]", ("not_an_object", "", "")),
        (b"7", ("not_an_object", "", "")),
        # No command.
        (b"{}", ("no_command", "", "")),
        (b'{"command":null}', ("no_command", "", "")),
        (b'{"command":7,"streamId":"s"}', ("no_command", "", "")),
        (b'{"command":{"command":"ping"}}', ("no_command", "", "")),
        # A command nobody knows: the stream id is looked at all the same.
        (b'{"command":"publisch"}', ("unknown_command", "noStreamNameSpecified", "")),
        (b'{"command":"publisch","streamId":""}', ("unknown_command", "noStreamNameSpecified", "")),
        (b'{"command":"publisch","streamId":null}', ("unknown_command", "noStreamNameSpecified", "")),
        (b'{"command":"publisch","streamId":"a b"}', ("unknown_command", "invalidStreamName", "a b")),
        (b'{"command":"publisch","streamId":"s"}', ("unknown_command", "", "")),
        (b'{"command":"sendPushNotification","token":7}', ("wrong_type", "", "")),
        (b'{"command":"closeRoom","room":"room1","streamId":"s"}', ("unknown_command", "", "")),
        (b'{"command":"SessionClosed","streamId":"s"}', ("unknown_command", "", "")),
        # A field of another type: no answer on the real server either, but for the stream id's sake.
        (b'{"command":"publish","streamId":7}', ("wrong_type", "", "")),
        (b'{"command":"publish","streamId":["s"]}', ("wrong_type", "", "")),
        (b'{"command":"publish","streamId":"s","token":7}', ("wrong_type", "", "")),
        (b'{"command":"publish","streamId":"../x","token":7}', ("wrong_type", "invalidStreamName", "../x")),
        (b'{"command":"publish","token":7}', ("wrong_type", "noStreamNameSpecified", "")),
        (b'{"command":"joinRoom","room":7}', ("wrong_type", "", "")),
        (b'{"command":"play","streamId":"s","trackList":[null]}', ("wrong_type", "", "")),
        (b'{"command":"play","streamId":"s","trackList":"a"}', ("wrong_type", "", "")),
        (b'{"command":"takeCandidate","streamId":"s","label":"first"}', ("wrong_type", "", "")),
        (b'{"command":"takeCandidate","streamId":"s","label":-1}', ("wrong_type", "", "")),
        (b'{"command":"takeCandidate","streamId":"s","label":65536}', ("wrong_type", "", "")),
        (b'{"command":"takeCandidate","streamId":"s","label":' + b"9" * 400 + b"}", ("wrong_type", "", "")),
        (b'{"command":"forceStreamQuality","streamId":"s","streamHeight":1e300}', ("wrong_type", "", "")),
        (b'{"command":"publish","streamId":"s","video":"perhaps"}', ("wrong_type", "", "")),
        (b'{"command":"getSubtracks","streamId":"s","offset":-1}', ("wrong_type", "", "")),
        (b'{"command":"setMaxVideoTrackCountCommand","streamId":"s","maxTrackCount":-2}', ("wrong_type", "", "")),
    ],
    ids=lambda value: repr(value[:48]) if isinstance(value, bytes | str) else value[0],
)
def test_what_is_no_command_is_told_by_its_reason(data: bytes | str, expected: tuple[str, str, str]) -> None:
    """Contract 12: whatever a client sends, the outcome is one of five reasons and, for some, the answer to give."""
    assert outcome(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        "9" * 30,
        "-" + "9" * 30,
        '{"a":{"b":[1,' + "9" * 30 + "]}}",
        "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1),
        '{"a":' * (DEPTH_MAX + 1) + "1" + "}" * (DEPTH_MAX + 1),
    ],
    ids=["large", "small", "large inside", "deep list", "deep object"],
)
def test_json_that_no_record_can_hold_is_refused_at_the_door(data: str) -> None:
    """Contract 12: of the two commands that carry any JSON of the client's; what fits comes back as it was."""
    told = f'{{"command":"peerMessageCommand","streamId":"s","definition":"d","data":{data}}}'
    pushed = f'{{"command":"sendPushNotification","pushNotificationContent":{data}}}'

    assert outcome(told) == ("wrong_type", "", "")
    assert outcome(pushed) == ("wrong_type", "", "")


def test_json_as_deep_as_it_may_be_is_taken() -> None:
    """One level less than too deep."""
    data = "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1)
    taken = decode_command(f'{{"command":"peerMessageCommand","streamId":"s","data":{data}}}')

    assert comes_back(taken)


def test_names_are_left_for_the_engine_to_judge() -> None:
    """Contract 12: a well-formed command with a bad name is decoded, so that its refusal stands on the reel."""
    for name in ("a\\n", "..", "../x", "a" * 65_536, ""):
        assert isinstance(outcome(f'{{"command":"stop","streamId":"{name}"}}'), Stop)


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS: Final = sorted(
    {field.encode_name for kind in COMMANDS.values() for field in msgspec.structs.fields(kind)} | {"unheardOf"}
)


def comes_back(command: AnyCommand) -> bool:
    """Whether a command can be put on a reel and read from it unchanged."""
    record = Record(1, 0, "session", command=command)
    return decode_record(encode_record(record)) == record


@given(st.binary(max_size=64) | st.text(max_size=64))
def test_no_bytes_and_no_text_raise_anything_else(data: bytes | str) -> None:
    """Contract 12: whatever arrives is a command that a reel can hold, or `Undecodable`."""
    found = outcome(data)

    assert isinstance(found, tuple) or comes_back(found)


@given(st.sampled_from(sorted(COMMANDS)), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_no_fields_raise_anything_else(command: str, fields: dict[str, Any]) -> None:
    """Contract 12: a real command with anything in its fields is a command that a reel can hold, or `Undecodable`."""
    found = outcome(json.dumps({"command": command, **fields}))

    assert isinstance(found, tuple) or comes_back(found)


@given(st.sampled_from(OF_THE_PAGE), st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_message_raises_nothing_else(example: tuple[str, AnyCommand], place: int, byte: int) -> None:
    """Contract 12: one wrong byte in a good message gives a command that a reel can hold, or `Undecodable`."""
    damaged = bytearray(example[0].encode())
    damaged[place % len(damaged)] = byte
    found = outcome(bytes(damaged))

    assert isinstance(found, tuple) or comes_back(found)


MARK: Final = "only-the-gate-may-see-this"


@pytest.mark.parametrize("kind", COMMANDS.values(), ids=lambda kind: kind.__name__)
def test_a_command_goes_to_a_reel_without_its_secrets(kind: type[AnyCommand]) -> None:
    """Contract 11: no token and no code is left, in whichever command they came; everything else is as it was."""
    secret_fields = {"token", "subscriber_code", "pns_registration_token"} & set(kind.__struct_fields__)
    command = msgspec.structs.replace(kind(), **dict.fromkeys(secret_fields, MARK))

    cleaned = without_secrets(command)

    assert cleaned == kind()
    assert MARK.encode() not in encode_record(Record(1, 0, "session", command=cleaned))


def test_the_fields_of_every_command_that_may_be_secret_are_listed() -> None:
    """A command that comes with a token, code or key of its own has it in the one list that everybody cleans by."""
    named = {
        field.encode_name
        for kind in COMMANDS.values()
        for field in msgspec.structs.fields(kind)
        if re.search("token|code$|secret|password|key$", field.encode_name, re.IGNORECASE)
    }

    assert named == SECRETS


def test_what_holds_no_secret_is_handed_on_as_it_is() -> None:
    """Nothing is copied for the commands that make up most of the traffic."""
    candidate = TakeCandidate("s", 0, "0", "candidate")

    assert without_secrets(candidate) is candidate
