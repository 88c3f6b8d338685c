"""What a client says, decoded: one frozen Struct per command of the protocol, tagged on `command` as on the wire.

How bytes become a command is in `decoding`; what the host itself may order is in `host`.

Defaults are those of the protocol page. Unknown fields are ignored: every generation of clients sends some. So are the
`linkSession` and `subscriberId` that some send with a description or a candidate. Texts are bounded by the transport's
message size, not here; which names are acceptable is the engine's to say.
"""

from typing import Annotated, Any, Final, cast

from msgspec import Meta, Struct

__all__ = (
    "COMMANDS",
    "LISTED_MAX",
    "STREAMLESS",
    "AnyCommand",
    "AssignVideoTrack",
    "CandidateText",
    "Command",
    "EnableTrack",
    "ForceStreamQuality",
    "GetBroadcastObject",
    "GetDebugInfo",
    "GetIceServerConfig",
    "GetRoomInfo",
    "GetStreamInfo",
    "GetSubscriberCount",
    "GetSubscribers",
    "GetSubtracks",
    "GetSubtracksCount",
    "GetTrackList",
    "GetVideoTrackAssignments",
    "Join",
    "JoinRoom",
    "Leave",
    "LeaveFromRoom",
    "MediaId",
    "PeerMessage",
    "Ping",
    "Play",
    "Publish",
    "RegisterPushToken",
    "SendPush",
    "SetMaxVideoTrackCount",
    "SmallInteger",
    "Stop",
    "SubscriberIds",
    "TakeCandidate",
    "TakeConfiguration",
    "ToggleAudio",
    "ToggleVideo",
    "TrackCount",
    "TrackNames",
    "UpdateStreamMetaData",
    "UpdateVideoTrackAssignments",
    "ids_wanted",
)


SmallInteger = Annotated[int, Meta(ge=0, le=65_535)]
"""A media line's index or a height in pixels. Bounded, because a record's codec takes no integer above 64 bits."""


CandidateText = Annotated[str, Meta(max_length=1_024)]
"""An ICE candidate. Real ones have 150 to 300 characters; they are relayed by the dozen, hence the bound."""

MediaId = Annotated[str, Meta(max_length=255)]
"""A media line's mid, a token of a few characters (RFC 8843, section 15)."""

TrackNames = Annotated[tuple[str, ...], Meta(max_length=1_000)]
"""Names of tracks. Looked through for every change of a room, hence bounded; more streams than that no client plays."""

SubscriberIds = Annotated[tuple[str, ...], Meta(max_length=1_000)]
"""Whom to notify, each looked up once."""

TrackCount = Annotated[int, Meta(ge=-1, le=65_535)]
"""A number of tracks; -1 for no limit."""

LISTED_MAX: Final = 50
"""Most entries in an answer that is a page of a list: also what is meant by a list without a size."""


class Command(Struct, frozen=True, gc=False, tag_field="command", rename="camel", omit_defaults=True):
    """Base of everything a client can say."""


class Publish(Command, frozen=True, gc=False, tag="publish"):
    """Ask to publish a stream. Accepted with `start`; then the client offers."""

    stream_id: str = ""  #: under which id
    token: str = ""  #: what the gate goes by, if there is one; never recorded
    subscriber_id: str = ""  #: as whom; the gate proves it, and messages about the stream repeat it
    subscriber_code: str = ""  #: a time-based code of the subscriber; never recorded
    stream_name: str = ""  #: what the stream is called, told to others
    main_track: str = ""  #: the room to publish in, as the newer clients name it
    video: bool = True  #: whether pictures are sent; when false, none are taken
    audio: bool = True  #: likewise for sound
    meta_data: str = ""  #: anything for the pages of others, told with the stream
    role: str = ""  #: in which role; others can ask for the streams of one


