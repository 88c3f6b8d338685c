"""Whose pictures a player of a whole room gets: the places that it has for them, and who is assigned to which.

A player has as many places as it says, reserves some for streams that it wants to see in any case, and turns the pages
of the others. Sound is not assigned: it always goes on.

Every stream of the room keeps its own tracks in the offer, so a place is known by the stream that has it: its label is
the name under which the offer's `idMapping` has the picture, without what tells pictures from sound. A player that
never asked for anything gets every picture.
"""

from typing import Final

from msgspec.structs import replace

from signalreel.commands import (
    AssignVideoTrack,
    GetVideoTrackAssignments,
    SetMaxVideoTrackCount,
    UpdateVideoTrackAssignments,
)
from signalreel.identifiers import Kind
from signalreel.machines.context import Context
from signalreel.machines.shapes import Places, Playback, PlaybackState, Stream
from signalreel.machines.table import SAME, Row, ignore, otherwise, row, unreachable
from signalreel.machines.tracks import kinds_of, resolved
from signalreel.messages import Notification, VideoTrackAssignment
from signalreel.step import VideoAssigned

__all__ = (
    "ASSIGNING",
    "ASSIGNMENT_ROWS",
    "RESERVED_MAX",
    "Assignment",
    "assign_places",
    "assignments_of",
    "changed_by",
    "note_places",
    "plays_whole_room",
    "publish_assignments",
    "tell_assignments",
    "tell_places",
)

RESERVED_MAX: Final = 100
"""Places that one player may reserve; no more than that can be looked at."""

Assignment = AssignVideoTrack | UpdateVideoTrackAssignments | SetMaxVideoTrackCount
"""Changes which pictures a player gets."""


def changed_by(playback: Playback, command: Assignment) -> Playback:
    """Give the playback with its places as the command wants them."""
    places = playback.places if playback.places is not None else Places()
    match command:
        case SetMaxVideoTrackCount():
            places = replace(places, limit=command.max_track_count)
        case UpdateVideoTrackAssignments():
            places = replace(places, offset=command.offset, size=command.size)
        case AssignVideoTrack():
            id, _ = resolved(command.video_track_id, [source.stream_id for source in playback.sources])
            others = tuple(reserved for reserved in places.reserved if reserved != id)
            reserved = (*others, id) if command.enabled and id and len(others) < RESERVED_MAX else others
            places = replace(places, reserved=reserved)
    return replace(playback, places=places)


def assignments_of(playback: Playback, context: Context) -> tuple[VideoTrackAssignment, ...]:
    """Assign places: first what is reserved, then the others from the page on, as many as there are places."""
    places = playback.places if playback.places is not None else Places()
    seen = [source.stream_id for source in playback.sources if _has_picture(source.stream_id, context)]
    reserved = [id for id in places.reserved if id in seen]
    others = [id for id in seen if id not in places.reserved]
    page = others[places.offset : places.offset + places.size] if places.size else others[places.offset :]
    shown = [*((id, True) for id in reserved), *((id, False) for id in page)]
    if places.limit >= 0:
        shown = shown[: places.limit]
    return tuple(VideoTrackAssignment(id, id, is_reserved) for id, is_reserved in shown)


def _has_picture(id: str, context: Context) -> bool:
    stream = context.find(Kind.STREAM, id)
    return isinstance(stream, Stream) and "video" in kinds_of(stream)


def tell_assignments(playback: Playback, context: Context) -> tuple[VideoTrackAssignment, ...]:
    """Tell the player which pictures it gets, and give them."""
    assigned = assignments_of(playback, context)
    told = Notification("videoTrackAssignmentList", stream_id=playback.watches, payload=assigned)
    context.send(playback.sessions[0], told)
    return assigned


def publish_assignments(playback: Playback, context: Context) -> VideoAssigned | None:
    """Tell player and media which pictures it gets from now on; neither, when the player never asked for anything."""
    return VideoAssigned(tell_assignments(playback, context)) if playback.places is not None else None


# ---------------------------------------------------------------- the rows


def plays_whole_room(playback: Playback, input: object, context: Context) -> bool:
    """Whether it shows a room, so that there may be more pictures than places."""
    return playback.whole_room


def note_places(playback: Playback, command: Assignment, context: Context) -> Playback:
    """Keep what the player says of its places until it is connected."""
    return changed_by(playback, command)


def assign_places(playback: Playback, command: Assignment, context: Context) -> Playback:
    """Keep what the player says of its places, and assign them."""
    changed = changed_by(playback, command)
    context.detail = publish_assignments(changed, context)
    return changed


def tell_places(playback: Playback, command: GetVideoTrackAssignments, context: Context) -> None:
    """Tell whose pictures the player gets."""
    tell_assignments(playback, context)


_STARTING: Final = (PlaybackState.PREPARING, PlaybackState.OFFERED, PlaybackState.CONNECTING)
_SINGLE: Final = (*_STARTING, PlaybackState.PLAYING)
_CHANGING: Final = (PlaybackState.UPDATING, PlaybackState.REOFFERED)
ASSIGNING: Final = (AssignVideoTrack, UpdateVideoTrackAssignments, SetMaxVideoTrackCount)

ASSIGNMENT_ROWS: Final[list[Row]] = [
    row(AssignVideoTrack, _STARTING, plays_whole_room, note_places),
    row(AssignVideoTrack, PlaybackState.PLAYING, plays_whole_room, assign_places, SAME),
    row(AssignVideoTrack, _CHANGING, otherwise, assign_places, SAME),
    row(UpdateVideoTrackAssignments, _STARTING, plays_whole_room, note_places),
    row(UpdateVideoTrackAssignments, PlaybackState.PLAYING, plays_whole_room, assign_places, SAME),
    row(UpdateVideoTrackAssignments, _CHANGING, otherwise, assign_places, SAME),
    row(SetMaxVideoTrackCount, _STARTING, plays_whole_room, note_places),
    row(SetMaxVideoTrackCount, PlaybackState.PLAYING, plays_whole_room, assign_places, SAME),
    row(SetMaxVideoTrackCount, _CHANGING, otherwise, assign_places, SAME),
    row(GetVideoTrackAssignments, _SINGLE, plays_whole_room, tell_places),
    row(GetVideoTrackAssignments, _CHANGING, otherwise, tell_places),
    *ignore((GetVideoTrackAssignments, *ASSIGNING), _SINGLE, because="a single stream has one picture"),
    *unreachable(
        (GetVideoTrackAssignments, *ASSIGNING),
        PlaybackState.IDLE,
        because="nothing of an idle playback is stored, so nothing can be meant for it",
    ),
]
