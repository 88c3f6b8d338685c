"""One audio or video track of a publisher: its layers, and which of them each outgoing stream shows."""

from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.negotiation import PublishedTrack
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.quality import Rung

__all__ = ("Track",)


class Track:
    """One audio or video track: its layers, and the outgoing streams that show it."""

    def __init__(self, published: PublishedTrack) -> None:
        self.published = published
        self.layers: dict[str, Layer] = {}  #: that are received, by rid; "" for the only one
        self.encoded: dict[str, Layer] = {}  #: that we make of it ourselves, by height; watched or not
        self.outs: dict[Out, int] = {}  #: to the height that is wanted; 0 when any is

    def subscribe(self, out: Out, now: float) -> None:
        """Show this track on an outgoing stream, as soon as that may flow."""
        self.outs.setdefault(out, 0)
        self.place(out, now)

    def unsubscribe(self, out: Out) -> None:
        """Show it there no more."""
        if self.outs.pop(out, None) is not None:
            self._stop(out)

    def pin(self, out: Out, height: int, now: float, *, rest: float = 0.0) -> None:
        """Choose the layer by its height in pixels; 0 chooses the best.

        With a `rest` nothing more is sent of another layer, and the chosen one begins after so many seconds.
        """
        if out in self.outs:
            self.outs[out] = height
            out.rests_until = now + rest
            self.place(out, now)
            if rest and out.target is not None and out.layer is not None:
                out.layer.leave(out)
                out.layer = None

    def place(self, out: Out, now: float) -> None:
        """Put an outgoing stream onto the layer it should be on, or onto none while it may not flow."""
        if not out.flows:
            self._stop(out)
            return
        layer = self._choose(self.outs[out], now)
        if layer is None or layer is (out.target or out.layer):
            return
        if out.target is not None:
            waited_for, out.target = out.target, None
            waited_for.stop_waiting(out)
        if layer is not out.layer:
            layer.await_start(out, now)

    def place_all(self, now: float) -> None:
        """Look again at where everybody should be: a layer came, went, or changed its size."""
        for out in self.outs:
            self.place(out, now)

    def end_layers(self) -> None:
        """Let go of all layers; the outgoing streams stay, and wait for the next ones."""
        for layer in self.layers.values():
            layer.release()
        self.layers.clear()

    def rungs(self, now: float) -> tuple[Rung, ...]:
        """Give the layers that may be chosen from, with what they take. Of two of one height the better one is seen."""
        found: dict[int, int] = {}
        for layer in self._alive(now):
            height = layer.size[1]
            found[height] = max(found.get(height, 0), layer.nominal(now))
        return tuple(Rung(height, bitrate) for height, bitrate in sorted(found.items()) if height)

    def _alive(self, now: float) -> list[Layer]:
        received = [layer for layer in self.layers.values() if layer.rate.rate(now) or len(self.layers) == 1]
        return [*received, *self.encoded.values()]

    def _stop(self, out: Out) -> None:
        for layer in (out.target, out.layer):
            if layer is not None:
                layer.stop(out)

    def _choose(self, height: int, now: float) -> Layer | None:
        alive = self._alive(now)
        candidates = sorted(alive or self.layers.values(), key=lambda layer: (layer.size[1], layer.rate.rate(now)))
        if not candidates:
            return None
        if height:
            fitting = [layer for layer in candidates if layer.size[1] <= height]
            return fitting[-1] if fitting else candidates[0]
        return candidates[-1]
