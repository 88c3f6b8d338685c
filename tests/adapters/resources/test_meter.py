"""`signalreel_adapters.resources.meter`: what the files of Linux say, for a machine and for a container."""

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from signalreel_adapters.resources import CannotMeasure, Load, Reading, SystemMeter
from signalreel_adapters.resources.meter import available_memory, busy_time, group_paths, keyed_numbers, quota_of

TICK_US: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")
STAT: Final = """\
cpu  100 20 30 4000 500 6 7 8 90 10
cpu0 50 10 15 2000 250 3 4 4 45 5
cpu1 50 10 15 2000 250 3 3 4 45 5
intr 1 2 3
ctxt 4
"""
MEMINFO: Final = "MemTotal: 8000000 kB\nMemFree: 100 kB\nMemAvailable:    2000000 kB\nCached: 5 kB\n"
MACHINE: Final = {"proc/stat": STAT, "proc/meminfo": MEMINFO}
MACHINE_LOAD: Final = Load((100 + 20 + 30 + 6 + 7 + 8) * TICK_US, 2.0)
MACHINE_FREE: Final = 2_000_000 * 1_024 // 1_000_000


def tree(root: Path, files: dict[str, str]) -> SystemMeter:
    """A meter over files of the test's own."""
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return SystemMeter(root)


class TestTexts:
    """One file each."""

    def test_busy_is_all_that_is_not_idle(self) -> None:
        """Waiting for a disk is idle, stolen time is not, and guests are in the user's time already."""
        assert busy_time(STAT) == MACHINE_LOAD

    @pytest.mark.parametrize("text", ["", "cpux", "cpu0 1 2 3", "cpu a b c d"])
    def test_a_machine_that_says_nothing(self, text: str) -> None:
        """It cannot be measured, which is not the same as idle."""
        with pytest.raises(CannotMeasure, match="cannot be measured"):
            busy_time(text)

    def test_available_memory_is_in_kibibytes(self) -> None:
        """What could be had, not what lies idle."""
        assert available_memory(MEMINFO) == 2_000_000 * 1_024
        with pytest.raises(CannotMeasure, match="available"):
            available_memory("MemFree: 100 kB\n")

    def test_paths_of_both_versions(self) -> None:
        """One line for each hierarchy; a path that leads upwards is nobody's."""
        text = "4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/d\n3:pids:/../..\nnonsense\n"

        assert group_paths(text) == {"memory": "/a/b", "cpu": "/c", "cpuacct": "/c", "": "/d"}

    @pytest.mark.parametrize(
        ("text", "cpus"),
        [("150000 100000\n", 1.5), ("50000", 0.5), ("max 100000\n", None), ("", None), ("100 0", None), ("x", None)],
    )
    def test_a_quota_is_so_many_cpus(self, text: str, cpus: float | None) -> None:
        """Time in a period; without one there is no limit."""
        assert quota_of(text) == cpus

    def test_lines_that_are_no_numbers_are_left_out(self) -> None:
        """The kernel adds lines as it likes."""
        assert keyed_numbers("a 1\nb\nc x\n\nd 2 kB\n") == {"a": 1, "d": 2}


class TestMachine:
    """A file tree of the test's own."""

    def test_without_groups_the_machine_counts(self, tmp_path: Path) -> None:
        """As on a machine of one's own."""
        assert tree(tmp_path, MACHINE).read() == Reading((MACHINE_LOAD,), MACHINE_FREE)

    def test_a_container_of_version_2(self, tmp_path: Path) -> None:
        """Its quota is a limit of its own, and its memory what is left of the limit; cached files are free."""
        meter = tree(
            tmp_path,
            MACHINE
            | {
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/cpu.max": "50000 100000\n",
                "sys/fs/cgroup/cpu.stat": "usage_usec 123456\nuser_usec 1\n",
                "sys/fs/cgroup/memory.max": "500000000\n",
                "sys/fs/cgroup/memory.current": "480000000\n",
                "sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 100000000\nactive_file 5\n",
            },
        )

        assert meter.read() == Reading((MACHINE_LOAD, Load(123_456, 0.5)), 120)

    def test_every_group_above_counts(self, tmp_path: Path) -> None:
        """A service may be limited by its slice; the tightest memory limit is told."""
        meter = tree(
            tmp_path,
            MACHINE
            | {
                "proc/self/cgroup": "0::/slice/service\n",
                "sys/fs/cgroup/slice/cpu.max": "100000 100000",
                "sys/fs/cgroup/slice/cpu.stat": "usage_usec 7",
                "sys/fs/cgroup/slice/memory.max": "300000000",
                "sys/fs/cgroup/slice/memory.current": "100000000",
                "sys/fs/cgroup/slice/service/cpu.max": "max 100000",
                "sys/fs/cgroup/slice/service/memory.max": "250000000",
                "sys/fs/cgroup/slice/service/memory.current": "0",
                "sys/fs/cgroup/elsewhere/memory.max": "1",
                "sys/fs/cgroup/elsewhere/memory.current": "1",
            },
        )

        assert meter.read() == Reading((MACHINE_LOAD, Load(7, 1.0)), 200)

    def test_a_container_of_version_1(self, tmp_path: Path) -> None:
        """Times are in nanoseconds there, and the group's own folder may be out of sight."""
        meter = tree(
            tmp_path,
            MACHINE
            | {
                "proc/self/cgroup": "4:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/cpuacct/cpuacct.usage": "5000000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "90000000",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "85000000",
                "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 1000000\n",
            },
        )

        assert meter.read() == Reading((MACHINE_LOAD, Load(5_000, 2.0)), 6)

    def test_version_1_without_limits(self, tmp_path: Path) -> None:
        """No limit is spelled as -1 there, and as the largest number there is."""
        meter = tree(
            tmp_path,
            MACHINE
            | {
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
                "sys/fs/cgroup/cpuacct/cpuacct.usage": "5000000",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "85000000",
            },
        )

        assert meter.read() == Reading((MACHINE_LOAD,), MACHINE_FREE)

    def test_more_used_than_there_is(self, tmp_path: Path) -> None:
        """A group that is about to be killed has nothing free, and not less."""
        files = {"sys/fs/cgroup/memory.max": "5", "sys/fs/cgroup/memory.current": "9000000"}

        assert tree(tmp_path, MACHINE | files).read().free_memory_mb == 0

    def test_another_system_says_that_it_cannot(self, tmp_path: Path) -> None:
        """Without the files of Linux nothing is made up."""
        with pytest.raises(CannotMeasure, match="is not there to be read"):
            SystemMeter(tmp_path).read()

    @pytest.mark.parametrize("system", [sys.platform])
    def test_this_machine(self, system: str) -> None:
        """On Linux there is a reading; elsewhere it is said that there is none."""
        if system != "linux":
            with pytest.raises(CannotMeasure):
                SystemMeter().read()
            return
        first, second = SystemMeter().read(), SystemMeter().read()

        assert first.loads[0].cpus >= 1
        assert second.loads[0].used_us >= first.loads[0].used_us > 0
