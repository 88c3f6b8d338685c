"""`signalreel_adapters.runtime.runtime` before it is ready: who comes early is told so, and then served."""

from collections.abc import Iterator
from typing import Any, Self

import anyio
import msgspec
import pytest

from signalreel.commands import Publish
from signalreel.engine import Engine
from signalreel.errors import Divergence
from signalreel.events import (
    AnyEvent,
    ClockAdjusted,
    LicenceChanged,
    LogicRaised,
    ResourcesMeasured,
    RunStarted,
    SessionClosed,
    SessionOpened,
)
from signalreel.header import Header
from signalreel.logic import Catalogue, Flag
from signalreel.record import Input, decode_record
from signalreel.reel import Entry, MemoryReel
from signalreel.refusals import REFUSALS
from signalreel.settings import Settings
from signalreel_adapters import (
    FakeMedia,
    Limits,
    MemoryTransport,
    Runtime,
    RuntimeStopped,
    TransportClosed,
    TurnedAway,
)
from signalreel_adapters.runtime.runtime import first_inputs
from signalreel_adapters.testing import FailingReel, ManualClock
from tests.evidence import EvidenceNotes

pytestmark = pytest.mark.anyio


class HeldMedia(FakeMedia):
    """Media that takes as long to start as the test likes."""

    def __init__(self) -> None:
        super().__init__()
        self.is_starting = anyio.Event()
        self.may_go_on = anyio.Event()

    async def __aenter__(self) -> Self:
        """Wait for the test."""
        self.is_starting.set()
        await self.may_go_on.wait()
        return await super().__aenter__()


class Early:
    """A client whose transport is there before the runtime is."""

    def __init__(self) -> None:
        self.transport = MemoryTransport()

    async def say(self, **message: object) -> None:
        """Send an object."""
        await self.transport.put(msgspec.json.encode(message))

    async def hear(self) -> dict[str, Any]:
        """Wait for the next message."""
        message: dict[str, Any] = msgspec.json.decode(await self.transport.get())
        return message

    async def is_refused_as_early(self) -> dict[str, Any]:
        """Say something, and be told that it is too early."""
        await self.say(command="publish", streamId="s")
        said = await self.hear()
        assert (said["command"], said["definition"], said["streamId"]) == ("error", "not_initialized_yet", "s")
        assert said["information"] == "The server is still starting."
        return said


def inputs(reel: MemoryReel) -> list[Input]:
    """What stands on a reel, besides the setting of its clock: a reel in memory says not when it began."""
    found = [decode_record(entry.record).input for entry in reel.entries()]
    return [input for input in found if not isinstance(input, ClockAdjusted)]


async def test_before_it_is_entered_and_while_it_starts(evidence: EvidenceNotes) -> None:
    """Each command is answered `not_initialized_yet`, a ping by its pong; then the same connection is served."""
    reel, media, client = MemoryReel(), HeldMedia(), Early()
    runtime = Runtime(reel, media=media)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.attach, client.transport)
        evidence.tick("REAL-26", transport="memory", captured=await client.is_refused_as_early())
        await client.say(command="ping")
        assert (await client.hear())["command"] == "pong"

        async def run() -> None:
            async with runtime:
                await anyio.sleep_forever()

        tasks.start_soon(run)
        await media.is_starting.wait()
        states = [runtime.is_ready]
        await client.is_refused_as_early()
        await runtime.idle()  # nothing to wait for yet

        media.may_go_on.set()
        await anyio.wait_all_tasks_blocked()
        states.append(runtime.is_ready)
        await client.say(command="publish", streamId="s")
        assert (await client.hear())["command"] == "start"
        tasks.cancel_scope.cancel()

    assert states == [False, True]
    assert runtime.counters.early == 2
    assert [type(input) for input in inputs(reel)][:2] == [SessionOpened, Publish]


async def test_while_it_brings_back_its_reel() -> None:
    """Recovery gives others their turn, so who comes in the middle of it is answered at once."""
    recorded = MemoryReel()
    async with Runtime(recorded) as runtime:
        for _ in range(10_000):
            runtime.report(LicenceChanged(suspended=False))
        await runtime.idle()

    class Watched(MemoryReel):
        """Tells when it is read."""

        is_read = anyio.Event()

        def entries(self, start: int = 1) -> Iterator[Entry]:
            self.is_read.set()
            return super().entries(start)

    reel, client, answers = Watched(), Early(), list[bool]()
    for seq, entry in enumerate(recorded.entries(), start=1):
        reel.append(seq, entry.record)
    runtime = Runtime(reel)
    async with anyio.create_task_group() as tasks:

        async def come() -> None:
            await reel.is_read.wait()
            tasks.start_soon(runtime.attach, client.transport)
            await client.is_refused_as_early()
            answers.append(runtime.is_ready)

        tasks.start_soon(come)
        async with runtime:
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    assert answers == [False]


