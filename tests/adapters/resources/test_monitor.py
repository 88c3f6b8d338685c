"""`signalreel_adapters.resources.monitor`: what is reported, and when; and clients that are refused for it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import pytest
from structlog.testing import capture_logs

from signalreel.engine import Engine
from signalreel.events import AnyEvent, ResourcesMeasured, SettingsChanged
from signalreel.settings import Settings
from signalreel_adapters import MemoryClient, Runtime
from signalreel_adapters.conformance import Transport
from signalreel_adapters.resources import CannotMeasure, Load, Reading, ResourceMonitor
from signalreel_adapters.testing import ManualClock
from signalreel_adapters.testing.clock import SECOND
from tests.adapters.servers import served
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio

CPUS: Final = 4.0


class PlayedMeter:
    """A machine of four CPUs whose load the test plays. It counts like a real one: what was used up to now."""

    def __init__(self, clock: ManualClock, *, percent: int = 0, free_memory_mb: int = 1_000) -> None:
        self.percent = percent
        self.free_memory_mb = free_memory_mb
        self.breaks = False
        self._clock = clock
        self._used_us = 0.0
        self._since = clock.now()

    def read(self) -> Reading:
        """Count on."""
        if self.breaks:
            raise CannotMeasure("the test took it away")
        now = self._clock.now()
        self._used_us += (now - self._since) * CPUS * self.percent / 100
        self._since = now
        return Reading((Load(0, 1.0), Load(round(self._used_us), CPUS)), self.free_memory_mb)


class Server:
    """What a monitor needs of a runtime; what is reported is known at once."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock = ManualClock()
        self.engine = Engine(settings)
        self.reported: list[AnyEvent] = []

    def report(self, event: AnyEvent) -> None:
        """Keep it."""
        self.reported.append(event)


@asynccontextmanager
async def monitored(
    settings: Settings | None = None, *, percent: int = 0, free_memory_mb: int = 1_000
) -> AsyncGenerator[tuple[Server, PlayedMeter]]:
    """A monitor at work."""
    server = Server(settings)
    meter = PlayedMeter(server.clock, percent=percent, free_memory_mb=free_memory_mb)
    async with ResourceMonitor(server, meter=meter):
        yield server, meter


class TestReporting:
    """Crossing a limit, and wavering about it."""

    async def test_the_average_of_five_seconds_counts(self) -> None:
        """A moment's work is nothing; a load that lasts is reported once."""
        async with monitored() as (server, meter):
            await server.clock.advance(60 * SECOND)
            meter.percent = 100
            await server.clock.advance(4 * SECOND)
            assert server.reported == []
            await server.clock.advance(60 * SECOND)

        assert server.reported == [ResourcesMeasured(100, 1_000)]

    async def test_a_limit_stays_crossed_until_the_load_is_clearly_back(self) -> None:
        """At 85 it is too much; at 81 still; at 79 no more. And then 84 is not too much."""
        async with monitored(percent=85) as (server, meter):
            for percent in (85, 81, 79, 84, 85):
                meter.percent = percent
                await server.clock.advance(10 * SECOND)

        assert server.reported == [
            ResourcesMeasured(85, 1_000),
            ResourcesMeasured(79, 1_000),
            ResourcesMeasured(85, 1_000),
        ]

    async def test_memory_counts_at_once(self) -> None:
        """What is gone is gone: below the limit is too little, and a little above it still is."""
        async with monitored(Settings(free_memory_mb_min=10)) as (server, meter):
            for free in (10, 9, 14, 15, 10):
                meter.free_memory_mb = free
                await server.clock.advance(SECOND)

        assert server.reported == [ResourcesMeasured(0, 9), ResourcesMeasured(0, 15)]

    async def test_while_one_is_back_the_other_stays(self) -> None:
        """Memory that is not clearly back is told as too little, also when it is the CPU that has moved."""
        async with monitored(percent=100) as (server, meter):
            meter.free_memory_mb = 5
            await server.clock.advance(10 * SECOND)
            meter.percent, meter.free_memory_mb = 0, 12
            await server.clock.advance(10 * SECOND)

        cpu_back = server.reported[-1]
        assert isinstance(cpu_back, ResourcesMeasured)
        assert (cpu_back.cpu_percent < 85, cpu_back.free_memory_mb) == (True, 9)

    async def test_a_machine_that_starts_busy_is_not_judged_early(self) -> None:
        """Too little memory is told at once, with a load that no limit is crossed by before it is known."""
        async with monitored(percent=100, free_memory_mb=3) as (server, _):
            await server.clock.advance(SECOND)

        assert server.reported == [ResourcesMeasured(84, 3)]

    @pytest.mark.parametrize("limit", [1, 2, 100])
    async def test_every_limit_can_be_crossed_back(self, limit: int) -> None:
        """Also one that leaves hardly any room below it."""
        async with monitored(Settings(cpu_percent_max=limit), percent=100) as (server, meter):
            await server.clock.advance(10 * SECOND)
            meter.percent = 0
            await server.clock.advance(10 * SECOND)

        loads = [event.cpu_percent for event in server.reported if isinstance(event, ResourcesMeasured)]
        assert len(loads) == 2
        assert loads[0] >= limit > loads[1]

    async def test_no_limit_of_memory_is_never_crossed(self) -> None:
        """A limit of 0 asks for nothing."""
        async with monitored(Settings(free_memory_mb_min=0), free_memory_mb=0) as (server, _):
            await server.clock.advance(10 * SECOND)

        assert server.reported == []

    async def test_what_is_measured_is_shown(self) -> None:
        """Also what is not worth a record."""
        clock = ManualClock()
        meter = PlayedMeter(clock, percent=40, free_memory_mb=77)
        async with ResourceMonitor(Server(), meter=meter, clock=clock, sample_ms=100, samples=2) as monitor:
            await clock.advance(SECOND)

            assert (monitor.is_measuring, monitor.cpu_percent, monitor.free_memory_mb) == (True, 40, 77)


