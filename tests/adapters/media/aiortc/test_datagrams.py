"""Rows of datagrams over real sockets: what the kernel makes of what lies in memory."""

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from signalreel_adapters.media.aiortc.datagrams import (
    ADDRESS_BYTES,
    HEADER_BYTES,
    ROWS_WORK,
    RUN_PACKETS_MAX,
    Datagram,
    Row,
    SocketAddress,
    rows_work,
)
from signalreel_adapters.media.aiortc.transport import ffi

TIMEOUT = 2.0


class Net:
    """A sender, receivers, and memory to send from."""

    def __init__(self, host: str, count: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.stack = ExitStack()
        self.sender = self.stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        self.receivers = [self.stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(count)]
        for receiver in self.receivers:
            receiver.bind((host, 0))
            receiver.settimeout(TIMEOUT)
        self.addresses = [SocketAddress(*receiver.getsockname()[:2]) for receiver in self.receivers]
        self.memory = ffi.new("char[]", bytes(range(256)) * 256)
        self.start = int(ffi.cast("uintptr_t", self.memory))

    def row(self, *datagrams: tuple[int, int, int]) -> Row:
        """Lay out datagrams: offset, size, segment; they go to the receivers by turns."""
        row = Row([Datagram(self.start + at, size, segment) for at, size, segment in datagrams])
        for index in range(len(datagrams)):
            name = self.addresses[index % len(self.addresses)].name
            row.headers[HEADER_BYTES * index : HEADER_BYTES * index + ADDRESS_BYTES] = name
        return row


@pytest.fixture(params=["127.0.0.1", "::1"])
def net(request: pytest.FixtureRequest) -> Iterator[Net]:
    """Two receivers, in each family."""
    net = Net(request.param, 2)
    with net.stack:
        yield net


def test_each_datagram_goes_where_its_header_says(net: Net) -> None:
    """One call, two peers, and runs beside single packets."""
    row = net.row((0, 100, 0), (100, 250, 100), (7, 3, 0))
    data = bytes(range(256)) * 2

    assert not row.send(net.sender.fileno(), 3)
    assert [net.receivers[0].recv(512) for _ in range(2)] == [data[:100], data[7:10]]
    assert [net.receivers[1].recv(512) for _ in range(3)] == [data[100:200], data[200:300], data[300:350]]


def test_only_the_first_ones_are_sent_when_only_they_are_meant(net: Net) -> None:
    """A row is laid out for many viewers, and the last of them do not fill it."""
    row = net.row((0, 1, 0), (1, 1, 0), (2, 1, 0))
    row.sizes[0] = 5

    assert not row.send(net.sender.fileno(), 1)
    assert not net.row((9, 1, 0)).send(net.sender.fileno(), 1)
    assert [net.receivers[0].recv(512) for _ in range(2)] == [bytes(range(5)), b"\x09"]


def test_one_that_is_not_taken_does_not_keep_back_the_others(net: Net) -> None:
    """The kernel stops at the first that fails; it is told of, with the reason, and the rest is sent."""
    row = net.row((0, 1, 0), (0, 65_530, 100), (1, 1, 0), (0, 65_530, 100), (2, 1, 0))

    assert row.send(net.sender.fileno(), 5) == [(1, errno.EMSGSIZE), (3, errno.EMSGSIZE)]
    assert [net.receivers[0].recv(512) for _ in range(3)] == [b"\x00", b"\x01", b"\x02"]


def test_a_run_has_as_many_packets_as_the_kernel_takes(net: Net) -> None:
    """All of them arrive, in their places."""
    assert not net.row((0, 4 * RUN_PACKETS_MAX, 4)).send(net.sender.fileno(), 1)
    data = bytes(range(256))
    assert [net.receivers[0].recv(512) for _ in range(RUN_PACKETS_MAX)] == [
        data[at : at + 4] for at in range(0, 4 * RUN_PACKETS_MAX, 4)
    ]


def test_a_closed_socket_takes_nothing() -> None:
    """Its number is gone with it: nothing can go out through a socket that was opened since."""
    net = Net("127.0.0.1", 1)
    with net.stack:
        row = net.row((0, 1, 0), (0, 1, 0))
        net.sender.close()

        assert row.send(net.sender.fileno(), 2) == [(0, errno.EBADF), (1, errno.EBADF)]


def test_an_address_must_be_numeric() -> None:
    """No name is looked up on the way to a viewer."""
    with pytest.raises(OSError, match="not known"):
        SocketAddress("localhost", 1)


def test_the_self_test_passes_here() -> None:
    """With this kernel and this C library; where it does not, packets are sent one by one."""
    assert ROWS_WORK
    assert rows_work()
