"""What was seen of the tables, as one page without a script: `signalreel coverage -o FILE`."""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from typing import Final

from signalreel.debug.coverage import NEVER, SOURCES, CellSeen, Coverage
from signalreel.engine import TABLES
from signalreel.identifiers import Kind

__all__ = ("coverage_page",)

_LETTERS: Final = {"production": "P", "tests": "T", "simulation": "S"}

_STYLES: Final = """
:root { color-scheme: light dark; --ground: #f4f6f6; --surface: #fff; --line: #d7dfdd; --text: #14211f;
  --quiet: #536763; --production: #0f766e; --production-text: #fff; --tried: #d5efeb;
  --never: #fde4e1; --never-text: #b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1413; --surface: #151e1c; --line: #2b3936; --text: #e6efed; --quiet: #9cb0ac;
    --production: #2dd4bf; --production-text: #05201c; --tried: #123d37; --never: #43201c; --never-text: #f98a7f; } }
body { margin: 0 auto; max-width: 1200px; padding: 20px; background: var(--ground); color: var(--text);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 20px; } h2 { margin-top: 32px; font-size: 17px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; background: var(--surface); font-size: 13px; }
th, td { padding: 3px 8px; border: 1px solid var(--line); text-align: right; font-weight: 400; }
th { text-align: left; } thead th { color: var(--quiet); }
td.production { background: var(--production); color: var(--production-text); }
td.tried { background: var(--tried); } td.never { background: var(--never); color: var(--never-text); }
td.cannot { background: repeating-linear-gradient(45deg, var(--surface) 0 4px, var(--line) 4px 5px); }
.key td { text-align: left; } p { max-width: 70ch; } .quiet { color: var(--quiet); }
li { margin: 2px 0; } code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
"""


def coverage_page(coverage: Coverage) -> str:
    """Write the page: the shares, then each table with what was seen in each cell, then what never was."""
    digest = base64.b64encode(hashlib.sha256(_STYLES.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">',
            f"<title>Coverage - Signalreel</title>\n<style>{_STYLES}</style>\n</head>\n<body>",
            "<h1>What was seen of the tables</h1>",
            f"<p>{_read(coverage)}</p>",
            *_shares(coverage),
            *(line for kind in Kind for line in _table(kind, coverage)),
            "</body>\n</html>\n",
        ]
    )


def _read(coverage: Coverage) -> str:
    reels = [
        f"{coverage.reels[source]} of {source} with {coverage.records[source]} records"
        for source in SOURCES
        if coverage.reels[source]
    ]
    return "Reels read: " + (", ".join(reels) or "none") + "."


def _shares(coverage: Coverage) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr><th>machine</th><th>cells</th>'
    yield "".join(f"<th>{source}</th>" for source in (*SOURCES, NEVER))
    yield "<th>rows</th>" + "".join(f"<th>{source}</th>" for source in (*SOURCES, NEVER)) + "</tr></thead><tbody>"
    for name, kind in coverage.kinds.items():
        yield (
            f'<tr><th scope="row">{name}</th><td>{kind.cells}</td>{_share(kind.seen, kind.cells)}'
            f"<td>{kind.rows}</td>{_share(kind.rows_seen, kind.rows)}</tr>"
        )
    yield "</tbody></table></div>"
    yield (
        '<p class="quiet">A cell is an input in a state; a row of it is one way to decide it. What a table calls '
        "unreachable is left out of the shares.</p>"
    )
    contradicted = sum(kind.contradicted for kind in coverage.kinds.values())
    if contradicted:
        yield f"<p><b>{contradicted} rows fired that a table calls unreachable.</b></p>"
    yield (
        '<table class="key"><tbody><tr><td class="production">12 PTS</td><td>seen in production, 12 times; '
        "and in tests and simulation</td></tr>"
        '<tr><td class="tried">TS</td><td>seen in tests and simulation only</td></tr>'
        '<tr><td class="never">never</td><td>never seen</td></tr>'
        '<tr><td class="cannot">&nbsp;</td><td>nothing reaches it</td></tr></tbody></table>'
    )


def _share(seen: dict[str, int], whole: int) -> str:
    return "".join(f"<td>{seen[name]} ({100 * seen[name] / whole:.0f} %)</td>" for name in (*SOURCES, NEVER))


def _table(kind: Kind, coverage: Coverage) -> Iterator[str]:
    states = [str(state) for state in TABLES[kind].states if state not in TABLES[kind].finals]
    cells = {(cell.input, cell.state): cell for cell in coverage.cells if cell.kind == kind}
    inputs = list(dict.fromkeys(input for input, _ in cells))
    yield f'<h2>{kind}</h2>\n<div class="scroll"><table><thead><tr><th>input</th>'
    yield "".join(f"<th>{state}</th>" for state in states) + "</tr></thead><tbody>"
    for input in inputs:
        yield f'<tr><th scope="row">{input}</th>{"".join(_cell(cells[input, state]) for state in states)}</tr>'
    yield "</tbody></table></div>"
    never = [
        f"<li><code>{cell.state} &times; {cell.input} row {row.row}</code>: {escape(row.what) or 'nothing more'}</li>"
        for cell in cells.values()
        for row in cell.rows
        if not row.is_unreachable and not any(row.counts.values())
    ]
    if never:
        yield f"<details><summary>{len(never)} rows that never fired</summary><ul>{''.join(never)}</ul></details>"


def _cell(cell: CellSeen) -> str:
    fired = sum(any(row.counts.values()) for row in cell.rows)
    title = f"{fired} of {len(cell.rows)} rows; " + ", ".join(f"{source} {cell.counts[source]}" for source in SOURCES)
    letters = "".join(_LETTERS[source] for source in SOURCES if cell.counts[source])
    if cell.counts["production"]:
        return f'<td class="production" title="{title}">{cell.counts["production"]} {letters}</td>'
    if letters:
        return f'<td class="tried" title="{title}">{letters}</td>'
    if cell.is_unreachable:
        return '<td class="cannot" title="nothing reaches it"></td>'
    return f'<td class="never" title="{title}">never</td>'
