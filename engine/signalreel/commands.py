"""What a client says, decoded: one frozen Struct per command of the protocol, tagged on `command` as on the wire.

Here too: what the host itself may order (`EndStream`, `KickSession`, `CloseRoom`), which stands on the reel like any
input, and `decode_command`, the one door through which a client's bytes become a command.

Defaults are those of the protocol page. Unknown fields are ignored: every generation of clients sends some. Texts are
bounded by the transport's message size, not here; which names are acceptable is the engine's to say.
"""

from typing import Annotated, Any, Final, cast

import msgspec
from msgspec import Meta, Struct

from signalreel.errors import Undecodable
from signalreel.identifiers import is_valid_name

__all__ = (
    "COMMANDS",
    "HOST_COMMANDS",
    "STREAMLESS",
    "AnyCommand",
    "AnyHostCommand",
    "CandidateText",
    "CloseRoom",
    "Command",
    "EnableTrack",
    "EndStream",
    "ForceStreamQuality",
    "GetIceServerConfig",
    "GetRoomInfo",
    "GetStreamInfo",
    "GetTrackList",
    "HostCommand",
    "Join",
    "JoinRoom",
    "KickSession",
    "Leave",
    "LeaveFromRoom",
    "MediaId",
    "Ping",
    "Play",
    "Publish",
    "SmallInteger",
    "Stop",
    "TakeCandidate",
    "TakeConfiguration",
    "ToggleAudio",
    "ToggleVideo",
    "TrackNames",
    "decode_command",
    "ids_wanted",
    "without_secrets",
)


SmallInteger = Annotated[int, Meta(ge=0, le=65_535)]
"""A media line's index or a height in pixels. Bounded, because a record's codec takes no integer above 64 bits."""


CandidateText = Annotated[str, Meta(max_length=1_024)]
"""An ICE candidate. Real ones have 150 to 300 characters; they are relayed by the dozen, hence the bound."""

MediaId = Annotated[str, Meta(max_length=255)]
"""A media line's mid, a token of a few characters (RFC 8843, section 15)."""

TrackNames = Annotated[tuple[str, ...], Meta(max_length=1_000)]
"""Names of tracks. Looked through for every change of a room, hence bounded; more streams than that no client plays."""


class Command(Struct, frozen=True, gc=False, tag_field="command", rename="camel", omit_defaults=True):
    """Base of everything a client can say."""


class Publish(Command, frozen=True, gc=False, tag="publish"):
    """Ask to publish a stream. Accepted with `start`; then the client offers."""

    stream_id: str = ""
    token: str = ""
    subscriber_id: str = ""
    subscriber_code: str = ""
    stream_name: str = ""
    main_track: str = ""  #: the room to publish in, as the newer clients name it
    video: bool = True
    audio: bool = True
    meta_data: str = ""
    role: str = ""


class Play(Command, frozen=True, gc=False, tag="play"):
    """Ask to play a stream, or every stream of a room. Accepted with the server's offer."""

    stream_id: str = ""
    token: str = ""
    room: str = ""
    track_list: TrackNames = ()  #: what to play; an entry that starts with `!` is left out instead
    subscriber_id: str = ""
    subscriber_code: str = ""
    subscriber_name: str = ""
    viewer_info: str = ""
    role: str = ""
    user_publish_id: str = ""
    disable_tracks_by_default: bool = False


class TakeConfiguration(Command, frozen=True, gc=False, tag="takeConfiguration"):
    """Hand over a description: a publisher's offer, a player's answer, either one of a peer."""

    stream_id: str = ""
    type: str = ""  #: `offer` or `answer`; anything else is ignored by every machine
    sdp: str = ""


class TakeCandidate(Command, frozen=True, gc=False, tag="takeCandidate"):
    """Hand over an ICE candidate. An empty one ends them (RFC 8838, section 8.2)."""

    stream_id: str = ""
    label: SmallInteger = 0  #: the media line's index; the page shows it as text, clients send a number: both are taken
    id: MediaId = ""  #: the media line's mid
    candidate: CandidateText = ""


class Stop(Command, frozen=True, gc=False, tag="stop"):
    """End one's own publishing or playing of a stream. Harmless when there is nothing to stop."""

    stream_id: str = ""


class ToggleVideo(Command, frozen=True, gc=False, tag="toggleVideo"):
    """Stop or resume the video packets of one track to this player."""

    stream_id: str = ""
    track_id: str = ""  #: equal to `stream_id` for a stream of a single track
    enabled: bool = True


class ToggleAudio(Command, frozen=True, gc=False, tag="toggleAudio"):
    """Stop or resume the audio packets of one track to this player."""

    stream_id: str = ""
    track_id: str = ""
    enabled: bool = True


class EnableTrack(Command, frozen=True, gc=False, tag="enableTrack"):
    """Switch a track on or off: for every viewer when its publisher says so, else for the player that says so."""

    stream_id: str = ""
    track_id: str = ""
    enabled: bool = True


class ForceStreamQuality(Command, frozen=True, gc=False, tag="forceStreamQuality"):
    """Pin the rendition of this height (pixels); 0 returns to the automatic choice."""

    stream_id: str = ""
    stream_height: SmallInteger = 0


class Join(Command, frozen=True, gc=False, tag="join"):
    """Join the peer pair of this id."""

    stream_id: str = ""
    multi_peer: bool = False
    mode: str = "both"  #: `play` or `both`; an unknown mode (one client sends the page's text) means both
    token: str = ""


class Leave(Command, frozen=True, gc=False, tag="leave"):
    """Leave the peer pair of this id."""

    stream_id: str = ""


