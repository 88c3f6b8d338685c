"""The rounds of a measurement: every server in its turn, again and again, so that none has the quiet hours alone.

All servers of a step stay up with all their viewers, and one of them at a time has media to forward: ours first in each
round, then the others. What a window of another server is compared with is ours of the same round.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.measuring.clip import Clip, make_clip
from signalreel_adapters.media.aiortc.measuring.figures import (
    MediaFigures,
    MediaRun,
    PeerFigures,
    Progress,
    Window,
    summarise,
)
from signalreel_adapters.media.aiortc.measuring.load import Load
from signalreel_adapters.media.aiortc.measuring.servers.janus import Janus
from signalreel_adapters.media.aiortc.measuring.servers.ours import Ours
from signalreel_adapters.media.aiortc.measuring.servers.pion import Pion
from signalreel_adapters.media.aiortc.measuring.servers.relay import Relay
from signalreel_adapters.media.aiortc.measuring.servers.server import (
    Server,
    ServerFailed,
    Setting,
    Unavailable,
)

__all__ = ("PEERS", "Contestant", "Plan", "Tell", "make_peers", "measure", "takes_part")

PEERS: Final = ("janus", "pion", "aiortc_relay")
"""Who this server can be compared with."""

_FEW: Final = 2
"""What a server that encodes for each viewer can take. With so few, and more than one, only such servers are asked."""

_DEFAULT_MAX: Final = 100
"""Janus as it comes loses half of the packets at 300 viewers; it is measured where it still works."""

_COMPILED_MAX: Final = 300
"""The most viewers for the compiled servers, which have enough with about 350."""

Tell = Callable[[Progress], None]


class Plan(Struct, frozen=True, kw_only=True):
    """What to measure, and where."""

    host: str
    server_core: int | None
    load_core: int | None
    interface: str
    peers: tuple[str, ...]
    absent: dict[str, str] = {}  #: peers that cannot be had, and why
    viewers: tuple[int, ...]
    pairs: int
    window: float
    seconds_max: float  #: no round but the first of a step begins later
    fan_out: str = "auto"
    transport: str = "one-port"
    cores: int = 1


class Contestant:
    """One server with its load, and what was measured of it."""

    def __init__(self, server: Server, *, viewers_max: int | None = None) -> None:
        self.server = server
        self.name = server.name
        self.viewers_max = viewers_max
        self.load: Load | None = None
        self.windows: dict[int, list[Window]] = {}
        self.costs: dict[int, tuple[float, float]] = {}  #: of joining, and of memory
        self.missing = ""
        self.ended = ""

    def check(self) -> None:
        """Raise `ServerFailed` when it cannot be measured any more."""
        if self.missing or self.ended:
            raise ServerFailed(self.missing or self.ended)

    async def start(self, host: str, clip: Clip) -> None:
        """Start the server and its publisher; says in `missing` why not."""
        try:
            await self.server.start()
            self.load = Load(self.server, host, clip)
            await self.load.publish()
        except (Unavailable, ServerFailed, TransportFailed, TimeoutError) as error:
            self.missing = str(error) or "did not take a publisher"
            await self.stop()

    async def grow(self, viewers: int) -> None:
        """Let viewers come; says in `ended` when the server fails."""
        if self.load is None:
            return
        try:
            await self.load.grow(viewers)
        except (ServerFailed, OSError) as error:
            self.ended = str(error)
        self.windows[viewers] = []

    async def measure(self, viewers: int, seconds: float) -> None:
        """Open one window."""
        if self.load is None or self.ended:
            return
        try:
            self.windows[viewers].append(await self.load.window(seconds))
            self.costs[viewers] = self.load.join_cpu_ms, self.load.kib_per_viewer
        except (ServerFailed, OSError) as error:
            self.ended = str(error)

    async def stop(self) -> None:
        """End it and its load."""
        await self.server.stop()
        if self.load is not None:
            await self.load.close()
            self.load = None

    def runs(self, ours: "Contestant | None" = None) -> list[MediaRun]:
        """Summarise, beside ours if it is another."""
        return [
            summarise(
                windows,
                join_cpu_ms=self.costs[viewers][0],
                kib_per_viewer=self.costs[viewers][1],
                ours=ours.windows.get(viewers, ()) if ours is not None else (),
            )
            for viewers, windows in self.windows.items()
            if windows
        ]

    def figures(self, ours: "Contestant") -> PeerFigures:
        """Give what was measured of it beside ours, or why nothing was."""
        runs = self.runs(ours)
        if not runs:
            return PeerFigures(missing=self.missing or self.ended or "takes part in none of these steps")
        return PeerFigures(version=self.server.version, setting=self.server.setting, runs=runs, ended=self.ended)


def make_peers(names: Sequence[str], setting: Setting, steps: Sequence[int]) -> list[Contestant]:
    """Give the servers to compare with, by their names. Janus is there twice: as it is best, and as it comes.

    One that was asked for is there also when it takes part in none of the steps, so that this is told.
    """
    peers: list[Contestant] = []
    if "janus" in names:
        peers.append(Contestant(Janus(setting, event_loops=1), viewers_max=_COMPILED_MAX))
        default = Contestant(Janus(setting, event_loops=0), viewers_max=_DEFAULT_MAX)
        if any(takes_part(default, viewers) for viewers in steps):
            peers.append(default)
    if "pion" in names:
        peers.append(Contestant(Pion(setting), viewers_max=_COMPILED_MAX))
    if "aiortc_relay" in names:
        peers.append(Contestant(Relay(setting), viewers_max=_FEW))
    return peers


def takes_part(peer: Contestant, viewers: int) -> bool:
    """Whether another server is measured with so many viewers."""
    if peer.viewers_max is not None and viewers > peer.viewers_max:
        return False
    return viewers == 1 or (viewers <= _FEW) == peer.server.transcodes


async def measure(plan: Plan, folder: Path, tell: Tell) -> MediaFigures:
    """Measure everything. Raises `ServerFailed` when it is our own server that fails."""
    began = time.monotonic()
    setting = Setting(plan.host, plan.server_core, folder)
    server = Ours(setting, fan_out=plan.fan_out, transport=plan.transport)
    ours = Contestant(server)
    peers = make_peers(plan.peers, setting, plan.viewers)
    everybody = [ours, *peers]
    total = (
        1
        + len(everybody)
        + sum((plan.pairs + 1) * (1 + sum(takes_part(peer, viewers) for peer in peers)) for viewers in plan.viewers)
    )
    done = 0

    def step(text: str) -> None:
        nonlocal done
        tell(Progress(text, done, total))
        done += 1

    try:
        step("making the clip")
        clip = make_clip()
        for each in everybody:
            step(f"starting {each.name}")
            if each is ours or any(takes_part(each, viewers) for viewers in plan.viewers):
                await each.start(plan.host, clip)
        ours.check()
        for at, viewers in enumerate(plan.viewers):
            takers = [ours, *(peer for peer in peers if takes_part(peer, viewers))]
            await _measure_step(takers, plan, viewers, began + plan.seconds_max, step)
            ours.check()
            for peer in peers:
                if not any(takes_part(peer, later) for later in plan.viewers[at + 1 :]):
                    await peer.stop()
    finally:
        for each in everybody:
            await each.stop()
    return MediaFigures(
        runs=ours.runs(),
        peers={peer.name: peer.figures(ours) for peer in peers}
        | {name: PeerFigures(missing=why) for name, why in plan.absent.items()},
        fan_out=server.fan_out,
        transport=plan.transport,
        interface=plan.interface,
        cores=plan.cores,
        packets_per_s=round(clip.packets_per_s, 1),
        window_s=plan.window,
        seconds=round(time.monotonic() - began, 1),
    )


async def _measure_step(
    takers: Sequence[Contestant], plan: Plan, viewers: int, until: float, step: Callable[[str], None]
) -> None:
    for each in takers:
        step(f"{viewers} viewers of {each.name}")
        await each.grow(viewers)
    for pair in range(plan.pairs):
        if pair and time.monotonic() > until:
            return
        for each in takers:
            step(f"{viewers} viewers, pair {pair + 1} of {plan.pairs}, {each.name}")
            await each.measure(viewers, plan.window)
