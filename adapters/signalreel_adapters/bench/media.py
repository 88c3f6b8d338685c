"""What forwarding a packet to a viewer costs: `signalreel bench media`.

The server runs in a process of its own, on a core of its own where there are two; a publisher and the viewers in this
one. ICE, DTLS and SRTP are real. All but two viewers have the kernel drop their media after receiving and counting it,
so that the server is the bottleneck and not the load. Each viewer is sent 215 packets a second, 1.55 Mbit/s.

Latency is from the publisher's send to the receipt at the first and the last viewer. Compare figures of one run only.
"""

import asyncio
import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from signalreel_adapters.media.aiortc.measuring.load import MediaRun, measure
from signalreel_adapters.media.aiortc.measuring.server import serve
from signalreel_adapters.media.aiortc.settings import LOOPBACK, AiortcSettings

__all__ = ("VIEWERS", "MediaFigures", "Missing", "bench_media")

VIEWERS: Final = (10, 100, 300)
"""Viewers at each step."""

_WINDOW: Final = 4.0  # seconds that are counted at each step
_SECONDS_MAX: Final = 50.0  # no step begins later
_END_TIMEOUT: Final = 5.0
_FILES_PER_VIEWER: Final = 3

_Progress = Callable[[str], None]


class Missing(Struct, frozen=True):
    """A peer that was not measured."""

    missing: str


class MediaFigures(Struct, frozen=True):
    """What `signalreel bench media --json` prints."""

    runs: list[MediaRun]
    fan_out: str
    transport: str
    cores: int
    peers: dict[str, Missing]


def bench_media(
    progress: _Progress,
    *,
    viewers: Sequence[int] = VIEWERS,
    window: float = _WINDOW,
    fan_out: str = "auto",
    shared_port: bool = True,
) -> MediaFigures:
    """Measure. Without a shared port every peer has sockets of its own, through aioice."""
    _allow_files(max(viewers))
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    settings = AiortcSettings(
        hosts=(LOOPBACK,),
        allow_loopback=True,
        transport="one-port" if shared_port else "port-each",
        fan_out="polite" if fan_out == "polite" else "auto",
        sources_max=4,
    )
    context = multiprocessing.get_context("spawn")
    # Of this kind on every system that has `/proc/net/udp`; typing knows it as another one for Windows.
    pipe: Any = context.Pipe()
    ours, theirs = pipe
    server = context.Process(target=serve, args=(theirs, settings, server_core), daemon=True)
    progress("starting the server")
    server.start()
    theirs.close()
    try:
        _wait_until_ready(ours)
        runs = asyncio.run(
            measure(
                ours, viewers, window=window, until=time.monotonic() + _SECONDS_MAX, core=load_core, progress=progress
            )
        )
        ours.send(("end", ""))
        server.join(_END_TIMEOUT)
    finally:
        if server.is_alive():
            server.kill()
            server.join()
        ours.close()
        os.sched_setaffinity(0, cores)
    return MediaFigures(
        runs=runs,
        fan_out="polite" if fan_out == "polite" else "raw",
        transport="one port, ICE-lite" if shared_port else "aioice",
        cores=len(cores),
        peers=_peers(),
    )


def _wait_until_ready(pipe: Any) -> None:  # noqa: ANN401 - a connection of multiprocessing, which is not subscriptable
    if not pipe.poll(_END_TIMEOUT * 2):
        raise RuntimeError("the server of the measurement did not start")
    pipe.recv()


def _allow_files(viewers: int) -> None:
    """Raise the limit of open files as far as it is ours to raise."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, 256 + _FILES_PER_VIEWER * viewers)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _peers() -> dict[str, Missing]:
    return {
        "janus": Missing("needs a Janus server with the videoroom plugin, which this command does not start"),
        "pion": Missing("needs a Go tool chain and a server of its own"),
        "aiortc_relay": Missing(
            "decodes and encodes for every viewer; needs encoded pictures, which this load has not"
        ),
    }
