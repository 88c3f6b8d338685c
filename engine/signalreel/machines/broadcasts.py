"""What is told of a stream or a room to whoever asks: the broadcast object of real servers, and lists of it.

Clients get it as a JSON text inside of a message, and read fields by names that this server did not choose. It holds
nothing that could identify somebody: no address, no session, no token.

A room is told as what real servers call a main track: a virtual broadcast that nobody publishes, with its live streams
as subtracks.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from signalreel.commands import LISTED_MAX, GetSubtracks
from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import AnyMachine
from signalreel.machines.context import US_PER_MS, Context
from signalreel.machines.shapes import Playback, Room, Stream, StreamState, is_live
from signalreel.machines.texts import listed, told
from signalreel.registered import Subscriber

__all__ = (
    "SEARCHED_LENGTH_MAX",
    "Broadcast",
    "Viewer",
    "broadcast_of",
    "broadcast_of_registered",
    "broadcast_of_room",
    "broadcast_of_stream",
    "count_subtracks",
    "count_viewers",
    "page_of_subtracks",
    "page_of_viewers",
    "text_of",
)

SEARCHED_LENGTH_MAX: Final = 255
"""Characters of a stream's name that a search looks through: every name of a room, for everyone who searches."""


class Broadcast(Struct, frozen=True, rename="camel"):
    """A stream, or a room as a main track. -1 is for no limit; times since 1970 in the unit that each field says."""

    stream_id: str
    status: str  #: `preparing` or `broadcasting`; `created` and `finished` of what is only registered
    type: str = "liveStream"
    publish_type: str = "WebRTC"
    name: str = ""
    description: str = ""
    meta_data: str = ""
    date: int = 0  #: milliseconds: when it came about
    planned_start_date: int = 0  #: seconds
    planned_end_date: int = 0  #: seconds
    main_track_stream_id: str = ""  #: the room that it is published in
    sub_track_stream_ids: tuple[str, ...] = ()  #: the live streams of a room
    virtual: bool = False  #: nobody publishes it: a room
    zombi: bool = True  #: it is not registered, and gone when it ends
    role: str = ""
    viewers: int = field(default=0, name="webRTCViewerCount")
    viewers_max: int = field(default=-1, name="webRTCViewerLimit")
    subtracks_max: int = field(default=-1, name="subtracksLimit")
    expire_ms: int = field(default=0, name="expireDurationMS")
    width: int = 0  #: pixels of its largest picture
    height: int = 0
    bitrate: int = 0  #: bit/s of all its tracks


class Viewer(Struct, frozen=True, rename="camel"):
    """Somebody who plays a stream or room, by the names that they gave, or is registered for it."""

    stream_id: str
    subscriber_id: str
    subscriber_name: str
    type: str = "play"
    connected: bool = True


def text_of(value: Broadcast | Viewer) -> str:
    """Give the JSON text in which clients get it."""
    return msgspec.json.encode(value).decode()


def _status_of(stream: Stream) -> str:
    """Name a stream's state as clients know it; one that waits for its publisher is about to be live, not live."""
    return "broadcasting" if stream.state is StreamState.BROADCASTING else "preparing"


def broadcast_of_stream(stream: Stream, context: Context) -> Broadcast:
    """Tell of a published stream."""
    pictures = [track for track in stream.tracks if track.kind == "video"]
    largest = max(pictures, key=lambda track: track.height, default=None)
    live = Broadcast(
        stream.id,
        _status_of(stream),
        name=stream.name,
        meta_data=stream.meta_data,
        date=_date(stream.born_at, context),
        main_track_stream_id=stream.placed_in,
        role=stream.role,
        viewers=context.indexes.audience_size(stream.app, stream.id),
        viewers_max=context.settings.viewers_max,
        width=largest.width if largest is not None else 0,
        height=largest.height if largest is not None else 0,
        bitrate=sum(track.bitrate for track in stream.tracks),
    )
    return _as_registered(live, stream.app, context)


def broadcast_of_room(room: Room, context: Context) -> Broadcast:
    """Tell of a room as a main track. It counts those who play it whole."""
    live = Broadcast(
        room.id,
        "broadcasting",
        meta_data=room.meta_data,
        date=_date(room.born_at, context),
        sub_track_stream_ids=tuple(
            id
            for id, _ in context.indexes.roster(room.app, room.id)
            if is_live(context.find(Kind.STREAM, id))  # One that waits for its publisher stays on the roster.
        ),
        virtual=True,
        viewers=context.indexes.audience_size(room.app, room.id),
        viewers_max=context.settings.viewers_max,
        subtracks_max=context.settings.room_streams_max,
    )
    return _as_registered(live, room.app, context)


def broadcast_of_registered(app: str, id: str, context: Context) -> Broadcast | None:
    """Tell of a stream that is registered and not live; None when it is not registered."""
    found = context.registry.registration(app, id)
    if found is None:
        return None
    idle = Broadcast(
        id,
        "finished" if found.is_finished else "created",
        name=told(found.stream.name),
        meta_data=told(found.stream.meta_data),
        main_track_stream_id=found.stream.main_track,
        viewers_max=context.settings.viewers_max,
        subtracks_max=context.settings.room_streams_max,
    )
    return _as_registered(idle, app, context)


