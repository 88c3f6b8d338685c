"""Putting load on a server and measuring it: more viewers at each step, then a quiet window in which all is counted."""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

from aiortc import RTCCertificate
from msgspec import Struct

from signalreel.commands import AnyCommand, Play, Publish, TakeConfiguration
from signalreel.messages import Description, Notification
from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.measuring.kernel import arrived
from signalreel_adapters.media.aiortc.measuring.peers import LoadPublisher, LoadViewer

__all__ = ("MediaRun", "measure")

_STREAM: Final = "load"
_SET_UP_AT_ONCE: Final = 8
_ANSWER_TIMEOUT: Final = 10.0
_JOIN_TIMEOUT: Final = 10.0
_SETTLE: Final = 1.0  # seconds after the last viewer has come, before anything is counted
_MILLISECOND: Final = 1e6  # in nanoseconds


class MediaRun(Struct, frozen=True):
    """One step of a measurement."""

    viewers: int
    packets_per_s: float  #: that arrived, over all viewers
    cpu_us_per_packet: float  #: CPU time of the server for each packet that arrived
    loss: float  #: share of the packets that did not arrive
    p50_ms: float  #: from the publisher's send to a probe's receive
    p99_ms: float
    server_cpu: float  #: share of one core
    join_cpu_ms: float  #: CPU time of the server for one viewer's coming


class _Driver:
    """Speaks to the server through the pipe."""

    def __init__(self, pipe: "Connection[Any, Any]") -> None:
        self._pipe = pipe
        self._waiting: dict[tuple[str, str], asyncio.Future[Any]] = {}
        self._sessions = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(pipe.fileno(), self._hear)

    def close(self) -> None:
        self._loop.remove_reader(self._pipe.fileno())

    def _hear(self) -> None:
        with suppress(EOFError):
            while self._pipe.poll():
                word, what = self._pipe.recv()
                if word == "message":
                    session, message = what
                    if isinstance(message, Description):
                        self._settle((session, "description"), message.sdp)
                    elif isinstance(message, Notification):
                        self._settle((session, message.definition), None)
                else:
                    self._settle((word, ""), what)

    def _settle(self, key: tuple[str, str], value: object) -> None:
        future = self._waiting.pop(key, None)
        if future is not None and not future.done():
            future.set_result(value)

    async def ask(self, word: str, what: object, key: tuple[str, str]) -> Any:  # noqa: ANN401 - whatever was asked for
        """Say something to the server and wait for what it answers."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[key] = future
        if word:
            self._pipe.send((word, what))
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            return await future

    def open(self) -> str:
        """Open a session; gives its name."""
        self._sessions += 1
        session = f"session-{self._sessions}"
        self._pipe.send(("open", session))
        return session

    def say(self, session: str, command: AnyCommand) -> None:
        """Say a client's command."""
        self._pipe.send(("say", (session, command)))


async def measure(
    pipe: "Connection[Any, Any]",
    steps: Sequence[int],
    *,
    window: float,
    until: float,
    core: int | None,
    progress: Callable[[str], None],
) -> list[MediaRun]:
    """Measure at each number of viewers. A step that could not begin before `until` (monotonic time) is left out."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    driver = _Driver(pipe)
    certificate = RTCCertificate.generateCertificate()
    publisher = LoadPublisher(certificate)
    viewers: list[LoadViewer] = []
    sending: asyncio.Task[None] | None = None
    try:
        sending = await _publish(driver, publisher)
        runs: list[MediaRun] = []
        for step in steps:
            if time.monotonic() > until:
                break
            progress(f"{step} viewers")
            before = await driver.ask("cpu", "", ("cpu", ""))
            coming = step - len(viewers)
            await _join(driver, certificate, viewers, step)
            joined = await driver.ask("cpu", "", ("cpu", ""))
            gc.collect()
            await asyncio.sleep(_SETTLE)
            runs.append(await _count(driver, viewers, window, (joined - before) / max(1, coming)))
        return runs
    finally:
        if sending is not None:
            sending.cancel()
        await asyncio.gather(*(viewer.transport.close() for viewer in viewers), publisher.transport.close())
        driver.close()


async def _publish(driver: _Driver, publisher: LoadPublisher) -> asyncio.Task[None]:
    session = driver.open()
    driver.say(session, Publish(stream_id=_STREAM))
    command = TakeConfiguration(stream_id=_STREAM, type="offer", sdp=await publisher.offer())
    answer = await driver.ask("say", (session, command), (session, "description"))
    live = asyncio.ensure_future(driver.ask("", "", (session, "publish_started")))
    await publisher.connect(answer)
    sending = asyncio.create_task(publisher.run())
    await live
    return sending


async def _join(driver: _Driver, certificate: RTCCertificate, viewers: list[LoadViewer], count: int) -> None:
    """Let viewers come until there are `count`, fewer when some fail. The first is a probe, and so is the last."""
    room = asyncio.Semaphore(_SET_UP_AT_ONCE)

    async def come(number: int) -> None:
        viewer = LoadViewer(certificate, probe=number == 0 or number == count - 1)
        try:
            async with room, asyncio.timeout(_JOIN_TIMEOUT):
                await _play(driver, viewer)
        except (TransportFailed, TimeoutError):
            await viewer.transport.close()
        else:
            viewers.append(viewer)

    await asyncio.gather(*(come(number) for number in range(len(viewers), count)))


async def _play(driver: _Driver, viewer: LoadViewer) -> None:
    session = driver.open()
    offer = await driver.ask("say", (session, Play(stream_id=_STREAM)), (session, "description"))
    driver.say(session, TakeConfiguration(stream_id=_STREAM, type="answer", sdp=await viewer.answer(offer)))
    await viewer.play(offer)


async def _count(driver: _Driver, viewers: list[LoadViewer], window: float, join_cpu: float) -> MediaRun:
    probes = [viewer for viewer in viewers if viewer.probe]
    ports = [viewer.port for viewer in viewers if not viewer.probe]
    for probe in probes:
        probe.restart()
    counted, started, cpu = arrived(ports), time.monotonic(), await driver.ask("cpu", "", ("cpu", ""))
    await asyncio.sleep(window)
    counted_after, passed = arrived(ports), time.monotonic() - started
    cpu = await driver.ask("cpu", "", ("cpu", "")) - cpu
    by_kernel = sum(counted_after[port] - counted[port] for port in ports)
    by_probes = sum(probe.packets for probe in probes)
    of_one = sum(probe.expected() for probe in probes) / len(probes)
    total, expected = by_kernel + by_probes, of_one * len(viewers)
    latencies = sorted(latency for probe in probes for latency in probe.latencies)
    return MediaRun(
        viewers=len(viewers),
        packets_per_s=round(total / passed, 1),
        cpu_us_per_packet=round(cpu * 1e6 / max(1, total), 2),
        loss=round(max(0.0, 1 - total / max(1.0, expected)), 5),
        p50_ms=_percentile(latencies, 0.5),
        p99_ms=_percentile(latencies, 0.99),
        server_cpu=round(cpu / passed, 3),
        join_cpu_ms=round(join_cpu * 1e3, 2),
    )


def _percentile(ordered: list[int], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / _MILLISECOND, 3) if ordered else 0.0
