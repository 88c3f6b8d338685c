"""Run all tests, in lanes side by side: tests with browsers and servers wait most of the time, the others compute.

python tools/lanes.py    prints how far each lane is, and what it wrote once it is over; fails when a lane does

What is marked `alone` measures something that a busy machine would spoil; it comes last, with nothing beside it. Each
lane is a run of pytest like any other, with its own log and its own cache under `.lanes/`.
"""

import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ("TURNS", "Lane", "main", "progress_of")

ADAPTERS: Final = "tests/adapters"

TURNS: Final[tuple[Mapping[str, tuple[str, ...]], ...]] = (
    {
        "browser": ("-m", "browser and not alone"),
        "adapters": ("-m", "not browser and not alone", ADAPTERS),
        "other": ("-m", "not browser and not alone", f"--ignore={ADAPTERS}"),
    },
    {"alone": ("-m", "alone")},
)
"""Which lanes run side by side, one turn after the other: their names, and what of the tests is in each."""

ROOT: Final = Path(__file__).resolve().parent.parent
LOGS: Final = ROOT / ".lanes"

_LOOK_S: Final = 1.0
_TELL_S: Final = 60.0
_HOW_FAR: Final = re.compile(r"\[ *([0-9]+%)\]$", re.MULTILINE)


class Lane:
    """One run of pytest that writes into a file."""

    def __init__(self, name: str, *arguments: str, logs: Path = LOGS) -> None:
        self.name: Final = name
        self._log: Final = logs / f"{name}.log"
        self._began = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={logs / name}.cache", *arguments]
        with self._log.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603 -- ourselves

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end."""
        return self._process.poll() is not None

    @property
    def failed(self) -> bool:
        """Whether it came to another end than it should. A lane without any test is a mistake too."""
        return self._process.wait() != 0

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def tell(self) -> None:
        """Print all that it wrote. Call it when it is over."""
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        print(f"\n=== lane {self.name}: {minutes} min {seconds} s\n{self.log}", flush=True)


def progress_of(log: str) -> str:
    """Give how far pytest says that it is."""
    found: list[str] = _HOW_FAR.findall(log)
    return found[-1] if found else "0%"


def run(lanes: list[Lane]) -> bool:
    """Wait for all of them; give whether they passed."""
    running, told = list(lanes), time.monotonic()
    while running:
        time.sleep(_LOOK_S)
        for lane in [lane for lane in running if lane.is_over]:
            running.remove(lane)
            lane.tell()
        if running and time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            print(", ".join(f"{lane.name} {progress_of(lane.log)}" for lane in running), flush=True)
    return not any(lane.failed for lane in lanes)


def main() -> int:
    """Run every lane, also when one before it has failed; give the exit code."""
    LOGS.mkdir(exist_ok=True)
    passed = [run([Lane(name, *arguments) for name, arguments in turn.items()]) for turn in TURNS]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
