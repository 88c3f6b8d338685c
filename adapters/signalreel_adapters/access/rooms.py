"""What gates know of rooms, looked up in the engine of the runtime that they stand before.

A gate is made before its runtime, so the engine is handed over afterwards:

    rooms = LiveRooms()
    gate = JwtGate(key, tags=tags, rooms=rooms)
    async with Runtime(reel, gate=gate) as runtime:
        rooms.look_at(runtime.engine)

Until then nothing is known, and whatever depends on it is refused. A gate decides a moment before the engine applies
the command; what changes in that moment is for the engine, which refuses what leads to other rooms than were granted.
"""

from signalreel.engine import Engine
from signalreel.identifiers import Kind
from signalreel.machines.shapes import Room
from signalreel_adapters.ports import SessionInfo

__all__ = ("LiveRooms",)


class LiveRooms:
    """Answers from the machines as they stand now. Implements `Rooms`."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def look_at(self, engine: Engine) -> None:
        """Take the engine to look at."""
        self._engine = engine

    def room_of(self, session: SessionInfo, stream_id: str) -> str:
        """Give the room of a stream: published in, joined by this session to publish it, or registered for."""
        if self._engine is None:
            return ""
        stream = self._engine.find(Kind.STREAM, stream_id, app=session.app)
        if stream is not None:
            return stream.placed_in
        for kind, app, id in self._engine.held(session.session):
            room = self._engine.find(kind, id, app=app) if kind is Kind.ROOM else None
            if isinstance(room, Room) and room.stream_of(session.session) == stream_id:
                return id
        registered = self._engine.registry.stream(session.app, stream_id)
        return registered.main_track if registered is not None else ""

    def is_stream(self, session: SessionInfo, id: str) -> bool:
        """Whether a stream or a peer pair of this id exists; while nothing is known, it might."""
        if self._engine is None:
            return True
        return any(self._engine.find(kind, id, app=session.app) is not None for kind in (Kind.STREAM, Kind.PAIR))
