"""What forwarding a packet to a viewer costs, here and in other servers: `signalreel bench media`.

Each server runs in a process of its own, on a core of its own where there are two; a publisher and the viewers in
another. All are sent the same clip, 720p30 VP8 and Opus, about 212 packets and 1.5 Mbit a second, over the same
interface. ICE, DTLS and SRTP are real. All but two viewers have the kernel drop their media after it has been received
and counted, so that the server is the bottleneck and not the load.

Compare figures of one run only: the servers take turns in it.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from signalreel_adapters.media.aiortc.measuring import run
from signalreel_adapters.media.aiortc.measuring.figures import MediaFigures, Progress, Told
from signalreel_adapters.media.aiortc.measuring.namespace import HOST, inside, why_not
from signalreel_adapters.media.aiortc.measuring.rounds import PEERS, Plan
from signalreel_adapters.media.aiortc.measuring.usage import two_cores
from signalreel_adapters.media.aiortc.settings import LOOPBACK

__all__ = ("PAIRS", "QUICK_PAIRS", "QUICK_VIEWERS", "VIEWERS", "MeasurementFailed", "bench_media")

VIEWERS: Final = (1, 2, 100, 300, 700)
"""Viewers at each step. With one, decoded pictures are timed; two is what a server that encodes for each can take."""

PAIRS: Final = 7
"""Windows of each server in each step."""

QUICK_VIEWERS: Final = (1, 2, 50)
QUICK_PAIRS: Final = 2
_WINDOW: Final = 3.0  # seconds
_QUICK_WINDOW: Final = 1.5
_SECONDS_MAX: Final = 780.0
_END_TIMEOUT: Final = 10.0


class MeasurementFailed(Exception):
    """The server that is measured did not do its part."""


def bench_media(
    progress: Callable[[Progress], None],
    *,
    peers: Sequence[str] = PEERS,
    viewers: Sequence[int] = (),
    pairs: int = 0,
    window: float = 0.0,
    fan_out: str = "auto",
    transport: str = "one-port",
    quick: bool = False,
) -> MediaFigures:
    """Measure. What is left out is chosen: less of it when it is to be quick."""
    refused = why_not()
    server_core, load_core = two_cores()
    plan = Plan(
        host=LOOPBACK if refused else HOST,
        server_core=server_core,
        load_core=load_core,
        interface="loopback" if refused else "veth, in a network namespace of its own",
        peers=() if refused else tuple(peers),
        absent=dict.fromkeys(
            peers if refused else (name for name in PEERS if name not in peers), refused or "left out"
        ),
        viewers=tuple(sorted(set(viewers or (QUICK_VIEWERS if quick else VIEWERS)))),
        pairs=pairs or (QUICK_PAIRS if quick else PAIRS),
        window=window or (_QUICK_WINDOW if quick else _WINDOW),
        seconds_max=_SECONDS_MAX,
        fan_out=fan_out,
        transport=transport,
        cores=len(os.sched_getaffinity(0)),
    )
    command = [sys.executable, "-m", run.__name__, msgspec.json.encode(plan).decode()]
    return _follow(command if refused else inside(command), progress)


def _follow(command: Sequence[str], progress: Callable[[Progress], None]) -> MediaFigures:
    """Run the measurement and hear what it says. Whatever happens, it is over when this returns."""
    measuring = subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        for line in measuring.stdout or ():
            told = msgspec.json.decode(line, type=Told)
            if told.figures is not None:
                return told.figures
            if told.failed:
                raise MeasurementFailed(told.failed)
            if told.progress is not None:
                progress(told.progress)
        raise MeasurementFailed("the measurement ended without figures")
    finally:
        _end(measuring)


def _end(measuring: "subprocess.Popen[bytes]") -> None:
    """Close its stdin, which ends it, and kill it when that does not."""
    for pipe in (measuring.stdin, measuring.stdout):
        if pipe is not None:
            pipe.close()
    try:
        measuring.wait(_END_TIMEOUT)
    except subprocess.TimeoutExpired:
        measuring.kill()
        measuring.wait()
