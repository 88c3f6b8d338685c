"""Figures of `signalreel bench` as text for people.

Those of media are a table for each number of viewers, with a row for each server; all others a line for each figure.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec

__all__ = ("media_lines", "plain_lines")

_MEASURED: Final = (
    ("CPU us/packet", "cpu_us_per_packet", 1),
    ("p50 ms", "p50_ms", 2),
    ("p99 ms", "p99_ms", 1),
    ("picture p50", "picture_p50_ms", 2),
    ("picture p99", "picture_p99_ms", 1),
)
"""Heading, figure and digits. Each cell has the median and its spread."""

_NAME_WIDTH: Final = 44

_TOLD: Final = ("CPU ours/its", "loss", "core", "join ms", "KiB/viewer")


def plain_lines(figures: msgspec.Struct) -> Iterator[str]:
    """Give a line for each figure; those inside of others have all their names, with dots between them."""
    for name, value in _flat("", msgspec.to_builtins(figures)):
        yield f"{name:<{_NAME_WIDTH}} {value}"


def _flat(name: str, value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield name, value
        return
    for inner, one in cast(dict[str, object], value).items():
        yield from _flat(f"{name}.{inner}" if name else inner, one)


def media_lines(figures: Any) -> Iterator[str]:  # noqa: ANN401 - a struct of a module that need not be installed
    """Give the lines to print; the last ones say under which circumstances, and who is missing."""
    for ours in figures.runs:
        pictures = ours.picture_p50_ms is not None
        measured = [column for column in _MEASURED if pictures or not column[1].startswith("picture")]
        rows = [["server", *(heading for heading, _, _ in measured), *_TOLD]]
        servers = {"signalreel": figures.runs} | {name: peer.runs for name, peer in figures.peers.items()}
        rows += [
            [name, *(_spread(run, figure, digits) for _, figure, digits in measured), *_told(run)]
            for name, runs in servers.items()
            for run in runs
            if run.viewers == ours.viewers
        ]
        yield f"{ours.viewers} viewer{'s' if ours.viewers > 1 else ''}"
        yield from _aligned(rows)
        yield ""
    yield from _circumstances(figures)


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(cells)


def _spread(run: Any, figure: str, digits: int) -> str:  # noqa: ANN401 - likewise
    spread = run.spread.get(figure)
    return f"{spread.median:.{digits}f} ({spread.min:.{digits}f}-{spread.max:.{digits}f})" if spread else "-"


def _told(run: Any) -> Iterator[str]:  # noqa: ANN401 - likewise
    ratio = run.ratio.get("cpu_us_per_packet")
    yield f"{ratio.median:.2f} ({ratio.min:.2f}-{ratio.max:.2f})" if ratio else "-"
    yield f"{run.loss:.2%} ({run.spread['loss'].max:.2%})"
    yield f"{run.server_cpu:.0%}"
    yield f"{run.join_cpu_ms:.1f}"
    yield f"{run.kib_per_viewer:.0f}"


def _circumstances(figures: Any) -> Iterator[str]:  # noqa: ANN401 - likewise
    windows = max((run.windows for run in figures.runs), default=0)
    yield f"Medians of {windows} windows of {figures.window_s:g} s; in brackets the least and most, or most loss."
    others = max((run.other_cpu for run in figures.runs), default=0.0)
    yield (
        f"{figures.packets_per_s:g} packets/s to each viewer; fan-out {figures.fan_out}, {figures.transport}; "
        f"{figures.interface}; {figures.cores} cores, of which others kept {others:.1f} busy; {figures.seconds:.0f} s."
    )
    for name, peer in figures.peers.items():
        if peer.missing:
            yield f"{name}: not measured: {peer.missing}"
        else:
            yield f"{name} {peer.version}: {peer.setting}" + (f"; ended: {peer.ended}" if peer.ended else "")
