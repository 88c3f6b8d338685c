"""Whole messages between two processes of this machine, over a socket pair, without ever waiting.

A pipe is one end of an `AF_UNIX` socket of the kind `SOCK_SEQPACKET`: what is sent arrives whole and in order, or the
pipe has ended. The kernel bounds how long one datagram may be, so a longer message travels as several, of which each
but the last says that more follows. An open file, such as the end of another pipe, can go along with a message.

What the other end does not read waits here, up to a bound; beyond it `send` says so, and what becomes of that is the
sender's decision. A message that whoever listens fails at is logged, and those behind it are delivered all the same.
Linux is what this is for; asyncio only.
"""

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from signalreel.errors import SignalreelError
from signalreel_adapters.runtime.log import Log

__all__ = ("MESSAGE_BYTES_MAX", "Pipe", "PipesUnavailable", "socket_pair")

MESSAGE_BYTES_MAX: Final = 16_777_216
"""Largest message. The description of a room of a hundred streams has some 100 000 bytes."""

_WAITING_BYTES_MAX: Final = 8_388_608
"""What may wait for the other end when nobody says otherwise."""

_DATAGRAM_BYTES: Final = 65_536
_BUFFER_BYTES: Final = 1_048_576  # asked for; the kernel gives what it allows
_DATAGRAMS_PER_TURN: Final = 64  # then everybody else in the loop has a turn
_FILES_MAX: Final = 8
_LAST: Final = b"\0"
_MORE: Final = b"\1"

_log: Final = Log("signalreel.pipes")


class PipesUnavailable(SignalreelError):
    """This system has no sockets of the kind that pipes are made of."""

    def __init__(self) -> None:
        super().__init__(f"processes beside this one need Linux, and this is {sys.platform}")


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Make the two ends of a pipe. Raises `PipesUnavailable` where the system has none, `OSError` when out of files."""
    if sys.platform != "linux":
        raise PipesUnavailable
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    return ends


class Pipe:
    """One end. Owns the socket. `on_end` is called once, unless we close it first, after the last message.

    Nothing is heard before `listen`.
    """

    def __init__(
        self,
        end: socket.socket,
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None] = lambda: None,
        *,
        on_files: Callable[[bytes, list[int]], None] | None = None,
        waiting_bytes_max: int = _WAITING_BYTES_MAX,
    ) -> None:
        self.on_message = on_message
        self.on_end = on_end
        self.waiting_bytes = 0  #: of messages that the other end has not made room for yet
        self._on_files = on_files  # takes a message that files came with, and with it the files
        self._socket = end
        self._waiting: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._waiting_bytes_max = waiting_bytes_max
        self._parts: list[bytes] = []
        self._parts_bytes = 0
        self._files: list[int] = []
        self._is_open = True
        self._takes_more = True
        end.setblocking(False)
        self._loop = asyncio.get_running_loop()

    def listen(self) -> None:
        """Hear what the other end says from now on."""
        if self._is_open:
            self._loop.add_reader(self._socket, self._read)

    # ------------------------------------------------------------------------------------------------------- sending

    def can_send(self) -> bool:
        """Whether something that is sent may still arrive."""
        return self._is_open and self._takes_more

    def send(self, message: bytes, files: Sequence[int] = ()) -> bool:
        """Send a message; false when too much is waiting, or the pipe has ended. The files stay the caller's."""
        if not self.can_send() or self.waiting_bytes + len(message) > self._waiting_bytes_max:
            return False
        if len(message) > MESSAGE_BYTES_MAX:
            return False
        whole = len(message) < _DATAGRAM_BYTES
        if whole and not self._waiting and self._put(_LAST + message, files):
            return True
        if not self.can_send():
            return False
        own = tuple(os.dup(number) for number in files)
        starts = range(0, max(len(message), 1), _DATAGRAM_BYTES - 1)
        for at in starts:
            part = message[at : at + _DATAGRAM_BYTES - 1]
            is_last = at == starts[-1]
            self._waiting.append(((_LAST if is_last else _MORE) + part, own if is_last else ()))
        self.waiting_bytes += len(message)
        self._loop.add_writer(self._socket, self._write)
        self._write()
        return True

    def _put(self, datagram: bytes, files: Sequence[int]) -> bool:
        """Hand one datagram to the kernel, if it has room."""
        try:
            if files:
                socket.send_fds(self._socket, [datagram], list(files))
            else:
                self._socket.send(datagram)
        except BlockingIOError:
            return False
        except OSError:
            # Nobody reads any more. What was sent to us before may still be there: reading finds the end.
            self._takes_more = False
            self._drop_waiting()
            return False
        return True

    def _write(self) -> None:
        while self._waiting:
            datagram, files = self._waiting[0]
            if not self._put(datagram, files):
                return
            self._waiting.popleft()
            self.waiting_bytes -= len(datagram) - 1
            for number in files:
                os.close(number)
        if self._is_open:
            self._loop.remove_writer(self._socket)
            if not self._takes_more:
                self._end_sending()

    def _drop_waiting(self) -> None:
        while self._waiting:
            _, files = self._waiting.popleft()
            for number in files:
                os.close(number)
        self.waiting_bytes = 0
        if self._is_open:
            self._loop.remove_writer(self._socket)

    # ----------------------------------------------------------------------------------------------------- receiving

    def _read(self) -> None:
        for _ in range(_DATAGRAMS_PER_TURN):
            if not self._is_open or not self._receive():
                return

    def drain(self) -> None:
        """Take what has arrived, all of it, now: after the other end's process has ended nothing more comes."""
        while self._is_open and self._receive():
            pass

    def _receive(self) -> bool:
        """Take one datagram; false when there is none now, or none any more."""
        files: list[int] = []
        try:
            if self._on_files is None:
                datagram = self._socket.recv(_DATAGRAM_BYTES)
            else:
                datagram, files, _, _ = socket.recv_fds(self._socket, _DATAGRAM_BYTES, _FILES_MAX)
        except BlockingIOError:
            return False
        except OSError:
            datagram = b""
        if not datagram:
            self._end()
            return False
        for number in files:
            os.set_inheritable(number, False)  # not every event loop keeps others from its child processes
        self._files += files
        if datagram[:1] == _MORE:
            self._parts.append(datagram[1:])
            self._parts_bytes += len(datagram)
            if self._parts_bytes > MESSAGE_BYTES_MAX + len(self._parts):
                self._end()
            return self._is_open
        message = datagram[1:]
        if self._parts:
            message = b"".join((*self._parts, message))
            self._parts.clear()
            self._parts_bytes = 0
        self._deliver(message)
        return True

    def _deliver(self, message: bytes) -> None:
        try:
            if self._files and self._on_files is not None:
                received, self._files = self._files, []
                self._on_files(message, received)
            else:
                self.on_message(message)
        except Exception as error:  # noqa: BLE001 - a bug with one message must not cost the others, nor the end
            _log.failure("message of another process not taken", error)

    # ------------------------------------------------------------------------------------------------------- the end

    def finish(self) -> None:
        """Send nothing more. The other end hears so once it has read what waits; what it still says is delivered."""
        if self.can_send():
            self._takes_more = False
            if not self._waiting:
                self._end_sending()

    def _end_sending(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def _end(self) -> None:
        if self._is_open:
            self.close()
            self.on_end()

    def close(self) -> None:
        """Free the socket at once. Nothing is called any more; harmless the second time."""
        if not self._is_open:
            return
        self._drop_waiting()
        self._is_open = False
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for number in self._files:
            os.close(number)
        self._files.clear()
