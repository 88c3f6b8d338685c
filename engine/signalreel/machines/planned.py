"""What is registered, held against what is asked: who must be registered, planned times, limits, and who waits.

A room counts as registered by a registration of its own, or by that of a stream of its name, because newer clients make
a room by registering its main track. A stream that is published in a registered room needs no registration of its own:
rooms draw ids for their members, which nobody could have registered.
"""

from typing import Any

from signalreel.commands import GetTrackList, JoinRoom, Play, Publish
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.context import US_PER_MS, US_PER_S, Context
from signalreel.machines.shapes import Stream, is_live
from signalreel.machines.texts import told
from signalreel.registered import RegisteredRoom, RegisteredStream
from signalreel.settings import Rung

__all__ = (
    "as_asked",
    "is_registered_room",
    "ladder_of",
    "must_wait",
    "no_renditions",
    "not_live",
    "place_of",
    "registered_wake",
    "room_closed",
    "room_of",
    "room_unregistered",
    "room_wanted",
    "stream_closed",
    "stream_unregistered",
    "streams_max_of",
    "until_room_opens",
    "until_stream_opens",
    "viewers_max_of",
    "waits_in_vain",
)


def room_of(publish: Publish, context: Context) -> str:
    """The room a stream is published in.

    It is the one that the publisher names, else the one its session joined with this stream id, else the one that the
    stream is registered for.
    """
    if publish.main_track:
        return publish.main_track
    for id in context.held(context.session, Kind.ROOM):
        room = context.find(Kind.ROOM, id)
        if room is not None and room.stream_of(context.session) == publish.stream_id:
            return id
    registered = context.registry.stream(context.app, publish.stream_id)
    return registered.main_track if registered is not None else ""


def room_wanted(machine: AnyMachine, publish: Publish, context: Context) -> str:
    """The room a stream is to be published in: as `room_of` has it, else the one in which it is kept already."""
    return room_of(publish, context) or machine.placed_in


def place_of(machine: AnyMachine, input: object, context: Context) -> str | None:
    """The room that a command leads to in truth, which a grant must be good for; empty for none.

    A publish leads to the room in which the stream is put, or kept. What is played is a stream in its room, or the room
    itself; whoever waits for a stream waits for it where it is registered to be. None: nothing is there to lead to.
    """
    match input:
        case Publish():
            return room_wanted(machine, input, context)
        case Play(stream_id=id) | GetTrackList(stream_id=id):
            stream = context.find(Kind.STREAM, id)
            if stream is not None:
                return stream.placed_in
            if context.find(Kind.ROOM, id) is not None or (isinstance(input, Play) and input.room == id):
                return id
            registered = context.registry.stream(context.app, id)
            return registered.main_track if registered is not None and registered.waits else None
        case JoinRoom(room=id):
            return id
        case _:
            return None


# ---------------------------------------------------------------- who must be registered


def is_registered_room(context: Context, room: str) -> bool:
    """Whether a room is registered, or the stream that stands for it."""
    registry = context.registry
    return registry.room(context.app, room) is not None or registry.stream(context.app, room) is not None


def stream_unregistered(machine: AnyMachine, publish: Publish, context: Context) -> bool:
    """Whether only registered streams may be published, and neither this one nor its room is registered."""
    if not context.settings.registered_streams_only:
        return False
    if context.registry.stream(context.app, publish.stream_id) is not None:
        return False
    room = room_of(publish, context)
    return not (room and is_registered_room(context, room))


def room_unregistered(machine: AnyMachine, input: Publish | JoinRoom, context: Context) -> bool:
    """Whether only registered rooms may be used, and this one is not."""
    if not context.settings.registered_rooms_only:
        return False
    room = input.room if isinstance(input, JoinRoom) else room_wanted(machine, input, context)
    return bool(room) and not is_registered_room(context, room)


# ---------------------------------------------------------------- planned times


def stream_closed(machine: AnyMachine, input: Publish | Play, context: Context) -> bool:
    """Whether the time is outside of the stream's plan. Whoever waits for a stream may come before it begins."""
    stream = context.registry.stream(context.app, input.stream_id)
    if stream is None:
        return False
    if context.wall < stream.planned_start * US_PER_S:
        return not (stream.waits and isinstance(input, Play))
    end = _end_of(stream)
    return bool(end) and context.wall > end


def room_closed(machine: AnyMachine, input: Publish | Play | JoinRoom, context: Context) -> bool:
    """Whether the time is outside of the room's plan."""
    if not context.registry:
        return False
    plan = _plan_of(machine, input, context)
    if plan is None:
        return False
    end = plan.planned_end * US_PER_S
    return context.wall < plan.planned_start * US_PER_S or (bool(end) and context.wall > end)


def until_stream_opens(machine: AnyMachine, input: Publish | Play, context: Context) -> int:
    """Milliseconds until the stream's plan begins; 0 when it is over."""
    stream = context.registry.stream(context.app, input.stream_id)
    return _until(stream, context)


