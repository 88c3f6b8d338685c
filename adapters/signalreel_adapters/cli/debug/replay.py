"""`signalreel replay FILE`: what happened, record by record, and whether it would happen again."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from signalreel.debug.telling import lines_of
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json, with_progress
from signalreel_adapters.cli.mistakes import MissingExtra, Mistake

if TYPE_CHECKING:
    from signalreel_adapters.cli.debug.stepper.app import Stepper

__all__ = ("Summary", "replay", "stepper_of")


class Summary(msgspec.Struct):
    """What `signalreel replay --json` prints."""

    records: int = 0
    transitions: int = 0
    messages: int = 0
    digest: str = ""  #: after the last record, in hexadecimal
    diverged_at: int | None = None  #: seq of the first record whose outcome is not the recorded one
    agreed: int = 0  #: records whose outcome is the recorded one
    unconcluded: int = 0  #: records that have no outcome to compare: the run ended before it was written


def replay(file: Path, /, *, step: Switch = False, json: Switch = False) -> int:
    """Replay a reel and hold it against what was recorded. Nothing is performed.

    With `--step`, walk along it in the terminal: forward and back, to a record or a time, to a condition; with what
    each record did, what it changed, and the whole state after it. The keys are shown there.

    Leaves with 0 when every outcome agrees, 1 when one does not, 2 when the file cannot be used.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    step
        Walk along the reel in the terminal, instead of printing all of it.
    json
        Print one JSON object with the keys records, transitions, messages, digest, diverged_at, agreed and
        unconcluded.
    """
    reel = open_reel(file)
    if step:
        return _step_through(reel, file.name, json=json)
    summary = Summary()
    divergence = None
    for replayed in with_progress(Cursor(reel), reel.last_seq, "replaying", shown=json or not sys.stdout.isatty()):
        made = replayed.step
        summary.records += 1
        summary.transitions += len(made.transitions)
        summary.messages += len(made.messages)
        summary.digest = made.digest.hex()
        if replayed.recorded is None:
            summary.unconcluded += 1
        elif replayed.divergence is None:
            summary.agreed += 1
        elif divergence is None:
            divergence = replayed.divergence
            summary.diverged_at = made.record.seq
        if not json:
            for line in _lines_of(replayed):
                print(line)
    if json:
        print_json(summary)
    else:
        print(
            f"\n{summary.records} records, {summary.transitions} transitions, {summary.messages} messages, "
            f"digest {summary.digest or 'none'}"
        )
        print(_compared(summary))
        if divergence is not None:
            print(f"diverged: {divergence}")
    return 0 if divergence is None else 1


def _step_through(reel: Reel, name: str, *, json: bool) -> int:
    """Open the stepper on the terminal."""
    if json:
        raise Mistake("--step is for a person and --json for a program; choose one")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # It is drawn on stderr.
        raise Mistake("--step needs a terminal; without it the reel is printed")
    stepper = stepper_of(reel, name)
    stepper.run()
    return stepper.return_code or 0


def stepper_of(reel: Reel, name: str) -> "Stepper":
    """Make the stepper. It is loaded only here: nothing else needs the whole screen of a terminal."""
    try:
        from signalreel_adapters.cli.debug.stepper.app import Stepper  # noqa: PLC0415 - only when asked for
        from signalreel_adapters.cli.debug.stepper.walk import Walk  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MissingExtra("replay --step", "cli") from error
    return Stepper(Walk(reel), name)


def _compared(summary: Summary) -> str:
    """Say how much of the reel could be compared, because a reel without outcomes agrees with everything."""
    differing = summary.records - summary.agreed - summary.unconcluded
    counts = [f"{summary.agreed} outcomes agree", f"{summary.unconcluded} records had none"]
    return ", ".join([*counts, f"{differing} differ"] if differing else counts)


def _lines_of(replayed: Replayed) -> Iterator[str]:
    """Tell one record, and how it differs from what was recorded."""
    yield from lines_of(replayed.step)
    if replayed.divergence is not None:
        divergence = replayed.divergence
        yield f"{'':>31}  DIVERGED  {divergence.what}: recorded {divergence.recorded}, now {divergence.computed}"
