"""The catalogue of error definitions a client can receive, each written once.

An entry says what causes it, whether the same command may succeed later, and what the client should do. Clients get it
as `{"command": "error", "definition": ...}`, with the stream id where there is one (older Android clients fail without)
and the sentence for a person as `information`.

Definitions of the protocol page come first, in its order; then those which real clients know besides; then names that
exist elsewhere and that this server has no cause for.
"""

from typing import Final

from msgspec import Struct

__all__ = (
    "ACCESS_REFUSALS",
    "ALREADY_PLAYING",
    "ALREADY_PUBLISHING",
    "AUTHENTICATION_TOKEN_NOT_VALID",
    "DATA_STORE_NOT_AVAILABLE",
    "HIGH_RESOURCE_USAGE",
    "INVALID_STREAM_NAME",
    "LICENSE_SUSPENDED",
    "MAIN_TRACK_IS_FULL",
    "MISSING_PARAMETER",
    "NOT_ALLOWED_UNREGISTERED_STREAMS",
    "NOT_INITIALIZED_YET",
    "NOT_SET_LOCAL_DESCRIPTION",
    "NOT_SET_REMOTE_DESCRIPTION",
    "NO_ACTIVE_STREAMS_IN_ROOM",
    "NO_CODEC_ENABLED",
    "NO_ENCODER_SETTINGS",
    "NO_PACKET_RECEIVED",
    "NO_PEER_ASSOCIATED_BEFORE",
    "NO_ROOM_SPECIFIED",
    "NO_SPACE_FOR_NEW_PEER",
    "NO_STREAM_EXIST",
    "NO_STREAM_NAME_SPECIFIED",
    "PUBLISH_TIMEOUT_ERROR",
    "REFUSALS",
    "RESERVED",
    "ROOM_NOT_ACTIVE_OR_EXPIRED",
    "STREAM_ID_IN_USE",
    "STREAM_NOT_ACTIVE_OR_EXPIRED",
    "UNAUTHORIZED_ACCESS",
    "USER_BLOCKED",
    "VIEWER_LIMIT_REACHED",
    "Refusal",
)


class Refusal(Struct, frozen=True):
    """An entry of the catalogue."""

    definition: str  #: as on the wire
    cause: str  #: what leads to it
    retryable: bool  #: whether the same command may succeed later with nothing changed by the client
    advice: str  #: what the client should do
    information: str  #: a sentence for a person, sent along
    error_code: str = ""  #: sent as `error_code` where clients look for one
    page: bool = True  #: whether the protocol page has it
    retry_after_ms: int = 0  #: sent as `retryAfterMs` where a time can be said beforehand; 0: left out


