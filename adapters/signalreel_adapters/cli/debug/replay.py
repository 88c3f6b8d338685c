"""`signalreel replay FILE`: what happened, record by record, and whether it would happen again."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from signalreel.debug.telling import lines_of
from signalreel.replay import Cursor, Replayed
from signalreel_adapters.cli.debug.reading import Json, open_reel, print_json, with_progress

__all__ = ("Summary", "replay")


class Summary(msgspec.Struct):
    """What `signalreel replay --json` prints."""

    records: int = 0
    transitions: int = 0
    messages: int = 0
    digest: str = ""  #: after the last record, in hexadecimal
    diverged_at: int | None = None  #: seq of the first record whose outcome is not the recorded one
    agreed: int = 0  #: records whose outcome is the recorded one
    unconcluded: int = 0  #: records that have no outcome to compare: the run ended before it was written


def replay(file: Path, /, *, json: Json = False) -> int:
    """Replay a reel and hold it against what was recorded. Nothing is performed.

    Leaves with 0 when every outcome agrees, 1 when one does not, 2 when the file cannot be used.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    json
        Print one JSON object with the keys records, transitions, messages, digest, diverged_at, agreed and
        unconcluded.
    """
    reel = open_reel(file)
    summary = Summary()
    divergence = None
    for replayed in with_progress(Cursor(reel), reel.last_seq, "replaying", shown=json or not sys.stdout.isatty()):
        step = replayed.step
        summary.records += 1
        summary.transitions += len(step.transitions)
        summary.messages += len(step.messages)
        summary.digest = step.digest.hex()
        if replayed.recorded is None:
            summary.unconcluded += 1
        elif replayed.divergence is None:
            summary.agreed += 1
        elif divergence is None:
            divergence = replayed.divergence
            summary.diverged_at = step.record.seq
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
