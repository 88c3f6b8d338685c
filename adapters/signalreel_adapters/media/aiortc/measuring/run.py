"""The process that measures: `python -m …measuring.run PLAN`. It prints a line of JSON for each step, and the figures.

It is one of its own because it may have to be in another network than whoever wants the figures. It ends when its stdin
does, and everything that it has started ends with it.
"""

import asyncio
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from signalreel_adapters.media.aiortc.measuring.figures import Told
from signalreel_adapters.media.aiortc.measuring.namespace import HOST, make_interface
from signalreel_adapters.media.aiortc.measuring.rounds import Plan, measure
from signalreel_adapters.media.aiortc.measuring.servers.server import ServerFailed

__all__ = ("main",)

_FILES_MAX: Final = 65_536


def _allow_files() -> None:
    """Raise the limit of open files as far as it is ours to raise: each peer has three, and there are thousands."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_MAX if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _tell(told: Told) -> None:
    os.write(1, msgspec.json.encode(told) + b"\n")


async def _run(plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        loop.add_reader(sys.stdin.fileno(), task.cancel)
    with TemporaryDirectory(prefix="signalreel-bench-") as folder:
        try:
            figures = await measure(plan, Path(folder), lambda progress: _tell(Told(progress=progress)))
            _tell(Told(figures=figures))
        except ServerFailed as error:
            _tell(Told(failed=str(error)))


def main(arguments: list[str]) -> None:
    """Measure what the plan says."""
    plan = msgspec.json.decode(arguments[0], type=Plan)
    _allow_files()
    if plan.host == HOST:
        make_interface()
    if plan.load_core is not None:
        os.sched_setaffinity(0, {plan.load_core})
    with suppress(asyncio.CancelledError):  # whoever wanted the figures is gone
        asyncio.run(_run(plan))


if __name__ == "__main__":
    main(sys.argv[1:])
