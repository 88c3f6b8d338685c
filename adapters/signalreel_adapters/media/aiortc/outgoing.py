"""One outgoing RTP stream of one viewer, and how it stays continuous whatever its source does.

A viewer's SSRC lives as long as its section; the layer behind it is paused, resumed, switched and replaced. So a
packet's sequence number and timestamp are moved by offsets that are chosen anew each time the flow starts, such that
the viewer sees the next number and the time that passed. Nothing older than that start is ever sent under the new
offsets: two different packets under one sequence number would share one key stream of SRTP.
"""

import secrets
from typing import Final, Protocol

from msgspec import Struct

from signalreel_adapters.media.aiortc.keyframe import Size
from signalreel_adapters.media.aiortc.negotiation import SEND_TIME, Offered
from signalreel_adapters.media.aiortc.peer import Egress, PeerTransport
from signalreel_adapters.media.aiortc.rtcp import Budget, RateWindow, SenderClock
from signalreel_adapters.media.aiortc.rtp import (
    HEADER,
    HEADER_SIZE,
    SEQUENCE_MASK,
    TIMESTAMP_MASK,
    Vp8Positions,
    abs_send_time,
    is_newer,
    seconds_since,
)

__all__ = ("Feed", "Forwarded", "Out", "rewrite", "shift_picture")

_RETRANSMITS_PER_SECOND: Final = 400.0
"""Packets sent again to one viewer for one track: about twice the whole of a 2 Mbit/s stream."""

_RETRANSMITS_AT_ONCE: Final = 200.0
_LATE_MAX: Final = 8_192
"""Packets: more than any late one can be behind, and a quarter of the range that can be compared."""

_PICTURE_MASK: Final = 0x7FFF
_SEND_TIME_AT: Final = HEADER_SIZE + 5  # behind profile, length and the element's own byte: it is always the first


class Forwarded(Struct, gc=False):
    """An incoming packet as every viewer gets it, but for the twelve bytes of its header.

    It may be padded once, before anybody has got it. From then on it is never changed: whoever gets it again must get
    the same.
    """

    flags: int  #: first byte of the header
    marker: int
    sequence: int
    timestamp: int
    tail: bytes  #: header extensions in our numbering, and the payload
    payload_at: int  #: counted from the start of the whole packet
    vp8: Vp8Positions | None = None  #: counted likewise
    ends: bool = True  #: whether nothing of its frame is to follow


class Feed(Protocol):
    """Where an outgoing stream gets its packets: a `Layer`, as far as those that are fed by it know it.

    A layer knows the streams that it feeds, and each of them knows its layer; this is what keeps their modules from
    needing each other.
    """

    serial: int  #: tells feeds apart without keeping them alive
    clock_rate: int
    clock: SenderClock
    rate: RateWindow
    size: Size  #: of its pictures; zeros before the first keyframe
    last: Forwarded | None  #: the newest packet that was forwarded
    last_at: float
    sent_packets: int  #: what a viewer that was there all the time was sent
    sent_octets: int

    def history(self, sequence: int) -> Forwarded | None:
        """Give a packet that was forwarded lately."""
        ...

    def request_keyframe(self, now: float) -> None:
        """Ask the publisher for a keyframe, if nobody just did."""
        ...

    def leave(self, out: "Out") -> None:
        """End a viewer's flow and note where it stands."""
        ...

    def stop(self, out: "Out") -> None:
        """Let a viewer go, flowing or waiting."""
        ...

    def stop_waiting(self, out: "Out") -> None:
        """Do not let a viewer in after all."""
        ...


