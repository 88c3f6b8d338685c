"""Which machines an input concerns: a table as complete as the machines' own.

Every command, host command and event has a route. A route gives the keys of the machines to run, in the order playback,
stream, pair, room and then by id; a machine that is not stored runs from its initial state where the protocol has an
answer for that. A route that finds none says why that is harmless.

The rules of routing, in the words of the design: an offer goes to the session's stream or pair; an answer to its
playback or pair; a candidate to the playback if the session has one, else the stream, else the pair; `stop` to the
playback, else the stream and the room it is in; `enableTrack` to the session's own stream, else its playback.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from signalreel.commands import (
    COMMANDS,
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
from signalreel.errors import TableError
from signalreel.events import (
    EVENTS,
    BitrateMeasured,
    CandidateFound,
    ClockAdjusted,
    DeadlineReached,
    DescriptionCreated,
    DescriptionFailed,
    LicenceChanged,
    LogicRaised,
    MediaConnected,
    MediaEvent,
    MediaLost,
    ResolutionChanged,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
    SettingsChanged,
    ShutdownAnnounced,
    TracksFound,
)
from signalreel.host import (
    HOST_COMMANDS,
    BlockSubscriber,
    CloseRoom,
    EndStream,
    IssueToken,
    KickSession,
    RegisterRoom,
    RegisterStream,
    RegisterSubscriber,
    RevokeTokens,
    UnregisterPushes,
    UnregisterRoom,
    UnregisterStream,
    UnregisterSubscriber,
)
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import Key
from signalreel.machines.context import Context
from signalreel.machines.shapes import Playback
from signalreel.machines.tracks import resolved
from signalreel.step import Fired

__all__ = (
    "NOWHERE",
    "ROUTES",
    "Keys",
    "OfPlayback",
    "Question",
    "Route",
    "closing",
)

Question = (
    GetTrackList
    | UpdateStreamMetaData
    | GetBroadcastObject
    | GetSubtracks
    | GetSubtracksCount
    | GetSubscriberCount
    | GetSubscribers
    | GetDebugInfo
)
"""About an id that may be a room's or a stream's."""

OfPlayback = (
    ToggleVideo
    | ToggleAudio
    | ForceStreamQuality
    | GetVideoTrackAssignments
    | AssignVideoTrack
    | UpdateVideoTrackAssignments
    | SetMaxVideoTrackCount
)
"""About what the session itself plays."""

Keys = tuple[Key, ...]
NOWHERE: Final[Keys] = ()

_ORDER: Final = {Kind.PLAYBACK: 0, Kind.STREAM: 1, Kind.PAIR: 2, Kind.ROOM: 3}


class Route(Struct, frozen=True):
    """Where an input goes, and what it means when that is nowhere."""

    find: Callable[[Context, Any], Keys]
    nowhere: Fired


def closing(context: Context, session: str) -> Keys:
    """Every machine a session holds, in the order in which they hear that it closed."""
    return tuple(sorted(context.indexes.held(session), key=lambda key: (_ORDER[key[0]], key[2])))


def _stream(context: Context, input: Publish | GetStreamInfo | EndStream) -> Keys:
    return ((Kind.STREAM, context.app, input.stream_id),)


def _own_playback(context: Context, stream_id: str) -> Key | None:
    key = (Kind.PLAYBACK, context.app, playback_id(context.session, stream_id))
    return key if key in context.machines else None


def _own_stream(context: Context, stream_id: str) -> Key | None:
    key = (Kind.STREAM, context.app, stream_id)
    return key if key in context.indexes.held(context.session) else None


def _play(context: Context, play: Play) -> Keys:
    return ((Kind.PLAYBACK, context.app, playback_id(context.session, play.stream_id)),)


def _playback(context: Context, command: OfPlayback) -> Keys:
    key = _own_playback(context, command.stream_id)
    return (key,) if key is not None else NOWHERE


def _pair(context: Context, command: Join | Leave | PeerMessage) -> Keys:
    return ((Kind.PAIR, context.app, command.stream_id),)


def _description(context: Context, command: TakeConfiguration) -> Keys:
    """An answer for which there is neither playback nor pair came after a stop; an offer would be a peer's."""
    id = command.stream_id
    if command.type == "answer":
        key = _own_playback(context, id)
    else:
        key = _own_stream(context, id) or _own_playback(context, id)
    if key is not None:
        return (key,)
    pair = (Kind.PAIR, context.app, id)
    return (pair,) if command.type == "offer" or _is_shown(context, pair) else NOWHERE


