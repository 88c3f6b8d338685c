"""Conference rooms: registering them, looking at who is in them, and closing them."""

from typing import Final

from msgspec import UNSET

from signalreel.host import CloseRoom, RegisterRoom, UnregisterRoom
from signalreel.identifiers import is_valid_name
from signalreel.registered import RegisteredRoom
from signalreel_adapters.server.rest.problems import bad_request, conflict, not_found
from signalreel_adapters.server.rest.services import Services, draw_id
from signalreel_adapters.server.rest.shapes import ConferenceRoom, NewConferenceRoom, Result, RoomInfo, with_changes
from signalreel_adapters.server.rest.table import Call, Form, Operation, Parameter
from signalreel_adapters.server.rest.views import conference_room, conference_rooms, room_names

__all__ = (
    "ROOMS",
    "create_room",
    "delete_room",
    "get_room",
    "list_rooms",
    "room_info",
    "update_room",
)

_FIELDS: Final = {
    "start_date": "planned_start",
    "end_date": "planned_end",
    "mode": "mode",
    "streams_limit": "streams_max",
}


async def create_room(services: Services, call: Call) -> ConferenceRoom:
    """Register a room. Without an id one is drawn."""
    changes: NewConferenceRoom = call.body
    name = changes.room_id or draw_id()
    if not is_valid_name(name):
        raise bad_request("roomId must be a name of at most 255 characters: A-Z a-z 0-9 - _ .")
    async with services.writing:
        if services.registry.room(call.app, name) is not None:
            raise conflict("a room of this id is registered already")
        await services.order(RegisterRoom(room=with_changes(RegisteredRoom(name), changes, _FIELDS)), call.app)
    return _known(services, call.app, name)


async def get_room(services: Services, call: Call) -> ConferenceRoom:
    """Give a room that is registered or occupied."""
    return _known(services, call.app, call.text("room"))


async def update_room(services: Services, call: Call) -> ConferenceRoom:
    """Change what is registered of a room. Who is in it stays; what is left out stays."""
    name = call.text("room")
    changes: NewConferenceRoom = call.body
    if changes.room_id not in {UNSET, None, "", name}:
        raise bad_request("roomId is another one than in the path; a room keeps its id")
    async with services.writing:
        before = services.registry.room(call.app, name)
        if before is None:
            raise not_found("not_registered")
        await services.order(RegisterRoom(room=with_changes(before, changes, _FIELDS)), call.app)
    return _known(services, call.app, name)


async def delete_room(services: Services, call: Call) -> Result:
    """Forget a room with its tokens and subscribers. If anybody is in it, they are sent out."""
    name = call.text("room")
    known = _known(services, call.app, name)
    await services.order(CloseRoom(room=name) if known.zombi else UnregisterRoom(room=name), call.app)
    return Result(success=True, data_id=name)


async def list_rooms(services: Services, call: Call) -> list[ConferenceRoom]:
    """List the rooms that are registered or occupied, by id."""
    wanted = str(call.given.get("search", "")).lower()
    names = sorted(name for name in room_names(services, call.app) if wanted in name.lower())
    return conference_rooms(services, call.app, names[call.page()])


async def room_info(services: Services, call: Call) -> RoomInfo:
    """Give the live streams of a room, without the one that is named."""
    name = call.text("room")
    room = _known(services, call.app, name)
    ids = tuple(id for id in room.room_stream_list if id != call.given.get("stream_id"))
    streams = (services.stream(call.app, id) for id in ids)
    names = {one.id: one.name for one in streams if one is not None}
    return RoomInfo(name, ids, names, room.start_date, room.end_date)


def _known(services: Services, app: str, name: str) -> ConferenceRoom:
    room = conference_room(services, app, name)
    if room is None:
        raise not_found("there is no room of this id, registered or occupied")
    return room


_ROOMS: Final = "broadcasts/conference-rooms"

ROOMS: Final = (
    Operation("POST", _ROOMS, create_room, ConferenceRoom, body=NewConferenceRoom, fails=(409,)),
    Operation(
        "GET",
        f"{_ROOMS}/list/{{offset}}/{{size}}",
        list_rooms,
        list[ConferenceRoom],
        query={"search": Parameter("search", Form.TEXT, "What the id contains, in whatever case.")},
    ),
    Operation("GET", f"{_ROOMS}/{{room}}", get_room, ConferenceRoom, fails=(404,)),
    Operation("PUT", f"{_ROOMS}/{{room}}", update_room, ConferenceRoom, body=NewConferenceRoom, fails=(404,)),
    Operation("DELETE", f"{_ROOMS}/{{room}}", delete_room, Result, fails=(404,)),
    Operation(
        "GET",
        f"{_ROOMS}/{{room}}/room-info",
        room_info,
        RoomInfo,
        query={"stream_id": Parameter("streamId", Form.NAME, "A stream to leave out.")},
        fails=(404,),
    ),
)
"""The operations on rooms."""