NO_STREAM_NAME_SPECIFIED: Final = Refusal(
    "noStreamNameSpecified",
    cause="A command that needs a stream id came without one, or with an empty one.",
    retryable=False,
    advice="Send the stream id.",
    information="The command needs a stream id.",
)
NOT_ALLOWED_UNREGISTERED_STREAMS: Final = Refusal(
    "not_allowed_unregistered_streams",
    cause="Only registered streams may be published, and this id is not registered.",
    retryable=False,
    advice="Register the stream first, or publish under a registered id.",
    information="Only registered streams may be published here.",
)
NO_ROOM_SPECIFIED: Final = Refusal(
    "no_room_specified",
    cause="A room command came without a room, from a session that is in none.",
    retryable=False,
    advice="Name the room.",
    information="The command needs the name of a room.",
)
UNAUTHORIZED_ACCESS: Final = Refusal(
    "unauthorized_access",
    cause="Access control did not accept the token, code or identity for this stream or room.",
    retryable=False,
    advice="Obtain a fresh token for this stream and this purpose.",
    information="Access to this stream or room was not granted.",
)
NO_ENCODER_SETTINGS: Final = Refusal(
    "no_encoder_settings",
    cause="Renditions were asked for and the server has no settings to make them.",
    retryable=False,
    advice="Play the stream as it is published, or have an operator configure renditions.",
    information="The server has no settings for other renditions of this stream.",
)
NO_PEER_ASSOCIATED_BEFORE: Final = Refusal(
    "no_peer_associated_before",
    cause="A description, candidate or leave for a peer pair that the session is not in, or in which it is alone.",
    retryable=True,
    advice="Join first, and offer when `start` comes.",
    information="There is no other peer on this id.",
)
NOT_SET_LOCAL_DESCRIPTION: Final = Refusal(
    "notSetLocalDescription",
    cause="The server could not describe its own side of the media.",
    retryable=True,
    advice="Try again in a while.",
    information="The server could not set up its side of the media.",
)
HIGH_RESOURCE_USAGE: Final = Refusal(
    "highResourceUsage",
    cause="The host's CPU load is at its limit or more, its free memory is below its limit, the app has as many "
    "live streams as it may, or the session holds as many playbacks, pairs and rooms as it may.",
    retryable=True,
    advice="Try again in a while, backing off.",
    information="The server is too busy for another stream.",
    retry_after_ms=5_000,
)
STREAM_ID_IN_USE: Final = Refusal(
    "streamIdInUse",
    cause="The id names a live stream of another session, or one that is about to be; or a live room or peer pair.",
    retryable=True,
    advice="Use another id, or wait until the other stream has ended.",
    information="Another stream uses this id.",
)
PUBLISH_TIMEOUT_ERROR: Final = Refusal(
    "publishTimeoutError",
    cause="No media arrived within the publish timeout after `start`, its connection failed in that time, or the host "
    "ended it before.",
    retryable=True,
    advice="Publish again; look at the network between client and server if it repeats.",
    information="No media arrived in time.",
)
INVALID_STREAM_NAME: Final = Refusal(
    "invalidStreamName",
    cause="The name holds a character outside A-Z a-z 0-9 - _ . or is too long, or is `.` or `..`.",
    retryable=False,
    advice="Use another name.",
    information="The name may hold only A-Z a-z 0-9 - _ . and at most 255 characters.",
)
DATA_STORE_NOT_AVAILABLE: Final = Refusal(
    "data_store_not_available",
    cause="The reel cannot be written, so nothing can be accepted.",
    retryable=True,
    advice="Try again in a while.",
    information="The server cannot record anything at the moment.",
    retry_after_ms=2_000,
)
LICENSE_SUSPENDED: Final = Refusal(
    "license_suspended_please_renew_license",
    cause="An operator has suspended the licence.",
    retryable=False,
    advice="Tell the operator.",
    information="The server's licence is suspended.",
)
ALREADY_PLAYING: Final = Refusal(
    "already_playing",
    cause="The session plays this stream already, or is about to.",
    retryable=False,
    advice="Stop the playback first, or keep it.",
    information="This session plays the stream already.",
)
ALREADY_PUBLISHING: Final = Refusal(
    "already_publishing",
    cause="The session publishes already, or is about to: one stream a session.",
    retryable=False,
    advice="Stop the stream first, or publish from another session.",
    information="This session publishes already.",
)
NO_CODEC_ENABLED: Final = Refusal(
    "no_codec_enabled_in_the_server",
    cause="No codec is enabled in the server's settings.",
    retryable=False,
    advice="Tell the operator.",
    information="The server has no codec enabled.",
)
STREAM_NOT_ACTIVE_OR_EXPIRED: Final = Refusal(
    "stream_not_active_or_expired",
    cause="The time is before the stream's planned start or after its planned end.",
    retryable=True,
    advice="Come back in the planned time.",
    information="The stream is not open at this time.",
)
VIEWER_LIMIT_REACHED: Final = Refusal(
    "viewerLimitReached",
    cause="The stream has as many viewers as it may have.",
    retryable=True,
    advice="Try again when a viewer may have left.",
    information="The stream has no room for another viewer.",
    retry_after_ms=5_000,
)
NO_STREAM_EXIST: Final = Refusal(
    "no_stream_exist",
    cause="Nobody publishes under this id.",
    retryable=True,
    advice="Ask again later; the SDK does so by itself.",
    information="There is no live stream of this id.",
    error_code="404",
    retry_after_ms=3_000,
)