def _candidate(context: Context, command: TakeCandidate) -> Keys:
    """Nearly half of all commands are candidates, so this asks what is likeliest first; a session holds one of them."""
    app, id = context.app, command.stream_id
    held = context.indexes.held(context.session)
    stream = (Kind.STREAM, app, id)
    if stream in held:
        playback = _own_playback(context, id)
        return (stream if playback is None else playback,)
    pair = (Kind.PAIR, app, id)
    if pair in held:
        playback = _own_playback(context, id)
        return (pair if playback is None else playback,)
    playback = _own_playback(context, id)
    if playback is not None:
        return (playback,)
    return (pair,) if _is_shown(context, pair) else NOWHERE


def _is_shown(context: Context, pair: Key) -> bool:
    """Whether the session is answered as if there were this pair; where streams are hidden, only its peers are."""
    if pair not in context.machines:
        return False
    return not context.settings.hide_streams or pair in context.indexes.held(context.session)


def _stop(context: Context, command: Stop) -> Keys:
    key = _own_playback(context, command.stream_id)
    if key is not None:
        return (key,)
    stream = _own_stream(context, command.stream_id)
    if stream is None:
        return NOWHERE
    return (stream, *((Kind.ROOM, context.app, id) for id in context.held(context.session, Kind.ROOM)))


def _track(context: Context, command: EnableTrack) -> Keys:
    for id in (command.track_id, resolved(command.track_id, ())[0], command.stream_id):
        key = _own_stream(context, id)
        if key is not None:
            return (key,)
    key = _own_playback(context, command.stream_id)
    return (key,) if key is not None else NOWHERE


def _of_id(context: Context, command: Question) -> Keys:
    room = (Kind.ROOM, context.app, command.stream_id)
    return (room,) if room in context.machines else ((Kind.STREAM, context.app, command.stream_id),)


def _debugged(context: Context, command: GetDebugInfo) -> Keys:
    pair = (Kind.PAIR, context.app, command.stream_id)
    return (pair,) if pair in context.machines else _of_id(context, command)


def _room(context: Context, command: JoinRoom | GetRoomInfo | CloseRoom) -> Keys:
    return ((Kind.ROOM, context.app, command.room),)


def _leave_room(context: Context, command: LeaveFromRoom) -> Keys:
    """The room that is named; when there is none, those the session is in: one page sends its text field's name."""
    named = (Kind.ROOM, context.app, command.room)
    own = context.held(context.session, Kind.ROOM)
    if not own or _can_be_left(context, named):
        return (named,)
    return tuple((Kind.ROOM, context.app, id) for id in own)


def _can_be_left(context: Context, room: Key) -> bool:
    """Whether there is such a room; where streams are hidden, whether the session is in it or plays in it."""
    if not context.settings.hide_streams:
        return room in context.machines
    held = context.indexes.held(context.session)
    played = (context.machines[key] for key in held if key[0] is Kind.PLAYBACK)
    return room in held or any(isinstance(machine, Playback) and machine.room == room[2] for machine in played)


def _named(context: Context, event: MediaEvent) -> Keys:
    reference = event.machine
    key = (reference.kind, reference.app, reference.id)
    machine = context.machines.get(key)
    return (key,) if machine is not None and machine.born == reference.born else NOWHERE


def _timed(context: Context, event: DeadlineReached) -> Keys:
    reference = event.machine
    key = (reference.kind, reference.app, reference.id)
    machine = context.machines.get(key)
    if machine is None or machine.born != reference.born or machine.timer != event.timer:
        return NOWHERE
    return (key,) if 0 < machine.wake_at <= context.time else NOWHERE


def _closed(context: Context, event: SessionClosed) -> Keys:
    return closing(context, context.session)


def _none(context: Context, input: object) -> Keys:
    return NOWHERE


_REGISTRY: Final = "kept in the registry"
_SERVER: Final = "concerns the server, no machine"
_INERT: Final = "about a former life of the machine, or one that has ended"

