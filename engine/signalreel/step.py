"""A step: everything one record caused, as data. Nothing in it performs anything.

The runtime sends the messages and hands the step to its subscribers; a transition's `detail` tells an adapter what it
cannot read off the record. The digest chains one step to the next: the same reel gives the same digests on every
machine, under every hash seed.
"""

from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct

from signalreel.identifiers import Reference
from signalreel.messages import AnyMessage, VideoTrackAssignment
from signalreel.record import Record
from signalreel.settings import Rung

__all__ = (
    "DIGEST_SIZE",
    "GENESIS",
    "Deadline",
    "Detail",
    "Fired",
    "HeightForced",
    "Outcome",
    "PublishTerms",
    "Roster",
    "Source",
    "Step",
    "TrackSwitched",
    "Transition",
    "VideoAssigned",
    "chain",
    "outcome_of",
)

DIGEST_SIZE: Final = 16
"""Bytes of a digest. 128 bits tell accidents apart; a reel's writer could forge them at any size."""

GENESIS: Final = bytes(DIGEST_SIZE)
"""The digest before the first record."""


class PublishTerms(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """What of a publisher's offer may be accepted; the rest is refused in the answer."""

    video: bool  #: the publisher asked to send a picture
    audio: bool
    codecs: tuple[str, ...]  #: enabled by the settings, by the names of an rtpmap
    silence_ms: int = 0  #: report `MediaLost` as silent when nothing has come for so long; 0: never
    ladder: tuple[Rung, ...] = ()  #: renditions that it is to be played in beside the one it is published in


class Source(Struct, frozen=True, array_like=True, gc=False):
    """One published stream that a playback shows: its id, and which life of it."""

    stream_id: str
    born: int


class Roster(Struct, frozen=True, array_like=True, gc=False, tag=2):
    """What a playback is to show from now on, whole. Empty for a room in which nothing is live yet."""

    sources: tuple[Source, ...]
    switched_off: bool = False  #: forward nothing of them that the player does not switch on itself


class TrackSwitched(Struct, frozen=True, array_like=True, gc=False, tag=3):
    """Forwarding of a stream was switched: for this player, or for all viewers when the machine is a stream."""

    stream_id: str
    kind: str  #: `video`, `audio`, or empty for both
    enabled: bool


class HeightForced(Struct, frozen=True, array_like=True, gc=False, tag=4):
    """The player pinned a rendition by its height in pixels; 0 hands the choice back."""

    height: int


class VideoAssigned(Struct, frozen=True, array_like=True, gc=False, tag=5):
    """Whose pictures a player of a whole room is to get from now on, in the order of its places; sound goes on."""

    assignments: tuple[VideoTrackAssignment, ...]


Detail = PublishTerms | Roster | TrackSwitched | HeightForced | VideoAssigned


class Transition(Struct, frozen=True, array_like=True, gc=False):
    """A machine took an accepted row that names its target, which may be the state it was in."""

    machine: Reference
    source: str
    target: str
    detail: Detail | None = None


class Deadline(Struct, frozen=True, array_like=True, gc=False):
    """When the engine next wants to be woken (microseconds of reel time), and for whom."""

    at: int
    machine: Reference
    timer: int


class Fired(Struct, frozen=True, array_like=True, gc=False, cache_hash=True):
    """A cell's row that fired. There is one object for each row and state, made when the tables are compiled."""

    kind: str
    state: str
    input: str
    row: int  #: its number among the rows of the cell, from 0
    what: str  #: what the row does: the action's name, `refuse <definition>`, or `ignore: <reason>`
    is_unreachable: bool = False  #: whether the table says that nothing reaches it


class Step(Struct, frozen=True, gc=False):
    """Everything one record caused."""

    record: Record
    transitions: list[Transition]
    messages: list[tuple[str, AnyMessage]]  #: (session, message) in the order in which they are to be sent
    deadline: Deadline | None
    digest: bytes  #: chained: of the digest before, the transitions, the messages and the deadline
    refused: str = ""  #: the definition, when the input was refused
    fired: list[tuple[str, Fired]] = []  #: (machine id, row), for explaining and coverage; no part of the digest
    state_digest: bytes = b""  #: of the engine's whole state, on every 64th record


class Outcome(Struct, frozen=True, array_like=True, gc=False):
    """What applying a record gave, as it stands beside the record on a reel."""

    digest: bytes
    transitions: list[tuple[str, str, str, str, str]]  #: kind, app, id, source, target
    state_digest: bytes = b""


def outcome_of(step: Step) -> Outcome:
    """Give what of a step stands beside its record on a reel."""
    moves = [
        (str(made.machine.kind), made.machine.app, made.machine.id, str(made.source), str(made.target))
        for made in step.transitions
    ]
    return Outcome(step.digest, moves, step.state_digest)


_encode: Final = msgspec.msgpack.Encoder().encode


def chain(
    before: bytes,
    seq: int,
    transitions: list[Transition],
    messages: list[tuple[str, AnyMessage]],
    deadline: Deadline | None,
) -> bytes:
    """Give the digest after a step: of the digest before it and everything the step shows to the world."""
    # Joined first: two calls of the hash cost more than a copy of what a step says.
    return blake2b(before + _encode((seq, transitions, messages, deadline)), digest_size=DIGEST_SIZE).digest()
