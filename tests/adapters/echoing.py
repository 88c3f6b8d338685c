"""A child process for tests: says back what it hears, and does as it is told."""

import asyncio
import os
import signal
import sys
import time

from signalreel_adapters.processes import Parent, serve_parent

__all__ = ()


async def _serve(parent: Parent) -> None:
    def take(message: bytes) -> None:
        match message:
            case b"leave":
                parent.send(b"gone")
                # Ends without a word of Python's, as after a crash, once what was said is with the kernel.
                os._exit(3)
            case b"signals":
                ignored = [signal.getsignal(each) is signal.SIG_IGN for each in (signal.SIGINT, signal.SIGTERM)]
                parent.send(str(ignored).encode())
            case b"environment":
                parent.send(" ".join(sorted(os.environ)).encode())
            case b"loop":
                parent.send(type(asyncio.get_running_loop()).__module__.encode())
            case b"inheritable":
                parent.send(str(os.get_inheritable(int(sys.argv[1]))).encode())
            case b"sleep":
                time.sleep(60)  # deaf: nothing is read meanwhile
            case _:
                parent.send(message)

    def take_files(message: bytes, files: list[int]) -> None:
        for number in files:
            with os.fdopen(number, "wb") as file:
                file.write(message)
        parent.send(b"written")

    parent.on_message = take
    parent.on_files = take_files
    parent.send(" ".join(parent.arguments).encode())
    await parent.listen()
    await asyncio.sleep(0)


if __name__ == "__main__":
    serve_parent(_serve)
