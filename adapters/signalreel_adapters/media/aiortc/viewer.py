"""One player's connection: its sections, its outgoing streams, and what it says back by RTCP."""

import contextlib
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    unpack_remb_fci,
)

from signalreel_adapters.media.aiortc.choice import Change, Choice
from signalreel_adapters.media.aiortc.estimate import Heard
from signalreel_adapters.media.aiortc.negotiation import Offered, Plan
from signalreel_adapters.media.aiortc.noting import Flow, summed
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.probing import Cluster
from signalreel_adapters.media.aiortc.publisher import Publisher
from signalreel_adapters.media.aiortc.quality import Picture
from signalreel_adapters.media.aiortc.rtcp import APPLICATION, NACK, PLI, fir_targets
from signalreel_adapters.media.aiortc.rtp import SEQUENCE_MASK, TIMESTAMP_MASK
from signalreel_adapters.media.aiortc.sdp import Description, LocalSection
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.track import Track

__all__ = ("Viewer",)

_FIR: Final = 4
_CNAME: Final = 1  # the SDES item (RFC 3550, section 6.5.1)
_OUR_CNAME: Final = b"signalreel"
_BITS: Final = 8
_FRACTION_ONE: Final = 256  # of a fraction lost (RFC 3550, section 6.4.1)
_DELAY_ONE: Final = 65_536  # of a delay since the last report
_LOST_PER_PACKET_MAX: Final = 256  # more of a single NACK are not looked at
_ESTIMATE_MAX: Final = 1_000_000_000
_REPORTS_KEPT: Final = 16
"""Sender reports of which the time is kept: a receiver report names the last that arrived."""

_REPEATED_MAX: Final = 64
"""How many of the newest packets padding is made of, in turn."""

_TRACK_PREFIX: Final = "ARDAMS"
_KIND_OF_PREFIX: Final = {f"{_TRACK_PREFIX}v": "video", f"{_TRACK_PREFIX}a": "audio"}


def _send_nothing(cluster: Cluster) -> None:
    """Stand in until somebody sends padding."""