async def test_the_order_of_checks_holds() -> None:
    """What is no command, and what names nothing or wrongly, is told so first."""
    client = Early()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Runtime().attach, client.transport)
        for message, definition in (
            ({"command": "publish"}, "noStreamNameSpecified"),
            ({"command": "publish", "streamId": "a/b"}, "invalidStreamName"),
            ({"command": "joinRoom", "room": "r"}, "not_initialized_yet"),
        ):
            await client.say(**message)
            told = await client.hear()
            assert told["definition"] == definition
            assert told.get("room", "r") == "r"
            assert told.get("retryAfterMs") == (REFUSALS[definition].retry_after_ms or None)
            assert ("room" in told) == ("room" in message)
        tasks.cancel_scope.cancel()


async def test_the_former_run_ends_before_early_sessions_begin() -> None:
    """A session that came early is not one of those that the last run left (Contract 14)."""
    reel, client = MemoryReel(), Early()
    async with Runtime(reel) as first:
        first.report(ResourcesMeasured(99, 1))
        await first.idle()
    runtime = Runtime(reel)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.attach, client.transport)
        await client.is_refused_as_early()
        async with runtime:
            await client.say(command="join", streamId="s")
            assert (await client.hear())["definition"] == "joined"

    assert inputs(reel)[1:4] == [RunStarted(), ResourcesMeasured(0, -1), SessionOpened("live")]


async def test_a_licence_stays_suspended_over_a_restart() -> None:
    """What an operator switched stands on the reel; load that was measured is forgotten, for it is another time."""
    reel = MemoryReel()
    async with Runtime(reel) as first:
        first.report(LicenceChanged(suspended=True))
        first.report(ResourcesMeasured(99, 1))
    async with Runtime(reel) as second:
        await second.idle()
        environment = second.engine.environment

    assert environment.licence_suspended
    assert (environment.cpu_percent, environment.free_memory_mb) == (0, -1)


async def test_who_comes_early_is_bounded() -> None:
    """Sessions before the start are counted; beyond the limit they are turned away (1013), and nothing is kept."""
    runtime = Runtime(limits=Limits(early_inputs_max=2))
    for _ in range(2):
        runtime.open_session("live", _Nowhere())

    with pytest.raises(TurnedAway) as refused:
        runtime.open_session("live", _Nowhere())
    assert refused.value.code == 1013


async def test_a_start_that_fails_sends_everyone_away() -> None:
    """Who waited is closed with 1012, the reel is closed, and the error comes out as it is."""
    altered = MemoryReel(Header(Settings()))
    async with Runtime(altered) as runtime:
        runtime.report(LicenceChanged(suspended=True))
    entries = list(altered.entries())

    class Altered(FailingReel):
        """Holds an outcome of another logic."""

        def entries(self, start: int = 1) -> Iterator[Entry]:
            for entry in entries:
                assert entry.outcome is not None
                yield msgspec.structs.replace(entry, outcome=msgspec.structs.replace(entry.outcome, digest=bytes(16)))

    reel, client = Altered(), Early()
    failing = Runtime(reel, clock=ManualClock())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(failing.attach, client.transport)
        await client.is_refused_as_early()
        with pytest.raises(Divergence):
            await failing.__aenter__()
        with pytest.raises(TransportClosed) as end:
            await client.hear()

    assert (end.value.code, reel.is_closed, failing.is_ready) == (1012, True, False)
    with pytest.raises(RuntimeStopped):
        failing.open_session("live", _Nowhere())


async def test_a_start_can_be_broken_off() -> None:
    """Stopping does not wait for a start: who came early is closed with 1012, and cancelling it frees the reel."""
    reel, media, client = FailingReel(), HeldMedia(), Early()
    runtime = Runtime(reel, media=media)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.attach, client.transport)
        tasks.start_soon(runtime.__aenter__)
        await media.is_starting.wait()
        await client.is_refused_as_early()
        await runtime.stop(spread_ms=0, grace_ms=0)
        with pytest.raises(TransportClosed) as end:
            await client.hear()
        tasks.cancel_scope.cancel()

    assert (end.value.code, reel.is_closed) == (1012, True)


async def test_the_end_of_an_early_session_is_recorded() -> None:
    """Who came and went before the start is opened and closed on the reel, and holds nothing."""
    reel = MemoryReel()
    runtime = Runtime(reel)
    runtime.open_session("live", _Nowhere()).closed(1001, "gone")
    async with runtime:
        await runtime.idle()
        assert runtime.engine.sessions() == ()

    assert inputs(reel) == [SessionOpened("live"), SessionClosed(1001, "gone")]


class _Nowhere:
    """A delivery that nobody reads."""

    def send(self, data: bytes) -> None:
        """Drop it."""

    def close(self, code: int, reason: str) -> None:
        """Do nothing."""


async def test_a_run_raises_the_flags_that_its_reel_lacks() -> None:
    """Contract 9: what an older version began goes on by the logic of this one, and the reel says since when."""
    catalogue = Catalogue([Flag(1, "9.1.0", "made up"), Flag(2, "9.2.0", "made up as well")])
    older = Engine(logic=(1,), catalogue=catalogue)
    newer = Engine(catalogue=catalogue)

    def begun(engine: Engine) -> list[AnyEvent | None]:
        return [one.event for one in first_inputs(engine, None, held_records=True, catalogue=catalogue)]

    assert begun(older) == [RunStarted(), LogicRaised(2)]
    assert begun(newer) == [RunStarted()]
