"""What gates know of rooms, looked up in the engine of the runtime that they stand before.

A gate is made before its runtime, so the engine is handed over afterwards:

    rooms = LiveRooms()
    gate = JwtGate(key, tags=tags, rooms=rooms)
    async with Runtime(reel, gate=gate) as runtime:
        rooms.look_at(runtime.engine)

Until then nothing is known, and whatever depends on it is refused. A gate is asked once everything that the session
said before has been applied, so a session cannot change under its own command what the gate looks at. What others
change in the moment before the command is applied is for the engine's own checks, which leave no id with two meanings.
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
        """Give the room that the stream was published in, or that this session has joined to publish it."""
        if self._engine is None:
            return ""
        stream = self._engine.find(Kind.STREAM, stream_id, app=session.app)
        return stream.placed_in if stream is not None else self.room_joined(session, stream_id)

    def room_joined(self, session: SessionInfo, stream_id: str) -> str:
        """Give the room in which this session sits under the stream's id."""
        if self._engine is None:
            return ""
        for kind, app, id in self._engine.held(session.session):
            room = self._engine.find(kind, id, app=app) if kind is Kind.ROOM else None
            if isinstance(room, Room) and room.stream_of(session.session) == stream_id:
                return id
        return ""

    def is_stream(self, session: SessionInfo, id: str) -> bool:
        """Whether a stream or a peer pair of this id exists; while nothing is known, it might."""
        if self._engine is None:
            return True
        return any(self._engine.find(kind, id, app=session.app) is not None for kind in (Kind.STREAM, Kind.PAIR))
