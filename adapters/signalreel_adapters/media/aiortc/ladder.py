"""The ladder of one published picture: lower renditions that an encoder beside this process makes of it.

Each rung is a layer of the track like any that its publisher sends, so that viewers are put on it, and their losses
made good, in the same way. What nobody watches is not encoded, though it may be chosen; with no rung watched at all,
the encoder gets no packets. It is there as soon as the picture has a viewer, because a viewer whose line has become
narrow cannot wait for it to start, and it is ended a while after the last one.

Whatever becomes of the encoder, the source goes on: without it there are no rungs, and their viewers are back on the
source until there is another one.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Final

from signalreel.settings import Rung
from signalreel_adapters.media.aiortc.encoders import EncoderProcess, StartEncoder
from signalreel_adapters.media.aiortc.fanout import FanOut
from signalreel_adapters.media.aiortc.keyframe import HEAD_BYTES, Size, starts_keyframe
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.rtp import HEADER_SIZE, Packet, extension, parse
from signalreel_adapters.media.aiortc.track import Track
from signalreel_adapters.media.ladder.frames import CODECS
from signalreel_adapters.media.ladder.messages import (
    SOURCE_PIXELS_MAX,
    Counted,
    Encode,
    Plan,
    PlannedRung,
    Refresh,
    SourceBroken,
    SourcePacket,
    decode_report,
    scaled,
)

__all__ = ("RESTARTS_MAX", "Ladder", "Ladders", "SourceLayer")

RESTARTS_MAX: Final = 5
"""Times in a row that an encoder is started again after it has ended by itself. Then this picture has no rungs."""

_RESTART_PAUSE: Final = 1.0
"""Seconds before the first of them; each further pause is twice as long."""

_PAUSE_MAX: Final = 60.0
"""Seconds that a source which numbers anew again and again waits for its next encoder, at the most. The first time it
has one at once; then the pause is `_RESTART_PAUSE`, and twice as long each further time. Whoever publishes decides how
packets are numbered, and starting a process costs half a second of a processor."""

_HEALTHY: Final = 60.0
"""Seconds after which an encoder's end is the first in a row again."""

_IDLE_MAX: Final = 10.0
"""Seconds that an encoder waits for viewers to come back. Starting one takes half a second."""

_STALLED_MAX: Final = 5.0
"""Seconds in which an encoder that has work says nothing; then it is ended."""

_FRESH: Final = 1.0
"""Seconds after its last packet for which a source is taken for one that sends."""


class SourceLayer(Layer):
    """The layer of a published picture that may have a ladder."""

    on_packet: Callable[[bytes, Packet], None] | None = None  #: takes what arrives, while somebody needs it
    on_change: Callable[[], None] = staticmethod(lambda: None)  #: its size has changed
    on_restart: Callable[[], None] = staticmethod(lambda: None)  #: it numbers anew

    def take(self, data: bytes, packet: Packet, now: float) -> None:
        """Take one packet, as every layer does, and hand it on."""
        size = self.size
        super().take(data, packet, now)
        if self.size != size:
            self.on_change()
        if self.on_packet is not None:
            self.on_packet(data, packet)

    def _restart(self, now: float) -> None:
        super()._restart(now)
        self.on_restart()


class _RungLayer(Layer):
    """A layer that an encoder makes."""

    bitrate = 0  #: that the encoder holds
    on_awaited: Callable[[], None] = staticmethod(lambda: None)

    def nominal(self, now: float) -> int:
        """Give what it takes to send this."""
        return self.bitrate

    def await_start(self, out: Out, now: float) -> None:
        """Let a viewer in, as every layer does, and have this encoded."""
        super().await_start(out, now)
        self.on_awaited()


