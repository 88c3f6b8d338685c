"""A reel in other forms, to read and to compare elsewhere: lines of JSON, Mermaid, SVG.

Nothing is left out of the lines of JSON, descriptions and candidates included: what is to be shared is redacted before.
The pictures hold what is told to people, which never has these. They are made of clients' texts too, so every text in
them is cut and freed of whatever could mean something there.
"""

import re
from collections import Counter
from collections.abc import Iterator
from html import escape
from typing import Any, Final

import msgspec
from msgspec import Struct

from signalreel.debug.causes import rules_of
from signalreel.debug.diagram import machine_svg
from signalreel.debug.rows import transition_inputs
from signalreel.debug.telling import short_id, short_session, told_input, told_message
from signalreel.identifiers import Kind
from signalreel.notes import Note
from signalreel.record import input_name
from signalreel.reel import Reel
from signalreel.replay import Cursor, Replayed
from signalreel.step import Step

__all__ = (
    "ARROWS_MAX",
    "LANES_MAX",
    "TooMuch",
    "json_lines",
    "mermaid_sequence",
    "mermaid_states",
    "svg_sequence",
    "svg_states",
)

LANES_MAX: Final = 40
"""Sessions in one picture; with more nobody sees anything."""

ARROWS_MAX: Final = 3_000
"""Arrows and notes in one picture."""

_TEXT_LENGTH_MAX: Final = 60
_SERVER: Final = "server"


class TooMuch(ValueError):
    """The picture would have more lanes or arrows than anybody can read. An excerpt has fewer."""


# ---------------------------------------------------------------- lines of JSON


def json_lines(reel: Reel) -> Iterator[bytes]:
    """Give each record with what it caused, as one JSON object without a line break; the header first.

    Raises `ReelDamaged` where the reel cannot be read.
    """
    yield _encode({"header": reel.header, "firstSeq": reel.first_seq, "lastSeq": reel.last_seq})
    notes = reel.notes(reel.first_seq)
    waiting = next(notes, None)
    for replayed in Cursor(reel):
        beside: list[Note] = []
        while waiting is not None and waiting.seq <= replayed.step.record.seq:
            beside.append(waiting)
            waiting = next(notes, None)
        yield _encode(_object_of(replayed, beside))


def _object_of(replayed: Replayed, notes: list[Note]) -> dict[str, Any]:
    step = replayed.step
    record = step.record
    said: dict[str, Any] = {
        "seq": record.seq,
        "time": record.time,
        "session": record.session,
        "input": input_name(record),
        "of": record.input,
        "grant": record.grant and msgspec.structs.asdict(record.grant),
        "ids": record.ids,
        "refused": step.refused,
        "rules": rules_of(step),
        "transitions": [
            {**msgspec.structs.asdict(move.machine), "source": move.source, "target": move.target}
            for move in step.transitions
        ],
        "messages": [{"to": to, "message": message} for to, message in step.messages],
        "deadline": step.deadline and {"at": step.deadline.at, **msgspec.structs.asdict(step.deadline.machine)},
        "digest": step.digest.hex(),
        "notes": [{"session": note.session, "time": note.time, "note": note.body} for note in notes],
    }
    if replayed.divergence is not None:
        said["diverged"] = {"what": replayed.divergence.what}
    return {name: value for name, value in said.items() if value not in (None, "", (), [])}


_encode: Final = msgspec.json.Encoder().encode


# ---------------------------------------------------------------- what a sequence diagram shows


class _Arrow(Struct, frozen=True):
    """Something that was said, or (to nobody) that happened to a machine."""

    source: str
    target: str  #: empty for a note
    text: str
    time: int


def _arrows(reel: Reel) -> Iterator[_Arrow]:
    for replayed in Cursor(reel):
        step = replayed.step
        record = step.record
        source = record.session if record.command is not None else _SERVER
        if record.command is not None:
            yield _Arrow(source, _SERVER, told_input(step), record.time)
        else:
            yield _Arrow(record.session or _SERVER, "", told_input(step), record.time)
        for move in step.transitions:
            about = move.machine
            yield _Arrow(_SERVER, "", f"{about.kind} {short_id(about.id)}: {move.source} to {move.target}", record.time)
        for to, message in step.messages:
            yield _Arrow(_SERVER, to, told_message(message), record.time)


def _drawn(reel: Reel) -> tuple[list[str], list[_Arrow]]:
    """Give the lanes, in the order in which they appear, and the arrows. Raises `TooMuch`."""
    lanes: dict[str, None] = {}
    arrows: list[_Arrow] = []
    for arrow in _arrows(reel):
        arrows.append(arrow)
        lanes.update(dict.fromkeys(end for end in (arrow.source, arrow.target) if end not in {"", _SERVER}))
        if len(arrows) > ARROWS_MAX:
            raise TooMuch(f"the picture would have more than {ARROWS_MAX} arrows: choose streams, rooms or sessions")
        if len(lanes) > LANES_MAX:
            raise TooMuch(f"the picture would have more than {LANES_MAX} sessions: choose streams, rooms or sessions")
    return list(lanes), arrows


