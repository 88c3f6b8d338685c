"""`signalreel export REEL --jsonl | --mermaid | --svg`: a reel in other forms, to read and to compare elsewhere."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from signalreel.debug.export import TooMuch, json_lines, mermaid_sequence, mermaid_states, svg_sequence, svg_states
from signalreel.debug.redact import redact
from signalreel.identifiers import Kind
from signalreel.reel import Reel
from signalreel_adapters.cli.debug.reading import Switch, open_reel
from signalreel_adapters.cli.debug.selecting import ALL, Sharing
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("export",)


def export(
    file: Path,
    /,
    *,
    jsonl: Switch = False,
    mermaid: Switch = False,
    svg: Switch = False,
    machine: Literal["stream", "playback", "pair", "room"] | None = None,
    sharing: Sharing = ALL,
    raw: Switch = False,
    json: Switch = False,
) -> int:
    """Write a reel to stdout as lines of JSON, or as a picture of who said what to whom, redacted.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    jsonl
        One JSON object a line: the header, then each record with everything that it caused.
    mermaid
        A sequence diagram in the language of Mermaid, which many editors and forges show.
    svg
        The same as a picture.
    machine
        With --mermaid or --svg: instead, the states of this kind of machine and how often the reel went each way.
    raw
        Redact nothing. With --jsonl that holds descriptions and addresses of people: share it with nobody.
    json
        The same as --jsonl.
    """
    jsonl = jsonl or json
    if jsonl + mermaid + svg != 1:
        raise Mistake("say in which form: one of --jsonl, --mermaid and --svg")
    if machine is not None and jsonl:
        raise Mistake("--machine is about a picture: give --mermaid or --svg with it")
    if raw and (sharing.keep_names or sharing.key_file is not None):
        raise Mistake("--raw redacts nothing; --keep-names and --key-file say how to redact: give one of them")
    reel, widened = sharing.of(open_reel(file))
    if widened:
        print(f"more is kept, because less would have gone otherwise: the whole {widened}", file=sys.stderr)
    if not raw:
        reel = redact(reel, sharing.key(), keep_names=sharing.keep_names)
    elif jsonl:
        print("this holds descriptions and addresses of people: share it with nobody", file=sys.stderr)
    try:
        for piece in _pieces(reel, jsonl=jsonl, mermaid=mermaid, kind=Kind(machine) if machine is not None else None):
            sys.stdout.write(piece)
    except TooMuch as error:
        raise Mistake(str(error)) from None
    return 0


def _pieces(reel: Reel, *, jsonl: bool, mermaid: bool, kind: Kind | None) -> Iterator[str]:
    if jsonl:
        for line in json_lines(reel):
            yield line.decode() + "\n"
    elif mermaid:
        yield mermaid_sequence(reel) if kind is None else mermaid_states(reel, kind)
    else:
        yield svg_sequence(reel) if kind is None else svg_states(reel, kind)