class Ladder:
    """The rungs of one track, below whatever its source sends. `look` is to be called about once a second."""

    def __init__(
        self,
        track: Track,
        rungs: Sequence[Rung],
        *,
        start: StartEncoder,
        fan_out: FanOut,
        keyframe_interval: float,
        clock: Callable[[], float],
    ) -> None:
        self.counted = Counted(0, 0, 0, 0)  #: of the encoder that runs
        self.dropped = 0  #: packets of the source that the encoder did not take in time
        self.restarts = 0  #: in a row
        self._track = track
        self._bitrates = {max(2, rung.height & ~1): rung.video_bitrate for rung in rungs}
        self._start = start
        self._fan_out = fan_out
        self._keyframe_interval = keyframe_interval
        self._clock = clock
        self.source: SourceLayer | None = None  #: what it is made of now
        self._layers: dict[int, _RungLayer] = {}  # by SSRC
        self._ssrcs: dict[int, int] = {}  # by height
        self._process: EncoderProcess | None = None
        self._told: tuple[int, ...] = ()
        self._waits_for_key = True
        self._orientation = b""
        self._started_at = self._heard_at = self._visited_at = 0.0
        self._retry_at = float("-inf")
        self._pause = 0.0  # that the next new source has to wait

    # ------------------------------------------------------------------------------------------------- its source

    def follow(self, source: SourceLayer | None) -> None:
        """Make renditions of this layer from now on; of none, with `None`."""
        if self.source is not None:
            self.source.on_packet = None
            self.source.on_change = self.source.on_restart = _nothing
        self.source = source
        self._orientation = b""
        if self._process is not None:
            self._retry_later()
        self._begin_anew()
        if source is not None:
            source.on_change = self._fit
            source.on_restart = lambda: self.follow(source)

    def _retry_later(self) -> None:
        """Have a source that is replaced soon after its encoder was started wait for the next one, longer and longer.

        Its viewers see the source meanwhile, as when the encoder has ended by itself.
        """
        now = self._clock()
        if now - self._started_at > _HEALTHY:
            self._pause = 0.0
        self._retry_at = max(self._retry_at, now + self._pause)
        self._pause = min(max(2 * self._pause, _RESTART_PAUSE), _PAUSE_MAX)

    def _begin_anew(self) -> None:
        """End the encoder, and take new numbers for the next one: a layer's numbers never start again."""
        if self._process is not None:
            self._process.close()
            self._process = None
        self._told = ()
        if self.source is not None:
            self.source.on_packet = None
        for layer in self._layers.values():
            layer.release()
        self._layers.clear()
        self._track.encoded.clear()
        self._ssrcs = {height: secrets.randbits(31) | 1 for height in self._bitrates}
        self._fit()

    def _fit(self) -> None:
        """Have a rung for each rendition that is lower than the source, and no other."""
        source = self.source
        size: Size = source.size if source is not None else (0, 0)
        may_encode = self._process is not None or self._clock() >= self._retry_at
        wanted = self._bitrates if self.restarts <= RESTARTS_MAX and may_encode else {}
        if size[0] * size[1] > SOURCE_PIXELS_MAX:
            wanted = {}
        fitting = {height: scaled(*size, height) for height in wanted if height < size[1]}
        for layer in [layer for layer in self._layers.values() if layer.size[1] not in fitting]:
            del self._layers[layer.ssrc], self._track.encoded[layer.rid]
            layer.release()
        for height, planned in fitting.items():
            ssrc = self._ssrcs[height]
            if ssrc not in self._layers and source is not None:
                self._layers[ssrc] = self._track.encoded[str(height)] = self._new_layer(source, height, ssrc)
            self._layers[ssrc].size = planned  # before the first picture of it has been encoded, too
        self._track.place_all(self._clock())
        self._update()

    def _new_layer(self, source: SourceLayer, height: int, ssrc: int) -> _RungLayer:
        layer = _RungLayer(
            source.published,
            ssrc,
            str(height),
            fan_out=self._fan_out,
            keyframe_interval=self._keyframe_interval,
            ask_for_keyframe=lambda _: self._refresh(height),
        )
        layer.bitrate = self._bitrates[height]
        layer.clock = source.clock  # whose timestamps it has, so that its sound fits
        layer.on_awaited = self._update
        return layer

    # ------------------------------------------------------------------------------------------------- its encoder

    def look(self, now: float) -> None:
        """See whether the encoder is needed still, or again, and whether it works."""
        self._update()
        if self._track.outs:
            self._visited_at = now
            self._launch()
            self._check(now)
        elif self._process is not None and now - self._visited_at > _IDLE_MAX:
            self._begin_anew()
        if self._process is None and len(self._layers) < len(self._bitrates):
            self._fit()

    def _check(self, now: float) -> None:
        source, process = self.source, self._process
        if source is None or process is None:
            return
        if now - self._started_at > _HEALTHY:
            self.restarts = 0
        if self._told and now - source.last_at < _FRESH and now - max(self._heard_at, self._started_at) > _STALLED_MAX:
            process.kill()

    def _update(self) -> None:
        """Have encoded what is watched, and nothing else."""
        source, now = self.source, self._clock()
        watched = tuple(layer.size[1] for layer in self._layers.values() if layer.is_watched)
        if source is None or watched == self._told:
            return
        self._launch()
        if self._process is None:  # there are too many; `look` tries again
            return
        if not self._told:
            self._waits_for_key, self._heard_at = True, now
            source.on_packet = self._hand_on
            source.request_keyframe(now)
        self._told = watched
        if not watched:
            source.on_packet = None
        self._process.send(Encode(watched))

    def _launch(self) -> None:
        """Start the encoder, if there is none and something to encode."""
        if self._process is None and self.source is not None and self._layers:
            self._process = self._start(
                self._plan(self.source.published), on_start=self._on_start, on_message=self._take, on_end=self._on_end
            )
            self._started_at = self._visited_at = self._clock()

    def _plan(self, published: PublishedTrack) -> Plan:
        rungs = tuple(PlannedRung(height, self._bitrates[height], ssrc) for height, ssrc in self._ssrcs.items())
        return Plan(published.codec.name, published.codec.payload_type, rungs)

    def _refresh(self, height: int) -> None:
        if self._process is not None:
            self._process.send(Refresh(height))

    def _on_start(self) -> None:
        now = self._clock()
        self._started_at = now
        if self._process is not None and self.source is not None and self._told:
            self._process.send(Encode(self._told))
            self._waits_for_key = True
            self.source.request_keyframe(now)

    def _on_end(self) -> None:
        """The encoder has ended by itself: its viewers are better off with the source than with nothing."""
        self._process = None
        self.restarts += 1
        self._retry_at = self._clock() + _RESTART_PAUSE * 2 ** (self.restarts - 1)
        self._begin_anew()

    # ------------------------------------------------------------------------------------------------------ packets

    def _hand_on(self, data: bytes, packet: Packet) -> None:
        """Pass a packet of the source on; after one that was not taken, none before the next keyframe."""
        source, process = self.source, self._process
        if source is None or process is None:
            return
        published = source.published
        if published.orientation_id:
            self._note_orientation(data, packet, published.orientation_id)
        payload = data[packet.payload_start : packet.payload_end]
        if self._waits_for_key:
            if not starts_keyframe(source.codec, payload[:HEAD_BYTES]):
                source.request_keyframe(self._clock())  # again: it may have been asked for just before it was of use
                return
            self._waits_for_key = False
        taken = process.send(SourcePacket(bool(packet.marker), packet.sequence, packet.timestamp, payload))
        if not taken:
            self.dropped += 1
            self._waits_for_key = True
            source.request_keyframe(self._clock())

    def _note_orientation(self, data: bytes, packet: Packet, ident: int) -> None:
        """Note how the picture is to be turned: encoders do not see that, and viewers must be told all the same."""
        value = extension(data, packet, ident)
        if value is not None and len(value) == 1:
            self._orientation = b"\xbe\xde\0\1" + bytes((ident << 4,)) + value + b"\0\0" if value != b"\0" else b""

    def _take(self, message: bytes) -> None:
        """Take what the encoder says."""
        now = self._heard_at = self._clock()
        report = decode_report(message)
        if isinstance(report, bytes):
            self._take_packet(report, now)
        elif isinstance(report, SourceBroken):
            if self.source is not None:
                self.source.request_keyframe(now)
        else:
            self.counted = report

    def _take_packet(self, data: bytes, now: float) -> None:
        if self._orientation:
            data = bytes((data[0] | 0x10,)) + data[1:HEADER_SIZE] + self._orientation + data[HEADER_SIZE:]
        packet = parse(data)
        layer = self._layers.get(packet.ssrc) if packet is not None else None
        if packet is not None and layer is not None:
            layer.take(data, packet, now)


