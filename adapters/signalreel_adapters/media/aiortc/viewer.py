"""One player's connection: its sections, its outgoing streams, and what it says back by RTCP."""

import contextlib
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    unpack_remb_fci,
)

from signalreel_adapters.media.aiortc.negotiation import Offered, Plan
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.publisher import Publisher, Track
from signalreel_adapters.media.aiortc.rtcp import fir_targets
from signalreel_adapters.media.aiortc.rtp import TIMESTAMP_MASK
from signalreel_adapters.media.aiortc.sdp import Description, LocalSection
from signalreel_adapters.media.aiortc.settings import AiortcSettings

__all__ = ("Viewer",)

_NACK: Final = 1
_PLI: Final = 1
_FIR: Final = 4
_APPLICATION: Final = 15
_CNAME: Final = 1  # the SDES item (RFC 3550, section 6.5.1)
_OUR_CNAME: Final = b"signalreel"
_LOST_PER_PACKET_MAX: Final = 256  # more of a single NACK are not looked at
_ESTIMATE_MAX: Final = 1_000_000_000
_TRACK_PREFIX: Final = "ARDAMS"
_KIND_OF_PREFIX: Final = {f"{_TRACK_PREFIX}v": "video", f"{_TRACK_PREFIX}a": "audio"}


class Viewer:
    """One life of one playback."""

    def __init__(self, transport: PeerTransport, settings: AiortcSettings, clock: Callable[[], float]) -> None:
        self.transport = transport
        self.publishers: dict[str, Publisher] = {}  #: by stream id, what the last offer shows
        self.estimate = 0  #: bit/s that the player says it can take; 0 before it said so
        self._clock = clock
        self._plan = Plan(sections_max=settings.viewer_sections_max, message_bytes_max=settings.message_bytes_max)
        self._outs: dict[int, tuple[Out, Track]] = {}  # by SSRC
        self._accepted: set[str] = set()  # mids that the player takes
        self._connected = False
        self._disabled: set[tuple[str, str]] = set()  # (stream id, kind)
        self._height = 0
        transport.on_rtcp = self.take_rtcp

    # --------------------------------------------------------------------------------------------------- negotiation

    def show(self, publishers: Mapping[str, Publisher]) -> tuple[list[LocalSection], dict[str, str]]:
        """Plan to show these streams and no others. Gives the sections of the offer and the track name of each mid."""
        self.publishers = dict(publishers)
        offered = self._plan.show(
            [(stream_id, [track.published for track in each.tracks]) for stream_id, each in publishers.items()]
        )
        self._follow(offered)
        self._disabled = {key for key in self._disabled if key[0] in self.publishers}
        return self._plan.sections(), self._plan.id_mapping()

    def _follow(self, offered: Sequence[Offered]) -> None:
        """Make the outgoing streams those of the plan."""
        now = self._clock()
        wanted = {each.ssrc: each for each in offered}
        for ssrc, (out, track) in list(self._outs.items()):
            current = self._track_of(out.offered)
            if ssrc not in wanted or current is not track:
                track.unsubscribe(out)
                del self._outs[ssrc]
                if ssrc not in wanted:
                    self._accepted.discard(out.offered.mid)
        for ssrc, each in wanted.items():
            track_shown = self._track_of(each)
            if ssrc not in self._outs and track_shown is not None:
                out = Out(each, self.transport)
                self._outs[ssrc] = out, track_shown
                track_shown.subscribe(out, now)
                track_shown.pin(out, self._height if out.kind == "video" else 0, now)
        self._update()

    def _track_of(self, offered: Offered) -> Track | None:
        publisher = self.publishers.get(offered.stream_id)
        if publisher is None or offered.index >= len(publisher.tracks):
            return None
        return publisher.tracks[offered.index]

    @property
    def data_mid(self) -> str:
        """The mid of the data channel's section."""
        return self._plan.data_mid

    def agree(self, answer: Description) -> None:
        """Take the player's answer: which of the sections it wants, and whether it understands retransmissions."""
        wanting = {
            section.mid: {codec.payload_type for codec in section.codecs}
            for section in answer.sections
            if not section.rejected and section.direction in {"recvonly", "sendrecv"}
        }
        self._accepted = set()
        for out, _ in self._outs.values():
            types = wanting.get(out.offered.mid, set())
            if out.payload_type in types:
                self._accepted.add(out.offered.mid)
            out.repair_type = out.offered.repair_type if out.offered.repair_type in types else 0
        self._update()

    def connected(self) -> None:
        """The transport is up: what was agreed on may flow."""
        self._connected = True
        self._update()

    # ------------------------------------------------------------------------------------------------------ switches

    def switch(self, stream_id: str, kind: str, *, enabled: bool) -> None:
        """Stop or resume a stream's tracks of a kind; an empty kind means both.

        Clients name the stream, or one of its tracks by the name that the offer gave it.
        """
        prefix = stream_id[: len(_TRACK_PREFIX) + 1]
        if stream_id not in self.publishers and prefix in _KIND_OF_PREFIX:
            stream_id, kind = stream_id[len(prefix) :], kind or _KIND_OF_PREFIX[prefix]
        for each in (kind,) if kind else ("video", "audio"):
            (self._disabled.discard if enabled else self._disabled.add)((stream_id, each))
        self._update()

    def force_height(self, height: int) -> None:
        """Choose the rendition by its height; 0 chooses the best."""
        self._height = height
        for out, track in self._outs.values():
            if out.kind == "video":
                track.pin(out, height, self._clock())

    def publisher_switched(self) -> None:
        """Look again at what the publishers themselves have switched off."""
        self._update()

    def _update(self) -> None:
        """Let flow what may flow, and nothing else."""
        now = self._clock()
        for out, track in self._outs.values():
            stream_id = out.offered.stream_id
            publisher = self.publishers.get(stream_id)
            disabled = (stream_id, out.kind) in self._disabled or (
                publisher is not None and out.kind in publisher.disabled
            )
            ready = self._connected and out.offered.mid in self._accepted
            if (out.ready, out.enabled) != (ready, not disabled):
                out.ready, out.enabled = ready, not disabled
                track.place(out, now)

    # ---------------------------------------------------------------------------------------------------------- RTCP

    def take_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """Take RTCP from the player: what it misses, what it wants, what it can take."""
        now = self._clock()
        for packet in packets:
            if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == _NACK:
                found = self._outs.get(packet.media_ssrc)
                if found is not None:
                    for sequence in packet.lost[:_LOST_PER_PACKET_MAX]:
                        found[0].retransmit(sequence & 0xFFFF, now)
            elif isinstance(packet, RtcpPsfbPacket):
                self._take_feedback(packet, now)

    def _take_feedback(self, packet: RtcpPsfbPacket, now: float) -> None:
        if packet.fmt == _PLI:
            self._request_keyframe(packet.media_ssrc, now)
        elif packet.fmt == _FIR:
            for ssrc in fir_targets(packet.fci)[: len(self._outs)]:
                self._request_keyframe(ssrc, now)
        elif packet.fmt == _APPLICATION and packet.fci[:4] == b"REMB":
            # A list of SSRCs that is cut short raises what struct raises; it is junk.
            with contextlib.suppress(ValueError, struct.error):
                self.estimate = min(unpack_remb_fci(packet.fci)[0], _ESTIMATE_MAX)

    def _request_keyframe(self, ssrc: int, now: float) -> None:
        found = self._outs.get(ssrc)
        # Chromium goes on asking for a track that is switched off; its publisher must not suffer from it.
        if found is not None and found[0].flows and found[0].layer is not None:
            found[0].layer.request_keyframe(now)

    def report(self, now: float) -> None:
        """Send sender reports, and follow the transport to its new address. To be called every second."""
        self.transport.refresh()
        packets: list[AnyRtcpPacket] = []
        for out, _ in self._outs.values():
            out.egress = self.transport.egress
            reading = out.layer.clock.reading(now) if out.layer is not None and out.flows else None
            if reading is None or not out.started:
                continue
            sent, octets = out.sent()
            info = RtcpSenderInfo(
                ntp_timestamp=reading[0],
                rtp_timestamp=(reading[1] + out.timestamp_offset) & TIMESTAMP_MASK,
                packet_count=sent & TIMESTAMP_MASK,
                octet_count=octets & TIMESTAMP_MASK,
            )
            packets.append(RtcpSrPacket(ssrc=out.ssrc, sender_info=info))
            packets.append(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=out.ssrc, items=[(_CNAME, _OUR_CNAME)])]))
        if packets:
            self.transport.send_rtcp(packets)

    def measured(self, now: float) -> tuple[int, int, int]:
        """Give bit/s: what the player can take, and what video and audio it is being sent."""
        rates = {"video": 0, "audio": 0}
        for out, _ in self._outs.values():
            if out.layer is not None and out.flows:
                rates[out.kind] += out.layer.rate.rate(now)
        return self.estimate or rates["video"] + rates["audio"], rates["video"], rates["audio"]

    def close(self) -> None:
        """Leave every track."""
        for out, track in self._outs.values():
            out.ready = False
            track.unsubscribe(out)
        self._outs.clear()
        self.publishers.clear()
