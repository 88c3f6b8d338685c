"""What strangers and hostile peers send, and what is watched meanwhile."""

import asyncio
import contextlib
import os
import random
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from aioice import stun

from tests.adapters.media.aiortc.fakes import SEED, rtp

__all__ = (
    "BURST",
    "HANDSHAKES",
    "Sinks",
    "Strangers",
    "check",
    "datagrams",
    "hostile_rtcp",
    "open_files",
    "rss",
    "turns",
)

CLIENT_HELLO = b"\x16\xfe\xff" + bytes(8) + b"\x00\x0c\x01" + bytes(11)
FATAL_ALERT = b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28"
CLOSE_NOTIFY = b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x01\x00"
BURST = 200
"""Datagrams that are sent before the server has its turn: fewer than a receive buffer holds."""

HANDSHAKES = (CLIENT_HELLO, FATAL_ALERT, CLOSE_NOTIFY)

_PAGE = os.sysconf("SC_PAGE_SIZE")


def rss() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def open_files() -> int:
    """How many files and sockets this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def check(user: str, password: bytes, *, nominate: bool = False) -> bytes:
    """A connectivity check, authentic when the password is the right one."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{user}:theirs"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    if nominate:
        request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password)
    request.add_fingerprint()
    return bytes(request)


def datagrams(count: int, user: str, seed: int = SEED) -> Iterator[bytes]:
    """Junk, and what looks like DTLS, STUN, SRTP and SRTCP, by turns, of all sizes."""
    chance = random.Random(seed)
    for number in range(count):
        noise = chance.randbytes(chance.choice((0, 1, 20, 100, 1_200, 1_900)))
        yield (
            noise,
            chance.choice(HANDSHAKES) + noise,
            b"\x17\xfe\xfd\x00\x01" + chance.randbytes(6) + struct.pack("!H", len(noise)) + noise,
            check(user, noise or b"guess", nominate=True),
            struct.pack("!HHI12s", 1, len(noise), stun.COOKIE, chance.randbytes(12)) + noise,
            rtp(number, ssrc=chance.choice((1, 2, chance.getrandbits(32))), payload=noise),
            struct.pack("!BBHI", 0x81, chance.choice((200, 201, 205, 206)), 7, 1) + noise,
        )[number % 7]


def hostile_rtcp(count: int, ssrcs: Sequence[int], seed: int = SEED) -> Iterator[bytes]:
    """RTCP with lengths and counts that lie, unknown kinds, and compounds that end in junk."""
    chance = random.Random(seed)
    for _ in range(count):
        compound = b""
        for _ in range(chance.randrange(1, 4)):
            body = struct.pack("!II", chance.choice(ssrcs), chance.choice(ssrcs))
            body += chance.choice(
                (
                    b"",
                    chance.randbytes(chance.randrange(60)),
                    b"REMB" + chance.randbytes(chance.randrange(20)),
                    struct.pack("!HH", chance.getrandbits(16), 0xFFFF) * chance.randrange(250),
                    b"\xff" * chance.randrange(400),
                )
            )
            body += bytes(-len(body) % 4)
            words = chance.choice((len(body) // 4,) * 4 + (0, 1, 0xFFFF, len(body) // 4 + 1))
            flags = chance.choice((0x80, 0xA0)) | chance.randrange(32)
            compound += struct.pack("!BBH", flags, chance.randrange(192, 209), words) + body
        yield compound[: chance.choice((len(compound), len(compound), chance.randrange(8, len(compound) + 1)))][:1_200]


async def turns() -> None:
    """Let the server read a burst of datagrams; a socket of asyncio's gives one a turn."""
    for _ in range(BURST):
        await asyncio.sleep(0)


class Strangers:
    """Sends the same datagrams to one address all the time, one each millisecond, from ever new ports."""

    def __init__(self, address: tuple[str, int], data: Sequence[bytes]) -> None:
        self.sent = 0
        self._address = address
        self._data = data
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def began(self) -> bool:
        """Whether the attack goes on by now."""
        return self.sent > len(self._data)

    def _run(self) -> None:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        while not self._end.wait(0.001):
            with socket.socket(family, socket.SOCK_DGRAM) as one, contextlib.suppress(OSError):
                for data in self._data:
                    one.sendto(data, self._address)
                    self.sent += 1


class Sinks:
    """Sockets on addresses of this machine that nobody may be made to send to."""

    def __init__(self, *hosts: str) -> None:
        self.port = 0
        self._sockets: dict[str, socket.socket] = {}
        for host in hosts:
            opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.bind((host, self.port))
            self.port = opened.getsockname()[1]
            self._sockets[host] = opened

    def got(self) -> list[str]:
        """The addresses at which something has arrived."""
        found = []
        for host, opened in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                opened.recv(2_000)
                found.append(host)
        return found

    def close(self) -> None:
        """Close them."""
        for opened in self._sockets.values():
            opened.close()