class Play(Command, frozen=True, gc=False, tag="play"):
    """Ask to play a stream, or every stream of a room. Accepted with the server's offer."""

    stream_id: str = ""  #: the stream, or the room
    token: str = ""  #: what the gate goes by, if there is one; never recorded
    room: str = ""  #: the room it is played in; leaving that ends it
    track_list: TrackNames = ()  #: what to play; one with an entry that starts with `!` means all but such
    subscriber_id: str = ""  #: as whom; the gate proves it, and others are told it
    subscriber_code: str = ""  #: a time-based code of the subscriber; never recorded
    subscriber_name: str = ""  #: a name for people, told to others
    viewer_info: str = ""  #: taken, and means nothing here
    role: str = ""  #: taken, and means nothing here: whoever plays has none
    user_publish_id: str = ""  #: what the player publishes over another connection, and is not shown
    disable_tracks_by_default: bool = False  #: send none of the tracks before the player switches it on


class TakeConfiguration(Command, frozen=True, gc=False, tag="takeConfiguration"):
    """Hand over a description: a publisher's offer, a player's answer, either one of a peer."""

    stream_id: str = ""  #: of which stream, playback or pair
    type: str = ""  #: `offer` or `answer`; anything else is ignored by every machine
    sdp: str = ""  #: the description itself


class TakeCandidate(Command, frozen=True, gc=False, tag="takeCandidate"):
    """Hand over an ICE candidate. An empty one ends them (RFC 8838, section 8.2)."""

    stream_id: str = ""  #: of which stream, playback or pair
    label: SmallInteger = 0  #: the media line's index; the page shows it as text, clients send a number: both are taken
    id: MediaId = ""  #: the media line's mid
    candidate: CandidateText = ""  #: as the browser gives it; empty when there are no more


class Stop(Command, frozen=True, gc=False, tag="stop"):
    """End one's own publishing or playing of a stream. Harmless when there is nothing to stop."""

    stream_id: str = ""  #: what to stop, by the id it was asked for with


class ToggleVideo(Command, frozen=True, gc=False, tag="toggleVideo"):
    """Stop or resume the video packets of one track to this player."""

    stream_id: str = ""  #: what is played
    track_id: str = ""  #: equal to `stream_id` for a stream of a single track
    enabled: bool = True  #: whether packets come


class ToggleAudio(Command, frozen=True, gc=False, tag="toggleAudio"):
    """Stop or resume the audio packets of one track to this player."""

    stream_id: str = ""  #: what is played
    track_id: str = ""  #: as in `toggleVideo`
    enabled: bool = True  #: whether packets come


class EnableTrack(Command, frozen=True, gc=False, tag="enableTrack"):
    """Switch a track on or off: for every viewer when its publisher says so, else for the player that says so."""

    stream_id: str = ""  #: what is published or played
    track_id: str = ""  #: one of the names in `trackList`
    enabled: bool = True  #: whether packets come


class ForceStreamQuality(Command, frozen=True, gc=False, tag="forceStreamQuality"):
    """Pin the rendition of this height (pixels); 0 returns to the automatic choice."""

    stream_id: str = ""  #: what is played
    stream_height: SmallInteger = 0  #: in pixels; 0 for the automatic choice


class Join(Command, frozen=True, gc=False, tag="join"):
    """Join the peer pair of this id."""

    stream_id: str = ""  #: the pair
    multi_peer: bool = False  #: to a pair that waits: both are sent to a pair of their own, and it waits on
    mode: str = "both"  #: `play` or `both`; an unknown mode (one client sends the page's text) means both
    token: str = ""  #: what the gate goes by, if there is one; never recorded


class Leave(Command, frozen=True, gc=False, tag="leave"):
    """Leave the peer pair of this id."""

    stream_id: str = ""  #: the pair


class JoinRoom(Command, frozen=True, gc=False, tag="joinRoom"):
    """Enter a conference room. Without a stream id (or with an empty one, as iOS sends it) the server draws one."""

    room: str = ""  #: the room
    stream_id: str = ""  #: under which to publish; the server draws one when there is none
    mode: str = "legacy"  #: taken, and means nothing here: one can play the streams one by one, or the room
    stream_name: str = ""  #: what the gate may look at; what others are told is said in `publish`
    main_track: str = ""  #: taken, and means nothing here: the room is the main track
    role: str = ""  #: taken, and means nothing here; `publish` says the role
    metadata: str = ""  #: what the gate may look at, likewise; written so by the clients, unlike `metaData` elsewhere
    token: str = ""  #: what the gate goes by, if there is one; never recorded


