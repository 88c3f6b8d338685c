"""One RTP stream of a published track, and who gets its packets.

A layer is the only encoding of a track, one of its simulcast, or a rung of its ladder. It notes what arrives, keeps the
last packets for viewers that lose some, and forwards: to those in whose flow it stands at once, to those that wait for
it from its next keyframe on.
"""

import itertools
from collections.abc import Callable
from typing import Final

from signalreel_adapters.media.aiortc.fanout import FanOut
from signalreel_adapters.media.aiortc.keyframe import HEAD_BYTES, Size, frame_size, starts_keyframe
from signalreel_adapters.media.aiortc.negotiation import AUDIO_LEVEL, ORIENTATION, SEND_TIME, PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Forwarded, Out
from signalreel_adapters.media.aiortc.rtcp import Order, RateWindow, Reception, SenderClock, Throttle
from signalreel_adapters.media.aiortc.rtp import (
    HEADER_SIZE,
    PACKET_BYTES_MAX,
    Packet,
    Vp8Positions,
    abs_send_time,
    extension,
    vp8_positions,
)

__all__ = ("HISTORY_PACKETS", "Layer")

HISTORY_PACKETS: Final = 1_024
"""Packets kept for retransmission, of video only: 5 s of 1.5 Mbit/s. A power of two, for the index."""

_HISTORY_MASK: Final = HISTORY_PACKETS - 1
_EXTENSION_PROFILE: Final = b"\xbe\xde"
_serials: Final = itertools.count()