class TestFailing:
    """A system that does not show its load."""

    async def test_it_says_so_and_refuses_nobody(self) -> None:
        """Once, in the log; then it rests."""
        server = Server()
        meter = PlayedMeter(server.clock, percent=100)
        meter.breaks = True
        with capture_logs() as lines:
            async with ResourceMonitor(server, meter=meter) as monitor:
                await server.clock.advance(60 * SECOND)

                assert not monitor.is_measuring
        assert [line["event"] for line in lines] == ["load is not measured, so nobody is refused for it"]
        assert server.reported == []

    async def test_one_that_breaks_off(self) -> None:
        """What was measured before stands; that it is no longer measured is said once."""
        with capture_logs() as lines:
            async with monitored() as (server, meter):
                await server.clock.advance(2 * SECOND)
                meter.breaks = True
                await server.clock.advance(60 * SECOND)

        assert [line["event"] for line in lines] == ["load is no longer measured"]

    def test_there_is_a_sample_and_a_time_between_two(self) -> None:
        """Else it would measure nothing, or nothing else would run."""
        for sample_ms, samples in ((0, 1), (1, 0)):
            with pytest.raises(ValueError, match="at least one sample"):
                ResourceMonitor(Server(), sample_ms=sample_ms, samples=samples)

    async def test_an_error_of_the_body_comes_out_as_it_is(self) -> None:
        """And one that was not entered is left without a word."""
        with pytest.raises(LookupError, match="mine"):
            async with monitored():
                raise LookupError("mine")
        assert await ResourceMonitor(Server()).__aexit__(None, None, None) is None


class Asking(Protocol):
    """A client in memory or over a socket."""

    async def send(self, message: dict[str, object]) -> None:
        """Say something."""
        ...

    async def expect(self, name: str) -> dict[str, Any]:
        """Hear it."""
        ...


async def refused_and_let_in(
    runtime: Runtime, clock: ManualClock, meter: PlayedMeter, client: Asking, notes: EvidenceNotes, transport: Transport
) -> None:
    """Publish and play are refused while the played load lasts, first of CPU and then of memory, and not after it."""
    busy: Final = (("ERR-8a", 100, 1_000), ("ERR-8b", 0, 9))
    for item, percent, free in busy:
        meter.percent, meter.free_memory_mb = percent, free
        await clock.advance(6 * SECOND)
        await runtime.idle()
        for command in ("publish", "play"):
            said: dict[str, object] = {"command": command, "streamId": "s"}
            await client.send(said)
            refused = await client.expect("highResourceUsage")
            assert (refused["command"], refused["streamId"]) == ("error", "s")
            notes.tick(item, transport=transport, captured=refused, said=said)
        meter.percent, meter.free_memory_mb = 0, 1_000
        await clock.advance(6 * SECOND)
        await runtime.idle()
        await client.send({"command": "play", "streamId": "s"})
        await client.expect("no_stream_exist")
        await client.send({"command": "publish", "streamId": f"s-{item}"})
        await client.expect("start")
        await client.send({"command": "stop", "streamId": f"s-{item}"})


class TestEndToEnd:
    """A load that is played, and clients of a real runtime."""

    async def test_in_memory(self, evidence: EvidenceNotes) -> None:
        """Refused while the machine is busy or short of memory, accepted again after."""
        clock = ManualClock()
        meter = PlayedMeter(clock)
        async with (
            Runtime() as runtime,
            ResourceMonitor(runtime, meter=meter, clock=clock),
            MemoryClient(runtime) as client,
        ):
            await refused_and_let_in(runtime, clock, meter, client, evidence, "memory")

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_over_a_websocket(self, evidence: EvidenceNotes) -> None:
        """The same over a socket."""
        clock = ManualClock()
        meter = PlayedMeter(clock)
        async with (
            served() as server,
            ResourceMonitor(server.runtime, meter=meter, clock=clock),
            server.client() as client,
        ):
            await refused_and_let_in(server.runtime, clock, meter, client, evidence, "websocket")

    async def test_the_limits_are_those_of_the_settings_in_force(self) -> None:
        """A limit that is changed while the server runs holds from the next sample on."""
        clock = ManualClock()
        meter = PlayedMeter(clock, percent=50)
        async with Runtime() as runtime, ResourceMonitor(runtime, meter=meter, clock=clock):
            await clock.advance(10 * SECOND)
            loads = [runtime.engine.environment.cpu_percent]
            for limit in (40, 85):
                runtime.report(SettingsChanged(Settings(cpu_percent_max=limit)))
                await runtime.idle()
                await clock.advance(SECOND)
                await runtime.idle()
                loads.append(runtime.engine.environment.cpu_percent)

        assert loads == [0, 50, 50]