# ---------------------------------------------------------------- Mermaid

_NOT_FOR_MERMAID: Final = re.compile(r"[^A-Za-z0-9 _.,/()!\-]+")


def _plain(text: str) -> str:
    """Leave of a text what means nothing in Mermaid; a colon within it would, and so would a semicolon or a `#`."""
    return re.sub(" +", " ", _NOT_FOR_MERMAID.sub(" ", text)).strip()[:_TEXT_LENGTH_MAX] or "-"


def mermaid_sequence(reel: Reel) -> str:
    """Give a sequence diagram of sessions and the server as Mermaid. Raises `TooMuch`."""
    lanes, arrows = _drawn(reel)
    names = {lane: f"s{number}" for number, lane in enumerate(lanes, 1)} | {_SERVER: _SERVER}
    lines = ["sequenceDiagram"]
    lines += [f"    participant {names[lane]} as {_plain(short_session(lane))}" for lane in lanes]
    lines.append(f"    participant {_SERVER}")
    for arrow in arrows:
        if arrow.target:
            lines.append(f"    {names[arrow.source]}->>{names[arrow.target]}: {_plain(arrow.text)}")
        else:
            lines.append(f"    Note over {names[arrow.source]}: {_plain(arrow.text)}")
    return "\n".join(lines) + "\n"


def mermaid_states(reel: Reel, kind: Kind) -> str:
    """Give the state diagram of one kind of machine as Mermaid, as far as the reel went through it, with counts."""
    counts = Counter(move for replayed in Cursor(reel) for move in _moves(replayed.step, kind))
    lines = ["stateDiagram-v2"]
    lines += [
        f"    {source} --> {target}: {input} x{count}" for (source, target, input), count in sorted(counts.items())
    ]
    return "\n".join(lines) + "\n"


def _moves(step: Step, kind: Kind) -> Iterator[tuple[str, str, str]]:
    for move, input in zip(step.transitions, transition_inputs(step), strict=True):
        if move.machine.kind is kind:
            yield str(move.source), str(move.target), _plain(input)


# ---------------------------------------------------------------- SVG

_LANE: Final = 190
_ROW: Final = 22
_HEAD: Final = 50
_FONT: Final = 'font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="11"'


_PAPER: Final = (
    '<rect width="100%" height="100%" fill="#fff"/>'
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 8 4 0 8z"/></marker></defs>'
)


def svg_sequence(reel: Reel) -> str:
    """Give a sequence diagram of sessions and the server as SVG that needs nothing else. Raises `TooMuch`."""
    lanes, arrows = _drawn(reel)
    middle = (len(lanes) + 1) // 2
    order = [*lanes[:middle], _SERVER, *lanes[middle:]]
    x = {lane: _LANE // 2 + 60 + place * _LANE for place, lane in enumerate(order)}
    width, height = _LANE * len(order) + 120, _HEAD + _ROW * (len(arrows) + 2)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {_FONT}>', _PAPER]
    lines += [_lane(lane, x[lane], height) for lane in order]
    lines += [_row(arrow, x, _HEAD + _ROW * place) for place, arrow in enumerate(arrows, 1)]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _lane(lane: str, x: int, height: int) -> str:
    name = _SERVER if lane == _SERVER else short_session(lane)
    return (
        f'<line x1="{x}" y1="{_HEAD - 12}" x2="{x}" y2="{height}" stroke="#bbb"/>'
        f'<text x="{x}" y="{_HEAD - 22}" text-anchor="middle" font-weight="bold">{_safe(name)}</text>'
    )


def _row(arrow: _Arrow, x: dict[str, int], y: int) -> str:
    at = f'<text x="4" y="{y}" fill="#777">{arrow.time / 1_000_000:.3f}</text>'
    start = x[arrow.source]
    if not arrow.target:
        return f'{at}<text x="{start}" y="{y}" text-anchor="middle" fill="#245">{_safe(arrow.text)}</text>'
    end = x[arrow.target]
    return (
        f'{at}<line x1="{start}" y1="{y + 3}" x2="{end}" y2="{y + 3}" stroke="#000" marker-end="url(#tip)"/>'
        f'<text x="{(start + end) // 2}" y="{y}" text-anchor="middle">{_safe(arrow.text)}</text>'
    )


def svg_states(reel: Reel, kind: Kind) -> str:
    """Draw one kind of machine as SVG, with how often the reel went each way."""
    moves = (move for replayed in Cursor(reel) for move in _moves(replayed.step, kind))
    return machine_svg(kind, counts=Counter((source, target) for source, target, _ in moves))


def _safe(text: str) -> str:
    """Cut and escape a text; what does not print in XML is left out."""
    return escape("".join(character for character in text[:_TEXT_LENGTH_MAX] if character.isprintable()))