class JoinRoom(Command, frozen=True, gc=False, tag="joinRoom"):
    """Enter a conference room. Without a stream id (or with an empty one, as iOS sends it) the server draws one."""

    room: str = ""
    stream_id: str = ""
    mode: str = "legacy"
    stream_name: str = ""
    main_track: str = ""
    role: str = ""
    metadata: str = ""  #: written so by the clients, unlike `metaData` elsewhere
    token: str = ""


class GetRoomInfo(Command, frozen=True, gc=False, tag="getRoomInfo"):
    """Ask which streams of a room are live. The page has clients poll it."""

    room: str = ""
    stream_id: str = ""


class LeaveFromRoom(Command, frozen=True, gc=False, tag="leaveFromRoom"):
    """Leave a conference room; publishing and playing in it end too."""

    room: str = ""
    stream_id: str = ""


class Ping(Command, frozen=True, gc=False, tag="ping"):
    """Ask for `pong`. Answered by the runtime and never recorded: every client sends one every few seconds."""

    stream_id: str = ""


class GetStreamInfo(Command, frozen=True, gc=False, tag="getStreamInfo"):
    """Ask for the renditions of a live stream."""

    stream_id: str = ""


class GetTrackList(Command, frozen=True, gc=False, tag="getTrackList"):
    """Ask for the tracks of a live stream or room."""

    stream_id: str = ""
    token: str = ""


class GetIceServerConfig(Command, frozen=True, gc=False, tag="getIceServerConfig"):
    """Ask for the ICE servers to use. The SDK sends it on opening when its page named none."""


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
)

COMMANDS: Final[dict[str, type[Command]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in cast(Any, AnyCommand).__args__
}
"""Every command by its name on the wire, in the order of the protocol page."""

STREAMLESS: Final = frozenset(
    {
        "ping",
        "joinRoom",
        "leaveFromRoom",
        "getIceServerConfig",
        "registerPushNotificationToken",
        "sendPushNotification",
    }
)
"""Commands that need no stream id; all others without one are refused with `noStreamNameSpecified`."""


class HostCommand(Struct, frozen=True, gc=False, kw_only=True, tag_field="host", rename="camel", omit_defaults=True):
    """Base of what the embedding server may order. `app` says where; `actor` who, for whoever reads the reel."""

    app: str = ""
    actor: str = ""


class EndStream(HostCommand, frozen=True, gc=False, tag="endStream"):
    """End a stream: its publisher gets `publish_finished`, its viewers `play_finished`.

    The publisher of a stream that is not live yet gets `publishTimeoutError` instead, because nothing has started.
    """

    stream_id: str = ""


class KickSession(HostCommand, frozen=True, gc=False, tag="kickSession"):
    """Close a session's transport, which ends everything it holds. Without an app, in whichever app it is."""

    session: str = ""


class CloseRoom(HostCommand, frozen=True, gc=False, tag="closeRoom"):
    """Send every member out of a room, ending what they publish and play in it."""

    room: str = ""


AnyHostCommand = EndStream | KickSession | CloseRoom

HOST_COMMANDS: Final[dict[str, type[HostCommand]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in cast(Any, AnyHostCommand).__args__
}
"""Every host command by its name on the reel."""


_decoder: Final[msgspec.json.Decoder[AnyCommand]] = msgspec.json.Decoder(AnyCommand)


def decode_command(data: bytes | str) -> AnyCommand:
    """Turn what a client sent into a command.

    Raises `Undecodable`, whose reason is one of `not_json`, `not_an_object`, `no_command`, `unknown_command` or
    `wrong_type`. As on the real server, most of these get no answer; but a missing or invalid stream id is answered
    even when the command is unknown, because that check comes first there.

    What is tolerated, each for a client that needs it: `null` for a field that is not set (Flutter), numbers and
    booleans written as text (the protocol page itself), and fields nobody knows.
    """
    try:
        return _decoder.decode(data)
    except (ValueError, RecursionError):
        return _decode_leniently(data)


def _decode_leniently(data: bytes | str) -> AnyCommand:
    try:
        fields = msgspec.json.decode(data)
    except (ValueError, RecursionError):
        raise Undecodable("not_json") from None
    if not isinstance(fields, dict):
        raise Undecodable("not_an_object")
    present = {name: value for name, value in cast(dict[str, object], fields).items() if value is not None}
    command = present.get("command")
    if not isinstance(command, str):
        raise Undecodable("no_command")
    kind = COMMANDS.get(command)
    if kind is not None:
        try:
            return cast(AnyCommand, msgspec.convert(present, kind, strict=False))
        except (ValueError, RecursionError):
            pass
    reason = "unknown_command" if kind is None else "wrong_type"
    raise Undecodable(reason, *_answer_to(command, present.get("streamId", "")))


def _answer_to(command: str, stream_id: object) -> tuple[str, str]:
    """Decide the answer to a command that could not be decoded: (definition, stream id), both empty for none.

    A stream id that is no text at all gets no answer, like every other wrong type.
    """
    if not isinstance(stream_id, str):
        return "", ""
    if not stream_id:
        return ("", "") if command in STREAMLESS else ("noStreamNameSpecified", "")
    return ("", "") if is_valid_name(stream_id) else ("invalidStreamName", stream_id)


def ids_wanted(command: Command) -> int:
    """Say how many fresh ids the runtime must draw for this command and put on its record."""
    return 1 if type(command) is JoinRoom and not command.stream_id else 0


def without_secrets(command: AnyCommand) -> AnyCommand:
    """Give the command as it may stand on a reel: the tokens and codes that only the gate may see are emptied."""
    match command:
        case Publish() | Play() if command.token or command.subscriber_code:
            return msgspec.structs.replace(command, token="", subscriber_code="")
        case Join() | JoinRoom() | GetTrackList() if command.token:
            return msgspec.structs.replace(command, token="")
        case _:
            return command
