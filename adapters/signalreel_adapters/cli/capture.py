"""`signalreel capture`: write a flow from real calls, by standing between clients and their server."""

import signal
import sys
from pathlib import Path
from socket import socket
from typing import IO, TYPE_CHECKING, Annotated

import anyio
from anyio.abc import TaskStatus
from cyclopts import Parameter

from signalreel_adapters.cli.media import Port
from signalreel_adapters.cli.mistakes import MissingExtra, Mistake

if TYPE_CHECKING:
    from signalreel_adapters.flows.capture import Capture

__all__ = ("capture",)


def capture(
    *,
    upstream: str,
    output: Annotated[Path, Parameter(alias="-o")],
    host: str = "127.0.0.1",
    port: Port = 0,
) -> int:
    """Relay to a server until Ctrl-C, and write what was said as a flow.

    Parameters
    ----------
    upstream
        The server, as ws://localhost:5080; with a path, every client is led there.
    output
        The flow to write; it must not exist.
    host
        Address to listen on; 0.0.0.0 for every one.
    port
        Port to listen on; 0 for any free one.
    """
    try:
        from signalreel_adapters.flows.capture import Capture  # noqa: PLC0415 - an extra has it
        from signalreel_adapters.server import listen  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise MissingExtra("capture", "server") from error
    try:
        proxy = Capture(upstream)
    except ValueError as error:
        raise Mistake(str(error)) from error
    try:
        bound = listen(host, port)
    except OSError as error:
        raise Mistake(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    with bound, _opened(output) as written:
        try:
            anyio.run(_relay, proxy, bound, upstream)
        finally:
            written.write(proxy.flow(title=f"Recorded in front of {proxy.server}"))
    left_out = f"; {proxy.left_out} more were left out" if proxy.left_out else ""
    print(f"{proxy.messages} messages are in {output}{left_out}", file=sys.stderr)
    return 0


def _opened(output: Path) -> IO[str]:
    """Make the file now: after a long call would be late to learn that it cannot be."""
    try:
        return output.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise Mistake(f"{output} exists already; choose another name with --output") from error
    except OSError as error:
        raise Mistake(f"{output} cannot be written: {error.strerror}") from error


async def _relay(proxy: "Capture", bound: socket, upstream: str) -> None:
    async with anyio.create_task_group() as tasks:

        async def until_signal(*, task_status: TaskStatus[None]) -> None:
            with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                task_status.started()
                async for _ in signals:
                    tasks.cancel_scope.cancel()

        def greet() -> None:
            host, port = bound.getsockname()[:2]
            print(f"Relaying ws://{host}:{port} to {upstream}", flush=True)

        await tasks.start(until_signal)
        await proxy.run(bound, ready=greet)