_ROWS: Final[tuple[tuple[type, Callable[[Context, Any], Keys], str], ...]] = (
    (Publish, _stream, "always a stream"),
    (Play, _play, "always a playback"),
    (TakeConfiguration, _description, "an answer after the stop of what it answered"),
    (TakeCandidate, _candidate, "a candidate after a stop"),
    (Stop, _stop, "the stop of nothing has no answer"),
    (ToggleVideo, _playback, "the session does not play this"),
    (ToggleAudio, _playback, "the session does not play this"),
    (EnableTrack, _track, "the session neither publishes nor plays this"),
    (ForceStreamQuality, _playback, "the session does not play this"),
    (Join, _pair, "always a pair"),
    (Leave, _pair, "always a pair"),
    (JoinRoom, _room, "always a room"),
    (GetRoomInfo, _room, "always a room"),
    (LeaveFromRoom, _leave_room, "always a room"),
    (Ping, _none, "answered by the runtime, never recorded"),
    (GetStreamInfo, _stream, "always a stream"),
    (GetTrackList, _of_id, "always a room or a stream"),
    (GetIceServerConfig, _none, "answered from the settings"),
    (UpdateStreamMetaData, _of_id, "always a room or a stream"),
    (PeerMessage, _pair, "always a pair"),
    (GetBroadcastObject, _of_id, "always a room or a stream"),
    (GetSubtracks, _of_id, "always a room or a stream"),
    (GetSubtracksCount, _of_id, "always a room or a stream"),
    (GetSubscriberCount, _of_id, "always a room or a stream"),
    (GetSubscribers, _of_id, "always a room or a stream"),
    (GetVideoTrackAssignments, _playback, "the session does not play this"),
    (AssignVideoTrack, _playback, "the session does not play this"),
    (UpdateVideoTrackAssignments, _playback, "the session does not play this"),
    (SetMaxVideoTrackCount, _playback, "the session does not play this"),
    (GetDebugInfo, _debugged, "always a room, a pair or a stream"),
    (RegisterPushToken, _none, "kept in the registry"),
    (SendPush, _none, "handed on, to no machine"),
    (EndStream, _stream, "always a stream"),
    (KickSession, _none, "the session's transport is closed, and reports that"),
    (CloseRoom, _room, "always a room"),
    (RegisterStream, _none, _REGISTRY),
    (UnregisterStream, _none, _REGISTRY),
    (RegisterRoom, _none, _REGISTRY),
    (UnregisterRoom, _none, _REGISTRY),
    (IssueToken, _none, _REGISTRY),
    (RevokeTokens, _none, _REGISTRY),
    (RegisterSubscriber, _none, _REGISTRY),
    (UnregisterSubscriber, _none, _REGISTRY),
    (UnregisterPushes, _none, _REGISTRY),
    (BlockSubscriber, _none, _REGISTRY),
    (SessionOpened, _none, _SERVER),
    (SessionClosed, _closed, "the session held nothing"),
    (ShutdownAnnounced, _none, _SERVER),
    (RunStarted, _none, _SERVER),
    (DeadlineReached, _timed, "a timer that was retired"),
    (DescriptionCreated, _named, _INERT),
    (DescriptionFailed, _named, _INERT),
    (CandidateFound, _named, _INERT),
    (MediaConnected, _named, _INERT),
    (MediaLost, _named, _INERT),
    (TracksFound, _named, _INERT),
    (BitrateMeasured, _named, _INERT),
    (ResolutionChanged, _named, _INERT),
    (ResourcesMeasured, _none, _SERVER),
    (LicenceChanged, _none, _SERVER),
    (LogicRaised, _none, _SERVER),
    (ClockAdjusted, _none, _SERVER),
    (SettingsChanged, _none, _SERVER),
)

ROUTES: Final[dict[type, Route]] = {
    input: Route(find, Fired("route", "", input.__name__, 0, f"ignore: {why}")) for input, find, why in _ROWS
}
"""The route of every input."""

_missing = [
    f"{input.__name__}: no route"
    for input in (*COMMANDS.values(), *HOST_COMMANDS.values(), *EVENTS.values())
    if input not in ROUTES
]
if _missing:
    raise TableError("route", _missing)
