"""How what is live and what is registered look from outside: the familiar objects, made from the engine's state."""

from collections.abc import Iterable

from signalreel.identifiers import Kind
from signalreel.machines.shapes import is_live
from signalreel.registered import RegisteredStream
from signalreel_adapters.server.rest.problems import not_found
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Broadcast, BroadcastStatus, ConferenceRoom

__all__ = (
    "broadcast",
    "broadcast_ids",
    "broadcasts",
    "conference_room",
    "conference_rooms",
    "known_broadcast",
    "room_names",
)


def known_broadcast(services: Services, app: str, id: str) -> Broadcast:
    """Give the stream of an id, or the room that is played whole under it. Raises `RestProblem` (404) for neither."""
    found = broadcast(services, app, id)
    if found is None:
        raise not_found("there is no stream of this id, registered or live")
    return found


def broadcast(services: Services, app: str, id: str) -> Broadcast | None:
    """Give the stream of an id, or the room that is played whole under it, if there is one."""
    registration = services.registry.registration(app, id)
    told = services.engine.broadcast(id, app=app)  # what clients are told, of a live stream or an occupied room
    if registration is None and told is None:
        return None
    registered = registration.stream if registration is not None else RegisteredStream(id)
    is_finished = registration is not None and registration.is_finished
    return Broadcast(
        stream_id=id,
        status=BroadcastStatus(told.status)
        if told is not None
        else BroadcastStatus.FINISHED
        if is_finished
        else BroadcastStatus.CREATED,
        name=(told.name if told is not None else "") or registered.name,
        description=registered.description,
        type=registered.type,
        publish_type="WebRTC" if services.stream(app, id) is not None else None,
        date=registered.created_at or (told.date if told is not None else 0),
        planned_start_date=registered.planned_start,
        planned_end_date=registered.planned_end,
        meta_data=(told.meta_data if told is not None else "") or registered.meta_data,
        username=registered.username,
        main_track_stream_id=(told.main_track_stream_id if told is not None else "") or registered.main_track or None,
        sub_track_stream_ids=told.sub_track_stream_ids if told is not None else (),
        virtual=told is not None and told.virtual,
        zombi=registration is None,
        width=told.width if told is not None else 0,
        height=told.height if told is not None else 0,
        bitrate=told.bitrate if told is not None else 0,
        viewer_count=told.viewers if told is not None else 0,
        viewer_limit=registered.viewers_max,
        subtracks_limit=registered.subtracks_max,
        expire_duration_ms=registered.expire_ms,
        auto_start_stop_enabled=registered.waits,
        adaptive=registered.adaptive,
        publish_access=tuple(map(str, registered.publish_access)),
        play_access=tuple(map(str, registered.play_access)),
    )


def broadcasts(services: Services, app: str, ids: Iterable[str]) -> list[Broadcast]:
    """Give the streams of these ids, those that there are."""
    found = (broadcast(services, app, id) for id in ids)
    return [one for one in found if one is not None]


def broadcast_ids(services: Services, app: str) -> set[str]:
    """Give the ids of everything in an app that is told of as a stream."""
    indexes = services.engine.indexes
    live = (indexes.ids(kind, app) for kind in (Kind.STREAM, Kind.ROOM))
    return set(services.registry.stream_ids(app)).union(*live)


def conference_room(services: Services, app: str, name: str) -> ConferenceRoom | None:
    """Give a room that is registered or occupied, if there is one."""
    registered, room = services.registry.room(app, name), services.room(app, name)
    if registered is None and room is None:
        return None
    return ConferenceRoom(
        room_id=name,
        start_date=registered.planned_start if registered is not None else 0,
        end_date=registered.planned_end if registered is not None else 0,
        mode=registered.mode if registered is not None else "",
        streams_limit=registered.streams_max if registered is not None else -1,
        room_stream_list=tuple(
            id for id in services.engine.indexes.placed(app, name) if is_live(services.stream(app, id))
        ),
        member_count=len(room.members) if room is not None else 0,
        zombi=registered is None,
    )


def conference_rooms(services: Services, app: str, names: Iterable[str]) -> list[ConferenceRoom]:
    """Give the rooms of these names, those that there are."""
    found = (conference_room(services, app, name) for name in names)
    return [one for one in found if one is not None]


def room_names(services: Services, app: str) -> set[str]:
    """Give the names of an app's rooms, registered or occupied."""
    return {*services.registry.room_names(app), *services.engine.indexes.ids(Kind.ROOM, app)}
