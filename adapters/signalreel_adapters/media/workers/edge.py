"""The edge's end of a relay: a publisher like any other, whose transport is the relay.

It outlives its relay: a stream whose origin is lost may be published again elsewhere, and its viewers here go on.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Final

from aiortc import RTCSctpTransport
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket

from signalreel_adapters.media.aiortc.data import Message, Relay
from signalreel_adapters.media.aiortc.errors import TransportFailed
from signalreel_adapters.media.aiortc.filter import Candidate
from signalreel_adapters.media.aiortc.peer import Egress, Remote
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.rtcp import PLI
from signalreel_adapters.media.aiortc.sdp import LocalTransport
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.workers.relay import Standing, data_message, hear, keyframe_request
from signalreel_adapters.pipes import Pipe

__all__ = ("READY_SECONDS_MAX", "Edge", "RelayTransport")

READY_SECONDS_MAX: Final = 3.0
"""How long a playback waits to hear what is published. The origin says it at once; a player gives up after ten."""


def _ignore(_: object) -> None:
    """Stand in until somebody listens."""


class RelayTransport:
    """What a publisher needs of a transport. There is no peer here: nothing connects, and nothing is sent but RTCP."""

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self.on_rtp: Callable[[bytes], None] = _ignore
        self.on_rtcp: Callable[[list[AnyRtcpPacket]], None] = _ignore
        self.on_lost: Callable[[str], None] = _ignore
        self.last_heard = 0.0
        self.egress: Egress | None = None
        self._send = send

    def send_rtcp(self, packets: Sequence[AnyRtcpPacket]) -> None:
        """Pass on what is for the publisher alone: the origin reports, and asks for what is missing, by itself."""
        for packet in packets:
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == PLI:
                self._send(keyframe_request(packet.media_ssrc))

    def send_rtp(self, packet: bytes) -> bool:
        """Send nothing: publishers are sent no media."""
        return False

    def refresh(self) -> None:
        """Do nothing: a relay does not move."""

    async def gather(self) -> LocalTransport:
        """Refuse: nobody connects to a relay."""
        raise TransportFailed("a relay describes nothing")

    def add_candidate(self, candidate: Candidate) -> None:
        """Do nothing: there are no paths to choose from."""

    async def connect(self, remote: Remote) -> None:
        """Refuse: a relay is there or it is not."""
        raise TransportFailed("a relay connects to nobody")

    def open_sctp(self) -> RTCSctpTransport:
        """Refuse: data-channel messages come by the relay itself."""
        raise TransportFailed("a relay has no data channels")

    async def close(self) -> None:
        """Do nothing: the edge ends its relay."""


class Edge:
    """One stream of another process, as viewers here see it. `tell_players` has them look at what is switched off."""

    def __init__(
        self,
        publisher: Publisher,
        settings: AiortcSettings,
        clock: Callable[[], float],
        tell_players: Callable[[], None],
    ) -> None:
        self.publisher = publisher
        self.relay = Relay(settings, clock)
        self.dropped = 0  #: data-channel messages that the origin had no room for
        self._settings = settings
        self._tell_players = tell_players
        self._known = asyncio.Event()
        self._pipe: Pipe | None = None
        self.transport = RelayTransport(self._ask)
        self.relay.publisher = self

    def attach(self, end: socket.socket) -> None:
        """Take the stream from this relay from now on."""
        self._end_relay()
        self._pipe = Pipe(end, self._take, self._end_relay)
        self._pipe.listen()

    async def ready(self) -> None:
        """Wait until it is known what is published, if not for long: an offer without it is better than none."""
        if not self._known.is_set():
            try:
                async with asyncio.timeout(READY_SECONDS_MAX):
                    await self._known.wait()
            except TimeoutError:
                return

    def look(self, now: float) -> None:
        """Let viewers be where they should be. To be called about once a second."""
        self.publisher.report(now)

    def _take(self, message: bytes) -> None:
        if not hear(message, self):
            self._end_relay()

    def take_rtp(self, data: bytes) -> None:
        """Forward one packet."""
        self.transport.on_rtp(data)

    def take_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """Take sender reports."""
        self.transport.on_rtcp(packets)

    def take_standing(self, told: Standing) -> None:
        """Follow what is published."""
        publisher = self.publisher
        if told.is_here and not publisher.is_here:
            publisher.attach(self.transport)  # first: new layers ask for keyframes at once
        if told.is_here or told.tracks:  # a new origin knows of nothing before the publisher is back
            publisher.agree(told.tracks, carries_data=told.carries_data, ladder=told.ladder)
        for number, ssrc, rid in told.layers:
            publisher.add_layer(number, ssrc, rid)
        if not told.is_here:
            publisher.detach()
        if publisher.disabled != set(told.disabled):
            publisher.switch(told.disabled)
            self._tell_players()
        self._known.set()

    def take_data(self, message: Message) -> None:
        """Tell the players here what was said at the origin."""
        self.relay.from_publisher(message)

    def send(self, message: Message) -> bool:
        """Hand on what a player here said: to the publisher, and to the players elsewhere."""
        pipe = self._pipe
        if pipe is None or pipe.waiting_bytes + len(message) > self._settings.buffered_bytes_max:
            self.dropped += 1
            return False
        return pipe.send(data_message(message))

    def _ask(self, message: bytes) -> None:
        if self._pipe is not None:
            self._pipe.send(message)

    def _end_relay(self) -> None:
        """The relay is over: viewers stay, and see nothing until there is another one."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()
            self.publisher.detach()

    def close(self) -> None:
        """The stream is over, or nobody here watches it: let everybody go."""
        self._end_relay()
        self.publisher.close()
        self._known.set()
