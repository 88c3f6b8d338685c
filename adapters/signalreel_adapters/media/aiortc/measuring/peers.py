"""The peers of a measurement: one publisher that sends the clip, and viewers that take it.

Both are real: ICE, DTLS and SRTP. All but two viewers have the kernel drop their media after receiving and counting it;
those two, the probes, decrypt every packet. A packet is recognised by its payload, which servers forward as it is, and
the publisher keeps when it sent each: nothing has to be written into the media.
"""

import asyncio
import re
import secrets
import socket
import time
from collections.abc import Sequence
from typing import Final

from aiortc import RTCCertificate
from aiortc.clock import current_ntp_time
from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
)

from signalreel_adapters.media.aiortc.filter import parse_candidate
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.measuring.clip import (
    FRAMES_PER_SECOND,
    SOUND_SAMPLES,
    SOUNDS_PER_SECOND,
    Clip,
)
from signalreel_adapters.media.aiortc.measuring.kernel import drop_media
from signalreel_adapters.media.aiortc.measuring.pictures import PictureReader
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.rtp import (
    HEADER,
    SEQUENCE_MASK,
    TIMESTAMP_MASK,
    abs_send_time,
    is_newer,
)
from signalreel_adapters.media.aiortc.rtp import parse as parse_packet
from signalreel_adapters.media.aiortc.sdp import Description, LocalTransport, parse
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("DESCRIPTOR_BYTES", "LoadPublisher", "LoadViewer", "SendLog")

