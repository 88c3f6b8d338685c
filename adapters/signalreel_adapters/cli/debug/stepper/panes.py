"""What is told of the record one has gone to: the rows that fired and what they caused, what changed, and the notes.

Only told lines: no description, candidate, address or token is in them, and nothing that could move the cursor.
"""

from collections.abc import Iterator
from typing import Final, cast

import msgspec
from msgspec import UNSET
from rich.text import Text

from signalreel.debug.state import Change
from signalreel.debug.story import ToldRecord, told_record
from signalreel.debug.telling import printable, short_id, short_session, told_note
from signalreel_adapters.cli.debug.stepper.walk import Seen, seconds

__all__ = ("CHANGES_SHOWN_MAX", "changes_told", "notes_told", "step_told", "value_told")

CHANGES_SHOWN_MAX: Final = 500
"""Changes of one record that are shown."""

_BEFORE_EVERYTHING: Final = "Before the first record: nothing has happened yet."
_HEAD: Final = "bold"
_QUIET: Final = "dim"
_GOOD: Final = "green"
_BAD: Final = "bold red"
_REFUSED: Final = "yellow"


def value_told(value: object) -> str:
    """Spell a value of the state in one line; of what has fields, those that are not empty."""
    if isinstance(value, dict):
        fields = cast(dict[str, object], value)
        return "  ".join(f"{printable(name)} {value_told(field)}" for name, field in fields.items() if _says(field))
    return printable(value) if isinstance(value, str) else printable(msgspec.json.encode(value).decode())


def _says(value: object) -> bool:
    return bool(value) or value is False


def step_told(seen: Seen | None) -> Text:
    """Tell the input, the rows that fired, and what they caused."""
    text = Text(no_wrap=False)
    if seen is None:
        return text.append(_BEFORE_EVERYTHING, _QUIET)
    told = told_record(seen.step, seen.divergence)
    text.append(f"{told.input}", _HEAD).append(f"  {'  '.join(told.about)}")
    text.append(f"   by {told.origin}", _QUIET)
    text.append(f" {printable(told.session)}\n" if told.session else "\n", _QUIET)
    if told.refused:
        text.append(f"refused: {told.refused}\n", _REFUSED)
    if told.divergence is not None:
        found = told.divergence
        text.append(f"DIVERGED in its {found.what}\n  recorded {found.recorded}\n  now      {found.computed}\n", _BAD)
    _tell_caused(text, told)
    return text


def _tell_caused(text: Text, told: ToldRecord) -> None:
    for row in told.rows:
        where = f"{row.kind} {short_id(row.machine)} " if row.machine else f"{row.kind} " if row.kind else ""
        text.append("row  ", _QUIET).append(
            f"{where}in {row.state} x {row.input} row {row.row}: " if row.state else where
        )
        text.append(f"{row.what}\n")
    for made in told.transitions:
        text.append("move ", _QUIET).append(f"{made.kind} {short_id(made.id)}  ")
        text.append(f"{made.source} → {made.target}\n", _GOOD)
    for message in told.messages:
        text.append("sent ", _QUIET).append(f"{message.what}").append(
            f"  to {short_session(message.session)}\n", _QUIET
        )
    if not (told.rows or told.transitions or told.messages):
        text.append("It moved nothing and nobody was told.\n", _QUIET)
    if told.left_out:
        text.append(f"and {told.left_out} more\n", _QUIET)


def changes_told(seen: Seen | None) -> Text:
    """Tell what is another value after the record."""
    text = Text()
    if seen is None:
        return text.append(_BEFORE_EVERYTHING, _QUIET)
    if not seen.changes:
        return text.append("The state is as it was.", _QUIET)
    for change in seen.changes[:CHANGES_SHOWN_MAX]:
        for line, style in _change_told(change):
            text.append(line, style)
    left = len(seen.changes) - CHANGES_SHOWN_MAX
    return text.append(f"and {left} more\n", _QUIET) if left > 0 else text


def _change_told(change: Change) -> Iterator[tuple[str, str]]:
    kind, *names = change.path
    yield f"{kind} ", _QUIET
    yield f"{' '.join(map(short_id, names))}  ", _HEAD
    if change.before is UNSET:
        yield f"+ {value_told(change.after)}\n", _GOOD
    elif change.after is UNSET:
        yield f"- {value_told(change.before)}\n", _REFUSED
    else:
        yield f"{value_told(change.before)}", _REFUSED
        yield " → ", _QUIET
        yield f"{value_told(change.after)}\n", _GOOD


def notes_told(seen: Seen | None) -> Text:
    """Tell what was noted beside the record."""
    text = Text()
    if seen is None or not seen.notes:
        return text.append("Nothing was noted beside this record.", _QUIET)
    for note in seen.notes:
        text.append(f"{seconds(note.time):>13} ", _QUIET).append(f"{short_session(note.session):<8} ", _QUIET)
        text.append(f"{told_note(note)}\n")
    return text
