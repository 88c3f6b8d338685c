"""A narrow path between the server and one browser: a UDP relay that queues as a slow line does, and drops the rest."""

import select
import socket
import threading
import time
from collections import deque
from typing import Final, Self

__all__ = ("Bottleneck",)

HOST: Final = "127.0.0.1"
DATAGRAM_MAX: Final = 2_048
QUEUE_SECONDS_MAX: Final = 0.4
IDLE_SECONDS: Final = 0.1
BITS: Final = 8


class Bottleneck:
    """Relays what a browser sends at once, and what the server sends no faster than it was made for.

    The delay that its queue makes is what a browser's estimate of its bandwidth follows.
    """

    def __init__(self, bits_per_second: int) -> None:
        self._bytes_per_second = bits_per_second / BITS
        self._near = self._bind()
        self._far = self._bind()
        self._target: tuple[str, int] | None = None
        self._browser: tuple[str, int] | None = None
        self._queue: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.dropped = 0

    @staticmethod
    def _bind() -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind((HOST, 0))
        opened.setblocking(False)
        return opened

    @property
    def port(self) -> int:
        """Where the browser is to send to."""
        return int(self._near.getsockname()[1])

    def carry(self, bits_per_second: int) -> None:
        """Let so much through from now on."""
        self._bytes_per_second = bits_per_second / BITS

    def lead_to(self, port: int) -> None:
        """Say at which port the server is."""
        self._target = (HOST, port)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._ends.set()
        self._thread.join()
        self._near.close()
        self._far.close()

    def _run(self) -> None:
        while not self._ends.is_set():
            wait = self._queue[0][0] - time.monotonic() if self._queue else IDLE_SECONDS
            ready, _, _ = select.select((self._near, self._far), (), (), min(max(wait, 0.0), IDLE_SECONDS))
            if self._near in ready:
                data, self._browser = self._near.recvfrom(DATAGRAM_MAX)
                if self._target is not None:
                    self._far.sendto(data, self._target)
            if self._far in ready:
                self._squeeze(self._far.recv(DATAGRAM_MAX))
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now and self._browser is not None:
                self._near.sendto(self._queue.popleft()[1], self._browser)

    def _squeeze(self, data: bytes) -> None:
        now = time.monotonic()
        if self._free_at - now > QUEUE_SECONDS_MAX:
            self.dropped += 1
            return
        self._free_at = max(self._free_at, now) + len(data) / self._bytes_per_second
        self._queue.append((self._free_at, data))
