"""A published stream: its tracks, their layers, and the RTCP towards whoever publishes it.

A publisher outlives its transport: one that comes back inside the restore window brings a new transport, and its
viewers go on with the same SSRCs, continuously.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    pack_remb_fci,
)
from msgspec import Struct

from signalreel.events import Track as FoundTrack
from signalreel.settings import Rung
from signalreel_adapters.media.aiortc.encoders import StartEncoder
from signalreel_adapters.media.aiortc.fanout import FanOut
from signalreel_adapters.media.aiortc.ladder import Ladders
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack, track_name
from signalreel_adapters.media.aiortc.noting import Flow, summed
from signalreel_adapters.media.aiortc.peer import PeerTransport
from signalreel_adapters.media.aiortc.rtcp import APPLICATION, NACK, PLI, RateWindow
from signalreel_adapters.media.aiortc.rtp import Packet, extension, parse, unwrap_retransmission
from signalreel_adapters.media.aiortc.settings import AiortcSettings
from signalreel_adapters.media.aiortc.track import Track

__all__ = ("Publisher", "Tap")

_OUR_SSRC: Final = 1  # of our RTCP; we send publishers no media that it could be confused with
_REPORTS_PER_PACKET_MAX: Final = 31  # the count has five bits (RFC 3550, section 6.4.2)
_BITRATE_CHANGE: Final = 0.25
"""A change of the measured bitrate by more than this share is worth a new report."""


class _Source(Struct, frozen=True):
    layer: Layer
    repairs: bool  #: whether this SSRC carries the layer's retransmissions


class Tap(Protocol):
    """Somebody else who gets all that a publisher sends, whoever watches it: the way to another process."""

    def take_rtp(self, data: bytes) -> None:
        """Take one packet of a layer: as it arrived, or as it was unwrapped from a retransmission."""
        ...

    def take_report(self, report: RtcpSrPacket) -> None:
        """Take a sender report of a layer."""
        ...

    def take_change(self) -> None:
        """Look again: tracks, layers, what is switched off, or whether the publisher is there have changed."""
        ...

    def close(self) -> None:
        """The stream is over."""
        ...


class Publisher:
    """One life of one published stream."""

    def __init__(
        self,
        stream_id: str,
        settings: AiortcSettings,
        fan_out: FanOut,
        clock: Callable[[], float],
        *,
        start_encoder: StartEncoder | None = None,
    ) -> None:
        self.stream_id = stream_id
        self.tracks: list[Track] = []
        self.carries_data = False
        self.ladder: tuple[Rung, ...] = ()  #: renditions that are made of its pictures
        self.disabled: set[str] = set()  #: kinds that nobody gets, by the publisher's own wish
        self.flowing = False
        self.on_flowing: Callable[[], None] = lambda: None
        self.on_gap: Callable[[], None] = lambda: None  #: called when packets are missing that can be asked for
        self.taps: tuple[Tap, ...] = ()
        self.is_told = False  #: whether it was found since media flows what the stream consists of
        self.junk = 0  #: packets that belonged to no track
        self._settings = settings
        self._fan_out = fan_out
        self._clock = clock
        self._ladders = Ladders(start_encoder, fan_out, settings.keyframe_interval, clock)
        self._transport: PeerTransport | None = None
        self._sources: dict[int, _Source] = {}
        self._reported: tuple[FoundTrack, ...] = ()
        self._reported_at = float("-inf")
        self._measured = False  # whether bitrates were reported
        self._flowing_since = 0.0
        self.heard_at = 0.0  #: when the last packet of a track came

    def flow(self) -> Flow:
        """Give what came of all layers that are received now; what was lost on the way may have come again."""
        layers = [layer for track in self.tracks for layer in track.layers.values()]
        return Flow(
            *summed((layer.sent_packets, layer.sent_octets) for layer in layers),
            lost=sum(layer.reception.lost for layer in layers),
            height=max((layer.size[1] for layer in layers), default=0),
            keyframes_asked=sum(layer.keyframes_asked for layer in layers),
        )

    # ------------------------------------------------------------------------------------------------- its transport

    def agree(self, tracks: tuple[PublishedTrack, ...], *, carries_data: bool, ladder: tuple[Rung, ...] = ()) -> None:
        """Take over what was agreed on. Tracks that go on keep their viewers.

        With a ladder, its rungs are made of every picture that is not sent in several renditions already.
        """
        before = self.tracks
        self.tracks = []
        self.carries_data, self.ladder = carries_data, ladder
        for index, published in enumerate(tracks):
            old = before[index] if index < len(before) else None
            same_kind = old is not None and (old.published.kind, _flavor(old)) == (published.kind, _flavor(published))
            track = old if old is not None and same_kind else Track(published)
            if track.published != published:
                track.end_layers()
                track.published = published
            self.tracks.append(track)
        for old in before:
            if old not in self.tracks:
                old.end_layers()
        self._sources = {
            ssrc: source
            for ssrc, source in self._sources.items()
            if any(source.layer in track.layers.values() for track in self.tracks)
        }
        self._ladders.fit(self.tracks, ladder)
        for track in self.tracks:
            if not track.layers and not track.published.layers and track.published.ssrcs:
                self._add_layer(track, track.published.ssrcs[0], "")
        self._tell_taps()

    def attach(self, transport: PeerTransport) -> None:
        """Take packets from this transport from now on. What is published on it is agreed on next."""
        self._transport = transport
        self.flowing = False
        transport.on_rtp = self.take_rtp
        transport.on_rtcp = self.take_rtcp

    @property
    def is_here(self) -> bool:
        """Whether there is a transport."""
        return self._transport is not None

    def switch(self, disabled: Iterable[str]) -> None:
        """Send nobody these kinds, and all others."""
        self.disabled = set(disabled)
        self._tell_taps()

    def _tell_taps(self) -> None:
        for tap in self.taps:
            tap.take_change()

    def detach(self) -> None:
        """The transport is gone. Viewers stay, and see nothing until the next one."""
        self._transport = None
        self._sources.clear()
        self._ladders.rest()
        for track in self.tracks:
            track.end_layers()
        self._tell_taps()

    def close(self) -> None:
        """The stream is over: let everybody go."""
        self.detach()
        for track in self.tracks:
            track.outs.clear()
        self.on_flowing = lambda: None
        for tap in self.taps:
            tap.close()

    # ------------------------------------------------------------------------------------------------------- packets

    def take_rtp(self, data: bytes) -> None:
        """Take one RTP packet from the transport."""
        packet = parse(data)
        source = None
        if packet is not None:
            source = self._sources.get(packet.ssrc) or self._learn(data, packet)
        if packet is None or source is None:
            self.junk += 1
            return
        layer = source.layer
        published = layer.published
        if source.repairs:
            plain = unwrap_retransmission(data, packet, published.codec.payload_type, layer.ssrc)
            packet = parse(plain) if plain is not None and packet.payload_type == published.repair_type else None
            if plain is None or packet is None or not layer.reception.started:
                return  # padding that probes the path
            data = plain
        elif packet.payload_type != published.codec.payload_type:
            self.junk += 1
            return
        self.heard_at = self._clock()
        for tap in self.taps:
            tap.take_rtp(data)
        layer.take(data, packet, self.heard_at)
        if not self.flowing:
            self.start_flowing()

    def start_flowing(self) -> None:
        """Say that media flows."""
        self.flowing = True
        self.is_told = self._measured = False
        self._flowing_since = self._clock()
        self.on_flowing()

    def _learn(self, data: bytes, packet: Packet) -> _Source | None:
        """Find out what a new SSRC is: by rid, by mid, or by a payload type that only one track uses."""
        if len(self._sources) >= self._settings.streams_per_publisher_max:
            return None
        for track in self.tracks:
            published = track.published
            if published.layers:
                found = self._learn_layer(track, data, packet)
                if found is not None:
                    return found
        track_of_mid = self._track_of_mid(data, packet)
        matching = [track_of_mid] if track_of_mid is not None else self.tracks
        named = [
            track
            for track in matching
            if track.published.codec.payload_type == packet.payload_type and not track.published.layers
        ]
        return self._add_layer(named[0], packet.ssrc, "") if len(named) == 1 else None

    def _track_of_mid(self, data: bytes, packet: Packet) -> Track | None:
        for track in self.tracks:
            ident = track.published.mid_id
            if ident and extension(data, packet, ident) == track.published.mid.encode():
                return track
        return None

    def _learn_layer(self, track: Track, data: bytes, packet: Packet) -> _Source | None:
        published = track.published
        if published.mid_id:
            mid = extension(data, packet, published.mid_id)
            if mid is not None and mid != published.mid.encode():
                return None
        for ident, repairs in ((published.rid_id, False), (published.repaired_rid_id, True)):
            value = extension(data, packet, ident) if ident else None
            rid = value.decode("ascii", "replace") if value is not None else ""
            if rid not in published.layers:
                continue
            if not repairs:
                return self._add_layer(track, packet.ssrc, rid)
            if rid in track.layers:
                self._sources[packet.ssrc] = _Source(track.layers[rid], repairs=True)
                return self._sources[packet.ssrc]
        return None

    def _add_layer(self, track: Track, ssrc: int, rid: str) -> _Source:
        """Start a layer, in place of one with the same rid: a publisher may change its SSRC."""
        former = track.layers.pop(rid, None)
        if former is not None:
            former.release()
            self._sources = {key: source for key, source in self._sources.items() if source.layer is not former}
        layer = self._ladders.layer_of(track)(
            track.published,
            ssrc,
            rid,
            fan_out=self._fan_out,
            keyframe_interval=self._settings.keyframe_interval,
            ask_for_keyframe=self._ask_for_keyframe,
        )
        track.layers[rid] = layer
        if track.published.kind == "video":
            layer.reception.on_gap = self._miss
        source = self._sources[ssrc] = _Source(layer, repairs=False)
        for repaired, repair in track.published.repairs:
            if repaired == ssrc:
                self._sources[repair] = _Source(layer, repairs=True)
        track.place_all(self._clock())
        self._tell_taps()
        self._ladders.follow(track, layer)
        return source

    def layers(self) -> list[tuple[int, int, str]]:
        """Give what arrives: the track's number, the SSRC and the rid of each layer."""
        numbers = {layer: number for number, track in enumerate(self.tracks) for layer in track.layers.values()}
        return [
            (numbers[source.layer], ssrc, source.layer.rid)
            for ssrc, source in self._sources.items()
            if not source.repairs and source.layer in numbers
        ]

    def add_layer(self, number: int, ssrc: int, rid: str) -> None:
        """Begin a layer of a track that somebody else has found. One that is known goes on."""
        if number < len(self.tracks):
            known = self._sources.get(ssrc)
            if known is None or known.repairs or known.layer.rid != rid:
                self._add_layer(self.tracks[number], ssrc, rid)

    def request_keyframe(self, ssrc: int) -> None:
        """Ask for a keyframe of one layer, if nobody just did."""
        source = self._sources.get(ssrc)
        if source is not None:
            source.layer.request_keyframe(self._clock())

    # ---------------------------------------------------------------------------------------------------------- RTCP

    def take_rtcp(self, packets: list[AnyRtcpPacket]) -> None:
        """Take RTCP from the transport: sender reports; everything else has no use here."""
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                source = self._sources.get(packet.ssrc)
                if source is not None:
                    info = packet.sender_info
                    source.layer.clock.note(info.ntp_timestamp, info.rtp_timestamp, self._clock())
                    for tap in self.taps:
                        tap.take_report(packet)

    def _ask_for_keyframe(self, layer: Layer) -> None:
        self._send([RtcpPsfbPacket(fmt=PLI, ssrc=_OUR_SSRC, media_ssrc=layer.ssrc)])

    def _miss(self) -> None:
        self.on_gap()

    def request_missing(self, now: float) -> bool:
        """Ask for packets that were lost on the way here, of video; false when none is waited for.

        To be called every few tens of milliseconds from a gap on, as long as there is one.
        """
        missing = False
        for track in self.tracks:
            if track.published.kind != "video":
                continue
            for layer in track.layers.values():
                if layer.reception.missing and (wanted := layer.reception.wanted(now)):
                    self._send([RtcpRtpfbPacket(fmt=NACK, ssrc=_OUR_SSRC, media_ssrc=layer.ssrc, lost=wanted)])
                missing = missing or bool(layer.reception.missing)
        return missing

    def report(self, now: float) -> None:
        """Send receiver reports and the bitrate to stay below, and look after ladders. To be called every second."""
        self._ladders.look(now)
        layers = [layer for track in self.tracks for layer in track.layers.values()]
        reports = [
            report for layer in layers if (report := layer.reception.report(layer.ssrc, layer.clock, now)) is not None
        ]
        if not reports:
            return
        packets: list[AnyRtcpPacket] = [RtcpRrPacket(ssrc=_OUR_SSRC, reports=reports[:_REPORTS_PER_PACKET_MAX])]
        video = [layer.ssrc for layer in layers if layer.published.kind == "video"]
        if video and self._settings.video_bitrate_max:
            fci = pack_remb_fci(self._settings.video_bitrate_max, video)
            packets.append(RtcpPsfbPacket(fmt=APPLICATION, ssrc=_OUR_SSRC, media_ssrc=0, fci=fci))
        self._send(packets)
        for track in self.tracks:
            if len(track.layers) > 1:
                track.place_all(now)

    def _send(self, packets: list[AnyRtcpPacket]) -> None:
        if self._transport is not None:
            self._transport.send_rtcp(packets)

    # ------------------------------------------------------------------------------------------------------ findings

    def found(self, now: float) -> tuple[FoundTrack, ...] | None:
        """Give what the stream consists of, when it is worth a report.

        That is once the sizes of its pictures are known, again when its bitrates have been measured for the first time,
        and from then on when something has changed noticeably.
        """
        received = [layer for track in self.tracks for layer in track.layers.values()]
        # One that is never told, or that stays 0, is not waited for.
        waited = now - self._flowing_since > 2 * RateWindow.LENGTH
        if not self.flowing or not (waited or all(map(_is_known, self.tracks))):
            return None
        first_measured = not self._measured and (waited or all(layer.rate.rate(now) for layer in received))
        if not first_measured and now - self._reported_at < self._settings.tracks_interval:
            return None
        found = self._found(now)
        same = len(found) == len(self._reported) and not any(map(_differs, self._reported, found))
        if same and not first_measured:
            return None
        self.is_told = True
        self._measured = self._measured or first_measured
        self._reported, self._reported_at = found, now
        return found

    def _found(self, now: float) -> tuple[FoundTrack, ...]:
        tracks = [
            FoundTrack(
                id=track_name(track.published.kind, self.stream_id),
                kind=track.published.kind,
                codec=track.published.codec.name,
                width=layer.size[0],
                height=layer.size[1],
                # A rendition that nobody watches is not made, and has no bitrate but the one it would have.
                bitrate=layer.rate.rate(now) or (layer.nominal(now) if layer.rid in track.encoded else 0),
            )
            for track in self.tracks
            for layer in sorted(
                (*track.layers.values(), *track.encoded.values()), key=lambda each: (each.size, each.rid)
            )
        ]
        if self.carries_data:
            tracks.append(FoundTrack(id=self.stream_id, kind="data"))
        return tuple(tracks)


def _is_known(track: Track) -> bool:
    """Whether a track has come, and, of a picture, has said its size."""
    layers = track.layers.values()
    return bool(layers) and (track.published.kind != "video" or all(layer.size[1] for layer in layers))


def _flavor(track: Track | PublishedTrack) -> tuple[str, int, int, str]:
    codec = track.published.codec if isinstance(track, Track) else track.codec
    return codec.name, codec.clock_rate, codec.channels, codec.parameters


def _differs(before: FoundTrack, now: FoundTrack) -> bool:
    if (before.kind, before.codec, before.width, before.height) != (now.kind, now.codec, now.width, now.height):
        return True
    if now.kind != "video":
        return False  # audio swings with every pause of a speaker, and nobody chooses by it
    return abs(now.bitrate - before.bitrate) > _BITRATE_CHANGE * max(before.bitrate, 1)
