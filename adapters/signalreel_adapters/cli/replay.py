"""`signalreel replay FILE`: what happened, record by record, and whether it would happen again."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

from signalreel.messages import AnyMessage, CloseSession, Error, Notification
from signalreel.record import input_name
from signalreel.replay import Cursor, Replayed
from signalreel.step import Step
from signalreel_adapters.reels.sqlite import SqliteReel

__all__ = ("Summary", "ascii_only", "lines_of", "replay")


class Summary(msgspec.Struct):
    """What `signalreel replay --json` prints."""

    records: int = 0
    transitions: int = 0
    messages: int = 0
    digest: str = ""  #: after the last record, in hexadecimal
    diverged_at: int | None = None  #: seq of the first record whose outcome is not the recorded one
    agreed: int = 0  #: records whose outcome is the recorded one
    unconcluded: int = 0  #: records that have no outcome to compare: the run ended before it was written


def replay(file: Path, /, *, json: Annotated[bool, Parameter(negative=())] = False) -> int:
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
    reel = SqliteReel.read(file)
    summary = Summary()
    divergence = None
    for replayed in _with_progress(Cursor(reel), reel.last_seq, shown=json or not sys.stdout.isatty()):
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
            for line in lines_of(replayed):
                print(line)
    if json:
        print(msgspec.json.encode(summary).decode())
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


def _with_progress(cursor: Cursor, records: int, *, shown: bool) -> Iterator[Replayed]:
    """Show how far it is, on stderr, when a person looks there and nothing else is written there."""
    console = Console(stderr=True)
    if not (shown and console.is_terminal):
        yield from cursor
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("replaying", total=records)
        for replayed in cursor:
            yield replayed
            progress.advance(task)


def lines_of(replayed: Replayed) -> Iterator[str]:
    """Tell one record: its seq, time in seconds, session and input; then what it caused, one line each.

    Descriptions and candidates are not shown, only that there was one.
    """
    step = replayed.step
    record = step.record
    yield f"{record.seq:>7}  {record.time / 1_000_000:>12.6f}  {_short(record.session):<8}  {_told_input(step)}"
    for transition in step.transitions:
        machine = transition.machine
        yield f"{'':>31}  {machine.kind:<8} {_shorten_id(machine.id)}  {transition.source} -> {transition.target}"
    for session, message in step.messages:
        yield f"{'':>31}  to {_short(session):<8} {_told_message(message)}"
    if replayed.divergence is not None:
        divergence = replayed.divergence
        yield f"{'':>31}  DIVERGED  {divergence.what}: recorded {divergence.recorded}, now {divergence.computed}"


def _told_input(step: Step) -> str:
    input = step.record.input
    named = [str(getattr(input, field)) for field in ("stream_id", "room", "app", "type") if getattr(input, field, "")]
    machine = getattr(input, "machine", None)
    if machine is not None:
        named.append(f"{machine.kind} {_shorten_id(machine.id)}")
    refused = [f"refused: {step.refused}"] if step.refused else []
    return "  ".join([input_name(step.record), *map(ascii_only, named), *refused])


def _told_message(message: AnyMessage) -> str:
    name = str(type(message).__struct_config__.tag)
    match message:
        case Error() | Notification():
            return f"{name} {message.definition}"
        case CloseSession(code, reason):
            return f"{name} {code} {reason}"
        case _:
            return f"{name} {ascii_only(str(getattr(message, 'stream_id', '')))}".rstrip()


def ascii_only(text: str) -> str:
    """Give a client's text without anything that could move a terminal's cursor."""
    return text if text.isprintable() else ascii(text)


def _short(session: str) -> str:
    return session[:8] or "-"


def _shorten_id(id: str) -> str:
    """Shorten the session in a playback's id; the rest is what the client chose."""
    session, slash, rest = id.partition("/")
    return ascii_only(f"{_short(session)}/{rest}" if slash else id)