class Ladders:
    """The ladders of one publisher's tracks. Without `start` there are none."""

    def __init__(
        self, start: StartEncoder | None, fan_out: FanOut, keyframe_interval: float, clock: Callable[[], float]
    ) -> None:
        self._start = start
        self._fan_out = fan_out
        self._keyframe_interval = keyframe_interval
        self._clock = clock
        self._ladders: dict[Track, Ladder] = {}

    def fit(self, tracks: Sequence[Track], rungs: Sequence[Rung]) -> None:
        """Have ladders of these rungs for the tracks that can have one, from their next layer on."""
        kept = {track for track in tracks if rungs and self._start is not None and _can_have_ladder(track.published)}
        for track, ladder in tuple(self._ladders.items()):
            if track not in kept or ladder.source not in track.layers.values():
                ladder.follow(None)
            if track not in kept:
                del self._ladders[track]
        for track in kept - self._ladders.keys():
            if self._start is not None:
                self._ladders[track] = Ladder(
                    track,
                    rungs,
                    start=self._start,
                    fan_out=self._fan_out,
                    keyframe_interval=self._keyframe_interval,
                    clock=self._clock,
                )

    def layer_of(self, track: Track) -> type[Layer]:
        """Give the class for the layers of a track."""
        return SourceLayer if track in self._ladders else Layer

    def follow(self, track: Track, layer: Layer) -> None:
        """Take note of a track's new layer."""
        if track in self._ladders and isinstance(layer, SourceLayer):
            self._ladders[track].follow(layer)

    def rest(self) -> None:
        """Take note that no track has a layer any more."""
        for ladder in self._ladders.values():
            ladder.follow(None)

    def look(self, now: float) -> None:
        """Look after all of them. To be called about once a second."""
        for ladder in self._ladders.values():
            ladder.look(now)


def _can_have_ladder(published: PublishedTrack) -> bool:
    """Whether renditions can be made of a track: of a picture sent once, in a codec that there are encoders for.

    A publisher that sends simulcast makes them itself. AV1 would take a processor for each rendition.
    """
    return published.kind == "video" and not published.layers and published.codec.name in CODECS


def _nothing() -> None:
    """Stand in for whoever listens no more."""
