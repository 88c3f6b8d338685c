"""What a person is shown of an id who looks for a fault in a call (`getDebugInfo`): the states, and for how long.

As everywhere that clients can look, there is no address in it, no session, no description and no token.
"""

from typing import Any, Final

import msgspec

from signalreel.identifiers import Kind, playback_id
from signalreel.machines.base import AnyMachine
from signalreel.machines.context import US_PER_MS, Context
from signalreel.machines.shapes import Pair, Playback, Room, Stream

__all__ = ("debug_text",)

_KINDS: Final = (Kind.STREAM, Kind.PAIR, Kind.ROOM)


def debug_text(id: str, context: Context) -> str:
    """Tell what lives under an id, and how the asker's own playback of it does, as a JSON text."""
    seen: dict[str, Any] = {"streamId": id}
    for kind in _KINDS:
        machine = context.find(kind, id)
        if machine is not None:
            seen |= {"kind": str(kind), **_times(machine, context), **_of(machine, context)}
    own = context.find(Kind.PLAYBACK, playback_id(context.session, id))
    if isinstance(own, Playback):
        seen["yourPlayback"] = {
            **_times(own, context),
            "shows": [source.stream_id for source in own.sources],
            "room": own.room,
        }
    return msgspec.json.encode(seen).decode()


def _times(machine: AnyMachine, context: Context) -> dict[str, Any]:
    times = {
        "state": str(machine.state),
        "inStateMs": (context.time - machine.since) // US_PER_MS,
        "ageMs": (context.time - machine.born_at) // US_PER_MS,
    }
    return {**times, "timeLeftMs": (machine.wake_at - context.time) // US_PER_MS} if machine.wake_at else times


def _of(machine: AnyMachine, context: Context) -> dict[str, Any]:
    viewers = context.indexes.audience_size(machine.app, machine.id)
    match machine:
        case Stream():
            return {
                "viewers": viewers,
                "room": machine.placed_in,
                "video": machine.video,
                "audio": machine.audio,
                "tracks": [
                    {
                        "kind": track.kind,
                        "codec": track.codec,
                        "width": track.width,
                        "height": track.height,
                        "bitrate": track.bitrate,
                    }
                    for track in machine.tracks
                ],
            }
        case Room():
            return {
                "viewers": viewers,
                "members": len(machine.members),
                "streams": [id for id, _ in context.indexes.roster(machine.app, machine.id)],
            }
        case Pair():
            return {"peers": len(machine.sessions), "answersOwed": machine.owed}
        case _:
            return {}
