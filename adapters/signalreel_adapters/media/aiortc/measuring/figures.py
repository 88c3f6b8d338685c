"""Figures of a measurement: what one window gave, and what several windows give together.

A median says little without its spread, and the ratio of two servers is taken pair by pair: the windows of a pair are
neighbours in time, so what else the machine does falls on both.
"""

import statistics
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

__all__ = (
    "COMPARED",
    "MediaFigures",
    "MediaRun",
    "PeerFigures",
    "Progress",
    "Spread",
    "Told",
    "Window",
    "compare",
    "percentile",
    "summarise",
)


class Spread(Struct, frozen=True):
    """Several measurements of one thing."""

    median: float
    min: float
    max: float


class Window(Struct, frozen=True, kw_only=True):
    """What was counted in one window of one server."""

    viewers: int
    seconds: float
    arrived: int  #: packets, over all viewers
    expected: int  #: packets published, times viewers
    cpu_s: float  #: of the server
    other_cpu: float = 0.0  #: cores that neither the server nor the load kept busy, but others
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    picture_p50_ms: float = 0.0  #: from the sending of a picture's first packet until it was decoded; 0: not measured
    picture_p99_ms: float = 0.0

    @property
    def loss(self) -> float:
        """Share of the packets that did not arrive."""
        return max(0.0, 1 - self.arrived / self.expected) if self.expected else 0.0

    @property
    def cpu_us_per_packet(self) -> float:
        """CPU time of the server for each packet that arrived, in microseconds."""
        return self.cpu_s * 1e6 / max(1, self.arrived)


class MediaRun(Struct, frozen=True, kw_only=True):
    """Medians of the windows with one number of viewers."""

    viewers: int
    packets_per_s: float  #: that arrived, over all viewers
    cpu_us_per_packet: float  #: CPU time of the server for each packet that arrived
    loss: float  #: share of the packets that did not arrive
    p50_ms: float  #: from the publisher's send to a viewer's receive
    p99_ms: float
    picture_p50_ms: float | None  #: from the send of a picture until a viewer has decoded it; with one viewer only
    picture_p99_ms: float | None
    server_cpu: float  #: share of one core
    other_cpu: float  #: cores that other processes of this machine kept busy meanwhile
    join_cpu_ms: float  #: CPU time of the server for one viewer's coming
    kib_per_viewer: float  #: memory that the server took for one viewer, once media had flowed
    windows: int
    spread: dict[str, Spread]  #: of the figures named in it
    ratio: dict[str, Spread] = {}  #: ours divided by this server's, pair by pair; empty for ours


class PeerFigures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was measured of another server, or why nothing was."""

    missing: str = ""
    version: str = ""
    setting: str = ""  #: how it ran
    runs: list[MediaRun] = []
    ended: str = ""  #: why it was not measured to the end


_COUNTED: Final[dict[str, Callable[[Window], float]]] = {
    "packets_per_s": lambda window: round(window.arrived / window.seconds, 1),
    "cpu_us_per_packet": lambda window: round(window.cpu_us_per_packet, 2),
    "loss": lambda window: round(window.loss, 5),
    "p50_ms": lambda window: window.p50_ms,
    "p99_ms": lambda window: window.p99_ms,
    "picture_p50_ms": lambda window: window.picture_p50_ms,
    "picture_p99_ms": lambda window: window.picture_p99_ms,
    "server_cpu": lambda window: round(window.cpu_s / window.seconds, 3),
    "other_cpu": lambda window: round(window.other_cpu, 2),
}

COMPARED: Final = ("cpu_us_per_packet", "p50_ms", "p99_ms", "picture_p50_ms", "picture_p99_ms")
"""Figures of which ratios are told. A share of loss has none: it is mostly zero."""

_DIGITS: Final = 3


def percentile(ordered: Sequence[int], share: float) -> float:
    """Give a percentile of nanoseconds in order, in milliseconds; 0 of none."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1e6, _DIGITS) if ordered else 0.0


def _spread(values: Sequence[float], digits: int = 5) -> Spread:
    return Spread(round(statistics.median(values), digits), round(min(values), digits), round(max(values), digits))


def summarise(
    windows: Sequence[Window],
    *,
    join_cpu_ms: float,
    kib_per_viewer: float,
    ours: Sequence[Window] = (),
) -> MediaRun:
    """Put the windows of one server with one number of viewers together, and beside ours in the same rounds."""
    spread = {name: _spread([read(window) for window in windows]) for name, read in _COUNTED.items()}
    has_pictures = spread["picture_p50_ms"].max > 0
    if not has_pictures:
        del spread["picture_p50_ms"], spread["picture_p99_ms"]
    return MediaRun(
        viewers=windows[0].viewers,
        packets_per_s=spread["packets_per_s"].median,
        cpu_us_per_packet=spread["cpu_us_per_packet"].median,
        loss=spread["loss"].median,
        p50_ms=spread["p50_ms"].median,
        p99_ms=spread["p99_ms"].median,
        picture_p50_ms=spread["picture_p50_ms"].median if has_pictures else None,
        picture_p99_ms=spread["picture_p99_ms"].median if has_pictures else None,
        server_cpu=spread["server_cpu"].median,
        other_cpu=spread["other_cpu"].median,
        join_cpu_ms=round(join_cpu_ms, 2),
        kib_per_viewer=round(kib_per_viewer, 1),
        windows=len(windows),
        spread=spread,
        ratio=compare(ours, windows),
    )


def compare(ours: Sequence[Window], theirs: Sequence[Window]) -> dict[str, Spread]:
    """Divide ours by theirs, pair by pair. A figure that was not measured in every pair has no ratio."""
    compared: dict[str, Spread] = {}
    for name in COMPARED:
        read = _COUNTED[name]
        pairs = [(read(our), read(their)) for our, their in zip(ours, theirs, strict=False)]
        if pairs and all(our > 0 and their > 0 for our, their in pairs):
            compared[name] = _spread([our / their for our, their in pairs], _DIGITS)
    return compared


class Progress(Struct, frozen=True):
    """How far a measurement is."""

    text: str
    done: int
    total: int


class MediaFigures(Struct, frozen=True, kw_only=True):
    """What `signalreel bench media --json` prints."""

    runs: list[MediaRun]
    peers: dict[str, PeerFigures]
    fan_out: str
    transport: str
    interface: str  #: over which everything went
    cores: int
    packets_per_s: float  #: that each viewer is sent
    window_s: float
    seconds: float  #: that the whole measurement took


class Told(Struct, frozen=True, omit_defaults=True):
    """What the process that measures says: how far it is, and in the end the figures, or why there are none."""

    progress: Progress | None = None
    figures: MediaFigures | None = None
    failed: str = ""
