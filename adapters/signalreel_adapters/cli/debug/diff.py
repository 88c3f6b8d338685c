"""`signalreel diff REEL... --against OTHER`: what is different, grouped by the rule at fault."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from signalreel.debug import Baseline, Group, Report, diff_code, diff_recorded, diff_reels
from signalreel.debug.diff import Difference, FinalState
from signalreel.debug.telling import counted
from signalreel.errors import NothingInCommon, ReelError
from signalreel.replay import Replayed
from signalreel_adapters.cli.debug.findings import lines_of_change, print_lines
from signalreel_adapters.cli.debug.othercode import OtherCodeProcess, is_code
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, reels_in, with_progress
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("RECORDED", "Differences", "diff")

RECORDED: Final = "recorded"
_EXAMPLES_SHOWN: Final = 3
_REELS_SHOWN: Final = 5


class Differences(Struct):
    """What `--json` prints."""

    reels: int
    records: int
    new: int  #: causes that the baseline does not hold
    groups: list[Group]
    states: list[FinalState]
    unreadable: dict[str, str]  #: reels that could not be looked at, and why


def diff(
    *reels: Path,
    against: str = RECORDED,
    accept: Path | None = None,
    baseline: Path | None = None,
    json: Switch = False,
) -> int:
    """Hold reels against another reel, against what was recorded, or against another code.

    Leaves with 0 when nothing new is different, 1 when something is, 2 when it cannot be looked at.

    Parameters
    ----------
    reels
        Reels, or folders of them.
    against
        `recorded`: the outcomes on the reels, against today's code. A folder with another version's source tree. Or
        another reel.
    accept
        Write a baseline that holds every cause that was found; later runs do not count them as new.
    baseline
        A baseline that was written before.
    json
        Print one JSON object with the keys reels, records, new, groups, states and unreadable.
    """
    if not reels:
        raise Mistake("name at least one reel, or a folder of reels")
    files = reels_in(reels)
    report = Report(_read(baseline) if baseline is not None else None)
    unreadable: dict[str, str] = {}
    other = Path(against)
    if against != RECORDED and not other.exists():
        raise Mistake(f"{against} is neither `{RECORDED}`, nor a folder with a source tree, nor a reel")
    for file in files:
        try:
            _look(file, against, report, shown=json or sys.stderr.isatty())
        except (ReelError, NothingInCommon) as error:
            if len(files) == 1:
                raise
            unreadable[str(file)] = str(error)
    if accept is not None:
        _write(accept, report.accepted())
    if json:
        new = len(report.new())
        print_json(Differences(report.reels, report.records, new, report.groups(), report.states, unreadable))
    else:
        print_lines(_lines_of(report, unreadable))
    return 1 if report.new() or unreadable or _differs_unseen(report) else 0


def _read(baseline: Path) -> Baseline:
    try:
        return msgspec.json.decode(baseline.read_bytes(), type=Baseline)
    except (OSError, ValueError) as error:
        raise Mistake(f"{baseline} is no baseline: {error}") from None


def _write(baseline: Path, accepted: Baseline) -> None:
    try:
        baseline.write_bytes(msgspec.json.format(msgspec.json.encode(accepted)) + b"\n")
    except OSError as error:
        raise Mistake(f"{baseline} cannot be written: {error.strerror}") from error


def _look(file: Path, against: str, report: Report, *, shown: bool) -> None:
    reel = open_reel(file)
    count = max(0, reel.last_seq - reel.first_seq + 1)

    def passing(replayed: Iterator[Replayed]) -> Iterator[Replayed]:
        return with_progress(replayed, count, file.name, shown=shown)

    other = Path(against)
    if against == RECORDED:
        diff_recorded(str(file), reel, report, passing)
    elif other.is_dir() and is_code(other):
        with OtherCodeProcess(other) as code:
            diff_code(str(file), reel, code, report, passing)
    elif other.is_dir():
        raise Mistake(f"{other} is no source tree of Signalreel: it holds no engine/signalreel/engine.py")
    else:
        diff_reels(str(file), reel, open_reel(other), report, passing)


def _differs_unseen(report: Report) -> bool:
    """Whether states differ at the end though no step does."""
    return bool(report.states) and not report.groups()


def _lines_of(report: Report, unreadable: dict[str, str]) -> Iterator[str]:
    groups = report.groups()
    looked_at = f"{counted(report.reels, 'reel')}, {counted(report.records, 'record')}"
    yield f"{looked_at}: {counted(len(groups), 'cause')}, {len(report.new())} of them new"
    for group in groups:
        known = " (known)" if group.known else ""
        named = ", ".join(group.reels[:_REELS_SHOWN])
        more = f" and {len(group.reels) - _REELS_SHOWN} more" if len(group.reels) > _REELS_SHOWN else ""
        yield ""
        yield f"{group.rule or group.what}: {group.what}, {counted(group.times, 'time')} in {named}{more}{known}"
        for example in group.examples[:_EXAMPLES_SHOWN]:
            yield from _lines_of_example(example)
    for state in report.states:
        yield ""
        yield f"{state.reel}: the states after the last record differ (other -> this):"
        yield from lines_of_change(state.changes)
    for file, why in unreadable.items():
        yield f"{file} could not be looked at: {why}"


def _lines_of_example(example: Difference) -> Iterator[str]:
    first = ", the first that differs" if example.is_first else ""
    yield f"  record {example.seq}{first}: {example.input}"
    for line in example.missing:
        yield f"    - {line}"
    for line in example.unexpected:
        yield f"    + {line}"
    if example.told:
        yield f"    {example.told}"
