"""`signalreel fork REEL --at N`: a what-if as a new reel, and how it differs from what happened."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from signalreel.debug.fork import Difference, Forked, Lives
from signalreel.debug.fork import fork as make_fork
from signalreel.debug.inserting import INSERTED_LENGTH_MAX, read_inserted
from signalreel.errors import InvalidFork, InvalidInsert
from signalreel.record import Record
from signalreel.reel import Reel
from signalreel.replay import decode_entry
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json
from signalreel_adapters.cli.mistakes import Mistake
from signalreel_adapters.reels.copying import write_reel

__all__ = ("WhatIf", "fork")

_DELAY: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h)?")
_UNITS_US: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_SHOWN_MAX: Final = 200
"""Differences that are told in the terminal; `--json` gives all."""


class WhatIf(msgspec.Struct):
    """What `signalreel fork --json` prints."""

    at: int
    records: int  #: of the fork
    dropped: tuple[int, ...]
    delayed: tuple[int, ...]
    inserted: tuple[int, ...]
    fired: tuple[int, ...]
    retired: tuple[int, ...]
    differences: tuple[Difference, ...]
    ended_before: Lives
    ended_now: Lives
    output: str


def fork(
    file: Path,
    /,
    *,
    at: int,
    output: Annotated[Path, Parameter(alias="-o")],
    drop: Annotated[tuple[int, ...], Parameter(consume_multiple=False, negative=())] = (),
    delay: Annotated[tuple[tuple[int, str], ...], Parameter(negative=())] = (),
    insert: Path | None = None,
    json: Switch = False,
) -> int:
    """Make a reel that goes another way from a record on, and say what is different. Nothing is performed.

    Up to that record all is as it was. Clients and media say what they said, but for what is dropped, delayed or put
    in; deadlines are worked out anew. Leaves with 0, or with 2 when something cannot be.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    at
        The last record that stays as it was, by its seq; 0 for none.
    output
        Where the new reel goes.
    drop
        Leave this record out. May be given several times.
    delay
        Have this record come so much later: `--delay 812 2s`; in ms, s, m or h. May be given several times.
    insert
        A file with what is to be put in: a line `TIME SESSION INPUT field=value ...` for each input, the time in
        seconds of the reel; or a JSON list.
    json
        Print one JSON object with the keys at, records, dropped, delayed, inserted, fired, retired, differences,
        ended_before, ended_now and output.
    """
    reel = open_reel(file)
    new = _inserted(insert, reel) if insert is not None else []
    delays = {seq: _microseconds(seq, text) for seq, text in delay}
    try:
        forked = make_fork(reel, at, drop=set(drop), delay=delays, insert=new, id=secrets.token_hex(16))
    except InvalidFork as error:
        raise Mistake(str(error)) from None
    write_reel(output, forked.reel)
    if json:
        print_json(_what_if(forked, output))
    else:
        for line in _lines(forked):
            print(line)
        print(f"\nwritten to {output}")
    return 0


def _microseconds(seq: int, text: str) -> int:
    found = _DELAY.fullmatch(text)
    if found is None:
        raise Mistake(f"--delay {seq} {text}: give a time like 250ms, 2s, 1.5m")
    return round(float(found[1]) * _UNITS_US[found[2] or "s"])


def _inserted(file: Path, reel: Reel) -> list[Record]:
    try:
        if file.stat().st_size > 4 * INSERTED_LENGTH_MAX:
            raise Mistake(f"{file}: it is longer than {INSERTED_LENGTH_MAX} characters")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise Mistake(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Mistake(f"{file}: it is no text in UTF-8") from None
    sessions = {decode_entry(entry).session for entry in reel.entries(reel.first_seq)} - {""}
    try:
        return read_inserted(text, sessions)
    except InvalidInsert as error:
        raise Mistake(f"{file}: {error}") from None


def _what_if(forked: Forked, output: Path) -> WhatIf:
    return WhatIf(
        forked.at,
        forked.reel.last_seq - forked.reel.first_seq + 1,
        forked.dropped,
        forked.delayed,
        forked.inserted,
        forked.fired,
        forked.retired,
        forked.differences,
        forked.ended_before,
        forked.ended_now,
        str(output),
    )


def _lines(forked: Forked) -> Iterator[str]:
    """Tell what is different: record by record, then at the end."""
    for difference in forked.differences[:_SHOWN_MAX]:
        yield _headline(difference, forked)
        yield from (f"    - {line}" for line in difference.only_before)
        yield from (f"    + {line}" for line in difference.only_now)
    if len(forked.differences) > _SHOWN_MAX:
        yield f"... and {len(forked.differences) - _SHOWN_MAX} records more, all of them with --json"
    if not forked.differences:
        yield "every record causes what it caused"
    if forked.ended_before or forked.ended_now:
        yield "\nat the end:"
        yield from (f"    - {name}  {state}" for name, state in forked.ended_before)
        yield from (f"    + {name}  {state}" for name, state in forked.ended_now)
    elif forked.differences:
        yield "\nat the end all is as it was"


def _headline(difference: Difference, forked: Forked) -> str:
    was, now = difference.was, difference.now
    if not was:
        what = "fires now" if now in forked.fired else "put in"
        return f"{'':>7} -> {now:<7}  {difference.told}  ({what})"
    if not now:
        what = "dropped" if was in forked.dropped else "fires no more"
        return f"{was:>7} -> {'':<7}  {difference.told}  ({what})"
    return f"{was:>7} -> {now:<7}  {difference.told}{'  (delayed)' if was in forked.delayed else ''}"
