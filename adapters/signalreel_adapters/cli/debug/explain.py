"""`signalreel explain FILE`: why something was refused, ended or never started, in sentences."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from signalreel.debug.explain import Subject, explain
from signalreel.debug.telling import counted
from signalreel_adapters.cli.debug.reading import Switch, open_reel, print_json
from signalreel_adapters.cli.mistakes import Mistake

__all__ = ("explain_reel",)


def explain_reel(
    file: Path,
    /,
    *,
    stream: str = "",
    room: str = "",
    session: str = "",
    at: int = 0,
    refusals: Annotated[bool, Parameter(name=("--refusals", "--refusal"), negative=())] = False,
    rules: Switch = False,
    json: Switch = False,
) -> int:
    """Say why: what became of a stream, a room, a session or one record, or of everything that was refused.

    Nothing is performed. Leaves with 0, or with 2 when the file cannot be used or nothing was asked about.

    Parameters
    ----------
    file
        The reel; it may be one that a server is writing.
    stream
        The id of a stream, a peer pair, or of what was played.
    room
        The name of a room.
    session
        A session, by its id or the beginning of it.
    at
        The number of a record.
    refusals
        Everything that was refused.
    rules
        Name the rule of the machines' tables below each refusal.
    json
        Print one JSON object with the keys sentences (each with seq, time, told and, for a refusal, definition, rules
        and advice), records and left_out.
    """
    if sum(map(bool, (stream, room, session, at, refusals))) != 1:
        raise Mistake("say what to explain: one of --stream ID, --room NAME, --session ID, --at SEQ or --refusals")
    found = explain(open_reel(file), Subject(stream, room, session, at, refusals))
    if json:
        print_json(found)
        return 0
    for sentence in found.sentences:
        print(sentence.told)
        if sentence.advice:
            print(f"        what to do: {sentence.advice}")
        if rules:
            for rule in sentence.rules:
                print(f"        rule: {rule}")
    if not found.sentences:
        told = f"nothing to explain in {counted(found.records, 'record')}; `signalreel reel show FILE` lists them"
        print(told, file=sys.stderr)
        return 0
    left_out = f", {found.left_out} more" if found.left_out else ""
    print(f"\n{counted(len(found.sentences), 'sentence')}{left_out}, from {counted(found.records, 'record')}")
    return 0
