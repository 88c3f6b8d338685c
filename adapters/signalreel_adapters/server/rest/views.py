"""How what is live and what is registered look from outside: the familiar objects, made from the engine's state."""

from collections.abc import Iterable

from signalreel.machines.registry import Registration
from signalreel.machines.shapes import Room, Stream, StreamState
from signalreel_adapters.server.rest.problems import not_found
from signalreel_adapters.server.rest.services import Live, Services
from signalreel_adapters.server.rest.shapes import Broadcast, BroadcastStatus, ConferenceRoom

__all__ = ("broadcast", "broadcasts", "conference_room", "conference_rooms", "known_broadcast")

_LIVE = frozenset({StreamState.BROADCASTING, StreamState.RESTORING})


def known_broadcast(services: Services, app: str, id: str, live: Live | None = None) -> Broadcast:
    """Give the stream of an id, or the room that is played whole under it. Raises `RestProblem` (404) for neither."""
    found = broadcast(services, app, id, live if live is not None else services.live(app))
    if found is None:
        raise not_found("there is no stream of this id, registered or live")
    return found


def broadcast(services: Services, app: str, id: str, live: Live) -> Broadcast | None:
    """Give the stream of an id, or the room that is played whole under it, if there is one."""
    registration = services.registry.registration(app, id)
    stream, room = live.streams.get(id), live.rooms.get(id)
    if registration is None and stream is None and room is None:
        return None
    registered = registration.stream if registration is not None else None
    video = next((track for track in stream.tracks if track.kind == "video"), None) if stream is not None else None
    main_track = (stream.placed_in if stream is not None else "") or (registered.main_track if registered else "")
    return Broadcast(
        stream_id=id,
        status=_status(registration, stream, room),
        name=(stream.name if stream is not None else "") or (registered.name if registered else ""),
        description=registered.description if registered else "",
        type=registered.type if registered else "liveStream",
        publish_type="WebRTC" if stream is not None else None,
        date=registered.created_at if registered else 0,
        planned_start_date=registered.planned_start if registered else 0,
        planned_end_date=registered.planned_end if registered else 0,
        meta_data=(stream.meta_data if stream is not None else "") or (registered.meta_data if registered else ""),
        username=registered.username if registered else "",
        main_track_stream_id=main_track or None,
        sub_track_stream_ids=tuple(live.subtracks(id)),
        virtual=stream is None and room is not None,
        zombi=registered is None,
        width=video.width if video is not None else 0,
        height=video.height if video is not None else 0,
        bitrate=sum(track.bitrate for track in stream.tracks) if stream is not None else 0,
        viewer_count=live.viewers[id],
        viewer_limit=registered.viewers_max if registered else -1,
        subtracks_limit=registered.subtracks_max if registered else -1,
        expire_duration_ms=registered.expire_ms if registered else 0,
        auto_start_stop_enabled=registered.waits if registered else False,
        adaptive=registered.adaptive if registered else False,
        publish_access=tuple(map(str, registered.publish_access)) if registered else (),
        play_access=tuple(map(str, registered.play_access)) if registered else (),
    )


def broadcasts(services: Services, app: str, live: Live, ids: Iterable[str] | None = None) -> list[Broadcast]:
    """Give the streams of these ids, or every one of the app, sorted by id."""
    if ids is None:
        registered = (one.stream.stream_id for one in services.registry.registrations(app))
        ids = sorted({*registered, *live.streams, *live.rooms})
    found = (broadcast(services, app, id, live) for id in ids)
    return [one for one in found if one is not None]


def conference_room(services: Services, app: str, name: str, live: Live) -> ConferenceRoom | None:
    """Give a room that is registered or occupied, if there is one."""
    registered, room = services.registry.room(app, name), live.rooms.get(name)
    if registered is None and room is None:
        return None
    return ConferenceRoom(
        room_id=name,
        start_date=registered.planned_start if registered is not None else 0,
        end_date=registered.planned_end if registered is not None else 0,
        mode=registered.mode if registered is not None else "",
        streams_limit=registered.streams_max if registered is not None else -1,
        room_stream_list=tuple(id for id in live.subtracks(name) if live.streams[id].state in _LIVE),
        member_count=len(room.members) if room is not None else 0,
        zombi=registered is None,
    )


def conference_rooms(services: Services, app: str, live: Live) -> list[ConferenceRoom]:
    """Give every room of an app, sorted by name."""
    names = sorted({*(one.room for one in services.registry.rooms(app)), *live.rooms})
    found = (conference_room(services, app, name, live) for name in names)
    return [one for one in found if one is not None]


def _status(registration: Registration | None, stream: Stream | None, room: Room | None) -> BroadcastStatus:
    if stream is not None:
        return BroadcastStatus.BROADCASTING if stream.state in _LIVE else BroadcastStatus.PREPARING
    if room is not None:
        return BroadcastStatus.BROADCASTING
    is_finished = registration is not None and registration.is_finished
    return BroadcastStatus.FINISHED if is_finished else BroadcastStatus.CREATED
