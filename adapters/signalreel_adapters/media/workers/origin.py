"""The origin's end of a relay: hands on all that a publisher sends, and brings back what is wanted and said there."""

import socket
from collections.abc import Callable
from typing import Final

from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket, RtcpSrPacket

from signalreel_adapters.media.aiortc.data import Message
from signalreel_adapters.media.aiortc.publishing import StreamSide
from signalreel_adapters.media.aiortc.rtcp import PLI
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.workers.relay import Standing, data_message, hear, report_message, standing_message
from signalreel_adapters.pipes import Pipe

__all__ = ("RTP_WAITING_BYTES_MAX", "Origin")

RTP_WAITING_BYTES_MAX: Final = 524_288
"""What of RTP may wait for the edge, beside what the kernel keeps: the longest keyframe and some. Later packets are
dropped: whoever is so far behind is better off with the next keyframe."""


class Origin:
    """One relay of one stream, with a number of its own among the stream's players. `on_end` is called once."""

    def __init__(
        self, side: StreamSide, number: int, settings: AiortcSettings, end: socket.socket, on_end: Callable[[], None]
    ) -> None:
        self.dropped = 0  #: packets and data-channel messages that the edge had no room for
        self._side = side
        self._number = number
        self._settings = settings
        self._on_end = on_end
        self._pipe = Pipe(end, self._take, self.close)
        side.publisher.taps += (self,)
        # To the stream's own players, whoever speaks over there is one player more.
        side.relay.players[number] = self
        self._pipe.listen()
        self.take_change()

    def take_rtp(self, data: bytes) -> None:
        """Hand on one packet of the publisher's."""
        if self._pipe.waiting_bytes > RTP_WAITING_BYTES_MAX or not self._pipe.send(data):
            self.dropped += 1

    def take_report(self, report: RtcpSrPacket) -> None:
        """Hand on a sender report."""
        self._must_send(report_message(report))

    def take_change(self) -> None:
        """Say anew what is published."""
        publisher = self._side.publisher
        told = Standing(
            is_here=publisher.is_here,
            tracks=tuple(track.published for track in publisher.tracks),
            layers=tuple(publisher.layers()),
            disabled=tuple(sorted(publisher.disabled)),
            carries_data=publisher.carries_data,
            ladder=publisher.ladder,
        )
        self._must_send(standing_message(told))

    def send(self, message: Message) -> bool:
        """Hand on a data-channel message."""
        if self._pipe.waiting_bytes + len(message) > self._settings.buffered_bytes_max:
            self.dropped += 1
            return False
        return self._pipe.send(data_message(message))

    def _must_send(self, message: bytes) -> None:
        if not self._pipe.send(message):
            self.close()  # an edge that misses one of these would show something wrong

    def _take(self, message: bytes) -> None:
        if not hear(message, self):
            self.close()

    def take_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """Pass on a request for a keyframe."""
        for packet in packets:
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == PLI:
                self._side.publisher.request_keyframe(packet.media_ssrc)

    def take_data(self, message: Message) -> None:
        """Pass on what one of the edge's players said."""
        self._side.relay.from_player(self._number, message)

    def take_standing(self, told: Standing) -> None:
        """Nothing is published at an edge."""

    def close(self) -> None:
        """End the relay. Harmless the second time."""
        publisher, players = self._side.publisher, self._side.relay.players
        publisher.taps = tuple(tap for tap in publisher.taps if tap is not self)
        self._pipe.close()
        if players.get(self._number) is self:
            del players[self._number]
            self._on_end()
