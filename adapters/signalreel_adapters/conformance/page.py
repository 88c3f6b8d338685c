"""The page of the specifications that says of each item what was captured, on which transport, by which test.

It is made from the evidence of a whole run of the tests, and the same after every run.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from signalreel.messages import MESSAGES
from signalreel_adapters.conformance.coverage import Shown
from signalreel_adapters.conformance.ticks import Tick, Transport

__all__ = ("CAPTURED_MAX", "page_of")

CAPTURED_MAX: Final = 6
"""How much is shown of an item that one test has captured in several forms."""

_NOTICE: Final = "<!-- Made from what the tests have captured, by `make conformance`. -->"
_INTRODUCTION: Final = """\
Each line of the protocol page is an item, and an item counts when a test has captured its message on a transport and
passed: what the client said (`>`) and what the server answered (`<`), if it answers. `*` stands for what differs from
call to call. The tests note this while they run, `signalreel conformance` reads it, and a whole run of the tests fails
when an item is missing or this page tells of something else.
"""
_ORDER: Final[dict[Transport, int]] = {"websocket": 0, "browser": 1, "memory": 2}


def page_of(coverage: Sequence[Shown]) -> str:
    """Write the page."""
    covered = [shown for shown in coverage if shown.is_covered]
    missing = [shown.item.id for shown in coverage if not shown.is_covered]
    lines = [_NOTICE, "", "# Conformance", "", _INTRODUCTION, f"{len(covered)} of {len(coverage)} items are shown."]
    if missing:
        lines.append(f"Missing: {', '.join(missing)}.")
    lines.append("")
    for group, members in groupby(coverage, key=lambda shown: shown.item.group):
        lines += [f"## {group}", "", "| item | what | captured | where | by |", "|" + " --- |" * 5]
        lines += [_row(shown) for shown in members]
        lines.append("")
    return "\n".join(lines)


def _row(shown: Shown) -> str:
    item = shown.item
    ticks = sorted(shown.ticks, key=_preference)
    if not ticks:
        return _cells(item.id, item.text, "**missing**", "", "")
    transports = sorted({tick.transport for tick in ticks})
    best = [tick for tick in ticks if _preference(tick) == _preference(ticks[0])]
    captured = list(dict.fromkeys("<br>".join(_captured(tick)) for tick in best))[:CAPTURED_MAX]
    return _cells(item.id, item.text, "<br>".join(captured), ", ".join(transports), "<br>".join(_sources(ticks)))


def _preference(tick: Tick) -> tuple[bool, int, str, str]:
    """Show media first where there is some, then what went over a network; never what happened to be written first.

    What one test captured stays in its order.
    """
    return (tick.media is None, _ORDER[tick.transport], tick.flow, tick.test)


def _captured(tick: Tick) -> Iterator[str]:
    if tick.said is not None:
        yield f"`> {_compact(tick.said)}`"
    if tick.unanswered or tick.captured.get("command") not in MESSAGES:
        yield f"`> {_compact(tick.captured)}`"
    else:
        yield f"`< {_compact(tick.captured)}`"
    if tick.media:
        yield f"media: {', '.join(sorted(tick.media))}"


def _sources(ticks: Iterable[Tick]) -> list[str]:
    """Name what showed it, each once: the flow, or the test that is no flow."""
    sources = {
        f"[{tick.flow.rpartition('/')[2]}]({tick.flow.removeprefix('specs/')})"
        if tick.flow
        else f"`{tick.test.partition('[')[0]}`"
        for tick in ticks
    }
    return sorted(sources)


def _compact(message: object) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).replace("`", "'")


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
