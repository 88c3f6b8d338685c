"""Many datagrams in one system call, and many packets in one datagram's work: `sendmmsg` with `UDP_SEGMENT`.

Python's `sendmsg` sends one datagram and makes its arguments anew every time, which costs about as much as the kernel
takes for a small packet. Here they lie in memory: laid out once for a row of datagrams, and what differs from one to
the next is written into them. A datagram may be a run of packets of one size for one peer: the kernel takes it through
its stack as a whole and cuts it up at the end (udp(7), `UDP_SEGMENT`).

Linux only. `ROWS_WORK` says whether all of it does here what it should.
"""

import ctypes
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

__all__ = (
    "ADDRESS_BYTES",
    "HEADER_BYTES",
    "ROWS_WORK",
    "RUN_PACKETS_MAX",
    "Datagram",
    "Row",
    "SocketAddress",
    "rows_work",
)

RUN_PACKETS_MAX: Final = 64
"""Packets that the kernel takes as one run (UDP_MAX_SEGMENTS before Linux 6.9)."""

_MESSAGE: Final = struct.Struct("@PIPNPNi0PI0P")  # struct mmsghdr: a struct msghdr, and how much of it was sent
_VECTOR: Final = struct.Struct("@PN")  # struct iovec
_CONTROL: Final = struct.Struct("@NiiH0N")  # struct cmsghdr with its value, as long as CMSG_SPACE makes it
_CONTROL_BYTES: Final = struct.calcsize("@NiiH")
_NAME: Final = struct.Struct("@PI")
_UDP_SEGMENT: Final = 103  # linux/udp.h; Python does not name it

_TEST_TIMEOUT: Final = 0.5
_TEST_SEGMENT: Final = 100

HEADER_BYTES: Final = _MESSAGE.size
ADDRESS_BYTES: Final = _NAME.size
"""A datagram's header begins with where it goes: so many bytes, `SocketAddress.name`."""


def _find() -> Any:  # noqa: ANN401 - a function of the C library
    found = ctypes.CDLL(None, use_errno=True).sendmmsg
    found.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
    found.restype = ctypes.c_int
    return found


_sendmmsg: Any = None
if sys.platform == "linux":
    with suppress(OSError, AttributeError):
        _sendmmsg = _find()


class Datagram(Struct, frozen=True):
    """Where the bytes of one datagram are, and into packets of which size it is cut up; 0 for one that is whole."""

    at: int
    size: int
    segment: int = 0


class SocketAddress:
    """The address of a peer as the kernel reads it. Keeps the memory that `name` points to."""

    __slots__ = ("_memory", "name")

    def __init__(self, host: str, port: int) -> None:
        *_, found = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST, type=socket.SOCK_DGRAM)[0]
        if len(found) == 2:  # noqa: PLR2004 - IPv4: struct sockaddr_in
            packed = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))
        else:  # struct sockaddr_in6
            address = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
            packed = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI16s", port, int(found[2]), address)
            packed += struct.pack("=I", int(found[3]))
        self._memory = ctypes.create_string_buffer(packed, len(packed))
        self.name: Final = _NAME.pack(ctypes.addressof(self._memory), len(packed))


class Row:
    """Datagrams for one system call. Whoever sends a row keeps alive the bytes and the addresses it points to."""

    def __init__(self, datagrams: Sequence[Datagram]) -> None:
        count = len(datagrams)
        self._vectors = bytearray(_VECTOR.size * count)
        self._messages = bytearray(_MESSAGE.size * count)
        segments = sorted({each.segment for each in datagrams} - {0})
        self._controls = bytearray(_CONTROL.size * len(segments))
        controls = {segment: _address(self._controls) + _CONTROL.size * at for at, segment in enumerate(segments)}
        for at, segment in enumerate(segments):
            _CONTROL.pack_into(
                self._controls, _CONTROL.size * at, _CONTROL_BYTES, socket.IPPROTO_UDP, _UDP_SEGMENT, segment
            )
        vectors = _address(self._vectors) if count else 0
        self._at = _address(self._messages) if count else 0
        for at, each in enumerate(datagrams):
            _VECTOR.pack_into(self._vectors, _VECTOR.size * at, each.at, each.size)
            control, length = (controls[each.segment], _CONTROL.size) if each.segment else (0, 0)
            _MESSAGE.pack_into(
                self._messages, _MESSAGE.size * at, 0, 0, vectors + _VECTOR.size * at, 1, control, length, 0, 0
            )
        self.headers: Final = memoryview(self._messages)  #: a datagram's address is written here, at its header
        self.sizes: Final = memoryview(self._vectors).cast("L")[1::2]  #: of the datagrams, to be changed

    def send(self, handle: int, count: int) -> Sequence[tuple[int, int]]:
        """Send the first datagrams of the row; gives those that were not taken, each with its errno."""
        sent: int = _sendmmsg(handle, self._at, count, 0)
        return () if sent == count else self._send_rest(handle, sent, count)

    def _send_rest(self, handle: int, sent: int, count: int) -> list[tuple[int, int]]:
        """Go on after one that was not taken: only a call that begins with it tells why."""
        failures: list[tuple[int, int]] = []
        at = 0
        while True:
            if sent < 0:
                failures.append((at, ctypes.get_errno()))
            at += max(1, sent)
            if at >= count:
                return failures
            sent = _sendmmsg(handle, self._at + _MESSAGE.size * at, count - at, 0)


def _address(buffer: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer)) if buffer else 0


def rows_work() -> bool:
    """Test whether a row that is sent over loopback arrives as the packets it stands for."""
    if _sendmmsg is None:
        return False
    with suppress(Exception):
        return _arrives()
    return False


def _arrives() -> bool:
    whole = bytearray(range(250))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_TEST_TIMEOUT)
        address = SocketAddress(*receiver.getsockname())
        at = _address(whole)
        row = Row((Datagram(at, len(whole), _TEST_SEGMENT), Datagram(at, _TEST_SEGMENT)))
        for index in range(2):
            row.headers[HEADER_BYTES * index : HEADER_BYTES * index + ADDRESS_BYTES] = address.name
        row.sizes[1] = 7
        expected = [whole[:100], whole[100:200], whole[200:], whole[:7]]
        return not row.send(sender.fileno(), 2) and [receiver.recv(512) for _ in expected] == expected


ROWS_WORK: Final = rows_work()
"""The result of the self-test, made when this module is imported."""