def until_room_opens(machine: AnyMachine, input: Publish | Play | JoinRoom, context: Context) -> int:
    """Milliseconds until the room's plan begins; 0 when it is over."""
    return _until(_plan_of(machine, input, context), context)


def registered_wake(stream_id: str, context: Context) -> dict[str, int]:
    """The fields of a machine that is to be woken when the plan of a stream ends; no timer when it never does."""
    stream = context.registry.stream(context.app, stream_id)
    end = _end_of(stream) if stream is not None else 0
    if not end:
        return {"wake_at": 0}
    return {"wake_at": max(context.time + 1, end - context.environment.clock_offset), "timer": context.record.seq}


def waits_in_vain(machine: AnyMachine, input: object, context: Context) -> bool:
    """Whether what is waited for is no longer registered, or no longer as a stream that players wait for."""
    stream = context.registry.stream(context.app, machine.waits_for)
    return stream is None or not stream.waits


def _end_of(stream: RegisteredStream) -> int:
    """The earlier of a stream's planned end and its expiry, in microseconds since 1970; 0 for never."""
    expiry = (stream.created_at + stream.expire_ms) * US_PER_MS if stream.expire_ms else 0
    ends = [end for end in (stream.planned_end * US_PER_S, expiry) if end]
    return min(ends, default=0)


def _until(plan: RegisteredStream | RegisteredRoom | None, context: Context) -> int:
    if plan is None:
        return 0
    return context.until_ms(plan.planned_start)


def _plan_of(
    machine: AnyMachine, input: Publish | Play | JoinRoom, context: Context
) -> RegisteredStream | RegisteredRoom | None:
    """The plan of the room that is asked for: its own, else that of the stream which stands for it.

    What a player asks for is looked up as a stream before, so only a registration as a room is left to be found.
    """
    registry = context.registry
    if isinstance(input, Play):
        return registry.room(context.app, input.stream_id)
    room = input.room if isinstance(input, JoinRoom) else room_wanted(machine, input, context)
    return registry.room(context.app, room) or registry.stream(context.app, room)


# ---------------------------------------------------------------- limits


def viewers_max_of(context: Context, stream_id: str) -> int:
    """How many viewers a stream may have: the lower limit of the app's and its own; -1 for no limit."""
    stream = context.registry.stream(context.app, stream_id)
    return _lower(context.settings.viewers_max, stream.viewers_max if stream is not None else -1)


def streams_max_of(context: Context, room: str) -> int:
    """How many streams may be published in a room: the lowest limit of the app's and its own; -1 for no limit."""
    own = context.registry.room(context.app, room)
    stream = context.registry.stream(context.app, room)
    limit = _lower(context.settings.room_streams_max, own.streams_max if own is not None else -1)
    return _lower(limit, stream.subtracks_max if stream is not None else -1)


def _lower(one: int, other: int) -> int:
    return max(one, other) if min(one, other) < 0 else min(one, other)


# ---------------------------------------------------------------- playing


def as_asked(play: Play) -> dict[str, Any]:
    """The fields of a playback that are as its player said."""
    return {
        "track_list": play.track_list,
        "publishes": told(play.user_publish_id),
        "switched_off": play.disable_tracks_by_default,
        "subscriber_id": told(play.subscriber_id),
        "subscriber_name": told(play.subscriber_name),
    }


def not_live(machine: AnyMachine, play: Play, context: Context) -> bool:
    """Whether what is asked for is only registered, and nobody may wait for it."""
    return _is_only_registered(play, context) and not must_wait(machine, play, context)


def must_wait(machine: AnyMachine, play: Play, context: Context) -> bool:
    """Whether what is asked for is registered as a stream that players wait for, and is not live yet."""
    stream = context.registry.stream(context.app, play.stream_id)
    return stream is not None and stream.waits and _is_only_registered(play, context)


def _is_only_registered(play: Play, context: Context) -> bool:
    if is_live(context.find(Kind.STREAM, play.stream_id)) or context.find(Kind.ROOM, play.stream_id) is not None:
        return False
    return play.room != play.stream_id


def no_renditions(machine: AnyMachine, play: Play, context: Context) -> bool:
    """Whether the stream is to be played in several renditions, and no ladder says which."""
    return not context.settings.ladder and _is_adaptive(play.stream_id, context)


def ladder_of(stream: Stream, context: Context) -> tuple[Rung, ...]:
    """Give the renditions that a stream is to be played in beside its own; none unless that is wanted."""
    return context.settings.ladder if context.settings.ladder and _is_adaptive(stream.id, context) else ()


def _is_adaptive(stream_id: str, context: Context) -> bool:
    if context.settings.adaptive:
        return True
    registered = context.registry.stream(context.app, stream_id)
    return registered is not None and registered.adaptive
