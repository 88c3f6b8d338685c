"""Which packets of a frame can be sent as one run: packets of one size, of which the last may be smaller.

Encoders cut a frame into pieces that differ by a byte or two, and the last one may carry a header extension more. Such
packets are made equal with RTP padding (RFC 3550, section 5.1), which every receiver takes off again: a few bytes cost
less than another run.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from signalreel_adapters.media.aiortc.outgoing import Forwarded

__all__ = ("PADDING_MAX", "Run", "level", "plan")

PADDING_MAX: Final = 32
"""Bytes added to one packet at most, of some 1 200."""

_PADDED: Final = 0x20


class Run(Struct, frozen=True):
    """Consecutive packets that one datagram carries."""

    start: int
    stop: int
    size: int  #: of all packets but the last, which is at most so large


def plan(sizes: Sequence[int], room: Sequence[int]) -> list[Run]:
    """Divide packets into runs. `room` says by how much each may be made larger."""
    runs: list[Run] = []
    start, size, limit, ended = 0, 0, 0, True
    for at, own in enumerate(sizes):
        within = own + room[at]
        if not ended and own <= size <= within:
            limit = min(limit, within)
        elif not ended and size < own <= limit:
            size, limit = own, min(limit, within)
        elif not ended and own < size:
            ended = True  # as the last one it may be smaller, by however much
        else:
            if at > start:
                runs.append(Run(start, at, size))
            start, size, limit, ended = at, own, within, False
    if sizes:
        runs.append(Run(start, len(sizes), size))
    return runs


def level(packets: Sequence[Forwarded]) -> list[Run]:
    """Divide packets into runs, and make those of each run equal. To be called before any of them is sent."""
    sizes = [len(packet.tail) for packet in packets]
    runs = plan(sizes, [0 if packet.flags & _PADDED else PADDING_MAX for packet in packets])
    for run in runs:
        for packet in packets[run.start : run.stop - 1]:
            missing = run.size - len(packet.tail)
            if missing:
                packet.flags |= _PADDED
                packet.tail += bytes(missing - 1) + bytes((missing,))
    return runs
