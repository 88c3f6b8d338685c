"""The picture of a machine, drawn from its compiled table as SVG.

Only rows that name their target are drawn: refusals, and changes that publish nothing, would hide them. The states
stand in a column in the order in which the table declares them, which is the order of a call that goes well. Beside
each state stand its ways out, one line for each target with the inputs that lead there. A way to the next state down is
the arrow between the two; every other way runs over the rail of its target, one rail a target, so that nothing has to
be laid out by trial and the same table always gives the same picture.

The SVG has no style of its own but attributes in the current colour, so that a page with a strict policy can show it,
and give it another look by its classes: `state`, `way`, `input`, `count`, each with what it is about in `data-` fields.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final

from msgspec import Struct

from signalreel.debug.rows import ROWS
from signalreel.engine import TABLES
from signalreel.identifiers import Kind

__all__ = ("Way", "machine_svg", "ways_of")

_CHARACTER: Final = 6.1  #: pixels; the font has one width
_LINE: Final = 14
_LABEL_CHARACTERS: Final = 46
_BOX: Final = 112
_MARGIN: Final = 10
_LABEL_X: Final = _MARGIN + _BOX + 18
_RAIL_X: Final = int(_LABEL_X + _LABEL_CHARACTERS * _CHARACTER + 14)
_RAIL_STEP: Final = 12
_HEAD: Final = 22  #: from the top of a state to its first way out; the ways in arrive there
_GAP: Final = 26
_CORNER: Final = 5
_COUNT_CHARACTERS: Final = 8
_TIMES: Final = "\N{MULTIPLICATION SIGN}"

_FONT: Final = 'font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="10"'


class Way(Struct, frozen=True):
    """From one state to one state: the inputs that lead there, in the order of the table."""

    source: str
    target: str
    inputs: tuple[str, ...]


class _Block(Struct, frozen=True):
    """Where a state and its ways out are."""

    state: str
    top: int
    height: int
    ways: tuple[tuple[Way, int, tuple[str, ...]], ...]  #: each with the y of its first line, and its inputs by lines


def ways_of(kind: Kind) -> tuple[Way, ...]:
    """Give the ways of a machine, by source and then by target in the order of the states."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in ROWS:
        if row.kind == kind and row.next:
            found.setdefault((row.state, row.next), {})[row.input] = None
    order = [str(state) for state in TABLES[kind].states]
    places = sorted(found, key=lambda way: (order.index(way[0]), order.index(way[1])))
    return tuple(Way(source, target, tuple(found[source, target])) for source, target in places)


def machine_svg(
    kind: Kind,
    *,
    current: str = "",
    counts: Mapping[tuple[str, str], int] | None = None,
) -> str:
    """Draw a machine, with its current state marked, and how often each way (source, target) was taken."""
    table = TABLES[kind]
    blocks = _layout(kind)
    places = {block.state: block for block in blocks}
    rails = _rails(blocks)
    taken: Mapping[tuple[str, str], int] = counts if counts is not None else {}
    finals = {str(state) for state in table.finals}
    width = _RAIL_X + max(1, len(rails)) * _RAIL_STEP + _MARGIN
    height = blocks[-1].top + blocks[-1].height + _MARGIN
    ways = [
        line
        for number, block in enumerate(blocks)
        for way, y, lines in block.ways
        for line in _draw_way(way, y, lines, number, blocks, places, rails, taken)
    ]
    states = [line for block in blocks for line in _draw_state(block, str(table.initial), finals, current)]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="machine" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="The {kind} machine" data-kind="{kind}" '
        f'fill="none" stroke="currentColor" {_FONT}>'
    )
    return "\n".join([opening, *ways, *states, "</svg>", ""])


