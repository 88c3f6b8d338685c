"""Streams: registering them, looking at them and ending them."""

from typing import Any, Final

from msgspec import UNSET, structs

from signalreel.host import EndStream, RegisterStream, UnregisterStream
from signalreel.identifiers import is_valid_name
from signalreel.refusals import STREAM_ID_IN_USE
from signalreel.registered import Credential, RegisteredStream
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, conflict, not_found
from signalreel_adapters.server.rest.services import Services, draw_id
from signalreel_adapters.server.rest.shapes import (
    AppStatistics,
    Broadcast,
    BroadcastChanges,
    BroadcastStatus,
    Result,
    SimpleStat,
    ViewerStatistics,
)
from signalreel_adapters.server.rest.table import IDS_MAX, Call, Form, Operation, Parameter
from signalreel_adapters.server.rest.views import broadcasts, known_broadcast

__all__ = (
    "BROADCASTS",
    "broadcast_statistics",
    "count_broadcasts",
    "count_found",
    "count_live",
    "create_broadcast",
    "delete_broadcast",
    "delete_broadcasts",
    "get_broadcast",
    "list_broadcasts",
    "stop_broadcast",
    "total_statistics",
    "update_broadcast",
)

_FIELDS: Final = {
    "name": "name",
    "description": "description",
    "type": "type",
    "date": "created_at",
    "planned_start_date": "planned_start",
    "planned_end_date": "planned_end",
    "meta_data": "meta_data",
    "username": "username",
    "main_track_stream_id": "main_track",
    "viewer_limit": "viewers_max",
    "subtracks_limit": "subtracks_max",
    "expire_duration_ms": "expire_ms",
    "auto_start_stop_enabled": "waits",
    "adaptive": "adaptive",
}
"""Of each field that a client may set: the field of what is registered."""

_DESCENDING: Final = "desc"


async def create_broadcast(services: Services, call: Call) -> Broadcast:
    """Register a stream. Without an id one is drawn."""
    changes: BroadcastChanges = call.body
    id = changes.stream_id or draw_id()
    if not is_valid_name(id):
        raise bad_request("streamId must be a name of at most 255 characters: A-Z a-z 0-9 - _ .")
    async with services.writing:
        if services.registry.stream(call.app, id) is not None:
            raise conflict(STREAM_ID_IN_USE.definition)
        await services.order(RegisterStream(stream=_changed(RegisteredStream(id), changes)), call.app)
    return known_broadcast(services, call.app, id)


async def get_broadcast(services: Services, call: Call) -> Broadcast:
    """Give a stream that is registered or live, or a room as the stream that it is played as."""
    return known_broadcast(services, call.app, call.text("id"))


async def update_broadcast(services: Services, call: Call) -> Result:
    """Change what is registered of a stream. What is live goes on; what is left out stays."""
    id = call.text("id")
    changes: BroadcastChanges = call.body
    if changes.stream_id not in {UNSET, None, "", id}:
        raise bad_request("streamId is another one than in the path; a stream keeps its id")
    async with services.writing:
        before = services.registry.stream(call.app, id)
        if before is None:
            raise not_found("not_registered")
        await services.order(RegisterStream(stream=_changed(before, changes)), call.app)
    return Result(success=True, data_id=id)


async def delete_broadcast(services: Services, call: Call) -> Result:
    """Forget a stream with its tokens and subscribers. If it is live, it ends."""
    await _delete(services, call.app, call.text("id"))
    return Result(success=True, data_id=call.text("id"))


async def delete_broadcasts(services: Services, call: Call) -> Result:
    """Forget several streams. Those that there are go, even when another one is not there."""
    ids = list(dict.fromkeys(call.text("ids").split(",")))
    if len(ids) > IDS_MAX or not all(is_valid_name(id) for id in ids):
        raise bad_request(f"ids must be at most {IDS_MAX} names with commas between them")
    missing = 0
    for id in ids:
        try:
            await _delete(services, call.app, id)
        except RestProblem as problem:
            if problem.status != not_found("").status:
                raise
            missing += 1
    if missing:
        raise not_found(f"{missing} of {len(ids)} are not there; the others are deleted")
    return Result(success=True)


async def stop_broadcast(services: Services, call: Call) -> Result:
    """End a live stream: its publisher and its viewers are told. What is registered stays."""
    id = call.text("id")
    if id not in services.live(call.app).streams:
        raise not_found("no_stream_exist")
    await services.order(EndStream(stream_id=id), call.app)
    return Result(success=True, data_id=id)


async def list_broadcasts(services: Services, call: Call) -> list[Broadcast]:
    """List the streams that are registered or live, by id unless another order is asked for."""
    found = _searched(services, call)
    sort_by = call.given.get("sort_by")
    if sort_by is not None:
        found.sort(key=lambda one: getattr(one, str(sort_by)))
    if call.given.get("order_by") == _DESCENDING:
        found.reverse()
    return found[call.page()]