class Viewer:
    """One life of one playback. `watches` is what the player asked for: a stream, or a room with several."""

    def __init__(
        self, transport: PeerTransport, settings: AiortcSettings, clock: Callable[[], float], *, watches: str = ""
    ) -> None:
        self.transport = transport
        self.watches = watches
        self.publishers: dict[str, Publisher] = {}  #: by stream id, what the last offer shows
        self.on_cluster: Callable[[Cluster], None] = _send_nothing  #: has padding sent, slice by slice
        self._clock = clock
        self._plan = Plan(sections_max=settings.viewer_sections_max, message_bytes_max=settings.message_bytes_max)
        self._outs: dict[int, tuple[Out, Track]] = {}  # by SSRC
        self._accepted: set[str] = set()  # mids that the player takes
        self._connected = False
        self._disabled: set[tuple[str, str]] = set()  # (stream id, kind); the id is empty for all that are not named
        self._enabled: set[tuple[str, str]] = set()  # what is on although all others are off
        self._assigned: frozenset[str] | None = None  # stream ids whose pictures are shown; None: all
        self._height = 0  # that the player has pinned
        self._choice = Choice()
        self._reported_at: dict[int, tuple[float, bool]] = {}  # by LSR, and whether behind a cluster
        self._sent: dict[int, tuple[float, int, int]] = {}  # by SSRC: when, octets until then, bit/s in the last second
        self._padding = self._padding_bits = 0  # of the cluster: packets, bits
        self._cluster_from = 0.0, 0  # when it began, and the octets of all pictures until then
        self._told_height = 0
        self._lost: dict[int, int] = {}  # by SSRC, as the player last reported
        self._round_trip = 0.0
        self._keyframes_asked = 0
        transport.on_rtcp = self.take_rtcp

    # --------------------------------------------------------------------------------------------------- negotiation

    def show(self, publishers: Mapping[str, Publisher]) -> tuple[list[LocalSection], dict[str, str]]:
        """Plan to show these streams and no others. Gives the sections of the offer and the track name of each mid."""
        self.publishers = dict(publishers)
        offered = self._plan.show(
            [(stream_id, [track.published for track in each.tracks]) for stream_id, each in publishers.items()]
        )
        self._follow(offered)
        self._disabled = {key for key in self._disabled if not key[0] or key[0] in self.publishers}
        self._enabled = {key for key in self._enabled if key[0] in self.publishers}
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
                self._sent.pop(ssrc, None)
                self._choice.estimate.forget(ssrc)
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

        Clients name the stream, or one of its tracks by the name that the offer gave it. What is played itself, a room,
        names all that is in it and will be. A name of nothing that is offered changes nothing.
        """
        if stream_id not in self.publishers:
            stream_id, kind = _stream_and_kind(stream_id, kind)
        everything = stream_id == self.watches and stream_id not in self.publishers
        if not everything and stream_id not in self.publishers:
            return
        for each in (kind,) if kind else ("video", "audio"):
            if everything:
                self._disabled = {key for key in self._disabled if key[1] != each}
                self._enabled = {key for key in self._enabled if key[1] != each}
            key = ("" if everything else stream_id, each)
            (self._disabled.discard if enabled else self._disabled.add)(key)
            (self._enabled.add if enabled and not everything else self._enabled.discard)(key)
        self._update()

    def switch_off(self) -> None:
        """Send nothing that is not switched on from now on, of whatever stream."""
        self._disabled, self._enabled = {("", "video"), ("", "audio")}, set()
        self._update()

    def _is_disabled(self, stream_id: str, kind: str) -> bool:
        if kind == "video" and self._assigned is not None and stream_id not in self._assigned:
            return True
        if (stream_id, kind) in self._disabled:
            return True
        return ("", kind) in self._disabled and (stream_id, kind) not in self._enabled

    def assign(self, stream_ids: Iterable[str]) -> None:
        """Show the pictures of these streams alone, named as in `switch`; their sound goes on, and that of all others.

        A player of a large room shows a few pictures at a time, and changes which.
        """
        self._assigned = frozenset(
            each if each in self.publishers else _stream_and_kind(each, "video")[0] for each in stream_ids
        )
        self._update()

    def force_height(self, height: int) -> None:
        """Choose the rendition by its height; 0 hands the choice back, which begins with the best.

        What was shown until now is noted: a choice that is made before the first look is a change all the same.
        """
        self._told_height = self._told_height or self._shown_height()
        self._height = height
        self._choice.restart()
        for out, track in self._outs.values():
            if out.kind == "video":
                track.pin(out, height, self._clock())

    @property
    def estimate(self) -> int:
        """Bit/s that the player says it can take; 0 before it said so."""
        return self._choice.estimate.remb

    def follow_estimate(self, now: float) -> None:
        """Choose layers by what the player can take, where it has not chosen itself. To be called every second."""
        pictures: dict[int, Picture] = {}
        sound = 0
        for ssrc, (out, track) in self._outs.items():
            feed = out.target or out.layer
            if feed is None or not out.flows:
                continue
            if out.kind == "video":
                rungs, height = track.rungs(now), feed.size[1]
                nominal = next((rung.bitrate for rung in rungs if rung.height == height), feed.rate.rate(now))
                pictures[ssrc] = Picture(rungs, height, nominal, bool(self._height) or not height)
            else:
                sound += feed.rate.rate(now)
        padded = self._padded()
        if padded is not None and (padded.layer is None or padded.layer.clock.reading(now) is None):
            padded = None  # without sender reports nothing would be learned
        change = self._choice.look(pictures, sound, now, blind=padded is None)
        if change is not None:
            self._follow_change(change, pictures[change.key], now)
        elif padded is not None:
            cluster = self._choice.cluster(pictures, now)
            if cluster is not None:
                self._padding = self._padding_bits = 0
                self._cluster_from = now, self._octets_of_pictures()
                self.on_cluster(cluster)

    def _follow_change(self, change: Change, picture: Picture, now: float) -> None:
        out, track = self._outs[change.key]
        # The best one is not named by its height: it stays the best when the publisher's camera changes.
        height = 0 if change.height == picture.rungs[-1].height else change.height
        track.pin(out, height, now, rest=change.rest)

    def _padded(self) -> Out | None:
        """Give the stream that padding is made of, if the player understands any."""
        return next((out for out, _ in self._outs.values() if out.repair_type and out.kind == "video"), None)

    def fill(self, bits: int, now: float) -> int:
        """Pad until so many bits of pictures and padding have been sent since the cluster began; gives how many are."""
        _, octets = self._cluster_from
        sent = (self._octets_of_pictures() - octets) * _BITS + self._padding_bits
        out = self._padded()
        while out is not None and sent < bits:
            size = out.repeat(self._padding % _REPEATED_MAX, now)
            self._padding += 1
            if not size:
                break
            self._padding_bits += size * _BITS
            sent += size * _BITS
        return sent

    def _octets_of_pictures(self) -> int:
        return sum(out.sent()[1] for out, _ in self._outs.values() if out.kind == "video")

    def end_cluster(self, now: float) -> None:
        """Send a sender report behind the padding: the round trip that comes of it tells what the path carries."""
        since, _ = self._cluster_from
        self._choice.cluster_ended(self.fill(0, now), now - since, now)
        self._send_reports(now, behind_cluster=True)

    def changed_height(self) -> int:
        """Give the height of the stream's picture when it has changed since it was last asked; else 0.

        A room has no height: its players see pictures of many.
        """
        height = self._shown_height()
        before = self._told_height
        if not height or height == before:
            return 0
        self._told_height = height
        return height if before else 0

    def _shown_height(self) -> int:
        if self.watches not in self.publishers:
            return 0
        heights = (out.layer.size[1] for out, _ in self._outs.values() if out.kind == "video" and out.layer is not None)
        return next(heights, 0)

    def publisher_switched(self) -> None:
        """Look again at what the publishers themselves have switched off."""
        self._update()

    def _update(self) -> None:
        """Let flow what may flow, and nothing else."""
        now = self._clock()
        for out, track in self._outs.values():
            stream_id = out.offered.stream_id
            publisher = self.publishers.get(stream_id)
            disabled = self._is_disabled(stream_id, out.kind) or (
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
            if isinstance(packet, RtcpRrPacket):
                for report in packet.reports:
                    self._take_report(report, now)
            elif isinstance(packet, RtcpRtpfbPacket) and packet.fmt == NACK:
                found = self._outs.get(packet.media_ssrc)
                if found is not None:
                    for sequence in packet.lost[:_LOST_PER_PACKET_MAX]:
                        found[0].retransmit(sequence & 0xFFFF, now)
            elif isinstance(packet, RtcpPsfbPacket):
                self._take_feedback(packet, now)
        if any(out.renewed for out, _ in self._outs.values()):
            self._send_reports(now, behind_cluster=False)
        if not self._height and self._choice.urgent(now):
            self.follow_estimate(now)

    def _take_report(self, report: RtcpReceiverInfo, now: float) -> None:
        sent = self._reported_at.pop(report.lsr, None)
        if sent is not None:
            sent_at, behind_cluster = sent
            trip = now - sent_at - report.dlsr / _DELAY_ONE
            self._round_trip = max(0.0, trip)
            self._choice.take_round_trip(max(0.0, trip), now, behind_cluster=behind_cluster)
        found = self._outs.get(report.ssrc)
        if found is not None:
            self._lost[report.ssrc] = max(0, report.packets_lost)
        if found is None or found[0].kind != "video":
            return
        out = found[0]
        layer = out.layer
        if layer is None or layer.last is None or not layer.sent_packets:
            return
        newest = (layer.last.sequence + out.sequence_offset) & SEQUENCE_MASK
        heard = Heard(
            report.highest_sequence,
            report.fraction_lost / _FRACTION_ONE,
            _BITS * layer.sent_octets // layer.sent_packets,
            out.age(report.highest_sequence + 1, now),
            in_flight=newest != report.highest_sequence & SEQUENCE_MASK,
            way=out.age(report.highest_sequence, now),
        )
        self._choice.take_report(report.ssrc, heard, now)

    def _take_feedback(self, packet: RtcpPsfbPacket, now: float) -> None:
        if packet.fmt == PLI:
            self._request_keyframe(packet.media_ssrc, now)
        elif packet.fmt == _FIR:
            for ssrc in fir_targets(packet.fci)[: len(self._outs)]:
                self._request_keyframe(ssrc, now)
        elif packet.fmt == APPLICATION and packet.fci[:4] == b"REMB":
            # A list of SSRCs that is cut short raises what struct raises; it is junk.
            with contextlib.suppress(ValueError, struct.error):
                self._choice.estimate.take_remb(min(unpack_remb_fci(packet.fci)[0], _ESTIMATE_MAX), now)

    def _request_keyframe(self, ssrc: int, now: float) -> None:
        found = self._outs.get(ssrc)
        # Chromium goes on asking for a track that is switched off; its publisher must not suffer from it.
        if found is not None and found[0].flows and found[0].layer is not None:
            self._keyframes_asked += 1
            found[0].layer.request_keyframe(now)

    def flow(self) -> Flow:
        """Give how much was sent in all, and what the player reported of it."""
        return Flow(
            *summed(out.sent() for out, _ in self._outs.values()),
            lost=sum(self._lost.values()),
            round_trip=self._round_trip,
            height=self._shown_height(),
            keyframes_asked=self._keyframes_asked,
        )

    def report(self, now: float) -> None:
        """Send sender reports, and follow the transport to its new address. To be called every second."""
        self.transport.refresh()
        self._send_reports(now, behind_cluster=False)
        for ssrc, (out, _) in self._outs.items():
            octets = out.sent()[1]
            since, before, rate = self._sent.get(ssrc, (now, octets, 0))
            if now > since:
                rate = int((octets - before) * _BITS / (now - since))
            self._sent[ssrc] = now, octets, rate

    def _send_reports(self, now: float, *, behind_cluster: bool) -> None:
        packets: list[AnyRtcpPacket] = []
        for out, _ in self._outs.values():
            out.egress, out.renewed = self.transport.egress, False
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
            if out.kind == "video":
                self._keep_report(reading[0] >> 16 & TIMESTAMP_MASK, now, behind_cluster)
            packets.append(RtcpSrPacket(ssrc=out.ssrc, sender_info=info))
            packets.append(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=out.ssrc, items=[(_CNAME, _OUR_CNAME)])]))
        if packets:
            self.transport.send_rtcp(packets)

    def _keep_report(self, named: int, now: float, behind_cluster: bool) -> None:
        while len(self._reported_at) >= _REPORTS_KEPT:
            del self._reported_at[next(iter(self._reported_at))]
        self._reported_at[named] = now, behind_cluster

    def measured(self) -> tuple[int, int, int]:
        """Give bit/s: what the player can take, and what video and audio it has been sent in the last second."""
        rates = {"video": 0, "audio": 0}
        for ssrc, (out, _) in self._outs.items():
            rates[out.kind] += self._sent.get(ssrc, (0.0, 0, 0))[2]
        return self.estimate or rates["video"] + rates["audio"], rates["video"], rates["audio"]

    def close(self) -> None:
        """Leave every track."""
        for out, track in self._outs.values():
            out.ready = False
            track.unsubscribe(out)
        self._outs.clear()
        self.publishers.clear()


def _stream_and_kind(name: str, kind: str) -> tuple[str, str]:
    """Read the name of a track as the offer gave it; any other name is a stream's."""
    prefix = name[: len(_TRACK_PREFIX) + 1]
    if prefix not in _KIND_OF_PREFIX:
        return name, kind
    return name[len(prefix) :], kind or _KIND_OF_PREFIX[prefix]