NO_SPACE_FOR_NEW_PEER: Final = Refusal(
    "NoSpaceForNewPeer",
    cause="The peer pair has two peers already.",
    retryable=True,
    advice="Use another id, or wait until a peer has left.",
    information="Two peers are connected on this id already.",
    page=False,
    retry_after_ms=5_000,
)
NOT_SET_REMOTE_DESCRIPTION: Final = Refusal(
    "notSetRemoteDescription",
    cause="The client's description cannot be taken: malformed, not encrypted, or without a codec in common.",
    retryable=False,
    advice="Send a description of secure media with an enabled codec.",
    information="The description could not be used.",
    page=False,
)
NO_ACTIVE_STREAMS_IN_ROOM: Final = Refusal(
    "no_active_streams_in_room",
    cause="The room has no members.",
    retryable=True,
    advice="Join the room, or ask again later.",
    information="Nobody is in this room.",
    page=False,
    retry_after_ms=5_000,
)
MAIN_TRACK_IS_FULL: Final = Refusal(
    "main_track_has_max_subtrack_count__not_allowed_to_add_more_subtracks",
    cause="The room has as many streams as it may have.",
    retryable=True,
    advice="Try again when a stream of the room may have ended.",
    information="The room has no place for another stream.",
    page=False,
    retry_after_ms=5_000,
)
USER_BLOCKED: Final = Refusal(
    "user_blocked",
    cause="The subscriber is blocked for a time.",
    retryable=True,
    advice="Wait until the block ends.",
    information="This user is blocked.",
    page=False,
)
ROOM_NOT_ACTIVE_OR_EXPIRED: Final = Refusal(
    "room_not_active_or_expired",
    cause="The time is before the room's planned start or after its planned end.",
    retryable=True,
    advice="Come back in the planned time.",
    information="The room is not open at this time.",
    page=False,
)
NO_PACKET_RECEIVED: Final = Refusal(
    "noPacketReceivedForTimeoutDuration",
    cause="A live stream sent nothing for the time after which the server gives it up.",
    retryable=True,
    advice="Publish again.",
    information="Nothing was received for too long.",
    page=False,
)
NOT_INITIALIZED_YET: Final = Refusal(
    "not_initialized_yet",
    cause="The app is still starting.",
    retryable=True,
    advice="Try again in a moment.",
    information="The server is still starting.",
    page=False,
    retry_after_ms=1_000,
)
AUTHENTICATION_TOKEN_NOT_VALID: Final = Refusal(
    "authenticationTokenNotValid",
    cause="A push command whose token is not the subscriber's, has expired, or cannot be verified here at all.",
    retryable=False,
    advice="Obtain a fresh token for this subscriber.",
    information="The token is not valid for this subscriber.",
    page=False,
)
MISSING_PARAMETER: Final = Refusal(
    "missingParameter",
    cause="A push command without its subscriber, its token, the device's token and its kind, or what is to be sent "
    "and to whom.",
    retryable=False,
    advice="Send every field that the command needs.",
    information="The command lacks a field.",
    page=False,
)

REFUSALS: Final[dict[str, Refusal]] = {
    refusal.definition: refusal
    for refusal in (
        NO_STREAM_NAME_SPECIFIED,
        NOT_ALLOWED_UNREGISTERED_STREAMS,
        NO_ROOM_SPECIFIED,
        UNAUTHORIZED_ACCESS,
        NO_ENCODER_SETTINGS,
        NO_PEER_ASSOCIATED_BEFORE,
        NOT_SET_LOCAL_DESCRIPTION,
        HIGH_RESOURCE_USAGE,
        STREAM_ID_IN_USE,
        PUBLISH_TIMEOUT_ERROR,
        INVALID_STREAM_NAME,
        DATA_STORE_NOT_AVAILABLE,
        LICENSE_SUSPENDED,
        ALREADY_PLAYING,
        ALREADY_PUBLISHING,
        NO_CODEC_ENABLED,
        STREAM_NOT_ACTIVE_OR_EXPIRED,
        VIEWER_LIMIT_REACHED,
        NO_STREAM_EXIST,
        NO_SPACE_FOR_NEW_PEER,
        NOT_SET_REMOTE_DESCRIPTION,
        NO_ACTIVE_STREAMS_IN_ROOM,
        MAIN_TRACK_IS_FULL,
        USER_BLOCKED,
        ROOM_NOT_ACTIVE_OR_EXPIRED,
        NO_PACKET_RECEIVED,
        NOT_INITIALIZED_YET,
        AUTHENTICATION_TOKEN_NOT_VALID,
        MISSING_PARAMETER,
    )
}
"""Every refusal by its definition, those of the protocol page first and in its order."""

ACCESS_REFUSALS: Final = (UNAUTHORIZED_ACCESS, USER_BLOCKED, AUTHENTICATION_TOKEN_NOT_VALID, MISSING_PARAMETER)
"""What a gate may refuse with; the last two, push commands alone."""

RESERVED: Final = (
    "encoderNotOpened",
    "encoderBlocked",
    "server_error_check_logs",
    "mainTrackDBOperationFailed",
    "webrtc_not_enabled",
)
"""Definitions that other servers send and that this one has no cause for; it never sends them."""
