"""Streams: registering them, looking at them and ending them."""

from collections.abc import Callable
from typing import Final

from msgspec import UNSET, structs

from signalreel.host import EndStream, RegisterStream, UnregisterStream
from signalreel.identifiers import Kind, is_valid_name
from signalreel.machines.shapes import StreamState
from signalreel.refusals import STREAM_ID_IN_USE
from signalreel.registered import Credential, RegisteredStream
from signalreel_adapters.server.rest.problems import RestProblem, bad_request, conflict, not_found
from signalreel_adapters.server.rest.services import Services, draw_id
from signalreel_adapters.server.rest.shapes import (
    AppStatistics,
    Broadcast,
    BroadcastChanges,
    Result,
    SimpleStat,
    ViewerStatistics,
    with_changes,
)
from signalreel_adapters.server.rest.table import IDS_MAX, Call, Form, Operation, Parameter
from signalreel_adapters.server.rest.turns import in_order, in_turns
from signalreel_adapters.server.rest.views import broadcast, broadcast_ids, broadcasts, known_broadcast

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
    if services.stream(call.app, id) is None:
        raise not_found("no_stream_exist")
    await services.order(EndStream(stream_id=id), call.app)
    return Result(success=True, data_id=id)


async def list_broadcasts(services: Services, call: Call) -> list[Broadcast]:
    """List the streams that are registered or live, by id unless another order is asked for."""
    found, page = await _searched(services, call), call.page()
    if call.given.get("order_by") == _DESCENDING:
        found = (await in_order(found, len(found)))[::-1]
    else:
        found = await in_order(found, page.stop)
    return broadcasts(services, call.app, (id for _, id in found[page]))


async def count_broadcasts(services: Services, call: Call) -> SimpleStat:
    """Count the streams that are registered or live."""
    return SimpleStat(len(broadcast_ids(services, call.app)))


async def count_found(services: Services, call: Call) -> SimpleStat:
    """Count the streams whose id or name contains something."""
    return SimpleStat(len(await _searched(services, call)))


async def count_live(services: Services, call: Call) -> SimpleStat:
    """Count the streams that can be played now."""
    return SimpleStat(await _live_count(services, call.app))


async def broadcast_statistics(services: Services, call: Call) -> ViewerStatistics:
    """Count who plays a stream."""
    return ViewerStatistics(web_rtc=known_broadcast(services, call.app, call.text("id")).viewer_count)


async def total_statistics(services: Services, call: Call) -> AppStatistics:
    """Count who plays anything in the app, and what is live."""
    return AppStatistics(
        web_rtc=len(services.engine.indexes.ids(Kind.PLAYBACK, call.app)),
        live=await _live_count(services, call.app),
    )


def _changed(before: RegisteredStream, changes: BroadcastChanges) -> RegisteredStream:
    """Give what is registered with the changes in it."""
    kinds = {
        name: _credentials(given)
        for name, given in (("publish_access", changes.publish_access), ("play_access", changes.play_access))
        if given is not UNSET
    }
    return structs.replace(with_changes(before, changes, _FIELDS), **kinds)


def _credentials(kinds: tuple[str, ...]) -> tuple[Credential, ...]:
    try:
        return tuple(Credential(kind) for kind in dict.fromkeys(kinds))
    except ValueError:
        raise bad_request(f"a kind of credential is one of {', '.join(Credential)}") from None


async def _delete(services: Services, app: str, id: str) -> None:
    is_registered = services.registry.stream(app, id) is not None
    if not is_registered and services.stream(app, id) is None:
        raise not_found("there is no stream of this id, registered or live")
    await services.order(UnregisterStream(stream_id=id) if is_registered else EndStream(stream_id=id), app)


async def _searched(services: Services, call: Call) -> list[tuple[str, str]]:
    """Give what is to be sorted by, and the id, of the streams that are asked for."""
    ids = broadcast_ids(services, call.app)
    wanted, kind, sort_by = (call.given.get(name) for name in ("search", "type_by", "sort_by"))
    if wanted is None and kind is None and sort_by is None:
        return [("", id) for id in ids]
    text = str(wanted or "").lower()
    found: list[tuple[str, str]] = []
    async for id in in_turns(ids):
        one = broadcast(services, call.app, id)
        if one is not None and (text in id.lower() or text in one.name.lower()) and kind in {None, one.type}:
            found.append((_SORT_KEYS[sort_by](one) if sort_by is not None else "", id))
    return found


async def _live_count(services: Services, app: str) -> int:
    count = 0
    async for id in in_turns(tuple(services.engine.indexes.ids(Kind.STREAM, app))):
        stream = services.stream(app, id)
        count += stream is not None and stream.state is StreamState.BROADCASTING
    return count


_SORT_KEYS: Final[dict[str, Callable[[Broadcast], str]]] = {
    "name": lambda one: one.name,
    "date": lambda one: f"{one.date:016}",
    "status": lambda one: str(one.status),
}
_LISTED: Final = {
    "search": Parameter("search", Form.TEXT, "What the id or the name contains, in whatever case."),
    "type_by": Parameter("type_by", Form.TEXT, "The type of stream."),
}
_SORTED: Final = {
    "sort_by": Parameter("sort_by", Form.TEXT, "What to sort by.", choices=tuple(_SORT_KEYS)),
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
