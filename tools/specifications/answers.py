"""What answers what: the notifications that the server knows, and which messages answer a command.

The engine sends them; that it sends no others, and with these fields, is tested on everything that the engine's own
tests make it do.
"""

from typing import Final

from msgspec import Struct

__all__ = ("ANSWERS", "NOTIFICATIONS", "Notified")


class Notified(Struct, frozen=True):
    """One kind of notification: when it comes and to whom, and its fields as on the wire."""

    when: str
    to: str
    fields: tuple[str, ...] = ()
    sometimes: tuple[str, ...] = ()


_STREAM: Final = ("streamId",)
_OF_SUBSCRIBER: Final = ("streamId", "subscriberId")
_ROOM: Final = ("ATTR_ROOM_NAME", "room")
_PUSHED: Final = ("success", "information")

NOTIFICATIONS: Final[dict[str, Notified]] = {
    "publish_started": Notified("media has arrived", "the publisher", _OF_SUBSCRIBER, _ROOM),
    "publish_finished": Notified("the stream has ended, once", "the publisher", _OF_SUBSCRIBER, _ROOM),
    "session_restored": Notified(
        "a publisher that had lost its connection has come back, instead of `publish_started`",
        "the publisher",
        _OF_SUBSCRIBER,
        _ROOM,
    ),
    "play_started": Notified("the player is connected", "the player", _OF_SUBSCRIBER),
    "play_finished": Notified("the playback has ended, once", "the player", _OF_SUBSCRIBER),
    "streaming_starts_soon": Notified("it plays a registered stream that is not live yet", "the player", _STREAM),
    "streaming_started": Notified("the stream that it waits for is live; an offer follows", "the player", _STREAM),
    "bitrateMeasurement": Notified(
        "again and again while it plays: what it can take and what it is sent, in bit/s",
        "the player",
        ("streamId", "targetBitrate", "videoBitrate", "audioBitrate"),
    ),
    "resolutionChangeInfo": Notified(
        "it is sent a picture of another height", "the player", ("streamId", "streamHeight")
    ),
    "subtrackAdded": Notified("a stream of the room that it plays has come", "the player", ("streamId", "trackId")),
    "subtrackRemoved": Notified("a stream of the room that it plays has gone", "the player", ("streamId", "trackId")),
    "videoTrackAssignmentList": Notified(
        "which stream is in which of its places for pictures", "the player", ("streamId", "payload")
    ),
    "joined": Notified("it has joined the pair", "the peer", _STREAM),
    "leaved": Notified("it has left the pair", "the peer", _STREAM),
    "joinedTheRoom": Notified(
        "it has joined: under which id to publish, and who is live",
        "the member",
        ("streamId", "streams", "streamList", *_ROOM, "maxTrackCount"),
    ),
    "leavedFromRoom": Notified("it has left, or its own stream has", "the member", _ROOM),
    "streamJoined": Notified("a stream of the room is live, where room events are on", "members", ("streamId", *_ROOM)),
    "streamLeaved": Notified("it has ended, where room events are on", "members", ("streamId", *_ROOM)),
    "broadcastObject": Notified("it asked about a stream or room", "whoever asked", ("streamId", "broadcast")),
    "subtrackList": Notified("it asked for the streams of a room", "whoever asked", ("streamId", "subtrackList")),
    "subtrackCount": Notified("it asked how many they are", "whoever asked", ("streamId", "count")),
    "subscriberList": Notified("it asked who plays", "whoever asked", ("streamId", "subscriberList")),
    "subscriberCount": Notified("it asked how many play", "whoever asked", ("streamId", "count")),
    "debugInfo": Notified("it asked what the server knows", "whoever asked", ("streamId", "debugInfo")),
    "registerPushNotificationToken": Notified("the device is registered", "whoever asked", _PUSHED),
    "sendPushNotification": Notified("the message is on its way", "whoever asked", _PUSHED),
    "authenticationTokenNotValid": Notified("a push command was refused", "whoever asked", _PUSHED),
    "missingParameter": Notified("a push command lacks something", "whoever asked", _PUSHED),
    "highResourceUsage": Notified("no more devices are taken", "whoever asked", _PUSHED),
    "server_will_stop": Notified("the server shuts down; connect again elsewhere, or later", "everyone"),
}
"""Every notification by its definition."""

_NOTIFY: Final = "notification."

ANSWERS: Final[dict[str, tuple[str, ...]]] = {
    "publish": ("start",),
    "play": ("takeConfiguration", f"{_NOTIFY}streaming_starts_soon"),
    "takeConfiguration": (
        "takeConfiguration",
        f"{_NOTIFY}publish_started",
        f"{_NOTIFY}session_restored",
        f"{_NOTIFY}play_started",
    ),
    "stop": (f"{_NOTIFY}publish_finished", f"{_NOTIFY}play_finished", f"{_NOTIFY}leavedFromRoom"),
    "join": (f"{_NOTIFY}joined", "start", "connectWithNewId"),
    "leave": (f"{_NOTIFY}leaved",),
    "joinRoom": (f"{_NOTIFY}joinedTheRoom",),
    "getRoomInfo": ("roomInformation",),
    "leaveFromRoom": (f"{_NOTIFY}leavedFromRoom", f"{_NOTIFY}publish_finished", f"{_NOTIFY}play_finished"),
    "ping": ("pong",),
    "getStreamInfo": ("streamInformation",),
    "getTrackList": ("trackList",),
    "getIceServerConfig": ("iceServerConfig",),
    "getBroadcastObject": (f"{_NOTIFY}broadcastObject",),
    "getSubtracks": (f"{_NOTIFY}subtrackList",),
    "getSubtracksCount": (f"{_NOTIFY}subtrackCount",),
    "getSubscriberCount": (f"{_NOTIFY}subscriberCount",),
    "getSubscribers": (f"{_NOTIFY}subscriberList",),
    "getVideoTrackAssignmentsCommand": (f"{_NOTIFY}videoTrackAssignmentList",),
    "assignVideoTrackCommand": (f"{_NOTIFY}videoTrackAssignmentList",),
    "updateVideoTrackAssignmentsCommand": (f"{_NOTIFY}videoTrackAssignmentList",),
    "setMaxVideoTrackCountCommand": (f"{_NOTIFY}videoTrackAssignmentList",),
    "getDebugInfo": (f"{_NOTIFY}debugInfo",),
    "registerPushNotificationToken": (
        f"{_NOTIFY}registerPushNotificationToken",
        f"{_NOTIFY}authenticationTokenNotValid",
        f"{_NOTIFY}missingParameter",
        f"{_NOTIFY}highResourceUsage",
    ),
    "sendPushNotification": (
        f"{_NOTIFY}sendPushNotification",
        f"{_NOTIFY}authenticationTokenNotValid",
        f"{_NOTIFY}missingParameter",
    ),
}
"""The messages that may answer a command, besides `error`. One that is not here has no answer when all is well."""
