"""How busy the machine is: measured, and reported to the runtime when it crosses a limit of the settings.

    async with Runtime(SqliteReel("calls.reel")) as runtime, ResourceMonitor(runtime):
        ...

`meter` reads what Linux counts, for the container when there is one; `monitor` decides when that is worth a record.
"""

from signalreel_adapters.resources.meter import CannotMeasure, Load, Meter, Reading, SystemMeter
from signalreel_adapters.resources.monitor import ResourceMonitor

__all__ = ("CannotMeasure", "Load", "Meter", "Reading", "ResourceMonitor", "SystemMeter")
