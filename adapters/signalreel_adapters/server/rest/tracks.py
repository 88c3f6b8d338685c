"""What a stream consists of, which streams a room holds, and who plays it."""

from typing import Final

from msgspec import structs

from signalreel.host import RegisterStream
from signalreel.machines.shapes import Playback, StreamState
from signalreel.machines.tracks import renditions_of
from signalreel.messages import RenditionInformation
from signalreel_adapters.server.rest.problems import not_found
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Broadcast, ClientStats, Result, SimpleStat
from signalreel_adapters.server.rest.table import Call, Form, Operation, Parameter
from signalreel_adapters.server.rest.turns import in_turns
from signalreel_adapters.server.rest.views import broadcasts, known_broadcast

__all__ = (
    "TRACKS",
    "active_subtracks",
    "active_subtracks_count",
    "attach_subtrack",
    "client_stats",
    "detach_subtrack",
    "stream_info",
    "subtracks",
    "subtracks_count",
)


async def stream_info(services: Services, call: Call) -> list[RenditionInformation]:
    """Give the renditions of a stream that can be played now, as clients are told them: pixels and bit/s."""
    stream = services.stream(call.app, call.text("id"))
    if stream is None or stream.state is not StreamState.BROADCASTING:
        raise not_found("no_stream_exist")
    return list(renditions_of(stream))


async def client_stats(services: Services, call: Call) -> list[ClientStats]:
    """List who plays a stream or a whole room, by session, with what was measured last. No addresses."""
    known_broadcast(services, call.app, call.text("id"))
    ids = services.engine.indexes.audience(call.app, call.text("id"))
    found = (services.playback(call.app, id) for id in ids[call.page()])
    return [_stats_of(services, one) for one in found if one is not None]


async def subtracks(services: Services, call: Call) -> list[Broadcast]:
    """List the streams that are published in a room, and those registered for it that are not live."""
    return broadcasts(services, call.app, (await _subtracks(services, call))[call.page()])


async def active_subtracks(services: Services, call: Call) -> list[Broadcast]:
    """List the streams of a room that can be played now."""
    return broadcasts(services, call.app, (await _active(services, call))[call.page()])


async def active_subtracks_count(services: Services, call: Call) -> SimpleStat:
    """Count the streams of a room that can be played now."""
    return SimpleStat(len(await _active(services, call)))


async def subtracks_count(services: Services, call: Call) -> SimpleStat:
    """Count the streams of a room, and those registered for it that are not live."""
    return SimpleStat(len(await _subtracks(services, call)))


async def attach_subtrack(services: Services, call: Call) -> Result:
    """Register that a stream belongs to a room: it is published there from its next publish on."""
    return await _place(services, call, call.text("id"))


async def detach_subtrack(services: Services, call: Call) -> Result:
    """Register that a stream no longer belongs to a room. What is live stays where it is."""
    return await _place(services, call, "")


async def _place(services: Services, call: Call, main_track: str) -> Result:
    id = call.text("subtrack")
    async with services.writing:
        stream = services.registry.stream(call.app, id)
        if stream is None or (not main_track and stream.main_track != call.text("id")):
            raise not_found("not_registered")
        await services.order(RegisterStream(stream=structs.replace(stream, main_track=main_track)), call.app)
    return Result(success=True, data_id=id)


async def _subtracks(services: Services, call: Call) -> list[str]:
    app, room = call.app, call.text("id")
    found = set(services.engine.indexes.placed(app, room))
    async for id in in_turns(services.registry.stream_ids(app)):
        stream = services.registry.stream(app, id)
        if stream is not None and stream.main_track == room and services.stream(app, id) is None:
            found.add(id)
    if not found:
        known_broadcast(services, app, room)
    return sorted(found)


async def _active(services: Services, call: Call) -> list[str]:
    """Give the ids of what is broadcasting in a room: no walk of what is registered, for none of that can be played."""
    room = call.text("id")
    found: list[str] = []
    async for id in in_turns(services.engine.indexes.placed(call.app, room)):
        stream = services.stream(call.app, id)
        if stream is not None and stream.state is StreamState.BROADCASTING:
            found.append(id)
    if not found:
        await _subtracks(services, call)  # It knows whether there is such a room at all.
    return found


def _stats_of(services: Services, playback: Playback) -> ClientStats:
    kept = services.bitrates
    last = kept.of(playback.app, playback.id, playback.born) if kept is not None else None
    return ClientStats(
        client_id=playback.sessions[0] if playback.sessions else "",
        stream_id=playback.watches,
        state=str(playback.state),
        room=playback.room,
        measured_bitrate=last.target if last is not None else 0,
        send_bitrate=last.video + last.audio if last is not None else 0,
        video_bitrate=last.video if last is not None else 0,
        audio_bitrate=last.audio if last is not None else 0,
    )


_SUBTRACK: Final = {"subtrack": Parameter("id", Form.NAME, "The id of the stream to place.", required=True)}

TRACKS: Final = (
    Operation("GET", "broadcasts/{id}/stream-info", stream_info, list[RenditionInformation], fails=(404,)),
    Operation(
        "GET", "broadcasts/{id}/webrtc-client-stats/{offset}/{size}", client_stats, list[ClientStats], fails=(404,)
    ),
    Operation("GET", "broadcasts/{id}/subtracks/{offset}/{size}", subtracks, list[Broadcast], fails=(404,)),
    Operation("GET", "broadcasts/{id}/subtracks-count", subtracks_count, SimpleStat, fails=(404,)),
    Operation(
        "GET", "broadcasts/{id}/active-subtracks/{offset}/{size}", active_subtracks, list[Broadcast], fails=(404,)
    ),
    Operation("GET", "broadcasts/{id}/active-subtracks-count", active_subtracks_count, SimpleStat, fails=(404,)),
    Operation("POST", "broadcasts/{id}/subtrack", attach_subtrack, Result, query=_SUBTRACK, fails=(404,)),
    Operation("DELETE", "broadcasts/{id}/subtrack", detach_subtrack, Result, query=_SUBTRACK, fails=(404,)),
)
"""The operations on what streams consist of."""
