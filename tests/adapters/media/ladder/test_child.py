"""The encoder as a process of its own, with the real pipe between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
import msgspec
import pytest

from signalreel_adapters.media.ladder.codec import Decoder
from signalreel_adapters.media.ladder.frames import Assembler
from signalreel_adapters.media.ladder.messages import (
    Encode,
    Plan,
    PlannedRung,
    Refresh,
    SourceBroken,
    decode_report,
    encode,
)
from signalreel_adapters.processes import Child
from tests.adapters.media.ladder.pictures import source_packet, source_packets

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

MODULE: Final = "signalreel_adapters.media.ladder.child"
PATIENCE_S = 20


class Encoding:
    """A child, and what it says."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.reports: list[object] = []
        self.ended = asyncio.Event()
        self.changed = asyncio.Event()

    def take(self, message: bytes) -> None:
        """Hear a message."""
        report = decode_report(message)
        if isinstance(report, bytes):
            self.packets.append(report)
        else:
            self.reports.append(report)
        self.changed.set()

    async def pictures(self, height: int, count: int) -> list[bool]:
        """Wait for pictures of a height; gives which of them need no other."""
        with anyio.fail_after(PATIENCE_S):
            while True:
                assembler, decoder = Assembler("VP8"), Decoder("VP8")
                frames = [
                    frame
                    for packet in self.packets
                    if packet[8:12] == height.to_bytes(4, "big")
                    for frame in assembler.take(source_packet(packet))
                ]
                if len(frames) >= count:
                    decoded = [decoder.decode(frame.data) for frame in frames]
                    assert all(each is not None and each.height == height for each in decoded)
                    return [each is not None and each.key_frame for each in decoded]
                self.changed.clear()
                await self.changed.wait()

    async def until_broken(self) -> None:
        """Wait until it asks for a keyframe."""
        with anyio.fail_after(PATIENCE_S):
            while SourceBroken() not in self.reports:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def encoding(plan: Plan) -> AsyncIterator[tuple[Encoding, Child]]:
    """A process that encodes as planned."""
    heard = Encoding()
    child = await Child.start(MODULE, msgspec.json.encode(plan).decode(), on_message=heard.take, on_end=heard.ended.set)
    try:
        yield heard, child
    finally:
        await child.close()


RUNGS = (PlannedRung(240, 300_000, 240), PlannedRung(180, 200_000, 180))


async def test_a_process_encodes_what_it_is_sent() -> None:
    """Source packets in, packets of the wanted renditions out; a keyframe when one is asked for."""
    packets = source_packets("VP8", 360, 6)
    async with encoding(Plan("VP8", 96, RUNGS)) as (heard, child):
        child.send(encode(Encode((240, 180))))
        shown, keys = 0, list[bool]()
        for packet in packets:
            child.send(packet.encode())
            if packet.marker:
                shown += 1
                keys = await heard.pictures(180, shown)
            if packet.marker and shown == 3:
                child.send(encode(Refresh(180)))
        await heard.pictures(240, 6)

    assert keys == [True, False, False, True, False, False]


async def test_a_process_asks_for_a_keyframe() -> None:
    """When what it hears cannot be decoded."""
    async with encoding(Plan("VP8", 96, RUNGS)) as (heard, child):
        child.send(encode(Encode((240,))))
        for packet in source_packets("VP8", 360, 12)[5:]:
            child.send(packet.encode())
        await heard.until_broken()

    assert heard.packets == []


async def test_a_process_cannot_take_all_memory() -> None:
    """Decoders believe the size that a picture claims; the system does not."""
    async with encoding(Plan("VP8", 96, RUNGS)) as (heard, child):
        with anyio.fail_after(PATIENCE_S):
            while not heard.reports:
                await heard.changed.wait()
        limits = (await anyio.Path(f"/proc/{child.pid}/limits").read_text()).splitlines()

    [memory] = [line.split() for line in limits if line.startswith("Max address space")]
    assert memory[3:5] == ["2147483648", "2147483648"]


async def test_a_process_that_cannot_encode_ends() -> None:
    """What libav refuses ends it, and its parent hears so: a new one is the parent's decision."""
    impossible = (PlannedRung(180, 2**40, 180),)
    async with encoding(Plan("VP8", 96, impossible)) as (heard, child):
        child.send(encode(Encode((180,))))
        for packet in source_packets("VP8", 360, 3):
            child.send(packet.encode())
        with anyio.fail_after(PATIENCE_S):
            await heard.ended.wait()

    assert heard.packets == []
