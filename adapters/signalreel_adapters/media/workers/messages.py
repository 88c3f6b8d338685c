"""What the engine's process and a media worker say to each other over their pipe, as MessagePack.

Descriptions, candidates and settings with their credentials travel this way and no other: neither the command line nor
the environment of a worker holds a secret.
"""

from typing import Final

import msgspec
from msgspec import Struct

from signalreel.events import AnyEvent
from signalreel.identifiers import Reference
from signalreel.notes import AnyNote
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.moves import Move

__all__ = (
    "Alive",
    "Begin",
    "CloseEdge",
    "End",
    "Failed",
    "FollowMove",
    "FromWorker",
    "Noted",
    "OpenEdge",
    "OpenOrigin",
    "Ready",
    "Reported",
    "ToWorker",
    "Unable",
    "encode",
    "from_worker",
    "to_worker",
)


class Begin(Struct, frozen=True, array_like=True, tag=1):
    """Be a media adapter with these settings. The first message; nothing else comes before it."""

    settings: AiortcSettings
    notes: bool = False  #: whether anybody takes notes


class FollowMove(Struct, frozen=True, array_like=True, tag=2):
    """Begin what a transition asks for."""

    move: Move


class OpenOrigin(Struct, frozen=True, array_like=True, tag=3):
    """Relay this stream to whoever has the other end of the pipe that comes along."""

    stream: Reference


class OpenEdge(Struct, frozen=True, array_like=True, tag=4):
    """Show this stream as it comes over the pipe that comes along."""

    stream: Reference


class CloseEdge(Struct, frozen=True, array_like=True, tag=5):
    """Nobody here shows this stream any more, or it is over."""

    stream: Reference


class End(Struct, frozen=True, array_like=True, tag=6):
    """Say goodbye to everybody, and end. A pipe that ends without it says that the parent is gone."""


class Ready(Struct, frozen=True, array_like=True, tag=1):
    """The worker works: with this UDP port, where all its peers share one."""

    ports: tuple[int, ...] = ()


class Unable(Struct, frozen=True, array_like=True, tag=2):
    """The worker cannot begin."""

    reason: str


class Reported(Struct, frozen=True, array_like=True, tag=3):
    """Something happened to media."""

    event: AnyEvent


class Failed(Struct, frozen=True, array_like=True, tag=4):
    """The worker got over an exception of its own; its log says which."""


class Noted(Struct, frozen=True, array_like=True, tag=6):
    """Something to be noted beside the reel."""

    note: AnyNote


class Alive(Struct, frozen=True, array_like=True, tag=5):
    """The worker's loop runs."""


ToWorker = Begin | FollowMove | OpenOrigin | OpenEdge | CloseEdge | End
FromWorker = Ready | Unable | Reported | Failed | Alive | Noted

encode: Final = msgspec.msgpack.Encoder().encode
"""Gives a message as bytes."""

to_worker: Final = msgspec.msgpack.Decoder(ToWorker)
from_worker: Final = msgspec.msgpack.Decoder(FromWorker)
