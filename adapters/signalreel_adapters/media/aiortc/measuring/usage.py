"""What a process has used: CPU time, to the nanosecond, and memory. And which core one runs on. Linux only."""

import asyncio
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ("cpu_seconds", "machine_cpu_seconds", "on_core", "package_version", "resident_kib", "two_cores")

_SCHEDULED: Final = 2  # CPUCLOCK_SCHED: what the scheduler measured, not the ticks of a clock
_PROCESS_BITS: Final = 3
_IDLE_AT: Final = 3  # among the times of /proc/stat; that of waiting for a disk comes next
_STEAL_AT: Final = 7


def cpu_seconds(process: int) -> float:
    """CPU time of another process since it began, those threads included that have ended.

    The id of the clock is made as clock_getcpuclockid(3) makes it; /proc has the same time in steps of 10 ms.
    """
    return time.clock_gettime(~process << _PROCESS_BITS | _SCHEDULED)


def machine_cpu_seconds() -> float:
    """CPU time that all processes of the machine have used since it started, in steps of 10 ms."""
    words = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    used = map(int, words[:_IDLE_AT] + words[_IDLE_AT + 2 : _STEAL_AT + 1])  # neither idle nor waiting for a disk
    return sum(used) / os.sysconf("SC_CLK_TCK")


def resident_kib(process: int) -> int:
    """Memory of a process that is not swapped out, shared pages included."""
    for line in Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def two_cores() -> tuple[int | None, int | None]:
    """Give a core for the server and one for the load; none when there is one only, which is then shared."""
    cores = sorted(os.sched_getaffinity(0))
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


@contextmanager
def on_core(core: int | None) -> Generator[None]:
    """Run on one core meanwhile. What is started meanwhile stays there, with every thread it ever makes."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def package_version(package: str) -> str:
    """Give the version of an installed Debian package; empty where there is no such thing."""
    try:
        asking = await asyncio.create_subprocess_exec(
            "dpkg-query",
            "--show",
            "--showformat=${Version}",
            package,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return ""
    told, _ = await asking.communicate()
    return told.decode() if not asking.returncode else ""