class Layer:
    """One incoming stream. `ask_for_keyframe` sends the request to the publisher; it is throttled here."""

    def __init__(
        self,
        published: PublishedTrack,
        ssrc: int,
        rid: str,
        *,
        fan_out: FanOut,
        keyframe_interval: float,
        ask_for_keyframe: Callable[["Layer"], None],
    ) -> None:
        self.serial = next(_serials)  #: tells layers apart without keeping them alive
        self.published = published
        self.ssrc = ssrc
        self.rid = rid
        self.codec = published.codec.name
        self.clock_rate = published.codec.clock_rate
        self.reception = Reception(self.clock_rate)
        self.clock = SenderClock(self.clock_rate)
        self.rate = RateWindow()
        self.size: Size = (0, 0)
        self.last: Forwarded | None = None  #: the newest packet that was forwarded
        self.last_at = 0.0
        self.sent_packets = self.sent_octets = 0  #: what a viewer that was there all the time was sent
        self.keyframes = self.keyframes_asked = 0
        self.junk = 0  #: packets that were too large to forward
        self._is_video = published.kind == "video"
        self._fan_out = fan_out
        self._flowing: tuple[Out, ...] = ()
        self._waiting: tuple[Out, ...] = ()
        self._throttle = Throttle(keyframe_interval)
        self._ask = ask_for_keyframe
        self._history: list[Forwarded | None] = [None] * (HISTORY_PACKETS if self._is_video else 0)

    # ----------------------------------------------------------------------------------------- who gets the packets

    @property
    def is_watched(self) -> bool:
        """Whether anybody gets or awaits packets."""
        return bool(self._flowing or self._waiting)

    def await_start(self, out: Out, now: float) -> None:
        """Let a viewer in at the next keyframe, if it does not rest; it stays in its former flow until then."""
        if out not in self._waiting:
            out.target = self
            self._waiting += (out,)
        if now >= out.rests_until:
            self.request_keyframe(now)

    def stop(self, out: Out) -> None:
        """Let a viewer go, flowing or waiting."""
        if out.target is self:
            out.target = None
        self.stop_waiting(out)
        if out.layer is self:
            self.leave(out)
            out.layer = None

    def stop_waiting(self, out: Out) -> None:
        """Do not let a viewer in after all."""
        self._waiting = tuple(each for each in self._waiting if each is not out)

    def leave(self, out: Out) -> None:
        """End a viewer's flow and note where it stands."""
        self._fan_out.flush()
        out.settle()
        self._flowing = tuple(each for each in self._flowing if each is not out)

    def release(self) -> list[Out]:
        """Let everybody go; gives who it was. For a layer that has ended."""
        outs = [*self._flowing, *self._waiting]
        for out in outs:
            self.stop(out)
        return outs

    def request_keyframe(self, now: float) -> None:
        """Ask the publisher for a keyframe, if nobody just did."""
        if self._is_video and self._throttle.passes(now):
            self.keyframes_asked += 1
            self._ask(self)

    def history(self, sequence: int) -> Forwarded | None:
        """Give a packet that was forwarded lately.

        What the fan-out holds is let go first: it may be made longer yet, and one number must not stand for two texts.
        """
        if not self._history:
            return None
        self._fan_out.flush()
        packet = self._history[sequence & _HISTORY_MASK]
        return packet if packet is not None and packet.sequence == sequence else None

    def nominal(self, now: float) -> int:
        """Give the bit/s that it takes to send this, however little it is at the moment."""
        return self.rate.peak(now)

    # ------------------------------------------------------------------------------------------------------- packets

    def take(self, data: bytes, packet: Packet, now: float) -> None:
        """Take one packet of this stream, as it arrived or as it was unwrapped from a retransmission."""
        if len(data) > PACKET_BYTES_MAX:
            self.junk += 1
            return
        order = self.reception.note(packet.sequence, packet.timestamp, now)
        if order is Order.REPEATED:
            return
        self.rate.add(len(data), now)
        if order is Order.JUMPED:
            self._restart(now)
        head = data[packet.payload_start : min(packet.payload_end, packet.payload_start + HEAD_BYTES)]
        key = bool(head) and starts_keyframe(self.codec, head)
        if key and self._is_video:
            self.keyframes += 1
            self.size = frame_size(self.codec, head) or self.size
        forwarded = self._canonical(data, packet, now)
        if self._is_video:
            self._history[packet.sequence & _HISTORY_MASK] = forwarded
        if order is Order.LATE:
            self._forward_late(forwarded)
            return
        if self._waiting:
            self._let_in(forwarded, key, now)
        self.last, self.last_at = forwarded, now
        if self._flowing:
            self._fan_out.forward(forwarded, self._flowing)
        self.sent_packets += 1
        self.sent_octets += len(forwarded.tail) + HEADER_SIZE - forwarded.payload_at

    def _forward_late(self, forwarded: Forwarded) -> None:
        outs = tuple(out for out in self._flowing if out.accepts_late(forwarded.sequence))
        if outs:
            self._fan_out.flush()
            self._fan_out.forward(forwarded, outs)
            self._fan_out.flush()

    def _let_in(self, forwarded: Forwarded, key: bool, now: float) -> None:
        ready = tuple(out for out in self._waiting if out.flows and now >= out.rests_until)
        if not ready:
            return
        if not key:
            self.request_keyframe(now)
            return
        self._fan_out.flush()
        for out in ready:
            out.begin(self, forwarded, now)
        self._waiting = tuple(out for out in self._waiting if out not in ready)
        self._flowing += ready

    def _restart(self, now: float) -> None:
        """The publisher numbers anew: every flow has to start again."""
        for out in self._flowing:
            self.leave(out)
            out.layer = None
            out.forget_source()
            self.await_start(out, now)
        self.last = None

    def _canonical(self, data: bytes, packet: Packet, now: float) -> Forwarded:
        """Make the packet what viewers were promised: our extension ids, no CSRC, a fresh sending time."""
        published = self.published
        elements = b""
        if self._is_video:
            elements = bytes((SEND_TIME << 4 | 2,)) + abs_send_time(now)
            value = extension(data, packet, published.orientation_id) if published.orientation_id else None
            if value is not None and len(value) == 1:
                elements += bytes((ORIENTATION << 4,)) + value + b"\0\0"
        elif published.audio_level_id:
            value = extension(data, packet, published.audio_level_id)
            if value is not None and len(value) == 1:
                elements = bytes((AUDIO_LEVEL << 4,)) + value + b"\0\0"
        block = _EXTENSION_PROFILE + (len(elements) // 4).to_bytes(2, "big") + elements if elements else b""
        flags = 0x80 | data[0] & 0x20 | (0x10 if block else 0)
        payload_at = HEADER_SIZE + len(block)
        vp8 = vp8_positions(data, packet.payload_start, packet.payload_end) if self.codec == "VP8" else None
        if vp8 is not None:
            moved = payload_at - packet.payload_start
            vp8 = Vp8Positions(
                vp8.picture_at + moved if vp8.picture_at else 0,
                vp8.picture,
                vp8.wide,
                vp8.layer_at + moved if vp8.layer_at else 0,
                vp8.layer,
            )
        tail = block + data[packet.payload_start :]
        ends = not self._is_video or bool(packet.marker)
        return Forwarded(flags, packet.marker, packet.sequence, packet.timestamp, tail, payload_at, vp8, ends)
