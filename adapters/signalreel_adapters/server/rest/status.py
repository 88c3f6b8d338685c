"""The server itself: what runs, how busy it is, and the licence that an operator can suspend."""

from typing import Final

from signalreel.events import LicenceChanged
from signalreel.header import ENGINE_VERSION
from signalreel_adapters.server.rest.services import Services
from signalreel_adapters.server.rest.shapes import Licence, LicenceSwitch, Liveness, SystemStatus, Version
from signalreel_adapters.server.rest.table import Call, Operation

__all__ = (
    "STATUS",
    "get_licence",
    "liveness",
    "switch_licence",
    "system_status",
    "version",
)


async def version(services: Services, call: Call) -> Version:
    """Say what runs."""
    return Version(ENGINE_VERSION)


async def liveness(services: Services, call: Call) -> Liveness:
    """Answer, which is all there is to say. Needs no key; whether the server can be used is told at `/healthz`."""
    return Liveness()


async def system_status(services: Services, call: Call) -> SystemStatus:
    """Tell how busy the server is: load and memory as last measured, beside their limits."""
    environment, settings, load = services.engine.environment, services.engine.settings, services.load
    cpu_percent, free_memory_mb = environment.cpu_percent, environment.free_memory_mb
    if load is not None and load.is_measuring:
        cpu_percent, free_memory_mb = load.cpu_percent, load.free_memory_mb
    return SystemStatus(
        status="ok" if services.runtime.reel_works else "reel unavailable",
        sessions=len(services.engine.sessions()),
        cpu_percent=cpu_percent if free_memory_mb >= 0 else -1,
        free_memory_mb=free_memory_mb,
        cpu_percent_max=settings.cpu_percent_max,
        free_memory_mb_min=settings.free_memory_mb_min,
    )


async def get_licence(services: Services, call: Call) -> Licence:
    """Tell how it stands with the licence."""
    suspended = services.engine.environment.licence_suspended
    return Licence(suspended, "suspended" if suspended else "valid")


async def switch_licence(services: Services, call: Call) -> Licence:
    """Suspend the licence of all apps, or renew it. While it is suspended nothing new is published or played."""
    switch: LicenceSwitch = call.body
    services.runtime.report(LicenceChanged(switch.suspended))
    await services.runtime.idle()
    return await get_licence(services, call)


STATUS: Final = (
    Operation("GET", "version", version, Version),
    Operation("GET", "liveness", liveness, Liveness, is_open=True),
    Operation("GET", "system-status", system_status, SystemStatus),
    Operation("GET", "licence-status", get_licence, Licence),
    Operation("PUT", "licence-status", switch_licence, Licence, body=LicenceSwitch),
)
"""The operations on the server."""
