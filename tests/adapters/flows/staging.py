"""Flows in tests: short ones written in place, and those of the specifications, on every stage."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio

from signalreel_adapters.flows import Flow, parse_flow
from signalreel_adapters.flows.hosting import hosted
from signalreel_adapters.flows.websocket import WebSocketStage
from signalreel_adapters.server import listen, serve
from tests.repository import ROOT

__all__ = ("SPECIFIED", "flow_of", "read", "socket_stage")

SPECIFIED: Final = sorted((ROOT / "specs" / "flows").glob("*.flow"))
"""The flows of the specifications."""


def flow_of(*lines: str) -> Flow:
    """Parse the lines below a header, as `test.flow`."""
    return parse_flow("\n".join(["flow: test", *lines]), file="test.flow", app="test")


def read(path: Path) -> Flow:
    """Parse a file."""
    return parse_flow(path.read_text(encoding="utf-8"), file=str(path.relative_to(ROOT)), app=path.stem)


@asynccontextmanager
async def socket_stage(flow: Flow, *, path: str = "", quiet_s: float = 0.05) -> AsyncGenerator[WebSocketStage]:
    """Run a server on a free port, as the flow's header asks for, with a hand on it."""
    listens = anyio.Event()
    with listen("127.0.0.1", 0) as bound:
        async with hosted(flow) as host, anyio.create_task_group() as tasks:

            async def run() -> None:
                await serve(host.runtime, bound, ready=listens.set, heed_signals=False)

            tasks.start_soon(run)
            await listens.wait()
            try:
                yield WebSocketStage(f"ws://127.0.0.1:{bound.getsockname()[1]}{path}", host=host, quiet_s=quiet_s)
            finally:
                tasks.cancel_scope.cancel()
