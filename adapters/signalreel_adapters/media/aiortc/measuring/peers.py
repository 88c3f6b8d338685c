"""The peers of a measurement: one publisher of synthetic media, and viewers that count what arrives.

A packet carries the time at which it was sent in its last eight bytes, so a viewer on the same machine can tell how
long it took.
"""

import asyncio
import re
import secrets
import socket
import struct
import time
from typing import Final

from aiortc import RTCCertificate
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket

from signalreel_adapters.media.aiortc.filter import parse_candidate
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.measuring.kernel import drop_media
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.rtp import HEADER, SEQUENCE_MASK, is_newer
from signalreel_adapters.media.aiortc.sdp import LocalTransport, parse
from signalreel_adapters.media.aiortc.settings import LOOPBACK, AiortcSettings

__all__ = ("PACKETS_PER_SECOND", "LoadPublisher", "LoadViewer")

_FRAMES: Final = 30  # a second
_PACKETS_IN_TWO_FRAMES: Final = 11
_SOUNDS: Final = 50  # a second
_VIDEO_PAYLOAD: Final = 1_110  # bytes; with headers 1.5 Mbit/s
_AUDIO_PAYLOAD: Final = 120
_VIDEO_TYPE: Final = 96
_AUDIO_TYPE: Final = 111
_STAMP: Final = struct.Struct("!Q")
_RECEIVE_BUFFER: Final = 4 << 20
_SETTINGS: Final = AiortcSettings(hosts=(LOOPBACK,), allow_loopback=True)

PACKETS_PER_SECOND: Final = _FRAMES * _PACKETS_IN_TWO_FRAMES // 2 + _SOUNDS
"""What one viewer is sent: 215 packets, 1.55 Mbit/s."""


class _Client:
    """What both peers share. The server is an ICE-lite agent, so its peers control."""

    def __init__(self, certificate: RTCCertificate) -> None:
        self.transport = AioicePeer(_SETTINGS, certificate, controlling=True)
        self.local: LocalTransport | None = None

    async def gather(self) -> None:
        """Open the socket."""
        self.local = await self.transport.gather()

    def lines(self, setup: str) -> list[str]:
        """Give the lines that describe our end."""
        local = self.local
        if local is None:
            raise RuntimeError("gather first")
        return [
            f"a=ice-ufrag:{local.user_fragment}",
            f"a=ice-pwd:{local.password}",
            f"a=fingerprint:{local.fingerprint.algorithm} {local.fingerprint.value}",
            f"a=setup:{setup}",
        ]

    async def connect(self, description: str) -> None:
        """Connect to the server that wrote this description."""
        read = parse(description, size_max=1 << 20, sections_max=128, codecs_max=80)
        section = read.transport
        candidates = (parse_candidate(line) for line in section.candidates)
        await self.transport.connect(
            Remote(
                user_fragment=section.user_fragment,
                password=section.password,
                ice_lite=read.ice_lite,
                fingerprints=section.fingerprints,
                dtls_client=False,
                candidates=tuple(candidate for candidate in candidates if candidate is not None),
            )
        )


