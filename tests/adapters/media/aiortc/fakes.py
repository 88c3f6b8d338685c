"""A transport that goes nowhere, and packets made by hand."""

import asyncio
import random
import struct
from collections.abc import Callable, Sequence

from aiortc import RTCSctpTransport
from aiortc.rtp import AnyRtcpPacket

from signalreel_adapters.media.aiortc.filter import Candidate
from signalreel_adapters.media.aiortc.negotiation import Offered, PublishedTrack
from signalreel_adapters.media.aiortc.peer import Egress, Remote
from signalreel_adapters.media.aiortc.sdp import Codec, Fingerprint, LocalTransport

__all__ = ("Clock", "FakeTransport", "junk", "offered", "published", "rtp", "vp8")

SEED = 20_261_123


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class FakeTransport:
    """Keeps what is sent, and connects when it is told to."""

    def __init__(self) -> None:
        self.on_rtp: Callable[[bytes], None] = lambda packet: None
        self.on_rtcp: Callable[[list[AnyRtcpPacket]], None] = lambda packets: None
        self.on_lost: Callable[[str], None] = lambda reason: None
        self.last_heard = 0.0
        self.egress: Egress | None = None
        self.sent: list[bytes] = []
        self.sent_rtcp: list[AnyRtcpPacket] = []
        self.candidates: list[Candidate] = []
        self.remote: Remote | None = None
        self.closed = False
        self.up = asyncio.Event()

    async def gather(self) -> LocalTransport:
        """Say where we would be."""
        return LocalTransport("ufrag", "p" * 24, Fingerprint("sha-256", "AA"), ("1 1 udp 1 127.0.0.1 5000 typ host",))

    def add_candidate(self, candidate: Candidate) -> None:
        """Keep a candidate."""
        self.candidates.append(candidate)

    async def connect(self, remote: Remote) -> None:
        """Wait until the test says that we are connected."""
        self.remote = remote
        await self.up.wait()

    def send_rtp(self, packet: bytes) -> bool:
        """Keep a packet."""
        self.sent.append(packet)
        return True

    def send_rtcp(self, packets: Sequence[AnyRtcpPacket]) -> None:
        """Keep packets."""
        self.sent_rtcp.extend(packets)

    def refresh(self) -> None:
        """Nothing moves here."""

    def open_sctp(self) -> RTCSctpTransport:
        """There is none."""
        raise ConnectionError("a fake carries no data")

    async def close(self) -> None:
        """Note that we were closed."""
        self.closed = True


def rtp(
    sequence: int,
    timestamp: int = 0,
    *,
    ssrc: int = 1,
    payload_type: int = 96,
    marker: bool = False,
    extensions: bytes = b"",
    payload: bytes = b"payload",
    flags: int = 0x80,
) -> bytes:
    """Make an RTP packet; `extensions` are one-byte elements, padded to words here."""
    block = b""
    if extensions:
        extensions += bytes(-len(extensions) % 4)
        block = struct.pack("!HH", 0xBEDE, len(extensions) // 4) + extensions
        flags |= 0x10
    header = struct.pack("!BBHII", flags, marker << 7 | payload_type, sequence & 0xFFFF, timestamp, ssrc)
    return header + block + payload


def vp8(picture: int, *, key: bool = False, layer: int = 0, width: int = 640, height: int = 360) -> bytes:
    """Make the payload of a picture's only packet."""
    descriptor = bytes((0x90, 0xC0, 0x80 | picture >> 8 & 0x7F, picture & 0xFF, layer))
    return descriptor + struct.pack("<BBB3sHH", not key, 0, 0, b"\x9d\x01\x2a", width, height)


def published(kind: str = "video", **changes: object) -> PublishedTrack:
    """Make what was agreed on with a publisher."""
    codec = Codec(96, "VP8", 90_000) if kind == "video" else Codec(111, "opus", 48_000, 2)
    fields: dict[str, object] = {
        "kind": kind,
        "mid": "1" if kind == "video" else "0",
        "codec": codec,
        "repair_type": 97 if kind == "video" else 0,
        "mid_id": 4,
        "rid_id": 10,
        "repaired_rid_id": 11,
        "audio_level_id": 1,
        "orientation_id": 13,
        "layers": (),
        "ssrcs": (1,),
        "repairs": ((1, 2),),
    }
    return PublishedTrack(**(fields | changes))  # type: ignore[arg-type]


def offered(kind: str = "video", ssrc: int = 7_000, *, repair_type: int = 97) -> Offered:
    """Make what was offered to a player."""
    codec = Codec(100, "VP8", 90_000) if kind == "video" else Codec(111, "opus", 48_000, 2)
    return Offered("0", "s1", kind, 0, codec, repair_type, ssrc, ssrc + 1 if repair_type else 0)


def junk(count: int = 2_000, *, seed: int = SEED) -> list[bytes]:
    """Make hostile datagrams: random ones, and real ones with bytes flipped and ends cut off."""
    chance = random.Random(seed)
    found: list[bytes] = []
    for _ in range(count):
        if chance.random() < 0.5:
            data = bytearray(rtp(chance.getrandbits(16), extensions=b"\x40\x31", payload=vp8(5, key=True)))
            for _ in range(chance.randrange(1, 6)):
                data[chance.randrange(len(data))] = chance.getrandbits(8)
            found.append(bytes(data[: chance.randrange(len(data) + 1)]))
        else:
            found.append(chance.randbytes(chance.randrange(80)))
    return found
