"""Where media is offered at: the addresses of this machine, and UDP ports out of a range.

A firewall is opened for a range; a peer that got a port outside of it could never be reached.
"""

import contextlib
import ipaddress
import random
import socket
from collections.abc import Sequence
from typing import Final

import aioice.ice

from signalreel_adapters.media.aiortc.filter import Address
from signalreel_adapters.media.aiortc.settings import LOOPBACK

__all__ = ("bind_in_range", "machine_hosts", "reached_at")

_SOCKET_BUFFER: Final = 4 << 20
"""Bytes asked for to receive into; the kernel gives what it allows. Pictures arrive in bursts."""


def machine_hosts() -> tuple[str, ...]:
    """Give loopback and every address of this machine. Loopback first: it is found before the slower ones are tried."""
    found = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    return (LOOPBACK, *(host for host in found if host != LOOPBACK))


def reached_at(bound: Sequence[Address], advertised: Sequence[str]) -> list[Address]:
    """Give the addresses under which others reach the sockets, in their order.

    Each advertised address stands for all sockets of its family: which of them the NAT leads to is not ours to know.
    None stands for loopback, unless that is all there is.
    """
    if not advertised:
        return list(bound)
    outside = [address for address in bound if not ipaddress.ip_address(address[0]).is_loopback]
    found = [(host, port) for host in advertised for own, port in outside or bound if (":" in own) == (":" in host)]
    return list(dict.fromkeys(found))


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
