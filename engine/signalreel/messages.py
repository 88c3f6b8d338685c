"""What the server says: one frozen Struct per message of the protocol, tagged on `command` as on the wire.

`notification` and `error` are one Struct each: what tells them apart is their `definition`, and a client reads the same
fields of all. Every message that concerns a stream carries its id; several clients fail without it (the iOS SDK ends,
the Java load tool drops the message).

`CloseSession` is the one message that no client sees: it tells a session's transport to close, in its turn.
"""

from typing import Any, Final, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

__all__ = (
    "MESSAGES",
    "POLICY_VIOLATION",
    "AnyMessage",
    "Candidate",
    "CloseSession",
    "ConnectWithNewId",
    "Description",
    "Error",
    "IceServerConfig",
    "Message",
    "Notification",
    "Pong",
    "RelayedMessage",
    "RenditionInformation",
    "RoomInformation",
    "RoomStream",
    "Start",
    "StartNewConnection",
    "StopPeer",
    "StreamInformation",
    "TrackList",
    "VideoTrackAssignment",
    "encode_message",
)


POLICY_VIOLATION: Final = 1008
"""The close code of a session that the host sends away (RFC 6455, section 7.4.1)."""


class Message(Struct, frozen=True, gc=False, tag_field="command", rename="camel"):
    """Base of everything the server can say."""


class Start(Message, frozen=True, gc=False, tag="start"):
    """Go ahead and offer: a publish was accepted, or the second peer has joined."""

    stream_id: str
    subscriber_id: str = ""


class Description(Message, frozen=True, gc=False, tag="takeConfiguration"):
    """A description: the answer to a publisher, the offer to a player, or a peer's, relayed.

    The `linkSession` and `subscriberId` of real servers are for their own proxies. No client reads them; they are left
    out, here and in `takeCandidate`.
    """

    stream_id: str
    type: str
    sdp: str
    id_mapping: dict[str, str] | UnsetType = UNSET  #: mid to track name; in every offer, or the JS SDK throws


class Candidate(Message, frozen=True, gc=False, tag="takeCandidate"):
    """An ICE candidate of the server or of the other peer."""

    stream_id: str
    label: int
    id: str
    candidate: str


class StopPeer(Message, frozen=True, gc=False, tag="stop"):
    """The other peer has gone. Only in peer-to-peer: clients close the connection of the id on it."""

    stream_id: str


class RoomStream(Struct, frozen=True, gc=False, rename="camel"):
    """A live stream of a room with what its publisher said about it."""

    stream_id: str
    stream_name: str
    meta_data: str


class VideoTrackAssignment(Struct, frozen=True, gc=False, rename="camel"):
    """Which stream is shown in one of a player's places for pictures."""

    video_label: str  #: the place
    track_id: str  #: the stream; empty for a place without one
    reserved: bool = False  #: the player asked for this stream, so no other takes the place


class Notification(Message, frozen=True, gc=False, tag="notification"):
    """Something happened; `definition` says what. Fields that a definition does not use are left out."""

    definition: str
    stream_id: str | UnsetType = UNSET
    subscriber_id: str | UnsetType = UNSET
    streams: tuple[str, ...] | UnsetType = UNSET
    stream_list: tuple[RoomStream, ...] | UnsetType = UNSET
    room_name: str | UnsetType = field(name="ATTR_ROOM_NAME", default=UNSET)
    room: str | UnsetType = UNSET
    max_track_count: int | UnsetType = UNSET
    stream_height: int | UnsetType = UNSET
    target_bitrate: int | UnsetType = UNSET
    video_bitrate: int | UnsetType = UNSET
    audio_bitrate: int | UnsetType = UNSET
    track_id: str | UnsetType = UNSET
    broadcast: str | UnsetType = UNSET  #: a JSON object as text, which clients decode by themselves
    subtrack_list: tuple[str, ...] | UnsetType = UNSET  #: each a JSON object as text
    subscriber_list: tuple[str, ...] | UnsetType = UNSET  #: each a JSON object as text
    count: int | UnsetType = UNSET
    payload: tuple[VideoTrackAssignment, ...] | UnsetType = UNSET
    debug_info: str | UnsetType = UNSET  #: a JSON object as text
    success: bool | UnsetType = UNSET
    information: str | UnsetType = UNSET  #: a sentence for a person


class Error(Message, frozen=True, gc=False, tag="error"):
    """A refusal, or something that went wrong. `definition` is an entry of the catalogue in `refusals`."""

    definition: str
    stream_id: str | UnsetType = UNSET
    room: str | UnsetType = UNSET
    subscriber_id: str | UnsetType = UNSET  #: as whom the command came that is answered, if it said so
    error_code: str | UnsetType = field(name="error_code", default=UNSET)
    information: str | UnsetType = UNSET  #: a sentence for a person
    retry_after_ms: int | UnsetType = UNSET  #: when to try again, where that can be said


class RenditionInformation(Struct, frozen=True, gc=False, rename="camel"):
    """One rendition of a stream: pixels and bit/s. All five fields are read by the Android SDK."""

    stream_width: int
    stream_height: int
    video_bitrate: int
    audio_bitrate: int
    video_codec: str


class StreamInformation(Message, frozen=True, gc=False, tag="streamInformation"):
    """The renditions of a live stream."""

    stream_id: str
    stream_info: tuple[RenditionInformation, ...]


class RoomInformation(Message, frozen=True, gc=False, tag="roomInformation"):
    """The live streams of a room, without the asker's own. Always an array: pages walk it unasked."""

    room: str
    streams: tuple[str, ...]
    stream_list: tuple[RoomStream, ...] = ()
    room_name: str = field(name="ATTR_ROOM_NAME", default="")


class TrackList(Message, frozen=True, gc=False, tag="trackList"):
    """The tracks of a stream or room."""

    stream_id: str
    track_list: tuple[str, ...]


class IceServerConfig(Message, frozen=True, gc=False, tag="iceServerConfig"):
    """The ICE server to use. Clients honour only texts that start with `stun:` or `turn:`."""

    stun_server_uri: str
    turn_server_username: str = ""
    turn_server_credential: str = ""


class RelayedMessage(Message, frozen=True, gc=False, tag="peerMessageCommand"):
    """What the other peer said, in words of the two alone."""

    stream_id: str
    definition: str
    data: Any


class StartNewConnection(Message, frozen=True, gc=False, tag="startNewP2PConnection"):
    """To a peer that waits on an id: another wants to connect, and does so on this new id. Join it too."""

    stream_id: str


class ConnectWithNewId(Message, frozen=True, gc=False, tag="connectWithNewId"):
    """To a peer that joined an id for many: join this new one, on which the other will be."""

    stream_id: str


class Pong(Message, frozen=True, gc=False, tag="pong"):
    """The answer to `ping`."""


class CloseSession(Message, frozen=True, gc=False, tag="closeSession"):
    """Not for the wire: after what was said before, close this session's transport with this code and reason."""

    code: int
    reason: str


AnyMessage = (
    Start
    | Description
    | Candidate
    | StopPeer
    | Notification
    | Error
    | StreamInformation
    | RoomInformation
    | TrackList
    | IceServerConfig
    | RelayedMessage
    | StartNewConnection
    | ConnectWithNewId
    | Pong
    | CloseSession
)

MESSAGES: Final[dict[str, type[Message]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in cast(Any, AnyMessage).__args__
}
"""Every message by its name on the wire."""

_encoder: Final = msgspec.json.Encoder()


def encode_message(message: AnyMessage) -> bytes:
    """Give the message as UTF-8 JSON, one object, ready for a text frame."""
    return _encoder.encode(message)
