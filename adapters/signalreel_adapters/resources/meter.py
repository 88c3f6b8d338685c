"""What the system counts of CPU time and memory, read from the files in which Linux shows it.

A process in a container sees the whole machine's counters, and is throttled or killed by limits that they do not show.
So both are read: the machine (`/proc/stat`, `/proc/meminfo`), and every control group above this process that limits
it, of version 2 (`cpu.max`, `memory.max`) or version 1 (`cpu.cfs_quota_us`, `memory.limit_in_bytes`), whichever is in
use. The tightest one counts.

Memory that only caches files counts as free: the kernel gives it back before anything fails.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from signalreel.errors import SignalreelError

__all__ = (
    "CannotMeasure",
    "Load",
    "Meter",
    "Reading",
    "SystemMeter",
    "available_memory",
    "busy_time",
    "group_paths",
    "keyed_numbers",
    "quota_of",
)

_MICROSECONDS: Final = 1_000_000
_NANOSECONDS_PER_US: Final = 1_000
_KIBIBYTE: Final = 1_024
_MEGABYTE: Final = 1_000_000
_IDLE_COLUMNS: Final = (3, 4)  #: of a line of /proc/stat: idle, and waiting for a disk
_BUSY_COLUMNS: Final = 8  #: user, nice, system, idle, iowait, irq, softirq, steal; guests are in the first two
_V1_LIMIT_MAX: Final = 1 << 60  #: version 1 spells "no limit" as the largest number of pages


class CannotMeasure(SignalreelError):
    """This system does not show its load where we look. `what` names what is missing; refuse nobody, and say so."""

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"the load of this machine cannot be measured: {what}")


class Load(Struct, frozen=True):
    """CPU time used so far, and of how many CPUs at once it could have been. One for each limit that holds."""

    used_us: int
    cpus: float


class Reading(Struct, frozen=True):
    """The counters at one time: what of CPU time each limit has seen, and the megabytes that are still free."""

    loads: tuple[Load, ...]
    free_memory_mb: int


class Meter(Protocol):
    """Reads the counters. Another system's is one of these."""

    def read(self) -> Reading:
        """Give the counters now, quickly. Raises `CannotMeasure` when this system has none."""
        ...


class SystemMeter:
    """The counters of this machine and of the control groups that this process is in."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._proc = root / "proc"
        self._groups = root / "sys" / "fs" / "cgroup"

    def read(self) -> Reading:
        """Give the counters of the machine, and of each limit."""
        stat, memory = self._text("stat"), self._text("meminfo")
        loads = [busy_time(stat)]
        free = [available_memory(memory)]
        paths = group_paths(_text_of(self._proc / "self" / "cgroup"))
        for folder in self._folders(self._groups, paths.get("", "/")):
            loads.extend(_load_v2(folder))
            free.extend(_free_v2(folder))
        for folder in self._folders(self._groups / "cpu", paths.get("cpu", "/")):
            loads.extend(_load_v1(folder, self._groups / "cpuacct" / folder.relative_to(self._groups / "cpu")))
        for folder in self._folders(self._groups / "memory", paths.get("memory", "/")):
            free.extend(_free_v1(folder))
        return Reading(tuple(loads), max(0, min(free)) // _MEGABYTE)

    def _text(self, name: str) -> str:
        text = _text_of(self._proc / name)
        if not text:
            raise CannotMeasure(f"{self._proc / name} is not there to be read")
        return text

    def _folders(self, mount: Path, path: str) -> Iterator[Path]:
        """Give the group's folder and those above it. In a container the group's own may be out of sight."""
        folder = mount / path.lstrip("/")
        while folder != mount and mount in folder.parents:
            yield folder
            folder = folder.parent
        yield mount


# ---- what the files say


def busy_time(stat: str) -> Load:
    """Give the CPU time that the machine has spent on anything, from `/proc/stat`. Raises `CannotMeasure`."""
    lines = [line.split() for line in stat.splitlines() if line.startswith("cpu")]
    cpus = sum(1 for line in lines if line[0] != "cpu")
    try:
        total = next(line for line in lines if line[0] == "cpu")
        columns = [int(column) for column in total[1 : 1 + _BUSY_COLUMNS]]
    except (StopIteration, ValueError):
        raise CannotMeasure("/proc/stat does not say what the CPUs did") from None
    ticks = sum(column for number, column in enumerate(columns) if number not in _IDLE_COLUMNS)
    return Load(ticks * _MICROSECONDS // os.sysconf("SC_CLK_TCK"), float(max(1, cpus)))


def available_memory(meminfo: str) -> int:
    """Give the bytes that can be had without swapping, from `/proc/meminfo`. Raises `CannotMeasure`."""
    available = keyed_numbers(meminfo).get("MemAvailable:")
    if available is None:
        raise CannotMeasure("/proc/meminfo does not say what is available")
    return available * _KIBIBYTE


def group_paths(cgroup: str) -> dict[str, str]:
    """Give the path of this process's group for each controller, from `/proc/self/cgroup`; "" is that of version 2."""
    paths: dict[str, str] = {}
    for line in cgroup.splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon and ".." not in path.split("/"):
            paths.update(dict.fromkeys(controllers.split(","), path))
    return paths


def keyed_numbers(text: str) -> dict[str, int]:
    """Read lines of a name and a number, as in `cpu.stat` and `memory.stat`. What is none is left out."""
    pairs = (line.split()[:2] for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}  # noqa: PLR2004 - a pair


def quota_of(cpu_max: str) -> float | None:
    """Give how many CPUs a group may use at once, from `cpu.max`: a quota and a period; None when it has no limit."""
    parts = cpu_max.split()
    if not parts or not parts[0].isdigit():
        return None
    period = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 100_000
    return int(parts[0]) / period if period else None


def _load_v2(folder: Path) -> Iterator[Load]:
    cpus = quota_of(_text_of(folder / "cpu.max"))
    used = keyed_numbers(_text_of(folder / "cpu.stat")).get("usage_usec")
    if cpus and used is not None:
        yield Load(used, cpus)


def _free_v2(folder: Path) -> Iterator[int]:
    limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
    if limit is not None and used is not None:
        yield limit - used + _cached(folder, "inactive_file")


def _load_v1(folder: Path, accounts: Path) -> Iterator[Load]:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    used = _number(accounts / "cpuacct.usage")
    if quota and period and used is not None:
        yield Load(used // _NANOSECONDS_PER_US, quota / period)


def _free_v1(folder: Path) -> Iterator[int]:
    limit, used = _number(folder / "memory.limit_in_bytes"), _number(folder / "memory.usage_in_bytes")
    if limit is not None and used is not None and limit < _V1_LIMIT_MAX:
        yield limit - used + _cached(folder, "total_inactive_file")


def _cached(folder: Path, name: str) -> int:
    numbers: Mapping[str, int] = keyed_numbers(_text_of(folder / "memory.stat"))
    return numbers.get(name, 0)


def _number(path: Path) -> int | None:
    """Give the number in a file; None when there is no file, or another word in it (`max`, -1)."""
    text = _text_of(path).strip()
    return int(text) if text.isdigit() else None


def _text_of(path: Path) -> str:
    """Read a file; what cannot be read says nothing."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