class GetRoomInfo(Command, frozen=True, gc=False, tag="getRoomInfo"):
    """Ask which streams of a room are live. The page has clients poll it."""

    room: str = ""  #: the room
    stream_id: str = ""  #: one's own, which is not listed; may be left out


class LeaveFromRoom(Command, frozen=True, gc=False, tag="leaveFromRoom"):
    """Leave a conference room; publishing and playing in it end too."""

    room: str = ""  #: the room
    stream_id: str = ""  #: one's own; the session is what counts


class Ping(Command, frozen=True, gc=False, tag="ping"):
    """Ask for `pong`. Answered by the runtime and never recorded: every client sends one every few seconds."""

    stream_id: str = ""  #: need not be there; one that is must be a valid name


class GetStreamInfo(Command, frozen=True, gc=False, tag="getStreamInfo"):
    """Ask for the renditions of a live stream."""

    stream_id: str = ""  #: the stream


class GetTrackList(Command, frozen=True, gc=False, tag="getTrackList"):
    """Ask for the tracks of a live stream or room."""

    stream_id: str = ""  #: the stream or room
    token: str = ""  #: what the gate goes by, if there is one; never recorded


class GetIceServerConfig(Command, frozen=True, gc=False, tag="getIceServerConfig"):
    """Ask for the ICE servers to use. The SDK sends it on opening when its page named none."""


class UpdateStreamMetaData(Command, frozen=True, gc=False, tag="updateStreamMetaData"):
    """Replace what is told about a stream: its publisher for the stream, whoever publishes in it for a room."""

    stream_id: str = ""  #: the stream or room
    meta_data: str = ""  #: what is told from now on


class PeerMessage(Command, frozen=True, gc=False, tag="peerMessageCommand"):
    """Say something to the other peer, in words of the two alone. It is relayed as it came."""

    stream_id: str = ""  #: the pair
    definition: str = ""  #: what kind of message it is; the two know which there are
    data: Any = None  #: any JSON


class GetBroadcastObject(Command, frozen=True, gc=False, tag="getBroadcastObject"):
    """Ask for everything that may be told of a stream, or of a room as a main track."""

    stream_id: str = ""  #: the stream or room


class GetSubtracks(Command, frozen=True, gc=False, tag="getSubtracks"):
    """Ask for the streams of a room, a page at a time."""

    stream_id: str = ""  #: the room
    role: str = ""  #: only those published in this role; empty for all
    offset: SmallInteger = 0  #: how many to leave out at the beginning
    size: SmallInteger = LISTED_MAX  #: how many at most
    sort_by: str = ""  #: `name`, `date` or `status`; anything else sorts by the stream id
    order_by: str = ""  #: `desc` turns the order round
    search: str = ""  #: only those whose id or name holds this text, in whatever case


class GetSubtracksCount(Command, frozen=True, gc=False, tag="getSubtracksCount"):
    """Ask how many streams a room has."""

    stream_id: str = ""  #: the room
    role: str = ""  #: only those published in this role; empty for all
    status: str = ""  #: only those of this status, as in the broadcast object; empty for the live ones


class GetSubscriberCount(Command, frozen=True, gc=False, tag="getSubscriberCount"):
    """Ask how many play a stream or room, or are registered for it."""

    stream_id: str = ""  #: the stream or room


class GetSubscribers(Command, frozen=True, gc=False, tag="getSubscribers"):
    """Ask who plays a stream or room, or is registered for it, a page at a time. Names are told to who takes part."""

    stream_id: str = ""  #: the stream or room
    offset: SmallInteger = 0  #: how many to leave out at the beginning
    size: SmallInteger = LISTED_MAX  #: how many at most


