"""A media worker for tests that works, or does not, as its argument says."""

import asyncio
import os
import time

from signalreel_adapters.media.workers.messages import Alive, Begin, Failed, Ready, Unable, encode, to_worker
from signalreel_adapters.processes import Parent, serve_parent

__all__ = ()


async def _serve(parent: Parent) -> None:
    how = parent.arguments[0]
    if how == "dead":
        os._exit(1)

    def take(message: bytes) -> None:
        if isinstance(to_worker.decode(message), Begin):
            parent.send(encode(Unable("nothing is right") if how == "unable" else Ready((7,))))
            if how == "still":
                time.sleep(60)
        else:
            parent.send(encode(Failed()))
            parent.send(encode(Alive()))

    parent.on_message = take
    await parent.listen()
    await asyncio.sleep(0)


if __name__ == "__main__":
    serve_parent(_serve)
