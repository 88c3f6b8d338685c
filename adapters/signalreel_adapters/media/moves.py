"""What of a step concerns media: the transitions of streams and playbacks, with what the client said.

A move holds all that a media adapter needs to know, so that it can be followed in another process too.
"""

from typing import Final

from msgspec import Struct

from signalreel.commands import TakeCandidate, TakeConfiguration
from signalreel.identifiers import Kind
from signalreel.step import Step, Transition

__all__ = ("Move", "moves_of")

_KINDS: Final = (Kind.STREAM, Kind.PLAYBACK)


class Move(Struct, frozen=True, array_like=True, gc=False):
    """A transition to follow. Its cause is there when it handed over a description or a candidate."""

    transition: Transition
    cause: TakeConfiguration | TakeCandidate | None = None


def moves_of(step: Step) -> list[Move]:
    """Give the moves of a step, in their order."""
    command = step.record.command
    cause = command if isinstance(command, TakeConfiguration | TakeCandidate) else None
    return [Move(transition, cause) for transition in step.transitions if transition.machine.kind in _KINDS]
