"""`signalreel_adapters.server.rest.status`: the server itself."""

import pytest

from signalreel.events import LicenceChanged, ResourcesMeasured
from signalreel.header import ENGINE_VERSION
from signalreel.record import decode_record
from signalreel.reel import MemoryReel
from tests.adapters.server.rest.scenes import operating

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The interface is Starlette's, served by asyncio."""
    return "asyncio"


async def test_what_runs() -> None:
    """The version of this package, and that it answers."""
    async with operating() as operator:
        assert await operator.get("version") == {"versionName": ENGINE_VERSION, "versionType": "Signalreel"}
        assert await operator.get("liveness") == {"status": "ok"}


async def test_how_busy_it_is() -> None:
    """Nothing before the first measurement; then what was measured, beside the limits."""
    async with operating() as operator:
        before = await operator.get("system-status")
        operator.runtime.report(ResourcesMeasured(cpu_percent=90, free_memory_mb=512))
        await operator.runtime.idle()
        after = await operator.get("system-status")

    assert before == {
        "status": "ok",
        "sessions": 0,
        "cpuPercent": -1,
        "freeMemoryMb": -1,
        "cpuPercentMax": 85,
        "freeMemoryMbMin": 10,
    }
    assert after == before | {"cpuPercent": 90, "freeMemoryMb": 512}


async def test_the_licence_is_switched() -> None:
    """While it is suspended nothing is published; that it was switched is on the reel."""
    reel = MemoryReel()
    async with operating(reel) as operator:
        client = operator.enter()
        said = [await operator.ask("GET", "licence-status")]
        said.append(await operator.ask("PUT", "licence-status", {"suspended": True}))
        await client.send({"command": "publish", "streamId": "s"})
        await client.expect("license_suspended_please_renew_license")
        said.append(await operator.ask("PUT", "licence-status", {"suspended": False}))
        await client.send({"command": "publish", "streamId": "s"})
        await client.expect("start")
        events = [decode_record(entry.record).event for entry in reel.entries()]

    valid, suspended = {"suspended": False, "status": "valid"}, {"suspended": True, "status": "suspended"}
    assert said == [(200, valid), (200, suspended), (200, valid)]
    assert [event.suspended for event in events if isinstance(event, LicenceChanged)] == [True, False]


@pytest.mark.parametrize("body", [{}, {"suspended": "yes"}, {"suspended": None}])
async def test_a_switch_is_one_or_the_other(body: object) -> None:
    """An empty body does not renew a licence."""
    async with operating() as operator:
        status, _ = await operator.ask("PUT", "licence-status", body)

    assert status == 400