class LoadPublisher(_Client):
    """Publishes what looks like 720p VP8 at 1.5 Mbit/s and Opus; nobody decodes it."""

    def __init__(self, certificate: RTCCertificate) -> None:
        super().__init__(certificate)
        self.transport.on_rtcp = self._take
        self._ssrc = {_VIDEO_TYPE: secrets.randbits(31) | 1, _AUDIO_TYPE: secrets.randbits(31) | 1}
        self._sequence = {_VIDEO_TYPE: 0, _AUDIO_TYPE: 0}
        self._wants_key = True
        self._filling = secrets.token_bytes(_VIDEO_PAYLOAD)

    async def offer(self) -> str:
        """Describe what we publish."""
        await self.gather()
        common = self.lines("actpass")
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=sendonly", "a=rtpmap:111 opus/48000/2"]
        lines += [f"a=ssrc:{self._ssrc[_AUDIO_TYPE]} cname:load", *common]
        lines += ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=sendonly", "a=rtpmap:96 VP8/90000"]
        lines += [f"a=ssrc:{self._ssrc[_VIDEO_TYPE]} cname:load", *common]
        return "\r\n".join(lines) + "\r\n"

    def _take(self, packets: list[AnyRtcpPacket]) -> None:
        self._wants_key = self._wants_key or any(isinstance(packet, RtcpPsfbPacket) for packet in packets)

    async def run(self) -> None:
        """Send in real time until cancelled."""
        started = time.monotonic()
        frames = sounds = 0
        while True:
            frame_due, sound_due = frames / _FRAMES, sounds / _SOUNDS
            wait = started + min(frame_due, sound_due) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if frame_due <= sound_due:
                self._send_frame(frames)
                frames += 1
            else:
                filling = b"\xfc" + self._filling[: _AUDIO_PAYLOAD - 1]
                self._send(_AUDIO_TYPE, sounds * 960, filling, marker=False)
                sounds += 1

    def _send_frame(self, number: int) -> None:
        count = _PACKETS_IN_TWO_FRAMES // 2 + number % 2
        key, self._wants_key = self._wants_key, False
        for part in range(count):
            start = b"\x90" if part == 0 else b"\x80"
            descriptor = start + b"\x80" + struct.pack("!H", 0x8000 | number & 0x7FFF)
            frame = struct.pack("<BBB3sHH", not key, 0, 0, b"\x9d\x01\x2a", 1_280, 720) if part == 0 else b"\x01"
            self._send(_VIDEO_TYPE, number * 3_000, descriptor + frame + self._filling, marker=part == count - 1)

    def _send(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> None:
        sequence = self._sequence[payload_type] = (self._sequence[payload_type] + 1) & SEQUENCE_MASK
        marked = (0x80 if marker else 0) | payload_type
        header = HEADER.pack(0x80, marked, sequence, timestamp & 0xFFFF_FFFF, self._ssrc[payload_type])
        self.transport.send_rtp(header + payload[:-8] + _STAMP.pack(time.monotonic_ns()))


class LoadViewer(_Client):
    """Plays what the server offers. A probe decrypts and times every packet; others have the kernel count them."""

    def __init__(self, certificate: RTCCertificate, *, probe: bool) -> None:
        super().__init__(certificate)
        self.probe = probe
        self.port = 0
        self.packets = 0
        self.latencies: list[int] = []  #: nanoseconds
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._seen = 0
        if probe:
            self.transport.on_rtp = self._take

    async def answer(self, offer: str) -> str:
        """Accept everything but the data channel."""
        await self.gather()
        lines = ["v=0", "o=- 2 1 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        sections = re.split(r"(?m)^(?=m=)", offer)[1:]
        media = [section for section in sections if not section.startswith("m=application")]
        mids = [match[1] for section in media if (match := re.search(r"(?m)^a=mid:(\w+)", section))]
        lines.append("a=group:BUNDLE " + " ".join(mids))
        for section in sections:
            for line in section.split("\r\n"):
                if line.startswith("m=application"):
                    lines.append(line.replace(" 9 ", " 0 "))
                elif line == "a=sendonly":
                    lines.append("a=recvonly")
                elif line.startswith(("m=", "a=mid:", "a=rtpmap:", "a=fmtp:", "a=inactive")):
                    lines.append(line)
            if section in media:
                lines += self.lines("active")
        return "\r\n".join(lines) + "\r\n"

    async def play(self, offer: str) -> None:
        """Connect; returns when media may come."""
        await self.connect(offer)
        opened = self.transport.socket
        if opened is None:
            raise RuntimeError("a viewer needs the raw way")
        self.port = opened.getsockname()[1]
        if self.probe:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        else:
            drop_media(opened)

    def _take(self, packet: bytes) -> None:
        now = time.monotonic_ns()
        self.packets += 1
        ssrc = int.from_bytes(packet[8:12], "big")
        sequence = packet[2] << 8 | packet[3]
        if ssrc not in self._first:
            self._first[ssrc] = self._last[ssrc] = sequence
        elif is_newer(sequence, self._last[ssrc]):
            self._last[ssrc] = sequence
        padding = packet[-1] if packet[0] & 0x20 else 0  # packets of a frame are made equal
        self.latencies.append(now - _STAMP.unpack_from(packet, len(packet) - _STAMP.size - padding)[0])

    def restart(self) -> None:
        """Forget what was counted."""
        self.packets = 0
        self.latencies.clear()
        self._first.clear()
        self._last.clear()

    def expected(self) -> int:
        """How many packets were sent to this probe, by their sequence numbers."""
        return sum(((self._last[ssrc] - first) & SEQUENCE_MASK) + 1 for ssrc, first in self._first.items())
