"""Viewers that cost nothing: the kernel receives their media, counts it and drops it.

A load generator that decrypted every packet would be the bottleneck long before the server is. A socket filter lets
through what keeps a connection alive, and every packet that it drops is still counted as one that arrived. Linux only.
"""

import ctypes
import socket
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ("arrived", "drop_media")

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h
_LOAD_BYTE: Final = 0x30
_JUMP_IF_NOT_LESS: Final = 0x35
_JUMP_IF_GREATER: Final = 0x25
_RETURN: Final = 0x06
_WHOLE_PACKET: Final = 0xFFFF
_UDP_HEADER: Final = 8  # a filter of a UDP socket sees the UDP header first

_PROGRAM: Final = (
    (_LOAD_BYTE, 0, 0, _UDP_HEADER),
    (_JUMP_IF_NOT_LESS, 0, 3, 128),  # below: STUN and DTLS pass
    (_LOAD_BYTE, 0, 0, _UDP_HEADER + 1),
    (_JUMP_IF_NOT_LESS, 0, 2, 192),  # below: RTP is dropped
    (_JUMP_IF_GREATER, 1, 0, 208),  # above: RTP with a marker is dropped; in between RTCP passes
    (_RETURN, 0, 0, _WHOLE_PACKET),
    (_RETURN, 0, 0, 0),
)


def drop_media(opened: socket.socket) -> None:
    """Have the kernel drop all RTP that comes in on this socket."""
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _PROGRAM)
    buffer = ctypes.create_string_buffer(program)
    handle = struct.pack("@HP", len(_PROGRAM), ctypes.addressof(buffer))
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, handle)


def arrived(ports: Iterable[int]) -> dict[int, int]:
    """Give how many datagrams have been dropped on each of these ports of this machine, since they were opened."""
    wanted = set(ports)
    found: dict[int, int] = {}
    for line in Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        port = int(fields[1].rpartition(":")[2], 16)
        if port in wanted:
            found[port] = int(fields[-1])
    return found
