"""What all four machines have in common: their fields, and the two kinds of value that travel between them."""

from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

from signalreel.identifiers import Kind

__all__ = ("AnyMachine", "Key", "Machine", "Notice")

S_co = TypeVar("S_co", bound=StrEnum, covariant=True)

Key = tuple[Kind, str, str]
"""Where a machine is stored: kind, app, id."""


class Machine(Struct, Generic[S_co], frozen=True, gc=False, cache_hash=True, omit_defaults=True):
    """One stream, playback, pair or room. Fields hold immutable values only, so that a snapshot is a dict of these.

    A machine in its initial state is not stored; one that reaches a final state is dropped.
    """

    app: str
    id: str
    state: S_co
    born: int = 0  #: seq of the record that created this life
    sessions: tuple[str, ...] = ()  #: who holds it; when one of them closes, the machine hears of it
    wake_at: int = 0  #: microseconds of reel time; 0: no timer
    timer: int = 0  #: seq of the record that set the timer
    watches: str = ""  #: the stream or room a playback shows
    waits_for: str = ""  #: the stream a playback waits for
    placed_in: str = ""  #: the room a stream is published in, live or about to be
    listed_in: str = ""  #: the same room while it lists the stream as live
    born_at: int = 0  #: microseconds of reel time
    since: int = 0  #: when it came to the state it is in, likewise

    def moved_sessions(self, before: "Machine[StrEnum]") -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Say which sessions let go of this machine since `before`, and which took hold of it."""
        gone = tuple(session for session in before.sessions if session not in self.sessions)
        come = tuple(session for session in self.sessions if session not in before.sessions)
        return gone, come

    def stream_of(self, session: str) -> str:
        """The stream id under which a session sits in here; only a room has seats."""
        return ""


AnyMachine = Machine[StrEnum]


class Notice(Struct, frozen=True, gc=False):
    """What one machine tells another inside a step. Never on the reel: the same record gives the same notices."""
