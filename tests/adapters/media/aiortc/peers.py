"""Clients for the tests of the aiortc adapter: synthetic publishers and players, and a call on a real engine.

The peers use aiortc's own objects on the client's side of ICE and DTLS; descriptions are read with aiortc's parser, not
with the one under test. The packets of a picture carry its number, so a test can say what arrived.
"""

import asyncio
import contextlib
import random
import re
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from aiortc import RTCCertificate, RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtcpSenderInfo, RtcpSrPacket
from aiortc.sdp import SessionDescription, candidate_to_sdp

from signalreel.commands import AnyCommand, Play, Publish, TakeCandidate, TakeConfiguration
from signalreel.engine import Engine
from signalreel.events import AnyEvent, MediaEvent, SessionOpened
from signalreel.messages import Description, Notification
from signalreel.record import Grant, Record
from signalreel.settings import Settings
from signalreel.step import Step
from signalreel_adapters.media.aiortc import AiortcMedia, AiortcSettings
from signalreel_adapters.media.aiortc.filter import Candidate
from signalreel_adapters.media.aiortc.full import AioicePeer
from signalreel_adapters.media.aiortc.peer import Remote
from signalreel_adapters.media.aiortc.sdp import Fingerprint, LocalTransport
from signalreel_adapters.ports import Media

__all__ = ("SETTINGS", "Call", "PlayingPeer", "PublishingPeer", "eventually", "free_port")

SETTINGS = AiortcSettings(hosts=("127.0.0.1",), allow_loopback=True, tracks_interval=0.2, bitrate_interval=0.5)
AUDIO, VIDEO, REPAIR = 111, 96, 97
VIDEO_CLOCK = 90_000


async def eventually(true: Callable[[], object], what: str, within: float = 10.0) -> None:
    """Wait until something is true, or fail saying what never was."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not true():
        assert loop.time() < deadline, f"{what}: not within {within} s"
        await asyncio.sleep(0.01)


def free_port() -> int:
    """Find a UDP port that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Peer:
    """What both clients share: one transport."""

    def __init__(self, *, controlling: bool, settings: AiortcSettings = SETTINGS) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        self.transport = AioicePeer(settings, self.certificate, controlling=controlling)
        self.local: LocalTransport | None = None
        self.connecting: asyncio.Task[None] | None = None
        self.heard: list[AnyRtcpPacket] = []
        self.messages: list[str | bytes] = []
        self.channel: RTCDataChannel | None = None
        self.transport.on_rtcp = self.heard.extend

    def transport_lines(self, setup: str, *, with_candidates: bool = True) -> list[str]:
        """Give the lines of a section that describe our transport."""
        assert self.local is not None
        lines = [
            f"a=ice-ufrag:{self.local.user_fragment}",
            f"a=ice-pwd:{self.local.password}",
            f"a=fingerprint:{self.local.fingerprint.algorithm} {self.local.fingerprint.value}",
            f"a=setup:{setup}",
        ]
        return lines + [f"a=candidate:{each}" for each in self.local.candidates] if with_candidates else lines

    def remote_of(self, sdp: str, *, we_start: bool = True) -> Remote:
        """Read the other end's transport out of its description."""
        media = next(each for each in SessionDescription.parse(sdp).media if each.port)
        assert media.ice is not None
        assert media.dtls is not None
        candidates = [candidate_to_sdp(each) for each in media.ice_candidates]
        return Remote(
            user_fragment=str(media.ice.usernameFragment),
            password=str(media.ice.password),
            ice_lite=media.ice.iceLite,
            fingerprints=tuple(Fingerprint(each.algorithm, each.value) for each in media.dtls.fingerprints),
            dtls_client=not we_start,
            candidates=tuple(_candidate(each) for each in candidates),
        )

    def connect(self, sdp: str, *, we_start: bool) -> None:
        """Connect to the transport of a description, in the background."""
        remote = self.remote_of(sdp, we_start=we_start)
        sections = SessionDescription.parse(sdp).media
        data = next((each for each in sections if each.kind == "application" and each.port), None)
        self.connecting = asyncio.get_running_loop().create_task(self._connect(remote, data is not None))

    async def _connect(self, remote: Remote, with_data: bool) -> None:
        await self.transport.connect(remote)
        if with_data:
            sctp = self.transport.open_sctp()
            sctp.on("datachannel", self._opened)
            self.open_channel()
            await sctp.start(RTCSctpCapabilities(maxMessageSize=65_536), 5000)

    def open_channel(self) -> None:
        """Open our own data channel, if this client does."""

    def _opened(self, channel: RTCDataChannel) -> None:
        self.channel = channel
        channel.on("message", self.messages.append)

    async def check(self, remote: Remote) -> None:
        """Find a path to the other end, and do nothing with it."""
        for candidate in remote.candidates:
            self.transport.add_candidate(candidate)
        await self.transport._ice.start(RTCIceParameters(remote.user_fragment, remote.password, remote.ice_lite))

    def vanish(self) -> None:
        """Close our sockets under ourselves, so that our goodbyes are not heard."""
        for protocol in self.transport._connection._protocols:
            protocol.transport.abort()
        if self.transport.socket is not None:
            self.transport.socket.close()

    async def close(self) -> None:
        """End."""
        if self.connecting is not None:
            self.connecting.cancel()
            await asyncio.gather(self.connecting, return_exceptions=True)
        await self.transport.close()

    def count(self, kind: type[AnyRtcpPacket], fmt: int) -> int:
        """How many feedback packets of this kind were heard."""
        return sum(isinstance(each, kind) and getattr(each, "fmt", None) == fmt for each in self.heard)


