"""The fastest way to viewers: a frame at a time for each viewer, and many viewers in one system call.

Most of what sending costs is the way of a datagram through the kernel, and it costs the same for a run of packets. So
the packets of a frame are held back until its last one, laid out once in memory, and for each viewer copied, given its
headers and encrypted in place; a row of such copies is one system call. A packet that is a frame by itself, as those of
audio are, goes at once, in a row as well.

Nothing is held longer than for the turn of the reader that took it: what is missing may never come.
"""

import asyncio
import errno
import itertools
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

from signalreel_adapters.media.aiortc.datagrams import ADDRESS_BYTES, HEADER_BYTES, Datagram, Row
from signalreel_adapters.media.aiortc.fanout import RawFanOut
from signalreel_adapters.media.aiortc.outgoing import Forwarded, Out, rewrite, shift_picture
from signalreel_adapters.media.aiortc.peer import NO_RUNS, Egress
from signalreel_adapters.media.aiortc.rtp import HEADER, HEADER_SIZE, SEQUENCE_MASK, TIMESTAMP_MASK
from signalreel_adapters.media.aiortc.runs import Run, level
from signalreel_adapters.media.aiortc.transport import ffi, protect_in_place

__all__ = ("HELD_PACKETS_MAX", "GsoFanOut")

HELD_PACKETS_MAX: Final = 48
"""Packets of a frame that are held at most. A keyframe may have a hundred; the kernel takes 64 in a run, and 65 507
bytes, which so many of the largest do not reach."""

_SLOT_BYTES: Final = 2_048  # for a packet that is sent alone
_SLOTS_ALONE: Final = 64
_MEMORY_BYTES: Final = _SLOT_BYTES * _SLOTS_ALONE
_SLOTS_MAX: Final = 8
"""Copies of a frame in one row. More of them save little, and leave the cache of the processor."""

_REFUSALS: Final = frozenset({errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.EOPNOTSUPP, errno.ENOPROTOOPT})
"""What the kernel says when this device, or this path, takes no runs."""