async def count_broadcasts(services: Services, call: Call) -> SimpleStat:
    """Count the streams that are registered or live."""
    return SimpleStat(len(_searched(services, call)))


async def count_found(services: Services, call: Call) -> SimpleStat:
    """Count the streams whose id or name contains something."""
    return SimpleStat(len(_searched(services, call)))


async def count_live(services: Services, call: Call) -> SimpleStat:
    """Count the streams that can be played now."""
    return SimpleStat(_live_count(services, call.app))


async def broadcast_statistics(services: Services, call: Call) -> ViewerStatistics:
    """Count who plays a stream."""
    return ViewerStatistics(web_rtc=known_broadcast(services, call.app, call.text("id")).viewer_count)


async def total_statistics(services: Services, call: Call) -> AppStatistics:
    """Count who plays anything in the app, and what is live."""
    return AppStatistics(
        web_rtc=len(services.live(call.app).playbacks),
        live=_live_count(services, call.app),
    )


def _changed(before: RegisteredStream, changes: BroadcastChanges) -> RegisteredStream:
    """Give what is registered with the changes in it; null is for the empty text."""
    given = {name: getattr(changes, name) for name in _FIELDS}
    fields: dict[str, Any] = {
        _FIELDS[name]: "" if value is None else value for name, value in given.items() if value is not UNSET
    }
    for name in ("publish_access", "play_access"):
        kinds = getattr(changes, name)
        if kinds is not UNSET:
            fields[name] = _credentials(kinds)
    return structs.replace(before, **fields)


def _credentials(kinds: tuple[str, ...]) -> tuple[Credential, ...]:
    try:
        return tuple(Credential(kind) for kind in dict.fromkeys(kinds))
    except ValueError:
        raise bad_request(f"a kind of credential is one of {', '.join(Credential)}") from None


async def _delete(services: Services, app: str, id: str) -> None:
    is_registered = services.registry.stream(app, id) is not None
    if not is_registered and id not in services.live(app).streams:
        raise not_found("there is no stream of this id, registered or live")
    await services.order(UnregisterStream(stream_id=id) if is_registered else EndStream(stream_id=id), app)


def _searched(services: Services, call: Call) -> list[Broadcast]:
    wanted = str(call.given.get("search", "")).lower()
    kind = call.given.get("type_by")
    return [
        one
        for one in broadcasts(services, call.app, services.live(call.app))
        if (wanted in one.stream_id.lower() or wanted in one.name.lower()) and kind in {None, one.type}
    ]


def _live_count(services: Services, app: str) -> int:
    found = broadcasts(services, app, services.live(app))
    return sum(one.status is BroadcastStatus.BROADCASTING and not one.virtual for one in found)


_LISTED: Final = {
    "search": Parameter("search", Form.TEXT, "What the id or the name contains, in whatever case."),
    "type_by": Parameter("type_by", Form.TEXT, "The type of stream."),
}
_SORTED: Final = {
    "sort_by": Parameter("sort_by", Form.TEXT, "What to sort by.", choices=("name", "date", "status")),
    "order_by": Parameter("order_by", Form.TEXT, "Which way.", choices=("asc", _DESCENDING)),
}

BROADCASTS: Final = (
    Operation("POST", "broadcasts/create", create_broadcast, Broadcast, body=BroadcastChanges, fails=(409,)),
    Operation("GET", "broadcasts/list/{offset}/{size}", list_broadcasts, list[Broadcast], query={**_LISTED, **_SORTED}),
    Operation("GET", "broadcasts/count", count_broadcasts, SimpleStat),
    Operation("GET", "broadcasts/count/{search}", count_found, SimpleStat),
    Operation("GET", "broadcasts/active-live-stream-count", count_live, SimpleStat),
    Operation("GET", "broadcasts/total-broadcast-statistics", total_statistics, AppStatistics),
    Operation(
        "DELETE",
        "broadcasts/",
        delete_broadcasts,
        Result,
        query={"ids": Parameter("ids", Form.LIST, "Ids with commas between them.", required=True)},
        fails=(404,),
    ),
    Operation("GET", "broadcasts/{id}", get_broadcast, Broadcast, fails=(404,)),
    Operation("PUT", "broadcasts/{id}", update_broadcast, Result, body=BroadcastChanges, fails=(404,)),
    Operation("DELETE", "broadcasts/{id}", delete_broadcast, Result, fails=(404,)),
    Operation("POST", "broadcasts/{id}/stop", stop_broadcast, Result, fails=(404,)),
    Operation("GET", "broadcasts/{id}/broadcast-statistics", broadcast_statistics, ViewerStatistics, fails=(404,)),
)
"""The operations on streams."""
