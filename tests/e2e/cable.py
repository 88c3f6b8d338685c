"""A cable between the browser and the server, to be cut: TCP connections go through it as they are.

Media goes over UDP and past it, as it does when a proxy in front of a real server is restarted.
"""

import socket
import threading
from contextlib import closing, suppress
from typing import Final, Self, cast

from tests.e2e.server import HOST

__all__ = ("Cable",)

BYTES_MAX: Final = 65_536
BACKLOG: Final = 64


class Cable:
    """A relay to a server's port. Whoever connects to `url` talks to the server."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server((HOST, 0), backlog=BACKLOG)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """What to open instead of the server's own address."""
        return f"http://{HOST}:{cast(int, self._listener.getsockname()[1])}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Close every connection, towards both ends. New ones go through."""
        with self._lock:
            cut = tuple(self._open)
        for end in cut:
            _shut(end)

    def _accept(self) -> None:
        with suppress(OSError):  # The listener was closed: the test is over.
            while True:
                browser, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(browser,), daemon=True).start()

    def _connect(self, browser: socket.socket) -> None:
        with closing(browser), suppress(OSError), socket.create_connection((HOST, self._server_port)) as server:
            ends = {browser, server}
            with self._lock:
                self._open |= ends
            back = threading.Thread(target=_carry, args=(server, browser), daemon=True)
            back.start()
            _carry(browser, server)
            back.join()
            with self._lock:
                self._open -= ends


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes one way until either end is shut, and shut the other one then."""
    with suppress(OSError):
        while some := source.recv(BYTES_MAX):
            target.sendall(some)
    _shut(target)


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
