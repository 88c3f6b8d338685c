"""Load on one server: a publisher, more and more viewers, and windows in which everything is counted.

A window begins and ends in silence: the publisher sends the clip from its keyframe on and stops, and what has not
arrived soon after is lost. So loss is exact, and CPU time is that of exactly these packets.
"""

import asyncio
import gc
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiortc import RTCCertificate

from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.measuring.clip import Clip
from signalreel_adapters.media.aiortc.measuring.figures import Window, percentile
from signalreel_adapters.media.aiortc.measuring.kernel import arrived
from signalreel_adapters.media.aiortc.measuring.peers import LoadPublisher, LoadViewer
from signalreel_adapters.media.aiortc.measuring.pictures import PictureReader
from signalreel_adapters.media.aiortc.measuring.servers.server import Server, ServerFailed
from signalreel_adapters.media.aiortc.measuring.usage import cpu_seconds, machine_cpu_seconds, resident_kib

__all__ = ("WARM_UP", "Load")

WARM_UP: Final = 0.5
"""Seconds at the start of a window that are not in its latencies: its keyframe is sent then, many packets at once."""

_SET_UP_AT_ONCE: Final = 8
_JOIN_TIMEOUT: Final = 20.0
_CONNECT_TIMEOUT: Final = 10.0
_FIRST_MEDIA: Final = 1.0  # seconds of media for whoever has just come, before anything is counted
_DRAIN_PAUSE: Final = 0.15
_DRAIN_MAX: Final = 2.0
_REPORT_SLICES: Final = 20  # in a second


