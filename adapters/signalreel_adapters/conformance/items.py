"""The items: every line of the protocol page, and what real clients need beyond it, in one table.

An item that a client and a server settle by messages alone is shown twice, in memory and over a WebSocket. One that
needs media is shown where media flows, with figures of it.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct

__all__ = ("GROUPS", "ITEMS", "Item", "Need")


class Need(StrEnum):
    """What must have been seen before an item counts."""

    MESSAGES = "messages"  #: its message, in memory and over a WebSocket
    SOCKET = "socket"  #: its message over a WebSocket; there is nothing like it in memory
    MEDIA = "media"  #: its message over a WebSocket, and figures of the media that flowed


class Item(Struct, frozen=True):
    """One thing that the server must do."""

    id: str
    text: str
    need: Need

    @property
    def group(self) -> str:
        """The part of the protocol that it belongs to, as a title."""
        return GROUPS[self.id.partition("-")[0]]


GROUPS: Final = {
    "PUB": "Publishing",
    "PLY": "Playing",
    "P2P": "Peer to peer",
    "CNF": "Conference",
    "ERR": "Errors",
    "SET": "Settings",
    "MSC": "Miscellaneous",
    "REAL": "Beyond the page, needed by real clients",
}
"""The parts of the protocol, by what the ids of their items begin with."""

_MEDIA: Final = Need.MEDIA
_SOCKET: Final = Need.SOCKET
_MESSAGES: Final = Need.MESSAGES

_TABLE: Final = (
    ("PUB-1", "a WebSocket opens at `/WebRTCAppEE/websocket`, and at any other app's name", _SOCKET),
    ("PUB-2", "`publish` with a stream id alone is accepted, with video and audio", _MESSAGES),
    ("PUB-3", "`publish` without video, or without audio: that kind is in no answer and no list", _SOCKET),
    ("PUB-4", "`publish` with a token, and with a subscriber's id and code", _MESSAGES),
    ("PUB-5", "`start` answers it, with the stream id", _MESSAGES),
    ("PUB-6", "the publisher's offer is taken", _MESSAGES),
    ("PUB-7", "an answer comes back", _MESSAGES),
    ("PUB-8", "candidates go both ways, with label, id and candidate", _MESSAGES),
    ("PUB-9", "media arrives, and the publisher is told `publish_started`", _MEDIA),
    ("PUB-10", "`stop` ends it: one `publish_finished`, and the id is free", _MESSAGES),
    ("PLY-1", "`play` with a stream id alone", _MESSAGES),
    ("PLY-2", "`play` with a token", _MESSAGES),
    ("PLY-3", "`play` of chosen tracks: one of two, both, or all but `!id`", _MESSAGES),
    ("PLY-4", "`play` with a subscriber's id and code", _MESSAGES),
    ("PLY-5", "`play` in a room", _MESSAGES),
    ("PLY-6", "the server offers", _MESSAGES),
    ("PLY-7", "the player's answer is taken", _MESSAGES),
    ("PLY-8", "candidates go both ways", _MESSAGES),
    ("PLY-9", "media plays, and the player is told `play_started`", _MEDIA),
    ("PLY-10", "`stop` ends it, with `play_finished`", _MESSAGES),
    ("PLY-11", "`toggleVideo` takes the picture away and brings it back; on unless said", _MEDIA),
    ("PLY-12", "`toggleVideo` of one track of several", _MESSAGES),
    ("PLY-13", "`toggleAudio` takes the sound away and brings it back", _MEDIA),
    ("PLY-14", "`toggleAudio` of one track of several", _MESSAGES),
    ("P2P-1", "`join` with a stream id alone means mode `both` and one pair", _MESSAGES),
    ("P2P-2", "`join` with mode `play`", _MESSAGES),
    ("P2P-3", "`join` with `multiPeer`", _MESSAGES),
    ("P2P-4", "the first peer waits", _MESSAGES),
    ("P2P-5", "the second joins, and the first gets `start`", _MESSAGES),
    ("P2P-6", "the first one's offer reaches the second", _MESSAGES),
    ("P2P-7", "the answer reaches the first", _MESSAGES),
    ("P2P-8", "candidates reach the other, both ways", _MESSAGES),
    ("P2P-9", "two browsers see each other", _MEDIA),
    ("P2P-10", "`leave` leaves, and the other is told", _MESSAGES),
    ("P2P-11", "a new second peer can join", _MESSAGES),
    ("CNF-1", "`joinRoom` with a room", _MESSAGES),
    ("CNF-2", "`joinRoom` with a stream id of one's own", _MESSAGES),
    ("CNF-3", "`joinRoom` without one: the server draws it", _MESSAGES),
    ("CNF-4", "`joinedTheRoom` says the stream id and who is live", _MESSAGES),
    ("CNF-5", "in an empty room nobody is", _MESSAGES),
    ("CNF-6", "whoever publishes under the id it got is in the others' lists", _MESSAGES),
    ("CNF-7", "every stream of the list can be played", _MEDIA),
    ("CNF-8", "`getRoomInfo` is answered with the room and its live streams", _MESSAGES),
    ("CNF-9", "`leaveFromRoom` leaves: `leavedFromRoom` with `ATTR_ROOM_NAME`", _MESSAGES),
    ("CNF-10", "stopping one's own stream in a room leaves it too", _MESSAGES),
    ("ERR-1", "`noStreamNameSpecified`", _MESSAGES),
    ("ERR-2", "`not_allowed_unregistered_streams`", _MESSAGES),
    ("ERR-3", "`no_room_specified`", _MESSAGES),
    ("ERR-4", "`unauthorized_access`", _MESSAGES),
    ("ERR-5", "`no_encoder_settings`", _MESSAGES),
    ("ERR-6", "`no_peer_associated_before`", _MESSAGES),
    ("ERR-7", "`notSetLocalDescription`", _MESSAGES),
    ("ERR-8a", "`highResourceUsage` by load", _MESSAGES),
    ("ERR-8b", "`highResourceUsage` by memory", _MESSAGES),
    ("ERR-9", "`streamIdInUse` while the stream is prepared", _MESSAGES),
    ("ERR-9b", "`streamIdInUse` while it is published", _MESSAGES),
    ("ERR-10", "`publishTimeoutError`", _MESSAGES),
    ("ERR-11", "`invalidStreamName`", _MESSAGES),
    ("ERR-12", "`data_store_not_available`", _MESSAGES),
    ("ERR-13", "`license_suspended_please_renew_license`", _MESSAGES),
    ("ERR-14", "`already_playing`, with the stream id", _MESSAGES),
    ("ERR-15", "`already_publishing`, with the stream id", _MESSAGES),
    ("ERR-16", "`no_codec_enabled_in_the_server`, with the stream id", _MESSAGES),
    ("ERR-17", "`stream_not_active_or_expired` before and after the planned time, and not inside", _MESSAGES),
    ("ERR-18", "`viewerLimitReached`", _MESSAGES),
    ("ERR-19", "`no_stream_exist`, with the stream id", _MESSAGES),
    ("SET-1", "`settings.webrtc.client.start.timeoutMs` is 5000 unless set", _MESSAGES),
    ("SET-2", "`server.cpu_limit` is 85 unless set", _MESSAGES),
    ("SET-3", "`server.min_free_ram` is 10 unless set", _MESSAGES),
    ("MSC-1", "`ping` is answered by `pong`", _MESSAGES),
    ("MSC-2", "`getStreamInfo` is answered with five fields for each rendition", _MESSAGES),
    ("MSC-3", "or by `no_stream_exist` when nothing is live", _MESSAGES),
    ("MSC-4", "viewers are told `bitrateMeasurement` again and again, with its four fields", _MESSAGES),
    ("MSC-5", "a viewer with too little room is told a target below what it is sent", _MESSAGES),
    ("MSC-6", "`forceStreamQuality` changes the height that is decoded", _MEDIA),
    ("MSC-7", "height 0 lets the server choose again", _MESSAGES),
    ("MSC-8", "`server_will_stop` reaches every session", _MESSAGES),
    ("MSC-9", "`getTrackList` is answered by `trackList`", _MESSAGES),
    ("MSC-10", "it needs the token that the stream needs", _MESSAGES),
    ("MSC-11", "`enableTrack` by a player is for that player", _MEDIA),
    ("MSC-12", "`enableTrack` by the publisher is for everyone", _MEDIA),
    ("REAL-1", "`idMapping` is in every offer of the server", _MESSAGES),
    ("REAL-2", "`joined`, `leaved` and `stop` between peers", _MESSAGES),
    ("REAL-3", "`NoSpaceForNewPeer`", _MESSAGES),
    ("REAL-4", '`error_code` "404" with `no_stream_exist`', _MESSAGES),
    ("REAL-5", "`notSetRemoteDescription`", _MESSAGES),
    ("REAL-6", "`streamList`, `ATTR_ROOM_NAME` and `maxTrackCount` in messages of rooms", _MESSAGES),
    (
        "REAL-7",
        "publishing into a room by `mainTrack` and playing it whole, offered anew as members come and go",
        _MEDIA,
    ),
    ("REAL-8", "`session_restored`", _MESSAGES),
    ("REAL-9", "`resolutionChangeInfo`", _MESSAGES),
    (
        "REAL-10",
        "`getBroadcastObject`, `getSubtracks`, `getSubtracksCount`, `getSubscriberCount` and `getSubscribers`",
        _MESSAGES,
    ),
    ("REAL-11", "the commands that assign video tracks", _MESSAGES),
    ("REAL-12", "`updateStreamMetaData`", _MESSAGES),
    ("REAL-13", "`peerMessageCommand`", _MESSAGES),
    ("REAL-14", "`getDebugInfo`", _MESSAGES),
    ("REAL-15", "`getIceServerConfig`", _MESSAGES),
    ("REAL-16", "registering for push messages", _MESSAGES),
    ("REAL-17", "`connectWithNewId` and `startNewP2PConnection`", _MESSAGES),
    ("REAL-18", "data channels, texts and bytes", _MEDIA),
    ("REAL-19", "`subtrackAdded` and `subtrackRemoved`", _MESSAGES),
    ("REAL-20", "`streaming_started` to a player that waits", _MESSAGES),
    ("REAL-21", "`user_blocked`", _MESSAGES),
    ("REAL-22", "`room_not_active_or_expired`", _MESSAGES),
    ("REAL-23", "`noPacketReceivedForTimeoutDuration`", _MESSAGES),
    ("REAL-24", "`main_track_has_max_subtrack_count__not_allowed_to_add_more_subtracks`", _MESSAGES),
    ("REAL-25", "`no_active_streams_in_room`, of a room without members alone", _MESSAGES),
    ("REAL-26", "`not_initialized_yet`", _MESSAGES),
    ("REAL-27", "`authenticationTokenNotValid` and `missingParameter`", _MESSAGES),
)

ITEMS: Final = {id: Item(id, text, need) for id, text, need in _TABLE}
"""Every item by its id, in the order of the protocol page."""