def _layout(kind: Kind) -> list[_Block]:
    ways = ways_of(kind)
    top = _MARGIN
    blocks: list[_Block] = []
    for state in map(str, TABLES[kind].states):
        y = top + _HEAD
        placed: list[tuple[Way, int, tuple[str, ...]]] = []
        for way in ways:
            if way.source == state:
                lines = tuple(_lines_of(way))
                placed.append((way, y + _LINE // 2, lines))
                y += _LINE * len(lines) + 3
        height = max(_HEAD + 8, y - top)
        blocks.append(_Block(state, top, height, tuple(placed)))
        top += height + _GAP
    return blocks


def _lines_of(way: Way) -> Iterable[str]:
    """Break the inputs of a way into lines; the first is shorter by the target's name."""
    line = ""
    room = _LABEL_CHARACTERS - _COUNT_CHARACTERS - len(_named(way)) - 1
    for input in way.inputs:
        if line and len(line) + 1 + len(input) > room:
            yield line
            line, room = "", _LABEL_CHARACTERS - 2
        line = f"{line} {input}".lstrip()
    yield line


def _named(way: Way) -> str:
    return "stays" if way.source == way.target else way.target


def _rails(blocks: list[_Block]) -> dict[str, int]:
    """Give each target that needs a rail its x; a final state's is outermost, since most ways lead there."""
    order = [block.state for block in blocks]
    needed = {
        way.target
        for block in blocks
        for way, _, _ in block.ways
        if way.target != way.source and order.index(way.target) != order.index(way.source) + 1
    }
    return {state: _RAIL_X + place * _RAIL_STEP for place, state in enumerate(s for s in order if s in needed)}


def _draw_state(block: _Block, initial: str, finals: set[str], current: str) -> Iterable[str]:
    name = escape(block.state)
    marked = " current" if block.state == current else ""
    sort = " initial" if block.state == initial else " final" if block.state in finals else ""
    dashes = ' stroke-dasharray="4 3"' if sort == " initial" else ""
    double = ' stroke-width="3"' if sort == " final" else ""
    fill = ' fill="currentColor" fill-opacity="0.15"' if marked else ""
    yield f'<g class="state{sort}{marked}" data-state="{name}">'
    yield (f'<rect x="{_MARGIN}" y="{block.top}" width="{_BOX}" height="{block.height}" rx="7"{dashes}{double}{fill}/>')
    yield (
        f'<text x="{_MARGIN + _BOX / 2:g}" y="{block.top + 18}" text-anchor="middle" font-size="12" '
        f'font-weight="600" fill="currentColor" stroke="none">{name}</text>'
    )
    yield "</g>"


def _draw_way(
    way: Way,
    y: int,
    lines: tuple[str, ...],
    number: int,
    blocks: list[_Block],
    places: dict[str, _Block],
    rails: dict[str, int],
    taken: Mapping[tuple[str, str], int],
) -> Iterable[str]:
    block = blocks[number]
    count = taken.get((way.source, way.target), 0)
    was_taken = " taken" if count else ""
    is_next = number + 1 < len(blocks) and blocks[number + 1].state == way.target
    yield f'<g class="way{was_taken}" data-source="{escape(way.source)}" data-target="{escape(way.target)}">'
    end = _label_end(way, lines[0])
    if is_next:
        x, bottom = _MARGIN + _BOX // 2, block.top + block.height
        yield _path(f"M{x} {bottom}V{bottom + _GAP - 1}")
        yield _arrow(x, bottom + _GAP, "down")
        yield _path(f"M{_MARGIN + _BOX} {y}H{_LABEL_X - 4}", faint=True)
    elif way.target == way.source:
        yield _path(f"M{_MARGIN + _BOX} {y}h6", faint=True)
        yield _path(f"M{_MARGIN + _BOX + 12} {y - 2}a4 4 0 1 1 -4 -2", faint=True)
    else:
        rail = rails[way.target]
        arrival = places[way.target].top + 10
        turn = _CORNER if arrival > y else -_CORNER
        yield _path(f"M{_MARGIN + _BOX} {y}H{_LABEL_X - 4}", faint=True)
        yield _path(
            f"M{end} {y}H{rail - _CORNER}Q{rail} {y} {rail} {y + turn}V{arrival - turn}"
            f"Q{rail} {arrival} {rail - _CORNER} {arrival}H{_MARGIN + _BOX + 6}"
        )
        yield _arrow(_MARGIN + _BOX, arrival, "left")
    yield from _draw_label(way, y, lines, count)
    yield "</g>"


def _label_end(way: Way, line: str) -> int:
    return int(_LABEL_X + (len(_named(way)) + 1 + len(line) + _COUNT_CHARACTERS) * _CHARACTER)


def _draw_label(way: Way, y: int, lines: tuple[str, ...], count: int) -> Iterable[str]:
    for place, line in enumerate(lines):
        x = _LABEL_X if place == 0 else _LABEL_X + 2 * _CHARACTER
        named = f'<tspan class="target" font-weight="600">{escape(_named(way))}</tspan> ' if place == 0 else ""
        inputs = " ".join(f'<tspan class="input" data-input="{one}">{one}</tspan>' for one in line.split())
        yield (
            f'<text x="{x:g}" y="{y + 3 + place * _LINE}" fill="currentColor" stroke="none">{named}'
            f'<tspan fill-opacity="0.75">{inputs}</tspan></text>'
        )
    x = _LABEL_X + (len(_named(way)) + 1 + len(lines[0]) + 1) * _CHARACTER
    told = f"{_TIMES}{count}" if count else ""
    yield (
        f'<text class="count" x="{x:g}" y="{y + 3}" font-weight="600" fill="currentColor" stroke="none">{told}</text>'
    )


def _path(d: str, *, faint: bool = False) -> str:
    opacity = "0.35" if faint else "0.6"
    return f'<path d="{d}" stroke-opacity="{opacity}"/>'


def _arrow(x: int, y: int, where: str) -> str:
    points = (
        f"{x},{y} {x + 7},{y - 4} {x + 7},{y + 4}" if where == "left" else f"{x},{y} {x - 4},{y - 7} {x + 4},{y - 7}"
    )
    return f'<polygon points="{points}" fill="currentColor" fill-opacity="0.6" stroke="none"/>'
