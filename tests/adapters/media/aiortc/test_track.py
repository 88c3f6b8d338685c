"""A track by itself: on which layer each outgoing stream is put, and what there is to choose from."""

from signalreel_adapters.media.aiortc.fanout import PoliteFanOut
from signalreel_adapters.media.aiortc.layer import Layer
from signalreel_adapters.media.aiortc.outgoing import Out
from signalreel_adapters.media.aiortc.quality import Rung
from signalreel_adapters.media.aiortc.rtp import parse
from signalreel_adapters.media.aiortc.track import Track
from tests.adapters.media.aiortc.fakes import FakeTransport, offered, published, rtp, vp8


class World:
    """A track of simulcast layers, each by its height."""

    def __init__(self, *heights: int) -> None:
        self.now = 1_000.0
        self.asked: list[int] = []
        self.sequence = 0
        self.track = Track(published(layers=tuple(map(str, heights)), ssrcs=()))
        for height in heights:
            self.track.layers[str(height)] = self.layer(str(height))

    def layer(self, rid: str) -> Layer:
        """A layer, of which the SSRC is the height."""
        return Layer(
            self.track.published,
            int(rid),
            rid,
            fan_out=PoliteFanOut(),
            keyframe_interval=0.5,
            ask_for_keyframe=self._ask,
        )

    def _ask(self, layer: Layer) -> None:
        self.asked.append(layer.ssrc)

    def picture(self, *heights: int) -> None:
        """Have layers bring a keyframe each, as many bytes as its height."""
        self.sequence += 1
        for height in heights:
            self._bring(height, vp8(self.sequence, key=True, height=height) + bytes(height))

    def rest_of_it(self, height: int) -> None:
        """Have a layer bring a packet that begins no keyframe."""
        self.sequence += 1
        self._bring(height, vp8(self.sequence))

    def _bring(self, height: int, payload: bytes) -> None:
        data = rtp(self.sequence, ssrc=height, payload=payload)
        packet = parse(data)
        assert packet is not None
        self.track.layers[str(height)].take(data, packet, self.now)

    def measure(self, *heights: int) -> None:
        """Have layers bring keyframes for as long as measuring a bitrate takes."""
        for _ in range(14):
            self.picture(*heights)
            self.now += 0.1

    def viewer(self) -> Out:
        """An outgoing stream that may flow."""
        out = Out(offered("video"), FakeTransport())
        out.ready = True
        self.track.subscribe(out, self.now)
        return out

    def shown(self, out: Out) -> int:
        """The height of what an outgoing stream shows; 0 for nothing."""
        return out.layer.size[1] if out.layer is not None else 0


def test_the_best_layer_is_shown_unless_a_height_is_pinned() -> None:
    """A pinned height gets the largest that is not higher, and the smallest when all are."""
    world = World(180, 720)
    world.measure(180, 720)
    out = world.viewer()
    shown: list[int] = []
    for height in (0, 360, 90, 2_000, 719):
        world.track.pin(out, height, world.now)
        world.picture(180, 720)
        shown.append(world.shown(out))

    assert shown == [720, 180, 180, 720, 180]


def test_a_viewer_that_may_not_flow_is_on_no_layer() -> None:
    """It is put there when it may."""
    world = World(360)
    out = world.viewer()
    world.picture(360)
    out.enabled = False
    world.track.place(out, world.now)
    assert (out.layer, out.target) == (None, None)
    out.enabled = True
    world.track.place(out, world.now)
    world.picture(360)

    assert world.shown(out) == 360


def test_a_change_of_mind_ends_the_waiting_for_the_other_layer() -> None:
    """Whoever goes back before the switch stays where it is, and no keyframe moves it any more."""
    world = World(180, 720)
    world.measure(180, 720)
    out = world.viewer()
    world.picture(720)
    world.track.pin(out, 180, world.now)
    targets: list[object] = [out.target]
    world.track.pin(out, 0, world.now)
    targets.append(out.target)
    world.picture(180)

    assert targets == [world.track.layers["180"], None]
    assert world.shown(out) == 720


def test_a_layer_may_be_left_before_the_other_one_begins() -> None:
    """What would queue up in front of it is not sent; when the rest is over it is asked for a keyframe and begins."""
    world = World(360, 180)
    world.measure(360, 180)
    out = world.viewer()
    world.picture(360)
    world.asked.clear()
    world.track.pin(out, 180, world.now, rest=0.1)
    world.picture(360, 180)
    world.rest_of_it(180)
    assert (world.shown(out), world.asked) == (0, [])
    world.now += 0.1
    world.rest_of_it(180)
    assert (world.shown(out), world.asked) == (0, [180])
    world.picture(360, 180)
    assert world.shown(out) == 180
    world.track.pin(out, 180, world.now, rest=0.1)

    assert world.shown(out) == 180


def test_only_layers_that_come_may_be_chosen() -> None:
    """A simulcast layer that the publisher has stopped sending is no rung."""
    world = World(180, 720)
    world.measure(180, 720)
    assert [rung.height for rung in world.track.rungs(world.now)] == [180, 720]
    for _ in range(3):
        world.measure(180)

    assert [rung.height for rung in world.track.rungs(world.now)] == [180]


def test_a_rung_takes_what_it_took_at_most_lately() -> None:
    """A picture that stands still for a moment does not make its layer small."""
    world = World(180, 720)
    world.measure(180, 720)
    peak = world.track.rungs(world.now)
    world.now = int(world.now) + 1.0
    for _ in range(3):
        world.picture(180, 720)
        world.now += 1.0

    assert all(layer.rate.rate(world.now) < layer.nominal(world.now) for layer in world.track.layers.values())
    assert world.track.rungs(world.now) == peak


def test_what_is_encoded_here_may_be_chosen_too() -> None:
    """Before its first packet, by the size that it will have."""
    world = World(720)
    received = world.track.layers["720"]
    world.measure(720)
    rung = world.layer("240")
    rung.size, world.track.encoded["240"] = (426, 240), rung
    out = world.viewer()
    targets: list[object] = [out.target]
    world.track.pin(out, 240, world.now)
    targets.append(out.target)

    assert targets == [received, rung]
    assert [each.height for each in world.track.rungs(world.now)] == [240, 720]


def test_of_two_layers_of_one_height_the_better_is_offered() -> None:
    """Two rungs of one height could not be told apart by it."""
    world = World(180, 720)
    world.measure(180, 720)
    for layer in world.track.layers.values():
        layer.size = (640, 360)
    rungs = world.track.rungs(world.now)

    assert rungs == (Rung(360, world.track.layers["720"].nominal(world.now)),)


def test_whoever_leaves_is_let_go() -> None:
    """Nothing is sent to it any more, and nothing is remembered of it."""
    world = World(360)
    out = world.viewer()
    world.track.unsubscribe(out)
    world.track.pin(out, 180, world.now)
    world.picture(360)

    assert (world.track.outs, out.layer) == ({}, None)


def test_layers_that_end_keep_their_viewers_waiting() -> None:
    """They are put on the next layer of the track."""
    world = World(360)
    out = world.viewer()
    world.picture(360)
    layer = world.track.layers["360"]
    world.track.end_layers()
    assert (out.layer, world.track.layers) == (None, {})
    world.track.layers["360"] = layer
    world.track.place_all(world.now)
    world.picture(360)

    assert world.shown(out) == 360