class GetVideoTrackAssignments(Command, frozen=True, gc=False, tag="getVideoTrackAssignmentsCommand"):
    """Ask which stream of the room is shown in which of the player's places."""

    stream_id: str = ""  #: the room, as it is played


class AssignVideoTrack(Command, frozen=True, gc=False, tag="assignVideoTrackCommand"):
    """Reserve a place for the picture of one stream of the room, or hand the place back."""

    stream_id: str = ""  #: the room, as it is played
    video_track_id: str = ""  #: the stream
    enabled: bool = True  #: true reserves the place, false hands it back


class UpdateVideoTrackAssignments(Command, frozen=True, gc=False, tag="updateVideoTrackAssignmentsCommand"):
    """Ask to see the pictures of so many streams of the room, from this one on; a page of a gallery."""

    stream_id: str = ""  #: the room, as it is played
    offset: SmallInteger = 0  #: how many streams to leave out at the beginning
    size: SmallInteger = 0  #: how many to show; 0 for all the rest


class SetMaxVideoTrackCount(Command, frozen=True, gc=False, tag="setMaxVideoTrackCountCommand"):
    """Say how many pictures of the room the player has places for; -1 for all."""

    stream_id: str = ""  #: the room, as it is played
    max_track_count: TrackCount = -1  #: how many; -1 for no limit


class GetDebugInfo(Command, frozen=True, gc=False, tag="getDebugInfo"):
    """Ask what the server knows about an id, as a person wants it who looks for a fault."""

    stream_id: str = ""  #: any id


class RegisterPushToken(Command, frozen=True, gc=False, tag="registerPushNotificationToken"):
    """Say under which token of a push service a subscriber's device can be reached."""

    subscriber_id: str = ""  #: whose device it is
    token: str = ""  #: a web token whose issuer is the subscriber
    pns_registration_token: str = ""  #: the device's, from its push service; never recorded, kept sealed
    pns_type: str = ""  #: `fcm` or `apn`


class SendPush(Command, frozen=True, gc=False, tag="sendPushNotification"):
    """Have subscribers notified through their push services."""

    subscriber_id: str = ""  #: who asks
    token: str = ""  #: a web token whose issuer is the subscriber
    push_notification_content: Any = None  #: what they are told: any JSON object
    subscriber_ids_to_notify: SubscriberIds = ()  #: whom to reach, by name
    topic: str = ""  #: as the JS SDK writes it
    push_notification_topic: str = ""  #: as the other clients do


AnyCommand = (
    Publish
    | Play
    | TakeConfiguration
    | TakeCandidate
    | Stop
    | ToggleVideo
    | ToggleAudio
    | EnableTrack
    | ForceStreamQuality
    | Join
    | Leave
    | JoinRoom
    | GetRoomInfo
    | LeaveFromRoom
    | Ping
    | GetStreamInfo
    | GetTrackList
    | GetIceServerConfig
    | UpdateStreamMetaData
    | PeerMessage
    | GetBroadcastObject
    | GetSubtracks
    | GetSubtracksCount
    | GetSubscriberCount
    | GetSubscribers
    | GetVideoTrackAssignments
    | AssignVideoTrack
    | UpdateVideoTrackAssignments
    | SetMaxVideoTrackCount
    | GetDebugInfo
    | RegisterPushToken
    | SendPush
)

COMMANDS: Final[dict[str, type[Command]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in cast(Any, AnyCommand).__args__
}
"""Every command by its name on the wire, those of the protocol page first and in its order."""

STREAMLESS: Final = frozenset(
    {
        "ping",
        "joinRoom",
        "getRoomInfo",
        "leaveFromRoom",
        "getIceServerConfig",
        "registerPushNotificationToken",
        "sendPushNotification",
    }
)
"""Commands that need no stream id; all others without one are refused with `noStreamNameSpecified`."""


def ids_wanted(command: Command) -> int:
    """Say how many fresh ids the runtime must draw for this command and put on its record."""
    match command:
        case JoinRoom(stream_id="") | Join(multi_peer=True):
            return 1
        case _:
            return 0
