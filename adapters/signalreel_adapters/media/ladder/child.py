"""The encoder of a ladder, as a process: `python -m signalreel_adapters.media.ladder.child`, started by a server.

It listens all the time, also while a picture is worked on: the work is done in a thread, and libav lets go of Python
for most of it.
"""

import asyncio
import os
import resource
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from signalreel_adapters.media.ladder.encoder import Done, LadderEncoder
from signalreel_adapters.media.ladder.messages import PACKET, Counted, Plan, SourceBroken, encode
from signalreel_adapters.media.ladder.pacing import Pacer
from signalreel_adapters.processes import Parent, serve_parent

__all__ = ("Encoding", "serve")

_NICENESS: Final = 2
"""An encoder that is a little late costs its own viewers a picture; a server that is, everybody."""

_MEMORY_BYTES_MAX: Final = 2_147_483_648
"""Of address space: about twice what a picture of 4K and its renditions take. A decoder believes any size."""

_COUNTED_EVERY: Final = 1.0
_PACKET_BYTE: Final = bytes((PACKET,))


class Encoding:
    """One encoder at work, between its parent and its thread."""

    def __init__(self, parent: Parent, plan: Plan) -> None:
        self._parent = parent
        self._loop = asyncio.get_running_loop()
        self._encoder = LadderEncoder(plan)
        self._pacer = Pacer()
        self._thread = ThreadPoolExecutor(1)
        self._job: asyncio.Future[Done] | None = None
        self._turn: asyncio.TimerHandle | None = None
        self._counted: Counted = self._encoder.counted
        self._counted_at = self._loop.time()
        self._is_over = False
        self.failed: asyncio.Future[None] = self._loop.create_future()
        parent.on_message = self.hear
        parent.send(encode(self._counted))

    def hear(self, message: bytes) -> None:
        """Take a message of the parent's."""
        self._encoder.hear(message)
        self._tell()
        self._begin_job()

    def _tell(self) -> None:
        """Ask for a keyframe of the source when one is needed, and say now and then how it goes."""
        if self._encoder.is_broken:
            self._encoder.is_broken = False
            self._parent.send(encode(SourceBroken()))
        now = self._loop.time()
        if now - self._counted_at >= _COUNTED_EVERY and self._encoder.counted != self._counted:
            self._counted, self._counted_at = self._encoder.counted, now
            self._parent.send(encode(self._counted))

    def _begin_job(self) -> None:
        job = self._encoder.next_job() if self._job is None and not self._is_over else None
        if job is not None:
            self._job = self._loop.run_in_executor(self._thread, self._encoder.run, job)
            self._job.add_done_callback(self._end_job)

    def _end_job(self, job: asyncio.Future[Done]) -> None:
        self._job = None
        if job.cancelled() or self._is_over:
            return
        error = job.exception()
        if error is not None:
            # Whatever libav refused to do, a new process is the way out of it; how often is the parent's decision.
            if not self.failed.done():
                self.failed.set_exception(error)
            return
        done = job.result()
        self._encoder.finish(done)
        now = self._loop.time()
        for height, packets in done.packets:
            self._pacer.add(height, packets, done.interval, now)
        self._send()
        self._tell()
        self._begin_job()

    def _send(self) -> None:
        """Send what is due, and come back for the rest."""
        for packet in self._pacer.due(self._loop.time()):
            self._parent.send(_PACKET_BYTE + packet)
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        if self._pacer.next_at is not None:
            self._turn = self._loop.call_at(self._pacer.next_at, self._send)

    def close(self) -> None:
        """Stop; a job in the thread is waited for."""
        self._is_over = True
        if self._turn is not None:
            self._turn.cancel()
        self._thread.shutdown(cancel_futures=True)
        self.failed.cancel()


async def serve(parent: Parent) -> None:
    """Encode until the parent has nothing more to say. Raises what the encoders raise."""
    encoding = Encoding(parent, msgspec.json.decode(parent.arguments[0], type=Plan))
    listening = asyncio.ensure_future(parent.listen())
    try:
        await asyncio.wait((listening, encoding.failed), return_when=asyncio.FIRST_COMPLETED)
        if encoding.failed.done():
            encoding.failed.result()
    finally:
        listening.cancel()
        encoding.close()


if __name__ == "__main__":
    os.nice(_NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    serve_parent(serve)
