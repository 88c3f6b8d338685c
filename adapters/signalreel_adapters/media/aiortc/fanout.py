"""How one packet reaches many viewers: strategies behind one interface.

`PoliteFanOut` gives every packet to the viewer's transport. `RawFanOut` writes each header into one buffer, encrypts it
in place and hands it to the socket: no object and no coroutine for a packet, which is most of what forwarding costs.
The third one, which sends whole frames, is in `gso`.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from signalreel_adapters.media.aiortc.outgoing import Forwarded, Out, rewrite, shift_picture
from signalreel_adapters.media.aiortc.rtp import HEADER, HEADER_SIZE, SEQUENCE_MASK, TIMESTAMP_MASK
from signalreel_adapters.media.aiortc.transport import ffi, protect_in_place

__all__ = ("FanOut", "PoliteFanOut", "RawFanOut")

_BUFFER_SIZE: Final = 2_048  # a plain packet of at most 1 300 bytes, and what SRTP adds (144 at most)


class FanOut(Protocol):
    """Sends the packets of a layer to its viewers.

    A tuple of viewers is never changed: when who gets packets changes, or how an `Out` numbers them, a new tuple is
    given. So a strategy may hold packets back and send those that came with the same tuple, the very same one, at once;
    `flush` is called before the tuple is replaced.
    """

    def forward(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Send one packet to all of them. A packet that a socket does not take is dropped for that viewer."""
        ...

    def flush(self) -> None:
        """Send everything that was held back."""
        ...


class PoliteFanOut:
    """The plain way: works with every transport."""

    def __init__(self) -> None:
        self.dropped = 0  #: packets that were not sent

    def forward(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Send one packet to all of them."""
        for out in outs:
            if not out.transport.send_rtp(rewrite(packet, out)):
                self.dropped += 1

    def flush(self) -> None:
        """Nothing is ever held back."""


class RawFanOut:
    """The short way, through each transport's `Egress`; one without it is served by the plain way."""

    def __init__(self) -> None:
        self._dropped = 0
        self._polite = PoliteFanOut()
        self._buffer: Any = ffi.new("char[]", _BUFFER_SIZE)
        self._view = memoryview(ffi.buffer(self._buffer))
        self._length: Any = ffi.new("int *")
        self._protect: Any = protect_in_place

    @property
    def dropped(self) -> int:
        """Packets that were not sent."""
        return self._dropped + self._polite.dropped

    def forward(self, packet: Forwarded, outs: Sequence[Out]) -> None:
        """Send one packet to all of them."""
        view, buffer, length, protect, pack = self._view, self._buffer, self._length, self._protect, HEADER.pack_into
        flags, marker, sequence, timestamp = packet.flags, packet.marker, packet.sequence, packet.timestamp
        tail, vp8 = packet.tail, packet.vp8
        size = HEADER_SIZE + len(tail)
        for out in outs:
            egress = out.egress
            if egress is None:
                self._polite.forward(packet, (out,))
                continue
            # The payload of the viewer before was encrypted in place: it has to be written again.
            view[HEADER_SIZE:size] = tail
            pack(
                view,
                0,
                flags,
                marker | out.payload_type,
                (sequence + out.sequence_offset) & SEQUENCE_MASK,
                (timestamp + out.timestamp_offset) & TIMESTAMP_MASK,
                out.ssrc,
            )
            if out.shifts_pictures and vp8 is not None:
                shift_picture(view, vp8, out)
            length[0] = size
            if protect(egress.context, buffer, length):
                self._dropped += 1
                continue
            try:
                egress.send(view[: length[0]], egress.address)
            except OSError:  # EAGAIN before all: asyncio would keep the packet, without a bound
                self._dropped += 1

    def flush(self) -> None:
        """Nothing is ever held back."""
