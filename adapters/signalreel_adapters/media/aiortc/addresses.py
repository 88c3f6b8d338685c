"""Where media is offered at: the addresses of this machine, and UDP ports out of a range.

A firewall is opened for a range; a peer that got a port outside of it could never be reached.
"""

import contextlib
import random
import socket
from typing import Final

import aioice.ice

from signalreel_adapters.media.aiortc.settings import LOOPBACK

__all__ = ("bind_in_range", "machine_hosts")

_SOCKET_BUFFER: Final = 4 << 20
"""Bytes asked for to receive into; the kernel gives what it allows. Pictures arrive in bursts."""


def machine_hosts() -> tuple[str, ...]:
    """Give loopback and every address of this machine. Loopback first: it is found before the slower ones are tried."""
    found = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    return (LOOPBACK, *(host for host in found if host != LOOPBACK))


def bind_in_range(host: str, ports: tuple[int, int]) -> socket.socket | None:
    """Open a UDP socket at an address, on a free port from the first to the last one; `None` when there is none.

    It begins anywhere in the range, so that a port which was just let go is seldom the next one given: what is still
    under way to it is not for whoever comes next.
    """
    first, last = ports
    count = last - first + 1
    start = random.randrange(count)  # noqa: S311 - spreads, and hides nothing
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER)
    for step in range(count):
        with contextlib.suppress(OSError):
            opened.bind((host, first + (start + step) % count))
            return opened
    opened.close()
    return None
