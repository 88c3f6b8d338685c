"""What the inspector lists: what lives, as rows of plain values, without anything that must not be shown.

Ids, states, names that clients chose and how long ago: no description, candidate, token or address. Of each kind only
so many rows are given, whatever lives; the totals are always true.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from signalreel.debug.telling import printable
from signalreel.engine import Engine
from signalreel.identifiers import Kind
from signalreel.machines.base import AnyMachine
from signalreel.machines.shapes import Pair, Playback, Room, Stream

__all__ = ("ROWS_MAX", "Listed", "Row", "listed")

ROWS_MAX: Final = 5_000
"""Rows of one kind that are given; of more, those that were born last."""

_US_PER_MS: Final = 1_000


class Row(Struct, frozen=True, rename="camel", omit_defaults=True):
    """One machine, or one session."""

    id: str
    app: str
    state: str = ""
    state_ms: int = 0  #: how long it has been in that state
    born: int = 0  #: seq of the record that created it
    sessions: tuple[str, ...] = ()  #: whose it is
    about: str = ""  #: what else is worth seeing in one line


class Listed(Struct, frozen=True, rename="camel"):
    """Everything that lives at one record."""

    seq: int
    time: int  #: microseconds of reel time
    is_recorded: bool
    totals: dict[str, int]
    rows: dict[str, list[Row]]


def listed(engine: Engine, *, is_recorded: bool) -> Listed:
    """List what lives now."""
    rows: dict[str, list[Row]] = {str(kind): [] for kind in Kind}
    totals = dict.fromkeys(rows, 0)
    for (kind, _, _), machine in engine.machines():
        totals[str(kind)] += 1
        rows[str(kind)].append(_row(machine, engine.time))
    sessions = list(engine.sessions())
    totals["session"] = len(sessions)
    newest = {kind: found[-ROWS_MAX:] for kind, found in rows.items()}
    newest["session"] = [
        Row(session.id, session.app, sessions=(session.id,), about=printable(session.identity))
        for session in sessions[-ROWS_MAX:]
    ]
    return Listed(engine.seq, engine.time, is_recorded, totals, newest)


def _row(machine: AnyMachine, now: int) -> Row:
    return Row(
        printable(machine.id),
        machine.app,
        str(machine.state),
        max(0, now - machine.since) // _US_PER_MS,
        machine.born,
        machine.sessions[:_SESSIONS_SHOWN],
        "  ".join(_about(machine)),
    )


_SESSIONS_SHOWN: Final = 4


def _about(machine: AnyMachine) -> Iterator[str]:
    match machine:
        case Stream():
            yield from _named("name", machine.name)
            yield from _named("in room", machine.placed_in)
            yield " ".join(f"{track.kind} {track.codec}" for track in machine.tracks)
        case Playback():
            yield from _named("of", machine.watches)
            yield from _named("in room", machine.room)
        case Pair():
            yield f"{len(machine.sessions)} of 2 peers"
        case Room():
            yield f"{len(machine.members)} members"
        case _:
            return


def _named(what: str, name: str) -> Iterator[str]:
    if name:
        yield f"{what} {printable(name)}"
