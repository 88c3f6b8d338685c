"""The whole state of an engine at one record, as data."""

from msgspec import Struct

from signalreel.machines.context import Environment, Session
from signalreel.machines.registry import Registered
from signalreel.machines.shapes import Pair, Playback, Room, Stream
from signalreel.machines.standings import Standing
from signalreel.machines.used import Used
from signalreel.settings import Settings

__all__ = ("Snapshot",)


class Snapshot(Struct, frozen=True):
    """The whole state of an engine. Taking one copies references only: machines are immutable."""

    seq: int
    time: int
    digest: bytes
    settings: Settings
    environment: Environment
    sessions: tuple[Session, ...]
    used: tuple[Used, ...]
    streams: tuple[Stream, ...]
    playbacks: tuple[Playback, ...]
    pairs: tuple[Pair, ...]
    rooms: tuple[Room, ...]
    registered: Registered
    standings: tuple[tuple[str, tuple[Standing, ...]], ...]
