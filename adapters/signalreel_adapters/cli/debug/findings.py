"""Telling a finding in lines: the record, the two sides, the rule, what changed, and how it came to that."""

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET

from signalreel.debug import Change, Finding
from signalreel.debug.telling import printable, short_session

__all__ = ("lines_of_change", "lines_of_finding", "print_lines")

_CHANGES_SHOWN: Final = 20
"""Changes that are told on a terminal; `--json` has more."""


def print_lines(lines: Iterator[str]) -> None:
    """Print lines of a tool; nothing that a reel holds can move the terminal's cursor."""
    for line in lines:
        print(printable(line))


def lines_of_finding(found: Finding) -> Iterator[str]:
    """Tell everything that was found about a record."""
    yield f"record {found.seq} at {found.time / 1_000_000:.6f} s, session {short_session(found.session)}: {found.input}"
    yield f"  what       {found.what}"
    yield f"  rule       {found.rule or 'none fired'}"
    if found.their_rule and found.their_rule != found.rule:
        yield f"  their rule {found.their_rule}"
    yield from _block("today", found.ours)
    if found.their_side:
        yield from _block(found.their_side, found.theirs)
        yield from _block(f"only {found.their_side}", found.missing)
        yield from _block("only today", found.unexpected)
    if found.not_kept:
        yield f"  not known: {found.not_kept}"
    yield from _block("broken", found.violations)
    if len(found.rules) > 1:
        yield from _block("every rule that fired", found.rules)
    if found.changes:
        yield "  what the record changed, as today's code has it:"
        yield from lines_of_change(found.changes)
    if found.state:
        yield f"  where the states differ afterwards ({found.their_side} -> today):"
        yield from lines_of_change(found.state)
    for chain in found.chains:
        yield f"  how {chain.machine} came there:"
        for cause in chain.causes:
            if cause.left_out:
                yield f"    ... {cause.left_out} more records"
            yield f"    {cause.told}"


def _block(what: str, lines: tuple[str, ...]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"  {f'{what}:' if not number else '':<{len(what) + 1}} {line}"
    if not lines and what == "recorded":
        yield "  recorded: no transition"


def lines_of_change(changes: tuple[Change, ...]) -> Iterator[str]:
    """Tell values that changed, by their paths."""
    for change in changes[:_CHANGES_SHOWN]:
        before = "nothing" if change.before is UNSET else repr(change.before)
        after = "nothing" if change.after is UNSET else repr(change.after)
        yield f"    {'.'.join(change.path)}: {before} -> {after}"
    if len(changes) > _CHANGES_SHOWN:
        yield f"    ... {len(changes) - _CHANGES_SHOWN} more; `--json` has them"
