"""The other end of `Lines`: a server of a measurement that is written in Python answers questions from its stdin."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from importlib.util import find_spec
from typing import Any, Final, TextIO

import msgspec

__all__ = ("Handler", "answer_lines", "run_as_served")

_LINE_MAX: Final = 1 << 20
_NO_ANSWER: Final[dict[str, str]] = {}

Handler = Callable[[dict[str, str]], Awaitable[dict[str, str] | None]]


async def answer_lines(handlers: dict[str, Handler], questions: TextIO = sys.stdin, answers: int = 1) -> None:
    """Answer until there are no more questions. Each has the name of its handler in `do`; none waits for another."""
    reader = asyncio.StreamReader(_LINE_MAX)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), questions)
    tasks: set[asyncio.Task[None]] = set()

    async def answer(asked: dict[str, Any]) -> None:
        told: dict[str, Any] = {"id": asked.pop("id")}
        do = str(asked.pop("do"))
        try:
            if do in handlers:
                told |= await handlers[do](asked) or _NO_ANSWER
            else:
                told["error"] = f"what is {do!r}"
        except Exception as error:  # noqa: BLE001 - whoever asked is told, and decides what it means
            told["error"] = f"{type(error).__name__}: {error}"
        os.write(answers, msgspec.json.encode(told) + b"\n")

    try:
        async for line in reader:
            task = loop.create_task(answer(msgspec.json.decode(line)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
    finally:
        transport.close()
        for task in tasks:
            task.cancel()


def run_as_served(main: Coroutine[Any, Any, None]) -> None:
    """Run on the event loop that `signalreel serve` would choose here."""
    factory = None
    if find_spec("uvloop") is not None:
        import uvloop  # noqa: PLC0415 - it need not be installed

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