def _as_registered(broadcast: Broadcast, app: str, context: Context) -> Broadcast:
    """Add what an operator has registered under the id; of its own limits and the app's, the lower ones hold."""
    found = context.registry.registration(app, broadcast.stream_id)
    if found is None:
        return broadcast
    stream = found.stream
    return replace(
        broadcast,
        zombi=False,
        type=stream.type,
        description=told(stream.description),
        date=stream.created_at,
        planned_start_date=stream.planned_start,
        planned_end_date=stream.planned_end,
        name=broadcast.name or told(stream.name),
        meta_data=broadcast.meta_data or told(stream.meta_data),
        viewers_max=_lowest(stream.viewers_max, broadcast.viewers_max),
        subtracks_max=_lowest(stream.subtracks_max, broadcast.subtracks_max),
        expire_ms=stream.expire_ms,
    )


def _lowest(*limits: int) -> int:
    return min((limit for limit in limits if limit >= 0), default=-1)


def broadcast_of(machine: AnyMachine, context: Context) -> Broadcast | None:
    """Tell of whatever this is; None of what is no broadcast."""
    match machine:
        case Stream():
            return broadcast_of_stream(machine, context)
        case Room():
            return broadcast_of_room(machine, context)
        case _:
            return None


def _date(at: int, context: Context) -> int:
    return (at + context.environment.clock_offset) // US_PER_MS


# ---------------------------------------------------------------- lists

_SORTED_BY: Final[dict[str, Callable[[Stream], Any]]] = {
    "name": lambda stream: (stream.name, stream.id),
    "date": lambda stream: (stream.born_at, stream.id),
    "status": lambda stream: (_status_of(stream), stream.id),
}


def page_of_subtracks(room: Room, asked: GetSubtracks, context: Context) -> tuple[str, ...]:
    """Give one page of a room's live streams, as JSON texts."""
    wanted = asked.search.casefold()
    found = [
        stream
        for stream in _placed(room, context)
        if stream.state is StreamState.BROADCASTING
        and (not asked.role or stream.role == asked.role)
        and (not wanted or wanted in stream.id.casefold() or wanted in stream.name[:SEARCHED_LENGTH_MAX].casefold())
    ]
    by = _SORTED_BY.get(asked.sort_by)
    if by is not None:
        found.sort(key=by)
    if asked.order_by.casefold() == "desc":
        found.reverse()
    page = found[asked.offset : asked.offset + min(asked.size, LISTED_MAX)]
    broadcasts = [broadcast_of_stream(stream, context) for stream in page]
    return tuple(text_of(broadcast) for broadcast in listed(broadcasts, text_of, _without_texts))


def _without_texts(broadcast: Broadcast) -> Broadcast:
    return replace(broadcast, name="", description="", meta_data="", role="")


def count_subtracks(room: Room, role: str, status: str, context: Context) -> int:
    """Count a room's streams of a role and a status, where these are named."""
    return sum(
        _status_of(stream) == (status or "broadcasting") and (not role or stream.role == role)
        for stream in _placed(room, context)
    )


def _placed(room: Room, context: Context) -> list[Stream]:
    found = [context.find(Kind.STREAM, id) for id in context.indexes.placed(room.app, room.id)]
    return [stream for stream in found if isinstance(stream, Stream)]


def count_viewers(app: str, id: str, context: Context) -> int:
    """Count those who play a stream or room, and its registered subscribers who do not."""
    return context.indexes.audience_size(app, id) + len(_not_playing(app, id, context))


def page_of_viewers(app: str, id: str, offset: int, size: int, context: Context) -> tuple[str, ...]:
    """Give one page of those whom `count_viewers` counts, as JSON texts; those who play stand first.

    Under which names they come is told to whoever takes part; everybody else is only told that somebody is there.
    """
    is_told = any(context.takes_part_in(about) for about in _ids_of(id, context))
    end = offset + min(size, LISTED_MAX)
    playing = context.indexes.audience(app, id)
    found = [context.machines.get((Kind.PLAYBACK, app, playback)) for playback in playing[offset:end]]
    viewers = [
        Viewer(id, playback.subscriber_id, playback.subscriber_name)
        for playback in found
        if isinstance(playback, Playback)
    ]
    if end > len(playing):
        viewers += [
            Viewer(id, each.subscriber_id, told(each.name), str(each.purpose), _is_here(app, id, each, context))
            for each in _not_playing(app, id, context)[max(0, offset - len(playing)) : end - len(playing)]
        ]
    shown = viewers if is_told else [_without_names(viewer) for viewer in viewers]
    return tuple(text_of(viewer) for viewer in listed(shown, text_of, _without_names))


def _without_names(viewer: Viewer) -> Viewer:
    return replace(viewer, subscriber_id="", subscriber_name="")


def _ids_of(id: str, context: Context) -> tuple[str, ...]:
    """A stream or room, and the room that the stream is in."""
    stream = context.find(Kind.STREAM, id)
    return (id, stream.placed_in) if stream is not None and stream.placed_in else (id,)


def _not_playing(app: str, id: str, context: Context) -> list[Subscriber]:
    """The registered subscribers whom no playback shows, by name; the others are told as those who play."""
    return [
        each
        for each in context.registry.subscribers(app, id)
        if not any(
            (Kind.PLAYBACK, app, playback_id(session, id)) in context.indexes.held(session)
            for session in context.standings.sessions(app, each.subscriber_id)
        )
    ]


def _is_here(app: str, id: str, subscriber: Subscriber, context: Context) -> bool:
    """Whether a subscriber who does not play a stream or room publishes it, or has joined."""
    return any(
        id in standing.ids and (standing.kind, app, standing.id) in context.indexes.held(session)
        for session in context.standings.sessions(app, subscriber.subscriber_id)
        for standing in context.standings.of(session)
    )
