"""What a stream consists of, which streams a room holds, and who plays it."""

from typing import Final

from msgspec import structs

from signalreel.host import RegisterStream
from signalreel.messages import RenditionInformation
from signalreel_adapters.server.rest.problems import not_found
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Broadcast, BroadcastStatus, ClientStats, Result, SimpleStat
from signalreel_adapters.server.rest.table import Call, Form, Operation, Parameter
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
    """Give the renditions of a live stream: pixels and bit/s, as far as they were measured."""
    stream = services.live(call.app).streams.get(call.text("id"))
    if stream is None:
        raise not_found("no_stream_exist")
    video = next((track for track in stream.tracks if track.kind == "video"), None)
    audio = next((track for track in stream.tracks if track.kind == "audio"), None)
    if video is None:
        return []
    return [
        RenditionInformation(
            video.width, video.height, video.bitrate, audio.bitrate if audio is not None else 0, video.codec
        )
    ]


async def client_stats(services: Services, call: Call) -> list[ClientStats]:
    """List who plays a stream or a whole room, by session. No addresses."""
    live = services.live(call.app)
    known_broadcast(services, call.app, call.text("id"), live)
    found = [
        ClientStats(one.sessions[0] if one.sessions else "", one.watches, str(one.state), one.room)
        for one in live.watching(call.text("id"))
    ]
    return found[call.page()]


async def subtracks(services: Services, call: Call) -> list[Broadcast]:
    """List the streams that are published in a room, and those registered for it that are not live."""
    return _subtracks(services, call)[call.page()]


async def active_subtracks(services: Services, call: Call) -> list[Broadcast]:
    """List the streams of a room that can be played now."""
    return _active(services, call)[call.page()]


async def active_subtracks_count(services: Services, call: Call) -> SimpleStat:
    """Count the streams of a room that can be played now."""
    return SimpleStat(len(_active(services, call)))


async def subtracks_count(services: Services, call: Call) -> SimpleStat:
    """Count the streams of a room, and those registered for it that are not live."""
    return SimpleStat(len(_subtracks(services, call)))


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


def _subtracks(services: Services, call: Call) -> list[Broadcast]:
    live, room = services.live(call.app), call.text("id")
    registered = (
        one.stream.stream_id for one in services.registry.registrations(call.app) if one.stream.main_track == room
    )
    ids = sorted({*live.subtracks(room), *(id for id in registered if id not in live.streams)})
    if not ids:
        known_broadcast(services, call.app, room, live)
    return broadcasts(services, call.app, live, ids)


def _active(services: Services, call: Call) -> list[Broadcast]:
    return [one for one in _subtracks(services, call) if one.status is BroadcastStatus.BROADCASTING]


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
