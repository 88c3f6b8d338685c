"""A bad path between the server and one browser: a UDP relay for what the server sends, which comes late, or never."""

import random
import select
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import Final, Self

__all__ = ("Bottleneck", "Line", "LossyLine")

HOST: Final = "127.0.0.1"
DATAGRAM_MAX: Final = 2_048
QUEUE_SECONDS_MAX: Final = 0.4
IDLE_SECONDS: Final = 0.1
BITS: Final = 8


class Line(ABC):
    """Relays between a browser and the server; what becomes of what the server sends is up to the kind of line."""

    def __init__(self) -> None:
        self._near = self._bind()
        self._far = self._bind()
        self._target: tuple[str, int] | None = None
        self._browser: tuple[str, int] | None = None
        self._queue: deque[tuple[float, bytes]] = deque()  # by the time at which it is due
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.dropped = 0
        self.late = 0.0  #: seconds that a datagram has left after it was due, at most: the machine did not let it

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

    def lead_to(self, port: int) -> None:
        """Say at which port the server is."""
        self._target = (HOST, port)

    @abstractmethod
    def due(self, size: int, now: float) -> float | None:
        """When a datagram of the server's of this size arrives; `None` for never."""

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
                self._take(self._far.recv(DATAGRAM_MAX))
            now = time.monotonic()
            while self._queue and self._queue[0][0] <= now and self._browser is not None:
                due, data = self._queue.popleft()
                self.late = max(self.late, now - due)
                self._near.sendto(data, self._browser)

    def _take(self, data: bytes) -> None:
        due = self.due(len(data), time.monotonic())
        if due is None:
            self.dropped += 1
        else:
            self._queue.append((due, data))


class Bottleneck(Line):
    """Carries what the server sends no faster than it was made for: it queues as a slow line does, and drops the rest.

    The delay that its queue makes is what a browser's estimate of its bandwidth follows.
    """

    def __init__(self, bits_per_second: int) -> None:
        super().__init__()
        self._bytes_per_second = bits_per_second / BITS
        self._free_at = 0.0

    def carry(self, bits_per_second: int) -> None:
        """Let so much through from now on."""
        self._bytes_per_second = bits_per_second / BITS

    def due(self, size: int, now: float) -> float | None:
        """Behind all that came before it, unless that is too much."""
        if self._free_at - now > QUEUE_SECONDS_MAX:
            return None
        self._free_at = max(self._free_at, now) + size / self._bytes_per_second
        return self._free_at


class LossyLine(Line):
    """Loses a share of what the server sends, by chance from a seed; and everything, for a while."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._share = 0.0
        self._dark_until = 0.0

    def lose(self, share: float) -> None:
        """Lose so much from now on."""
        self._share = share

    def go_dark(self, seconds: float) -> None:
        """Lose everything for so long."""
        self._dark_until = time.monotonic() + seconds

    def due(self, size: int, now: float) -> float | None:
        """At once, or never."""
        return None if now < self._dark_until or self._chance.random() < self._share else now