class Load:
    """The load on one server. `publish` first, then let viewers come, and open windows."""

    def __init__(self, server: Server, host: str, clip: Clip) -> None:
        self.server = server
        self.viewers: list[LoadViewer] = []
        self.join_cpu_ms = 0.0  #: CPU time of the server for each of the viewers that came last
        self._host = host
        self._certificate = RTCCertificate.generateCertificate()
        self._publisher = LoadPublisher(host, self._certificate, clip)
        self._empty_kib = 0

    async def publish(self) -> None:
        """Connect the publisher and wait until the server takes viewers."""
        answer = await self.server.publish(await self._publisher.offer())
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            await self._publisher.connect(answer)
        sending = asyncio.create_task(self._publisher.send(_CONNECT_TIMEOUT))
        try:
            await self.server.live()
            await asyncio.sleep(_FIRST_MEDIA)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        self._empty_kib = resident_kib(self.server.process)

    async def grow(self, count: int) -> None:
        """Let viewers come until there are `count`. The first and the last are probes."""
        coming = count - len(self.viewers)
        if coming <= 0:
            return
        for viewer in self.viewers[1:]:
            viewer.stop_probing()
        before = cpu_seconds(self.server.process)
        if not self.viewers:
            self.viewers.append(await self._join(probe=True))
        # Decoding costs the load more than all the rest, so it is done where that is little. A reader that has had its
        # keyframe goes on: nobody sends it another one.
        if count > 1 and not self.server.transcodes:
            self.viewers[0].pictures = None
        elif self.viewers[0].pictures is None:
            self.viewers[0].pictures = PictureReader()
        room = asyncio.Semaphore(_SET_UP_AT_ONCE)

        async def come() -> None:
            async with room:
                self.viewers.append(await self._join(probe=False))

        await asyncio.gather(*(come() for _ in range(len(self.viewers), count - 1)))
        if len(self.viewers) < count:
            self.viewers.append(await self._join(probe=True))
        self.join_cpu_ms = (cpu_seconds(self.server.process) - before) / coming * 1e3
        gc.collect()
        gc.freeze()
        sending = asyncio.create_task(self._publisher.send(_FIRST_MEDIA))
        for viewer in self.viewers[-coming:]:
            viewer.ask_for_keyframe()
        await sending

    async def _join(self, *, probe: bool) -> LoadViewer:
        viewer = LoadViewer(self._host, self._certificate, self._publisher.log, probe=probe)
        try:
            async with asyncio.timeout(_JOIN_TIMEOUT):
                name, offer = await self.server.play()
                await self.server.accept(name, await viewer.answer(offer))
                await viewer.connect()
        except (TransportFailed, TimeoutError) as error:
            await viewer.close()
            raise ServerFailed(f"{self.server.name} did not let a viewer in") from error
        return viewer

    @property
    def kib_per_viewer(self) -> float:
        """Memory that the server has taken since the first viewer came, for each of them."""
        return (resident_kib(self.server.process) - self._empty_kib) / max(1, len(self.viewers))

    async def window(self, seconds: float) -> Window:
        """Send for so long, and count."""
        probes = [viewer for viewer in self.viewers if viewer.probe]
        ports = [viewer.port for viewer in self.viewers if not viewer.probe]
        reporting = asyncio.create_task(self._report())
        process, started = self.server.process, time.monotonic()
        for probe in probes:
            probe.recount()
        sent, cpu, others = self._publisher.sent, cpu_seconds(process), _others(process)
        by_kernel = arrived(ports)
        sending = asyncio.create_task(self._publisher.send(seconds))
        try:
            await asyncio.sleep(min(WARM_UP, seconds / 2))
            for probe in probes:
                probe.forget_times()
            await sending
            passed = time.monotonic() - started
            await self._drain(ports)
        finally:
            for task in (sending, reporting):
                task.cancel()
            await asyncio.gather(sending, reporting, return_exceptions=True)
        counted = sum(number - by_kernel[port] for port, number in arrived(ports).items())
        whole, last = self._picture_ages()
        of_packets = sorted(latency for probe in probes for latency in probe.latencies)
        latencies = last if self.server.transcodes else of_packets
        shown = whole if len(self.viewers) == 1 else []
        published = self._publisher.sent - sent
        if self.server.transcodes:  # it sends packets of its own
            published = sum(probe.numbered() for probe in probes) // len(probes)
        return Window(
            viewers=len(self.viewers),
            seconds=passed,
            arrived=counted + sum(probe.packets for probe in probes),
            expected=published * len(self.viewers),
            cpu_s=cpu_seconds(process) - cpu,
            other_cpu=max(0.0, (_others(process) - others) / (time.monotonic() - started)),
            p50_ms=percentile(latencies, 0.5),
            p99_ms=percentile(latencies, 0.99),
            picture_p50_ms=percentile(shown, 0.5),
            picture_p99_ms=percentile(shown, 0.99),
        )

    def _picture_ages(self) -> tuple[list[int], list[int]]:
        """How old pictures were once the first viewer had decoded them, and when their last packet came; in order."""
        reader, sent = self.viewers[0].pictures, self._publisher.log.pictures
        shown = [each for each in reader.shown if each.number in sent] if reader is not None else []
        return (
            sorted(each.decoded - sent[each.number] for each in shown),
            sorted(each.arrived - sent[each.number] for each in shown),
        )

    async def _drain(self, ports: Sequence[int]) -> None:
        """Wait until nothing more arrives."""
        last = -1
        until = time.monotonic() + _DRAIN_MAX
        while time.monotonic() < until:
            await asyncio.sleep(_DRAIN_PAUSE)
            now = sum(arrived(ports).values()) + sum(viewer.packets for viewer in self.viewers if viewer.probe)
            if now == last:
                return
            last = now

    async def _report(self) -> None:
        """Have every viewer report once a second, evenly."""
        for slice_ in range(1 << 30):
            await asyncio.sleep(1 / _REPORT_SLICES)
            for viewer in self.viewers[slice_ % _REPORT_SLICES :: _REPORT_SLICES]:
                viewer.report()

    async def close(self) -> None:
        """Let everybody go. The server may be gone already."""
        with suppress(TransportFailed, OSError):
            await asyncio.gather(*(viewer.close() for viewer in self.viewers), self._publisher.close())


def _others(server: int) -> float:
    """CPU time of every process but the server and the load."""
    return machine_cpu_seconds() - cpu_seconds(server) - time.process_time()