_VIDEO_TYPE: Final = 96
_AUDIO_TYPE: Final = 111
_VIDEO_CLOCK: Final = 90_000
_AUDIO_CLOCK: Final = SOUND_SAMPLES * SOUNDS_PER_SECOND
_SEND_TIME: Final = (2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
_AUDIO_LEVEL: Final = (1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")
_EXTENDED: Final = 0x90  # version 2, with a header extension
_ONE_BYTE_PROFILE: Final = b"\xbe\xde\x00\x01"
_RECEIVE_BUFFER: Final = 4 << 20
_REPORT_INTERVAL: Final = 1.0
_FEEDBACK: Final = ("nack", "nack pli", "ccm fir", "goog-remb")

DESCRIPTOR_BYTES: Final = 4
"""What is left out at the start of a payload when packets are compared: servers may number pictures anew there."""


class SendLog:
    """When each packet and each picture was sent last, in nanoseconds of the monotonic clock."""

    def __init__(self) -> None:
        self.packets: dict[bytes, int] = {}
        self.pictures: dict[int, int] = {}  #: the first packet of each


class _Client:
    """What both peers share."""

    def __init__(self, host: str, certificate: RTCCertificate) -> None:
        self._settings = AiortcSettings(hosts=(host,), allow_loopback=True)
        self._certificate = certificate
        self._transport: AioicePeer | None = None
        self._local: LocalTransport | None = None

    @property
    def transport(self) -> AioicePeer:
        """Our end; there once a description was made."""
        if self._transport is None:
            raise RuntimeError("describe first")
        return self._transport

    async def _gather(self, *, controlling: bool) -> AioicePeer:
        self._transport = AioicePeer(self._settings, self._certificate, controlling=controlling)
        self._local = await self._transport.gather()
        return self._transport

    def _lines(self, setup: str) -> list[str]:
        """Give the lines that describe our end."""
        local = self._local
        if local is None:
            raise RuntimeError("describe first")
        return [
            "c=IN IP4 0.0.0.0",
            "a=rtcp-mux",
            f"a=ice-ufrag:{local.user_fragment}",
            f"a=ice-pwd:{local.password}",
            f"a=fingerprint:{local.fingerprint.algorithm} {local.fingerprint.value}",
            f"a=setup:{setup}",
            *(f"a=candidate:{candidate}" for candidate in local.candidates),
            "a=end-of-candidates",
        ]

    async def _connect(self, read: Description) -> None:
        """Connect to the server that described itself so."""
        section = read.transport
        candidates = (parse_candidate(line) for line in section.candidates)
        await self.transport.connect(
            Remote(
                user_fragment=section.user_fragment,
                password=section.password,
                ice_lite=read.ice_lite,
                fingerprints=section.fingerprints,
                dtls_client=section.setup == "active",
                candidates=tuple(candidate for candidate in candidates if candidate is not None),
            )
        )

    async def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._transport is not None:
            await self._transport.close()


def _read(description: str) -> Description:
    return parse(description, size_max=1 << 20, sections_max=128, codecs_max=80)


class LoadPublisher(_Client):
    """Sends the clip whenever it is asked to, each time from its keyframe on; silent in between."""

    def __init__(self, host: str, certificate: RTCCertificate, clip: Clip) -> None:
        super().__init__(host, certificate)
        self.log = SendLog()
        self.sent = 0  #: packets
        self._pictures = [[(part, part[DESCRIPTOR_BYTES:]) for part in picture] for picture in clip.pictures]
        self._sounds = [(sound, sound[DESCRIPTOR_BYTES:]) for sound in clip.sounds]
        self._video, self._audio = secrets.randbits(31) | 1, secrets.randbits(31) | 1
        self._sequence = {self._video: 0, self._audio: 0}
        self._counts = {self._video: (0, 0), self._audio: (0, 0)}
        self._born = time.monotonic()
        self._wants_key = False

    async def offer(self) -> str:
        """Describe what we publish, as a browser would."""
        transport = await self._gather(controlling=True)
        transport.on_rtcp = self._take
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "a=msid-semantic: WMS load"]
        lines += [f"m=audio 9 UDP/TLS/RTP/SAVPF {_AUDIO_TYPE}", *self._lines("actpass"), "a=mid:0", "a=sendonly"]
        lines += [f"a=extmap:{_AUDIO_LEVEL[0]} {_AUDIO_LEVEL[1]}", "a=msid:load sound"]
        lines += [f"a=rtpmap:{_AUDIO_TYPE} opus/48000/2", f"a=fmtp:{_AUDIO_TYPE} minptime=10;useinbandfec=1"]
        lines += [f"a=ssrc:{self._audio} cname:load", f"a=ssrc:{self._audio} msid:load sound"]
        lines += [f"m=video 9 UDP/TLS/RTP/SAVPF {_VIDEO_TYPE}", *self._lines("actpass"), "a=mid:1", "a=sendonly"]
        lines += [f"a=extmap:{_SEND_TIME[0]} {_SEND_TIME[1]}", "a=msid:load picture"]
        lines.append(f"a=rtpmap:{_VIDEO_TYPE} VP8/90000")
        lines += [f"a=rtcp-fb:{_VIDEO_TYPE} {feedback}" for feedback in _FEEDBACK]
        lines += [f"a=ssrc:{self._video} cname:load", f"a=ssrc:{self._video} msid:load picture"]
        return "\r\n".join(lines) + "\r\n"

    async def connect(self, answer: str) -> None:
        """Connect to the server that answered."""
        await self._connect(_read(answer))

    def _take(self, packets: list[AnyRtcpPacket]) -> None:
        asked = any(isinstance(packet, RtcpPsfbPacket) and packet.fmt in {1, 4} for packet in packets)
        self._wants_key = self._wants_key or asked

    async def send(self, seconds: float) -> None:
        """Send in real time, from the keyframe on, and go back to it when somebody asks for one."""
        started = time.monotonic()
        self._wants_key = False
        frames = shown = sounds = 0
        reported = 0.0
        while True:
            frame_due, sound_due = frames / FRAMES_PER_SECOND, sounds / SOUNDS_PER_SECOND
            due = min(frame_due, sound_due)
            if due >= seconds:
                return
            wait = started + due - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            if due >= reported:
                self._report()
                reported += _REPORT_INTERVAL
            if frame_due <= sound_due:
                if self._wants_key:
                    shown, self._wants_key = 0, False
                self._send_picture(shown % len(self._pictures), started + frame_due)
                frames, shown = frames + 1, shown + 1
            else:
                payload, key = self._sounds[sounds % len(self._sounds)]
                extension = _ONE_BYTE_PROFILE + bytes((_AUDIO_LEVEL[0] << 4, 0x90, 0, 0))
                self._send(self._audio, _AUDIO_TYPE, self._at(started + sound_due, _AUDIO_CLOCK), extension, payload)
                self.log.packets[key] = time.monotonic_ns()
                sounds += 1

    def _send_picture(self, number: int, due: float) -> None:
        timestamp = self._at(due, _VIDEO_CLOCK)
        parts = self._pictures[number]
        self.log.pictures[number] = time.monotonic_ns()
        for at, (payload, key) in enumerate(parts):
            extension = _ONE_BYTE_PROFILE + bytes((_SEND_TIME[0] << 4 | 2,)) + abs_send_time(time.time())
            marked = _VIDEO_TYPE | (0x80 if at == len(parts) - 1 else 0)
            self.log.packets[key] = time.monotonic_ns()
            self._send(self._video, marked, timestamp, extension, payload)

    def _at(self, due: float, clock: int) -> int:
        return round((due - self._born) * clock) & TIMESTAMP_MASK

    def _send(self, ssrc: int, marked: int, timestamp: int, extension: bytes, payload: bytes) -> None:
        sequence = self._sequence[ssrc] = (self._sequence[ssrc] + 1) & SEQUENCE_MASK
        self.transport.send_rtp(HEADER.pack(_EXTENDED, marked, sequence, timestamp, ssrc) + extension + payload)
        packets, octets = self._counts[ssrc]
        self._counts[ssrc] = packets + 1, octets + len(payload)
        self.sent += 1

    def _report(self) -> None:
        now = time.monotonic()
        self.transport.send_rtcp(
            [
                RtcpSrPacket(ssrc, RtcpSenderInfo(current_ntp_time(), self._at(now, clock), *self._counts[ssrc]))
                for ssrc, clock in ((self._audio, _AUDIO_CLOCK), (self._video, _VIDEO_CLOCK))
            ]
        )


class LoadViewer(_Client):
    """Plays what a server offers. A probe decrypts and times every packet; others have the kernel count them."""

    def __init__(self, host: str, certificate: RTCCertificate, log: SendLog, *, probe: bool) -> None:
        super().__init__(host, certificate)
        self.probe = probe
        self.port = 0
        self.packets = 0  #: that a probe took
        self.latencies: list[int] = []  #: of a probe's packets, in nanoseconds
        self.pictures: PictureReader | None = None  #: set to have a probe decode
        self._log = log
        self._offer: Description | None = None
        self._ssrcs: Sequence[int] = ()
        self._picture_type = _VIDEO_TYPE
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}

    async def answer(self, offer: str) -> str:
        """Accept everything but the data channel."""
        self._offer = _read(offer)
        transport = await self._gather(controlling=self._offer.ice_lite)
        transport.on_rtp = self._take if self.probe else transport.on_rtp
        self._ssrcs = [section.ssrcs[0] for section in self._offer.sections if section.ssrcs]
        codecs = [codec for section in self._offer.sections for codec in section.codecs]
        self._picture_type = next((codec.payload_type for codec in codecs if codec.name == "VP8"), _VIDEO_TYPE)
        sections = re.split(r"(?m)^(?=m=)", offer.replace("\r\n", "\n"))[1:]
        media = [section for section in sections if not section.startswith("m=application")]
        mids = [match[1] for section in media if (match := re.search(r"(?m)^a=mid:(\w+)", section))]
        lines = ["v=0", "o=- 2 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + " ".join(mids)]
        for section in sections:
            lines += self._answered(section)
        return "\r\n".join(lines) + "\r\n"

    def _answered(self, section: str) -> list[str]:
        first, *rest = section.split("\n")
        if first.startswith("m=application"):
            words = first.split(" ")
            return [" ".join((words[0], "0", *words[2:])), *(line for line in rest if line.startswith("a=mid:"))]
        kept = ("a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=inactive")
        known = (_SEND_TIME[1], _AUDIO_LEVEL[1])
        words = first.split(" ")
        lines = [" ".join((words[0], "9", *words[2:])), *self._lines("active")]
        lines += [line for line in rest if line.startswith(kept)]
        lines += [line for line in rest if line.startswith("a=extmap:") and line.split(" ")[1] in known]
        lines += ["a=recvonly" for line in rest if line in {"a=sendonly", "a=sendrecv"}]
        return lines

    async def connect(self) -> None:
        """Connect; returns when media may come."""
        if self._offer is None:
            raise RuntimeError("answer first")
        await self._connect(self._offer)
        opened = self._socket
        self.port = opened.getsockname()[1]
        if self.probe:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        else:
            drop_media(opened)

    @property
    def _socket(self) -> socket.socket:
        opened = self.transport.socket
        if opened is None:
            raise RuntimeError("a viewer needs the raw way")
        return opened

    def stop_probing(self) -> None:
        """Be like the others from now on: the kernel drops and counts."""
        if self.probe:
            self.probe = False
            drop_media(self._socket)

    def report(self) -> None:
        """Tell the server, as a browser does about once a second, that all has arrived."""
        reports = [
            RtcpReceiverInfo(ssrc, fraction_lost=0, packets_lost=0, highest_sequence=0, jitter=10, lsr=0, dlsr=0)
            for ssrc in self._ssrcs
        ]
        self.transport.send_rtcp([RtcpRrPacket(ssrc=1, reports=reports)])

    def ask_for_keyframe(self) -> None:
        """Ask for a picture to start with."""
        self.transport.send_rtcp([RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=ssrc) for ssrc in self._ssrcs[-1:]])

    def _take(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.packets += 1
        packet = parse_packet(data)
        if packet is None:
            return
        first = self._first.setdefault(packet.ssrc, packet.sequence)
        if is_newer(packet.sequence, self._last.setdefault(packet.ssrc, first)):
            self._last[packet.ssrc] = packet.sequence
        payload = data[packet.payload_start : packet.payload_end]
        sent = self._log.packets.get(payload[DESCRIPTOR_BYTES:])
        if sent is not None:
            self.latencies.append(now - sent)
        if self.pictures is not None and packet.payload_type == self._picture_type:
            self.pictures.take(packet.sequence, payload, last=bool(packet.marker), arrived=now)

    def recount(self) -> None:
        """Count from now on."""
        self.packets = 0
        self._first.clear()
        self._last.clear()

    def numbered(self) -> int:
        """How many packets were sent to this probe, by their sequence numbers."""
        return sum(((self._last[ssrc] - first) & SEQUENCE_MASK) + 1 for ssrc, first in self._first.items())

    def forget_times(self) -> None:
        """Forget what was timed."""
        self.latencies.clear()
        if self.pictures is not None:
            self.pictures.shown.clear()