def _candidate(line: str) -> Candidate:
    parts = line.split()
    return Candidate(parts[0], int(parts[3]), parts[4], int(parts[5]), parts[7])


class PublishingPeer(Peer):
    """Publishes VP8 and Opus that are none: headers and descriptors are real, the payload is a number."""

    def __init__(self, label: str = "s1", seed: int = 1, settings: AiortcSettings = SETTINGS) -> None:
        super().__init__(controlling=True, settings=settings)
        chance = random.Random(seed)
        self.label = label
        self.audio_ssrc, self.video_ssrc, self.repair_ssrc = (chance.getrandbits(31) | 1 for _ in range(3))
        self.sequence = {VIDEO: chance.getrandbits(15), AUDIO: chance.getrandbits(15), REPAIR: 7}
        self.timestamp = {VIDEO: chance.getrandbits(31), AUDIO: chance.getrandbits(31)}
        self.picture = 0
        self.sent: dict[int, bytes] = {}
        self.keyframes = 0
        self.lose: set[int] = set()  #: pictures that are not sent
        self.wants_key = True
        self.transport.on_rtcp = self._take
        self._task: asyncio.Task[None] | None = None

    async def offer(self, *, with_candidates: bool = True, with_data: bool = True) -> str:
        """Describe ourselves as a browser would."""
        if self.local is None:
            self.local = await self.transport.gather()
        common = self.transport_lines("actpass", with_candidates=with_candidates)
        lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
        lines.append("a=group:BUNDLE 0 1" + (" 2" if with_data else ""))
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111 63", "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendrecv", "a=rtcp-mux"]
        lines += ["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:63 red/48000/2"]
        lines += ["a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", f"a=ssrc:{self.audio_ssrc} cname:x", *common]
        lines += ["m=video 9 UDP/TLS/RTP/SAVPF 96 97 127", "c=IN IP4 0.0.0.0", "a=mid:1", "a=sendrecv", "a=rtcp-mux"]
        lines += ["a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96", "a=rtpmap:127 ulpfec/90000"]
        lines += ["a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"]
        lines += ["a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"]
        lines += [f"a=ssrc-group:FID {self.video_ssrc} {self.repair_ssrc}"]
        lines += [f"a=ssrc:{self.video_ssrc} cname:x", f"a=ssrc:{self.repair_ssrc} cname:x", *common]
        if with_data:
            lines += ["m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:2"]
            lines += ["a=sctp-port:5000", "a=max-message-size:262144", *common]
        return "\r\n".join(lines) + "\r\n"

    def take_answer(self, sdp: str) -> None:
        """Connect as the answer says, and start to send."""
        self.connect(sdp, we_start=True)
        self._task = asyncio.get_running_loop().create_task(self._send())

    def open_channel(self) -> None:
        """Open the channel that carries what is published, as the clients do."""
        self.channel = RTCDataChannel(self.transport.open_sctp(), RTCDataChannelParameters(label=self.label))
        self.channel.on("message", self.messages.append)

    def _take(self, packets: list[AnyRtcpPacket]) -> None:
        self.heard.extend(packets)
        for packet in packets:
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == 1:
                self.wants_key = True
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == 1:
                for sequence in packet.lost:
                    if sequence in self.sent:
                        self.transport.send_rtp(self._wrapped(sequence))

    def _wrapped(self, sequence: int) -> bytes:
        original = self.sent[sequence]
        self.sequence[REPAIR] += 1
        header = struct.pack("!BBHII", 0x80, original[1] & 0x80 | REPAIR, self.sequence[REPAIR], 0, self.repair_ssrc)
        return header + struct.pack("!H", sequence) + original[12:]

    async def _send(self) -> None:
        assert self.connecting is not None
        await self.connecting
        while True:
            self.send_picture()
            self.send_sound()
            await asyncio.sleep(0.02)

    def send_picture(self) -> None:
        """Send one picture in two packets; a keyframe when one was asked for."""
        self.picture += 1
        self.timestamp[VIDEO] = (self.timestamp[VIDEO] + VIDEO_CLOCK // 50) & 0xFFFFFFFF
        key, self.wants_key = self.wants_key, False
        self.keyframes += key
        for part in range(2):
            descriptor = bytes(
                (0x90 if part == 0 else 0x80, 0xC0, 0x80 | self.picture >> 8 & 0x7F, self.picture & 0xFF)
            )
            descriptor += bytes((self.picture & 0xFF,))
            frame = struct.pack("<BBB3sHH", 0 if key else 1, 0, 0, b"\x9d\x01\x2a", 640, 360) if part == 0 else b"\x01"
            payload = descriptor + frame + struct.pack("!I", self.picture) * 20
            self._send_packet(VIDEO, self.video_ssrc, payload, marker=part == 1)
        if self.picture % 25 == 1:
            info = RtcpSenderInfo(self.picture << 32, self.timestamp[VIDEO], self.picture, self.picture)
            self.transport.send_rtcp([RtcpSrPacket(ssrc=self.video_ssrc, sender_info=info)])

    def send_sound(self) -> None:
        """Send one packet of audio."""
        self.timestamp[AUDIO] = (self.timestamp[AUDIO] + 960) & 0xFFFFFFFF
        self._send_packet(AUDIO, self.audio_ssrc, b"\xfc" + struct.pack("!I", self.picture), marker=False)

    def _send_packet(self, payload_type: int, ssrc: int, payload: bytes, *, marker: bool) -> None:
        sequence = self.sequence[payload_type] = (self.sequence[payload_type] + 1) & 0xFFFF
        packet = struct.pack(
            "!BBHII", 0x80, (0x80 if marker else 0) | payload_type, sequence, self.timestamp[payload_type], ssrc
        )
        packet += payload
        if payload_type == VIDEO:
            self.sent[sequence] = packet
            self.sent.pop((sequence - 500) & 0xFFFF, None)
            if self.picture in self.lose:
                return
        self.transport.send_rtp(packet)

    def hush(self) -> None:
        """Send no more media; the connection stays."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Stop sending and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await super().close()


class PlayingPeer(Peer):
    """Plays what the server offers, and notes every packet."""

    def __init__(self, settings: AiortcSettings = SETTINGS) -> None:
        super().__init__(controlling=False, settings=settings)
        self.packets: dict[int, list[bytes]] = {}  #: by SSRC
        self.offer = ""
        self.transport.on_rtp = self._take_packet

    def _take_packet(self, packet: bytes) -> None:
        self.packets.setdefault(int.from_bytes(packet[8:12], "big"), []).append(packet)

    async def answer(self, offer: str) -> str:
        """Accept everything that is offered."""
        self.offer = offer
        if self.local is None:
            # Whoever faces an ICE-lite agent controls, offer or not (RFC 8445, section 6.1.1).
            self.transport._connection.ice_controlling = "a=ice-lite\r\n" in offer
            self.local = await self.transport.gather()
        sections = re.split(r"(?m)^(?=m=)", offer)[1:]
        mids = " ".join(re.findall(r"(?m)^a=mid:(\S+)\r$", offer))
        lines = ["v=0", "o=- 3 4 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}"]
        for section in sections:
            for line in section.split("\r\n"):
                if line == "a=sendonly":
                    lines.append("a=recvonly")
                elif line.startswith(("m=", "c=", "a=mid:", "a=rtpmap:", "a=fmtp:", "a=inactive", "a=sctp-port:")):
                    lines.append(line)
            lines += self.transport_lines("active")
        if self.connecting is None:
            self.connect(offer, we_start=True)
        return "\r\n".join(lines) + "\r\n"

    def ssrc(self, kind: str, stream: str = "s1") -> int:
        """The SSRC under which the newest offer has a stream's track."""
        prefix = "v" if kind == "video" else "a"
        match = re.search(rf"a=ssrc:(\d+) msid:{stream} ARDAMS{prefix}{stream}\r", self.offer)
        assert match is not None, self.offer
        return int(match[1])

    def repair_ssrc(self, stream: str = "s1") -> int:
        """The SSRC of a stream's retransmissions."""
        match = re.search(rf"a=ssrc-group:FID {self.ssrc('video', stream)} (\d+)", self.offer)
        assert match is not None
        return int(match[1])

    def arrived(self, kind: str, stream: str = "s1") -> list[bytes]:
        """The packets that arrived of one track."""
        return self.packets.get(self.ssrc(kind, stream), [])


class Call:
    """Sessions, a real engine and the adapter under test; clients are peers of this module.

    The adapter is an `AiortcMedia` in this process, called `media`, unless there is another one.
    """

    def __init__(
        self, settings: AiortcSettings = SETTINGS, *, restore_ms: int = 0, adapter: Media | None = None
    ) -> None:
        self.engine = Engine(Settings(restore_ms=restore_ms))
        self._grant = Grant(allowed=True, identity="somebody") if restore_ms else None
        self.media = AiortcMedia(settings)
        self._adapter: Media = self.media if adapter is None else adapter
        self.events: list[AnyEvent] = []
        self.failures = 0  #: exceptions that the adapter got over
        self.said: dict[str, list[object]] = {}
        self.steps: list[Step] = []
        self._queue: deque[tuple[str, AnyCommand | None, AnyEvent | None]] = deque()
        self._running = False
        self._listeners: dict[str, Callable[[Description], object]] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    async def __aenter__(self) -> Self:
        self._adapter.report_to(self.report, self._fail)
        await self._adapter.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._adapter.__aexit__(None, None, None)

    def report(self, event: AnyEvent) -> None:
        """Take an event of the adapter's."""
        self.events.append(event)
        self._input("", None, event)

    def _fail(self) -> None:
        self.failures += 1

    def say(self, session: str, command: AnyCommand) -> None:
        """Have a session say something."""
        self._input(session, command, None)

    def event(self, session: str, event: AnyEvent) -> None:
        """Have something happen to a session."""
        self._input(session, None, event)

    def open(self, *sessions: str) -> None:
        """Open sessions."""
        for session in sessions:
            self._input(session, None, SessionOpened("live"))

    def _input(self, session: str, command: AnyCommand | None, event: AnyEvent | None) -> None:
        self._queue.append((session, command, event))
        if self._running:
            return
        self._running = True
        try:
            while self._queue:
                whose, said, happened = self._queue.popleft()
                now = int(asyncio.get_running_loop().time() * 1e6)
                record = Record(
                    self.engine.seq + 1,
                    max(now, self.engine.time),
                    whose,
                    command=said,
                    event=happened,
                    grant=self._grant if said is not None else None,
                )
                step = self.engine.apply(record)
                self.steps.append(step)
                for to, message in step.messages:
                    self.said.setdefault(to, []).append(message)
                    if isinstance(message, Description) and to in self._listeners:
                        self._listeners[to](message)
                self._adapter.react(step)
        finally:
            self._running = False

    def notified(self, session: str, definition: str) -> bool:
        """Whether a session was told something."""
        return any(
            isinstance(each, Notification) and each.definition == definition for each in self.said.get(session, [])
        )

    def listen(self, session: str, listener: Callable[[Description], object]) -> None:
        """Have a session's descriptions handed over from now on."""
        self._listeners[session] = listener

    def publish_offer(self, session: str, stream: str, offer: str, room: str = "") -> None:
        """Offer to publish, whatever comes of it."""
        self.say(session, Publish(stream_id=stream, main_track=room))
        self.say(session, TakeConfiguration(stream_id=stream, type="offer", sdp=offer))

    async def publish(
        self, session: str, stream: str, peer: PublishingPeer, room: str = "", live: str = "publish_started"
    ) -> None:
        """Publish until it is live."""
        self._listeners[session] = lambda message: peer.take_answer(message.sdp)
        self.publish_offer(session, stream, await peer.offer(), room)
        await eventually(lambda: self.notified(session, live), f"{stream} is live")

    def play(self, session: str, stream: str, peer: PlayingPeer, room: str = "", *, switched_off: bool = False) -> None:
        """Play, and answer every offer from now on."""

        def answer(message: Description) -> None:
            async def reply() -> None:
                sdp = await peer.answer(message.sdp)
                self.say(session, TakeConfiguration(stream_id=stream, type="answer", sdp=sdp))

            task: asyncio.Task[object] = asyncio.get_running_loop().create_task(reply())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._listeners[session] = answer
        self.say(session, Play(stream_id=stream, room=room, disable_tracks_by_default=switched_off))

    def candidate(self, session: str, stream: str, line: str) -> None:
        """Trickle a candidate."""
        self.say(session, TakeCandidate(stream_id=stream, label=0, id="0", candidate=line))

    def of(self, kind: type[MediaEvent]) -> list[MediaEvent]:
        """The adapter's events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


@contextlib.asynccontextmanager
async def closing(*peers: Peer) -> AsyncIterator[None]:
    """Close peers at the end, whatever happens."""
    try:
        yield
    finally:
        await asyncio.gather(*(peer.close() for peer in peers))