class _Frame:
    """Packets with one timestamp, laid out for viewers whose SRTP adds the same number of bytes."""

    def __init__(
        self,
        packets: Sequence[Forwarded],
        runs: Sequence[Run],
        growth: int,
        viewers: int,
        memory: Any,  # noqa: ANN401 - an array of cffi's
        start: int,
    ) -> None:
        plain = [HEADER_SIZE + len(packet.tail) for packet in packets]
        offsets = [0, *itertools.accumulate(size + growth for size in plain)]
        stride = offsets.pop()
        bases = range(0, stride * max(1, min(viewers, _SLOTS_MAX, _MEMORY_BYTES // stride)), stride)
        blank, tag = bytes(HEADER_SIZE), bytes(growth)
        self.offsets: Final = offsets
        self.stride: Final = stride
        self.runs: Final = runs
        self.template: Final = b"".join(part for packet in packets for part in (blank, packet.tail, tag))
        parts = [
            (offset, packet.flags, packet.marker, packet.sequence, size)
            for packet, offset, size in zip(packets, offsets, plain, strict=True)
        ]
        self.slots: Final = [
            [(memory + (base + offset), base + offset, *rest) for offset, *rest in parts] for base in bases
        ]
        ends = [*offsets[1:], stride]
        self.row: Final = Row(
            [
                Datagram(
                    start + base + offsets[run.start],
                    ends[run.stop - 1] - offsets[run.start],
                    plain[run.start] + growth if run.stop - run.start > 1 else 0,
                )
                for base in bases
                for run in runs
            ]
        )


class GsoFanOut:
    """Sends frames as runs.

    A viewer whose path takes none gets its packets one by one; one without an `Egress` through its transport.
    What is held goes at the end of the event loop's turn at the latest; `schedule` stands in for the loop in tests.
    """

    def __init__(self, schedule: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._dropped = 0
        self._raw = RawFanOut()
        self._schedule = schedule
        self._scheduled = False
        self._held: dict[int, tuple[Sequence[Out], list[Forwarded]]] = {}  # by the identity of the tuple beside it
        self._memory: Any = ffi.new("char[]", _MEMORY_BYTES)
        self._start = int(ffi.cast("uintptr_t", self._memory))
        self._view = memoryview(ffi.buffer(self._memory))
        self._length: Any = ffi.new("int *")
        self._protect: Any = protect_in_place
        self._alone = Row([Datagram(self._start + _SLOT_BYTES * slot, 0) for slot in range(_SLOTS_ALONE)])
        self._slots = [(self._memory + _SLOT_BYTES * slot, _SLOT_BYTES * slot) for slot in range(_SLOTS_ALONE)]

    @property
    def dropped(self) -> int:
        """Packets that were not sent."""
        return self._dropped + self._raw.dropped

    def forward(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Send one packet to all of them, or hold it until its frame is complete."""
        if len(outs) == 1:  # there is nothing to share, and what is prepared for a frame costs what a run saves
            self._raw.forward(packet, outs)
            return
        key = id(outs)
        held = self._held.get(key)
        if held is not None and held[1][0].timestamp != packet.timestamp:
            del self._held[key]
            self._send(held[1], outs)
            held = None
        if held is None:
            if packet.ends:
                self._send_alone(packet, outs)
                return
            self._held[key] = (outs, [packet])
            if not self._scheduled:
                self._scheduled = True
                (self._schedule or asyncio.get_running_loop().call_soon)(self._end_turn)
            return
        packets = held[1]
        packets.append(packet)
        if packet.ends or len(packets) == HELD_PACKETS_MAX:
            del self._held[key]
            self._send(packets, outs)

    def flush(self) -> None:
        """Send everything that was held back."""
        held, self._held = self._held, {}
        for outs, packets in held.values():
            self._send(packets, outs)

    def _end_turn(self) -> None:
        self._scheduled = False
        self.flush()

    def _send(self, packets: Sequence[Forwarded], outs: Sequence[Out]) -> None:
        if len(packets) == 1:
            self._send_alone(packets[0], outs)
            return
        runs = level(packets)
        groups: dict[int, list[tuple[Out, Egress]]] = {}  # by how much SRTP adds to a packet
        alone: list[Out] = []
        for out in outs:
            egress = out.egress
            growth = NO_RUNS if egress is None else egress.growth or self._learn(packets[0], out, egress)
            if egress is None or growth == NO_RUNS:
                alone.append(out)
            elif growth in groups:
                groups[growth].append((out, egress))
            else:
                groups[growth] = [(out, egress)]
        for growth, viewers in groups.items():
            frame = _Frame(packets, runs, growth, len(viewers), self._memory, self._start)
            alone += self._send_frame(frame, packets, viewers)
        if alone:
            for packet in packets:
                self._send_alone(packet, alone)

    def _learn(self, packet: Forwarded, out: Out, egress: Egress) -> int:
        """Find out how much SRTP adds to this viewer's packets. This one is encrypted again when it is sent."""
        plain = rewrite(packet, out)
        self._view[: len(plain)] = plain
        self._length[0] = len(plain)
        failed = self._protect(egress.context, self._memory, self._length)
        egress.growth = NO_RUNS if failed else self._length[0] - len(plain)
        return egress.growth

    # --------------------------------------------------------------------------------------------------- whole frames

    def _send_frame(
        self, frame: _Frame, packets: Sequence[Forwarded], viewers: Sequence[tuple[Out, Egress]]
    ) -> list[Out]:
        """Send a frame to viewers for whom it is laid out; gives those that have to get it packet by packet."""
        view, length, protect, pack = self._view, self._length, self._protect, HEADER.pack_into
        template, stride, slots, headers = frame.template, frame.stride, frame.slots, frame.row.headers
        timestamp, runs, slots_max = packets[0].timestamp, len(frame.runs), len(frame.slots)
        alone: list[Out] = []
        batch: list[Out] = []
        through: socket.socket | None = None
        index = 0
        for out, egress in viewers:
            if egress.through is not through or index == slots_max:
                self._launch(frame, batch, through, alone)
                batch.clear()
                through, index = egress.through, 0
            base = stride * index
            view[base : base + stride] = template
            if out.shifts_pictures:
                _shift_pictures(view[base:], frame, packets, out)
            context, ssrc, payload_type, ahead = egress.context, out.ssrc, out.payload_type, out.sequence_offset
            moved = (timestamp + out.timestamp_offset) & TIMESTAMP_MASK
            for pointer, at, flags, marker, sequence, size in slots[index]:
                pack(view, at, flags, marker | payload_type, (sequence + ahead) & SEQUENCE_MASK, moved, ssrc)
                length[0] = size
                if protect(context, pointer, length):
                    alone.append(out)
                    break
            else:
                at = HEADER_BYTES * runs * index
                headers[at : at + ADDRESS_BYTES] = egress.name
                for _ in range(runs - 1):
                    at += HEADER_BYTES
                    headers[at : at + ADDRESS_BYTES] = egress.name
                batch.append(out)
                index += 1
        self._launch(frame, batch, through, alone)
        return alone

    def _launch(self, frame: _Frame, batch: Sequence[Out], through: socket.socket | None, alone: list[Out]) -> None:
        """Send what was laid out; notes who turns out to get no runs."""
        if through is None or not batch:
            return
        count = len(frame.runs)
        for index, error in frame.row.send(through.fileno(), len(batch) * count):
            out, run = batch[index // count], frame.runs[index % count]
            if error not in _REFUSALS or run.stop - run.start == 1:
                self._dropped += run.stop - run.start
            elif out.egress is not None and out.egress.growth != NO_RUNS:
                out.egress.growth = NO_RUNS
                alone.append(out)

    # ------------------------------------------------------------------------------------------------ a packet alone

    def _send_alone(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Send one packet, to as many viewers at once as share a socket."""
        view, length, protect, pack, slots = self._view, self._length, self._protect, HEADER.pack_into, self._slots
        headers, sizes = self._alone.headers, self._alone.sizes
        flags, marker, sequence, timestamp = packet.flags, packet.marker, packet.sequence, packet.timestamp
        tail, vp8 = packet.tail, packet.vp8
        size = HEADER_SIZE + len(tail)
        through: socket.socket | None = None
        count = 0
        for out in outs:
            egress = out.egress
            if egress is None:
                self._raw.forward(packet, (out,))
                continue
            if count and (egress.through is not through or count == _SLOTS_ALONE):
                self._launch_alone(through, count)
                count = 0
            through = egress.through
            pointer, base = slots[count]
            view[base + HEADER_SIZE : base + size] = tail
            pack(
                view,
                base,
                flags,
                marker | out.payload_type,
                (sequence + out.sequence_offset) & SEQUENCE_MASK,
                (timestamp + out.timestamp_offset) & TIMESTAMP_MASK,
                out.ssrc,
            )
            if out.shifts_pictures and vp8 is not None:
                shift_picture(view[base:], vp8, out)
            length[0] = size
            if protect(egress.context, pointer, length):
                self._dropped += 1
                continue
            sizes[count] = length[0]
            at = HEADER_BYTES * count
            headers[at : at + ADDRESS_BYTES] = egress.name
            count += 1
        self._launch_alone(through, count)

    def _launch_alone(self, through: socket.socket | None, count: int) -> None:
        if through is not None and count:
            self._dropped += len(self._alone.send(through.fileno(), count))


def _shift_pictures(view: memoryview, frame: _Frame, packets: Sequence[Forwarded], out: Out) -> None:
    for packet, offset in zip(packets, frame.offsets, strict=False):
        if packet.vp8 is not None:
            shift_picture(view[offset:], packet.vp8, out)
