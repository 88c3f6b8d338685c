"""`signalreel reel show FILE`: the records of a reel as a table to read."""

import math
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from signalreel.debug.listing import Choice, Chooser
from signalreel.debug.story import ToldNote, told_record
from signalreel.debug.telling import lines_of, printable, short_session, told_note
from signalreel.notes import Note
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed
from signalreel_adapters.cli.debug.reading import Switch, open_reel
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("show",)

_FOLLOW_S: Final = 0.25
"""How long to wait before looking whether there are more records."""

_US_PER_S: Final = 1_000_000


def show(
    file: Path,
    /,
    *,
    stream: str = "",
    room: str = "",
    session: str = "",
    machine: str = "",
    app: str = "",
    input: str = "",
    refused: Switch = False,
    start: Annotated[float, Parameter(name="--from")] = 0,
    end: Annotated[float | None, Parameter(name="--to")] = None,
    follow: Switch = False,
    json: Switch = False,
) -> int:
    """Show the records: when, whose, what was said or reported, and below each what it caused.

    Descriptions, candidates and tokens are never shown; names and sessions are. Nothing is performed.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    stream
        Only what is about a stream, a peer pair, or what was played.
    room
        Only what is about a room.
    session
        Only what a session said or was told; the beginning of its id is enough.
    machine
        Only what concerned one machine: `stream/s1`, `pair/p1`, `room/lobby`, `playback/SESSION/s1`.
    app
        Only what happened in one app.
    input
        Only inputs of one name: `publish`, `SessionClosed`, `closeRoom`.
    refused
        Only what was refused.
    start
        Only from this time on, in seconds since the reel began.
    end
        Only up to this time.
    follow
        Go on with what a server writes, until Ctrl-C.
    json
        Print one JSON object whose records are under the key records.
    """
    if follow and json:
        raise Mistake("--json prints one object when it is whole; a reel that is followed never is")
    reel = open_reel(file)
    until = None if end is None else _microseconds(end)
    choice = Choice(stream, room, session, machine, app, input, refused, _microseconds(start), until)
    chosen = _chosen(reel, choice, follow=follow)
    if json:
        _print_object(chosen)
        return 0
    print(_told_header(reel), flush=True)
    replayed = None
    for replayed, notes in chosen:
        for line in lines_of(replayed.step):
            print(line)
        if replayed.divergence is not None:
            print(f"{'':>31}  DIVERGED  {replayed.divergence.what}")
        for note in notes:
            print(f"{'':>31}  note {short_session(note.session):<8} {told_note(note)}", flush=follow)
    if replayed is None:
        print("no record is chosen by this", file=sys.stderr)
    return 0


def _microseconds(seconds: float) -> int:
    if not math.isfinite(seconds):
        raise Mistake("--from and --to take seconds since the reel began")
    return round(seconds * _US_PER_S)


def _chosen(reel: Reel, choice: Choice, *, follow: bool) -> Iterator[tuple[Replayed, list[Note]]]:
    """Give the chosen records with the notes beside them; of a reel that is followed, for ever."""
    cursor = Cursor(reel)
    chooser = Chooser(choice, cursor.engine.sessions())
    while True:
        notes = _Notes(reel, cursor.position + 1)
        for replayed in cursor:
            beside = [note for note in notes.of(replayed.step.record.seq) if _is_of(choice, note)]
            if chooser.takes(replayed.step):
                yield replayed, beside
        if not follow:
            return
        time.sleep(_FOLLOW_S)


def _is_of(choice: Choice, note: Note) -> bool:
    """Whether a note is about the session that was asked for: those about others stand beside the same record."""
    return not note.session or note.session.startswith(choice.session)


class _Notes:
    """The notes of a reel, handed out along its records."""

    def __init__(self, reel: Reel, start: int) -> None:
        self._notes = reel.notes(start)
        self._next = next(self._notes, None)

    def of(self, seq: int) -> list[Note]:
        """Give the notes of a record; those of records before it are left behind."""
        found: list[Note] = []
        while self._next is not None and self._next.seq <= seq:
            if self._next.seq == seq:
                found.append(self._next)
            self._next = next(self._notes, None)
        return found


def _print_object(chosen: Iterator[tuple[Replayed, list[Note]]]) -> None:
    """Print one object, record by record: a reel may be larger than memory."""
    print('{"records":[', end="")
    separator = ""
    for replayed, notes in chosen:
        beside = [ToldNote(told_note(note), note.session, note.time) for note in notes]
        told = told_record(replayed.step, replayed.divergence, notes=beside)
        print(separator + msgspec.json.encode(told).decode(), end="")
        separator = ","
    print("]}")


def _told_header(reel: Reel) -> str:
    header = reel.header
    try:
        began = datetime.fromtimestamp(header.started_at / _US_PER_S, UTC).isoformat(" ", "seconds")
    except (ValueError, OverflowError, OSError):
        began = "no date that there is"
    parts = [
        f"reel {printable(header.id) or '(without an id)'}",
        f"records {reel.first_seq} to {reel.last_seq}",
        f"time 0 is {began}",
        f"made by {printable(header.engine_version)}",
    ]
    if header.parent is not None:
        parts.append(f"goes on after record {header.parent.seq} of {printable(header.parent.id)}")
    return ", ".join(parts) + "\n"
