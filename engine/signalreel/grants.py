"""Which grant each command needs, or why it needs none.

The gate is asked about the commands that need one, before they are recorded; the machines heed its verdict. Every other
command either acts on what an allowed command of the same session has begun, or tells what anybody may know unless the
setting `hide_streams` is on. The table is complete over the commands, so none comes in unlooked at.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from signalreel.commands import (
    COMMANDS,
    AssignVideoTrack,
    Command,
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
from signalreel.errors import TableError

__all__ = ("GATED", "GRANTS", "Grants", "Need")


class Grants(StrEnum):
    """What a command can need a grant for."""

    PUBLISH = "publish"
    PLAY = "play"
    PUBLISH_OR_PLAY = "publish or play"  #: to play for a peer that joins with the mode `play`, else to publish
    ENTER = "enter"  #: to play what is in the room; a grant to publish in it is as good
    PUSH = "push"  #: a web token of the subscriber, which opens nothing else
    NONE = "none"


class Need(Struct, frozen=True):
    """What a command needs."""

    grant: Grants
    why: str


_HELD: Final = "acts on what the session publishes, plays or has joined, and on nothing else"
_ASKED: Final = "tells what anybody may know; with `hide_streams`, only whoever takes part"
_NAMED: Final = "tells how many there are; names only to whoever takes part, so that nobody can collect them"
_SERVER: Final = "is about the server alone"

GRANTS: Final[dict[type[Command], Need]] = {
    Publish: Need(Grants.PUBLISH, "puts a stream out under an id, and into a room"),
    Play: Need(Grants.PLAY, "shows a stream or a whole room"),
    TakeConfiguration: Need(Grants.NONE, _HELD),
    TakeCandidate: Need(Grants.NONE, _HELD),
    Stop: Need(Grants.NONE, _HELD),
    ToggleVideo: Need(Grants.NONE, _HELD),
    ToggleAudio: Need(Grants.NONE, _HELD),
    EnableTrack: Need(Grants.NONE, _HELD),
    ForceStreamQuality: Need(Grants.NONE, _HELD),
    Join: Need(Grants.PUBLISH_OR_PLAY, "sends to the other peer, or only gets what it sends"),
    Leave: Need(Grants.NONE, _HELD),
    JoinRoom: Need(Grants.ENTER, "shows who is in a room, and keeps a place in it"),
    GetRoomInfo: Need(Grants.NONE, _ASKED),
    LeaveFromRoom: Need(Grants.NONE, _HELD),
    Ping: Need(Grants.NONE, _SERVER),
    GetStreamInfo: Need(Grants.NONE, _ASKED),
    GetTrackList: Need(Grants.PLAY, "tells what whoever may play can choose from"),
    GetIceServerConfig: Need(Grants.NONE, _SERVER),
    UpdateStreamMetaData: Need(Grants.NONE, "changes what is told of one's own stream, or of the room that it is in"),
    PeerMessage: Need(Grants.NONE, _HELD),
    GetBroadcastObject: Need(Grants.NONE, _ASKED),
    GetSubtracks: Need(Grants.NONE, _ASKED),
    GetSubtracksCount: Need(Grants.NONE, _ASKED),
    GetSubscriberCount: Need(Grants.NONE, _ASKED),
    GetSubscribers: Need(Grants.NONE, _NAMED),
    GetVideoTrackAssignments: Need(Grants.NONE, _HELD),
    AssignVideoTrack: Need(Grants.NONE, _HELD),
    UpdateVideoTrackAssignments: Need(Grants.NONE, _HELD),
    SetMaxVideoTrackCount: Need(Grants.NONE, _HELD),
    GetDebugInfo: Need(Grants.NONE, _ASKED),
    RegisterPushToken: Need(Grants.PUSH, "lets a device be reached in a subscriber's name"),
    SendPush: Need(Grants.PUSH, "reaches the devices of subscribers in a subscriber's name"),
}
"""What each command needs, in the order of the commands."""

GATED: Final[tuple[type[Command], ...]] = tuple(
    command for command, need in GRANTS.items() if need.grant is not Grants.NONE
)
"""The commands that the gate is asked about."""

_missing = [f"{name}: it is not said which grant it needs" for name, kind in COMMANDS.items() if kind not in GRANTS]
if _missing:
    raise TableError("grants", _missing)