class Out:
    """One outgoing stream. Attributes that the fan-out reads are plain; methods change them between packets."""

    __slots__ = (
        "_budget",
        "_octets",
        "_packets",
        "_repair_sequence",
        "_source",
        "_started",
        "codec",
        "egress",
        "enabled",
        "first_sequence",
        "kind",
        "last_at",
        "last_layer_index",
        "last_picture",
        "last_sequence",
        "last_timestamp",
        "layer",
        "layer_index_offset",
        "layer_octets_before",
        "layer_packets_before",
        "offered",
        "payload_type",
        "picture_offset",
        "ready",
        "renewed",
        "repair_type",
        "rests_until",
        "sequence_offset",
        "shifts_pictures",
        "ssrc",
        "target",
        "timestamp_offset",
        "transport",
    )

    def __init__(self, offered: Offered, transport: PeerTransport) -> None:
        self.offered = offered
        self.transport = transport
        self.kind = offered.kind
        self.codec = offered.codec.name
        self.ssrc = offered.ssrc
        self.payload_type = offered.codec.payload_type
        self.repair_type = offered.repair_type
        self.egress: Egress | None = None
        self.enabled = True
        self.renewed = False  #: has begun to flow since that was last told: its timestamps mean something else
        self.ready = False  #: the viewer's transport is connected, and it has agreed to this section
        self.layer: Feed | None = None  #: where packets come from now
        self.target: Feed | None = None  #: where they are to come from at its next keyframe
        self.rests_until = 0.0  #: not before: what has been sent is to arrive first
        self.sequence_offset = 0
        self.timestamp_offset = 0
        self.first_sequence = 0  #: of the layer, at the start of this flow
        # Below half of the range, so that the first wrap is not mistaken for a late packet by SRTP (RFC 3711, 3.3.1).
        self.last_sequence = secrets.randbits(15)
        self.last_timestamp = secrets.randbits(32)
        self.last_at = 0.0
        self.shifts_pictures = False
        self.picture_offset = self.layer_index_offset = 0
        self.last_picture = self.last_layer_index = 0
        self.layer_packets_before = self.layer_octets_before = 0
        self._packets = self._octets = 0
        self._started = False
        self._source: int = -1  # serial of the layer that the flow came from last
        self._repair_sequence = secrets.randbits(15)
        self._budget = Budget(_RETRANSMITS_PER_SECOND, _RETRANSMITS_AT_ONCE)

    @property
    def flows(self) -> bool:
        """Whether packets may be sent at all."""
        return self.enabled and self.ready

    @property
    def started(self) -> bool:
        """Whether the viewer has been sent anything on this SSRC."""
        return self._started

    def begin(self, layer: Feed, packet: Forwarded, now: float) -> None:
        """Start to flow from a layer, with this packet."""
        if self.layer is not None:
            self.layer.leave(self)
        changed = self._started and layer.serial != self._source
        self._source = layer.serial
        self.sequence_offset = (self.last_sequence + 1 - packet.sequence) & SEQUENCE_MASK
        passed = max(1, int((now - self.last_at) * layer.clock_rate)) if self._started else 0
        self.timestamp_offset = (self.last_timestamp + passed - packet.timestamp) & TIMESTAMP_MASK
        if changed and packet.vp8 is not None:
            # Without this a decoder takes the other layer's numbers for lost or repeated pictures, and stalls.
            self.picture_offset = (self.last_picture + 1 - packet.vp8.picture) & _PICTURE_MASK
            self.layer_index_offset = (self.last_layer_index + 1 - packet.vp8.layer) & 0xFF
            self.shifts_pictures = True
        self.first_sequence = packet.sequence
        self.layer_packets_before, self.layer_octets_before = layer.sent_packets, layer.sent_octets
        self.egress = self.transport.egress
        self.layer, self.target = layer, None
        self._started = self.renewed = True

    def forget_source(self) -> None:
        """Take the next flow for one from another source, because its numbers start anew."""
        self._source = -1

    def settle(self) -> None:
        """Note where the flow stands, before it ends."""
        layer = self.layer
        if layer is None or layer.last is None:
            return
        last = layer.last
        self.last_sequence = (last.sequence + self.sequence_offset) & SEQUENCE_MASK
        self.last_timestamp = (last.timestamp + self.timestamp_offset) & TIMESTAMP_MASK
        self.last_at = layer.last_at
        if last.vp8 is not None:
            self.last_picture = (last.vp8.picture + self.picture_offset) & _PICTURE_MASK
            self.last_layer_index = (last.vp8.layer + self.layer_index_offset) & 0xFF
        self._packets, self._octets = self.sent()
        self.layer_packets_before, self.layer_octets_before = layer.sent_packets, layer.sent_octets

    def sent(self) -> tuple[int, int]:
        """Give how many packets and payload octets were sent, for sender reports."""
        layer = self.layer
        if layer is None:
            return self._packets, self._octets
        return (
            self._packets + layer.sent_packets - self.layer_packets_before,
            self._octets + layer.sent_octets - self.layer_octets_before,
        )

    def accepts_late(self, sequence: int) -> bool:
        """Whether a packet that arrived late belongs to the flow as it is now."""
        layer = self.layer
        if layer is not None and layer.sent_packets - self.layer_packets_before > _LATE_MAX:
            return True  # the start is so far behind that the comparison below would wrap
        return not is_newer(self.first_sequence, sequence)

    def retransmit(self, sequence: int, now: float) -> bool:
        """Send a packet again that this viewer misses. False when it is kept no more, or too much was asked for."""
        layer = self.layer
        if layer is None or not self.flows:
            return False
        original = (sequence - self.sequence_offset) & SEQUENCE_MASK
        packet = layer.history(original)
        if packet is None or not self.accepts_late(original) or not self._budget.take(now):
            return False
        plain = rewrite(packet, self)
        if not self.repair_type:
            # Byte for byte what was sent before: another plain text under the same number would break SRTP.
            return self.transport.send_rtp(plain)
        return self._send_wrapped(packet, plain, sequence, now)

    def repeat(self, steps: int, now: float) -> int:
        """Send a packet again that the viewer has, the newest but `steps`, as padding. Gives its size, 0 for none."""
        layer = self.layer
        if layer is None or layer.last is None or not self.flows or not self.repair_type:
            return 0
        original = (layer.last.sequence - steps) & SEQUENCE_MASK
        packet = layer.history(original)
        if packet is None or not self.accepts_late(original):
            return 0
        plain = rewrite(packet, self)
        sequence = (original + self.sequence_offset) & SEQUENCE_MASK
        return len(plain) if self._send_wrapped(packet, plain, sequence, now) else 0

    def age(self, sequence: int, now: float) -> float | None:
        """Seconds since a packet with this sequence number was sent; `None` when that is not known any more."""
        layer = self.layer
        original = (sequence - self.sequence_offset) & SEQUENCE_MASK
        packet = layer.history(original) if layer is not None else None
        if packet is None or packet.payload_at <= _SEND_TIME_AT or not self.accepts_late(original):
            return None
        return seconds_since(packet.tail[_SEND_TIME_AT - HEADER_SIZE : _SEND_TIME_AT - HEADER_SIZE + 3], now)

    def _send_wrapped(self, packet: Forwarded, plain: bytes, sequence: int, now: float) -> bool:
        """Send a packet as a retransmission (RFC 4588): under a number of its own, on an SSRC of its own."""
        self._repair_sequence = (self._repair_sequence + 1) & SEQUENCE_MASK
        timestamp = (packet.timestamp + self.timestamp_offset) & TIMESTAMP_MASK
        header = HEADER.pack(
            packet.flags, packet.marker | self.repair_type, self._repair_sequence, timestamp, self.offered.repair_ssrc
        )
        wrapped = bytearray(header + plain[HEADER_SIZE : packet.payload_at])
        if packet.payload_at > _SEND_TIME_AT and wrapped[_SEND_TIME_AT - 1] == SEND_TIME << 4 | 2:
            wrapped[_SEND_TIME_AT : _SEND_TIME_AT + 3] = abs_send_time(now)
        return self.transport.send_rtp(bytes(wrapped) + sequence.to_bytes(2, "big") + plain[packet.payload_at :])


def rewrite(packet: Forwarded, out: Out) -> bytes:
    """Give the packet as this viewer gets it."""
    header = HEADER.pack(
        packet.flags,
        packet.marker | out.payload_type,
        (packet.sequence + out.sequence_offset) & SEQUENCE_MASK,
        (packet.timestamp + out.timestamp_offset) & TIMESTAMP_MASK,
        out.ssrc,
    )
    if not out.shifts_pictures or packet.vp8 is None:
        return header + packet.tail
    whole = bytearray(header + packet.tail)
    shift_picture(whole, packet.vp8, out)
    return bytes(whole)


def shift_picture(buffer: bytearray | memoryview, vp8: Vp8Positions, out: Out) -> None:
    """Write PictureID and TL0PICIDX as this viewer's flow continues them, where they are present."""
    if vp8.picture_at:
        picture = (vp8.picture + out.picture_offset) & _PICTURE_MASK
        if vp8.wide:
            buffer[vp8.picture_at] = 0x80 | picture >> 8
            buffer[vp8.picture_at + 1] = picture & 0xFF
        else:
            buffer[vp8.picture_at] = picture & 0x7F
    if vp8.layer_at:
        buffer[vp8.layer_at] = (vp8.layer + out.layer_index_offset) & 0xFF
